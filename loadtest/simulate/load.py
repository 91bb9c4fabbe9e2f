"""What is asked of the simulation: how much comes when, and what stands still meanwhile. Pure."""

from typing import Final, Literal

import msgspec

__all__ = ["Burst", "Load", "LoadError", "Part", "Standstill", "checked"]

Part = Literal["gateway", "log", "ingest", "store"]


class LoadError(ValueError):
    """A load that means nothing; says which figure and how to mend it."""


class Burst(msgspec.Struct, frozen=True):
    """More messages for a while: so many times the rate."""

    at_s: float
    lasts_s: float
    times: float


class Standstill(msgspec.Struct, frozen=True):
    """A part that does nothing for a while: stopped, cut off, or refused; then it goes on.

    Attributes:
        part: `store` begins no commit's write; `ingest` no batch either; what it has in hand waits.
    """

    part: Part
    at_s: float
    lasts_s: float

    @property
    def ends_s(self) -> float:
        """When it goes on."""
        return self.at_s + self.lasts_s


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Messages over time, open loop: due at fixed instants, whatever became of those before.

    Attributes:
        rate_per_s: Of all devices together.
        seconds: For so long messages are due; it then goes on until all are applied.
    """

    rate_per_s: float
    seconds: float = 30.0
    bursts: tuple[Burst, ...] = ()
    standstills: tuple[Standstill, ...] = ()

    def due(self, elapsed_s: float) -> float:
        """Return how many messages are due so long after the start."""
        elapsed_s = min(elapsed_s, self.seconds)
        more_s = sum(
            (burst.times - 1) * min(max(0.0, elapsed_s - burst.at_s), burst.lasts_s)
            for burst in self.bursts
        )
        return self.rate_per_s * (elapsed_s + more_s)


SECONDS_MOST: Final = 3_600.0
RATE_MOST: Final = 10_000_000.0


def checked(load: Load) -> Load:
    """Return the load.

    Raises:
        LoadError: A figure is out of its range.
    """
    if not 0 < load.rate_per_s <= RATE_MOST:
        raise LoadError(f"rate {load.rate_per_s:g} is none of one machine: above 0, at most 1e7")
    if not 1 <= load.seconds <= SECONDS_MOST:
        raise LoadError(f"{load.seconds:g} seconds are not simulated: 1 to {SECONDS_MOST:g}")
    for each in (*load.bursts, *load.standstills):
        if each.at_s < 0 or each.lasts_s <= 0 or each.at_s >= load.seconds:
            raise LoadError(f"{each} is not within the {load.seconds:g} seconds of the load")
    if any(burst.times < 1 for burst in load.bursts):
        raise LoadError("a burst of less than the rate is none: at least once as much")
    return load
