"""What each kind of device measures, as tables of numbers that whole columns are made from.

Names and units of quantities are those of `city.quantities`. The day of the demo city
(`loadtest.city.kinds`) is told message by message; here it has to be cheap.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "Signal", "SignalKind"]

#                        0     6     12    18
RUSH: Final = "110012479975556689875432"
CALM: Final = "321101123456665566554433"
VOICES: Final = "210001245666777777776543"
EVENING: Final = "543210123456777777777776"
OFFICE: Final = "000000148999889976421000"
TAPS: Final = "111113897655565456788643"
NIGHT: Final = "999999630000000000369999"
LEVEL: Final = "000000000000000000000000"


class Signal(msgspec.Struct, frozen=True):
    """One quantity: `base + swing * day * size + weather + district + noise`, cut at `least`.

    Attributes:
        digits: After the decimal point, as sent.
        swing: How much the day moves it.
        weather: How much it follows what is the same all over the city.
        district: How much it follows what neighbouring devices share.
        noise: How much each reading differs from the one before.
        per_hour: What a counter adds in an hour.
        other: Another unit of it, with factor and offset from ours.
    """

    quantity: str
    unit: str
    digits: int
    base: float
    swing: float
    weather: float = 0.0
    district: float = 0.0
    noise: float = 0.0
    least: float = 0.0
    per_hour: float = 0.0
    other: tuple[str, float, float] | None = None


class SignalKind(msgspec.Struct, frozen=True):
    """One kind of device.

    Attributes:
        workday, weekend: How busy it is by the hour from midnight on, digits from 0 to 9.
        on_change: A message is only sent where a value differs from the one before.
    """

    signals: tuple[Signal, ...]
    workday: str
    weekend: str
    on_change: bool = False

    def day(self) -> NDArray[np.float64]:
        """Return how busy it is, 0 to 1: a row for workdays and one for weekends, 25 columns."""
        rows = [[int(digit) / 9.0 for digit in each] for each in (self.workday, self.weekend)]
        return np.array([[*row, row[0]] for row in rows])


KINDS: Final = {
    "air": SignalKind((
        Signal("pm2_5", "ug/m3", 1, 6.0, 14.0, 4.0, 4.0, 0.6, other=("mg/m3", 0.001, 0.0)),
        Signal("temperature", "Cel", 1, 15.0, 6.0, 5.0, 0.5, 0.2, least=-40.0,
               other=("[degF]", 1.8, 32.0)),
    ), RUSH, CALM),
    "noise": SignalKind((
        Signal("laeq", "dB", 1, 42.0, 24.0, 0.0, 3.0, 1.2, least=20.0),
        Signal("lamax", "dB", 1, 55.0, 24.0, 0.0, 3.0, 3.0, least=20.0),
    ), VOICES, EVENING),
    "traffic": SignalKind((
        Signal("vehicles", "1", 0, 2.0, 30.0, 0.0, 3.0, 3.0),
        Signal("speed", "km/h", 1, 52.0, -30.0, 0.0, 3.0, 2.0, least=3.0),
    ), RUSH, CALM),
    "parking": SignalKind((
        Signal("free_spaces", "1", 0, 90.0, -70.0, 0.0, 4.0, 0.0),
        Signal("occupied_spaces", "1", 0, 10.0, 70.0, 0.0, -4.0, 0.0),
    ), OFFICE, LEVEL, on_change=True),
    "waste": SignalKind((
        Signal("fill_level", "%", 0, 35.0, 30.0, 0.0, 15.0, 2.0),
        Signal("battery_level", "%", 0, 80.0, 0.0, 0.0, 0.0, 1.0),
    ), VOICES, EVENING),
    "water": SignalKind((
        Signal("flow", "m3/h", 3, 0.05, 1.4, 0.0, 0.1, 0.04, other=("L/h", 1000.0, 0.0)),
        Signal("volume", "m3", 3, 100.0, 0.0, per_hour=0.4),
    ), TAPS, TAPS),
    "light": SignalKind((
        Signal("power", "W", 0, 4.0, 90.0, 0.0, 0.0, 1.0),
        Signal("voltage", "V", 1, 230.0, -3.0, 0.0, 1.0, 0.8),
    ), NIGHT, NIGHT),
    "bus": SignalKind((
        Signal("latitude", "deg", 5, 38.9, 0.02, 0.0, 0.01, 0.0001, least=-90.0),
        Signal("longitude", "deg", 5, -9.9, 0.02, 0.0, 0.01, 0.0001, least=-180.0),
        Signal("speed", "km/h", 1, 18.0, -8.0, 0.0, 2.0, 8.0),
    ), RUSH, CALM),
}  # fmt: skip
