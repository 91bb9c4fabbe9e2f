"""What a formula is asked for: one contract, one window."""

from zoneinfo import ZoneInfo

import msgspec

from city.traits import Traits, number_of
from indicators.civil import Grain, Window
from indicators.contracts.model import Contract

__all__ = ["Asked"]


class Asked(msgspec.Struct, frozen=True):
    """One value of one indicator.

    Attributes:
        window: A window of the grain in the zone.
        zone: Of the city.
        traits: What is known of the device that it is computed for.
    """

    contract: Contract
    grain: Grain
    window: Window
    zone: ZoneInfo
    traits: Traits = {}

    def share(self, level: str) -> float:
        """Return the contract's threshold of a level; it was checked that there is one."""
        return self.contract.completeness[level]

    def trait(self, name: str) -> float | None:
        """Return a number that is known of the device; None where nobody said it."""
        return number_of(self.traits, name)
