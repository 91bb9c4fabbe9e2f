"""What members of Tasmota's messages measure, and in which unit.

Source: formats.md section 11 (tasmota/docs).
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["BLOCK", "ENERGY", "OF_PRESSURE", "OF_SPEED", "OF_TEMPERATURE", "UNITS_OF"]

OF_TEMPERATURE: Final = "TempUnit"
OF_PRESSURE: Final = "PressureUnit"
OF_SPEED: Final = "SpeedUnit"
# Which member tells the unit of what, and what holds where it is missing.
UNITS_OF: Final[Mapping[str, str | None]] = {
    OF_TEMPERATURE: "C",
    OF_PRESSURE: "hPa",
    OF_SPEED: None,
}

# Member of a sensor's block -> quantity, and its unit or the member that tells it.
BLOCK: Final[Mapping[str, tuple[str, str | None]]] = {
    "Temperature": ("temperature", OF_TEMPERATURE),
    "DewPoint": ("dew_point", OF_TEMPERATURE),
    "Humidity": ("humidity", "%"),
    "Pressure": ("pressure", OF_PRESSURE),
    "SeaPressure": ("sea_pressure", OF_PRESSURE),
    "Illuminance": ("illuminance", "lx"),
    "CarbonDioxide": ("co2", "[ppm]"),
    "eCO2": ("eco2", "[ppm]"),
    "TVOC": ("tvoc", "[ppb]"),
    "PM1": ("pm1", "ug/m3"),
    "PM2.5": ("pm2_5", "ug/m3"),
    "PM10": ("pm10", "ug/m3"),
    "Distance": ("distance", "cm"),
    "Speed": ("speed", OF_SPEED),
}

ENERGY: Final[Mapping[str, tuple[str, str]]] = {
    "Total": ("energy_total", "kW.h"),
    "Yesterday": ("energy_yesterday", "kW.h"),
    "Today": ("energy_today", "kW.h"),
    "Period": ("energy_period", "W.h"),
    "Power": ("power", "W"),
    "ApparentPower": ("apparent_power", "V.A"),
    "ReactivePower": ("reactive_power", "var"),
    "Factor": ("power_factor", "1"),
    "Voltage": ("voltage", "V"),
    "Current": ("current", "A"),
    "Frequency": ("frequency", "Hz"),
}
