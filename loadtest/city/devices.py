"""Every device of the city, and what each of them sends at a moment; some are bad on purpose."""

import enum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from loadtest.city.chance import key_of, pick
from loadtest.city.kinds import KINDS, Kind
from loadtest.city.moment import Moment
from loadtest.city.streets import PLACES, CityPlace

__all__ = ["City", "CityDevice", "Fault"]

MS_PER_S: Final = 1_000
WEEK_S: Final = 7 * 86_400
# The broken sender cuts a message off where chance, -1 to 1, is above this: one in twenty.
CUT_OFF_ABOVE: Final = 0.9
# Coprime to the number of places, and spreads every kind over all districts.
STRIDE: Final = 15


class Fault(enum.Enum):
    """What is wrong with a device."""

    STUCK = "the sensor repeats one reading for ever"
    CLOCK_1970 = "its clock was never set"
    MALFORMED = "some of its messages are cut off"
    UNKNOWN = "nobody has registered it"
    SILENT = "its battery gave up hours ago"


FAULTS: Final = {
    "air-07": Fault.STUCK,
    "noise-11": Fault.CLOCK_1970,
    "parking-05": Fault.MALFORMED,
    "air-34": Fault.UNKNOWN,
    "water-13": Fault.SILENT,
}


class CityDevice(msgspec.Struct, frozen=True):
    """A device. Its messages are numbered by the instants at which they are due, since 1970.

    Attributes:
        key: Its chance.
        phase_s: When in its interval it sends: not all devices at the same second.
    """

    id: str
    kind: Kind
    place: CityPlace
    key: int
    phase_s: int
    fault: Fault | None

    @property
    def topic(self) -> bytes:
        """Where it publishes."""
        return f"madina/v1/{self.kind.provider}/{self.id}/up".encode()

    def time_s(self, number: int) -> int:
        """Return when a message is due, seconds since 1970."""
        return number * self.kind.every_s + self.phase_s

    def first_after(self, time_s: float) -> int:
        """Return the number of the first message that is due later than an instant."""
        return int((time_s - self.phase_s) // self.kind.every_s) + 1


class City:
    """All devices under a seed."""

    def __init__(self, seed: int, zone: ZoneInfo) -> None:
        self._seed = seed
        self._zone = zone
        spots = ((kind, at) for kind in KINDS for at in range(1, kind.count + 1))
        self.devices = tuple(
            self._device(kind, at, PLACES[spot * STRIDE % len(PLACES)])
            for spot, (kind, at) in enumerate(spots)
        )

    def payload(self, device: CityDevice, number: int) -> bytes:
        """Return what a device sends as its message of a number; always the same bytes."""
        time_s = device.time_s(number)
        said_s = time_s % WEEK_S if device.fault is Fault.CLOCK_1970 else time_s
        items = ",".join(self._items(device, 0 if device.fault is Fault.STUCK else time_s))
        payload = b'{"t":%d,"obs":[%b]}' % (said_s * MS_PER_S, items.encode())
        if device.fault is Fault.MALFORMED and pick(device.key, number) > CUT_OFF_ABOVE:
            return payload[: len(payload) * 2 // 3]
        return payload

    def _items(self, device: CityDevice, time_s: int) -> list[str]:
        moment = Moment(time_s, self._zone, key=device.key, city_key=self._seed)
        return [
            f'{{"q":"{signal.quantity}","v":{signal.value(moment):.{signal.digits}f}'
            f',"u":"{signal.unit}"}}'
            for signal in device.kind.signals
        ]

    def _device(self, kind: Kind, at: int, place: CityPlace) -> CityDevice:
        name = f"{kind.name}-{at:02}"
        key = key_of(self._seed, name)
        return CityDevice(
            id=name,
            kind=kind,
            place=place,
            key=key,
            phase_s=key % kind.every_s,
            fault=FAULTS.get(name),
        )
