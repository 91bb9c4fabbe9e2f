"""What is asked of a plan: how many devices, how often they speak, and what is kept. Pure."""

from typing import Final

import msgspec

__all__ = ["Ask", "AskError", "Prices", "checked"]

DAY_S: Final = 86_400


class AskError(ValueError):
    """A plan was asked for that means nothing; says which figure and how to mend it."""


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """What one of each costs, in any currency; a plan has costs only where something is given.

    Attributes:
        core_month: A core for a month.
        gb_month: A gigabyte (10^9 bytes) of disk for a month.
        gb_out: A gigabyte that leaves for other cities.
        kwh: A kilowatt hour.
    """

    core_month: float = 0.0
    gb_month: float = 0.0
    gb_out: float = 0.0
    kwh: float = 0.0

    @property
    def given(self) -> bool:
        """Whether anything has a price."""
        return any((self.core_month, self.gb_month, self.gb_out, self.kwh))


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be planned.

    Attributes:
        devices: In all cities.
        interval_s: Between two messages of a device, in the mean.
        cities: That run an installation each, independent of each other.
        format: One of the calibration.
        peak: Messages of the busiest second over the mean; 3 where devices spread their messages
            over the interval, 10 and more where all of them send on the hour.
        utilisation: Share of a core that is planned to be in use at the peak.
        replicas: Copies of log and store.
        behind: Devices behind one concentrator.
        sample: Of so many readings one goes to the city, the others stay at the edge.
        log_hours: That the log keeps: how long a store may be away.
        raw_days: That observations are kept.
        zones, indicators: Of a city, for what is kept for ever and exchanged between cities.
        watts_a_core: Of a machine, with its share of power supply and cooling.
    """

    devices: float
    interval_s: float = 900.0
    cities: int = 1
    format: str = "native"
    peak: float = 3.0
    utilisation: float = 0.5
    replicas: int = 3
    behind: int = 1_000
    sample: int = 4
    log_hours: float = 24.0
    raw_days: float = 365.0
    zones: int = 100
    indicators: int = 50
    watts_a_core: float = 10.0
    prices: Prices = Prices()

    @property
    def devices_a_city(self) -> float:
        """Devices of one city."""
        return self.devices / self.cities


# What has to be at least so much, and why.
LEAST: Final[dict[str, tuple[float, str]]] = {
    "devices": (1, "a plan is for at least one device"),
    "interval_s": (0.001, "devices send at most a thousand messages a second each"),
    "cities": (1, "there is at least one city"),
    "peak": (1, "the busiest second has at least the mean"),
    "replicas": (1, "there is at least one copy"),
    "behind": (1, "a concentrator has at least one device behind it"),
    "sample": (1, "1 sends every reading, 4 one of four"),
    "log_hours": (0, "the log keeps no time or more"),
    "raw_days": (0, "observations are kept for no time or more"),
    "zones": (1, "a city is at least one zone"),
    "indicators": (1, "a zone has at least one indicator"),
    "watts_a_core": (0, "a core needs no power or more"),
}


def checked(ask: Ask, formats: list[str]) -> Ask:
    """Return what was asked.

    Raises:
        AskError: A figure is out of its range, or the format was not calibrated.
    """
    for name, (least, why) in LEAST.items():
        value = getattr(ask, name)
        if not value >= least:
            raise AskError(f"{name.removesuffix('_s')} {value:g} is too small: {why}")
    if not 0 < ask.utilisation <= 1:
        raise AskError(
            f"utilisation {ask.utilisation:g} is no share: give a number above 0 up to 1"
        )
    if ask.devices < ask.cities:
        raise AskError(f"{ask.cities:,} cities have {ask.devices:,.0f} devices: give fewer cities")
    if ask.format not in formats:
        raise AskError(f"{ask.format} was not calibrated: choose one of {', '.join(formats)}")
    return ask
