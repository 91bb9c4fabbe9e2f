"""Formulas of car parks: what was reported holds until the next report."""

from decimal import Decimal

from indicators.contracts.part import Part

__all__ = ["HeldLevel", "HeldShare"]


class HeldShare(Part, frozen=True, tag="held_share", tag_field="name"):
    """The share of bays that is occupied over time, or the share of time with many occupied.

    Attributes:
        above: None: the share of bays. A fraction of the bays: how much of the time at least so
            many are occupied.
        hold_intervals: A report holds for at most so many nominal intervals.
    """

    above: Decimal | None = None
    hold_intervals: int = 4


class HeldLevel(Part, frozen=True, tag="held_level", tag_field="name"):
    """How many bays are free at the end of the window.

    Attributes:
        hold_intervals: A report holds for at most so many nominal intervals.
    """

    hold_intervals: int = 4
