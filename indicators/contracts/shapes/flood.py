"""Formulas of water levels: the stage, its band, how fast it rises, and when it is too high."""

from decimal import Decimal

from indicators.contracts.part import Part

__all__ = ["RateOfRise", "Stage", "StageBand", "TimeToThreshold"]


class Stage(Part, frozen=True, tag="stage", tag_field="name"):
    """The newest level, until its slot is over."""


class StageBand(Part, frozen=True, tag="stage_band", tag_field="name"):
    """The number of the band that a level is in, by the thresholds of its gauge.

    Traits `alert_level`, `warning_level` and `flood_level`; those that are not known are not there.
    Up at once, down after a while below a threshold by a margin.

    Attributes:
        margin_m: How far below a threshold a level has to be
        wait_min: for how many minutes.
        before_h: How long before the window levels are looked at.
    """

    margin_m: Decimal = Decimal("0.05")
    wait_min: int = 15
    before_h: int = 24


class RateOfRise(Part, frozen=True, tag="rate_of_rise", tag_field="name"):
    """The median slope between every two of the last levels (Theil-Sen), per hour.

    Attributes:
        points: So many levels are needed, and where the interval is longer than `dense_min`
            so many are taken.
        minutes: Before the newest level, where the interval is not longer.
        dense_min: Minutes.
    """

    points: int = 4
    minutes: int = 30
    dense_min: int = 10


class TimeToThreshold(Part, frozen=True, tag="time_to_threshold", tag_field="name"):
    """Hours until the next threshold above the level is reached at the present rate of rise.

    Attributes:
        rate: How the rate is found.
        above: In m/h: at this rate or a lower one there is no time.
        cap_h: A longer time is published as so many hours.
    """

    rate: RateOfRise = RateOfRise()
    above: Decimal = Decimal("0.02")
    cap_h: int = 24
