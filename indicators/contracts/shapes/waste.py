"""Formulas of waste containers: how full they are, how fast they fill, when they are full."""

from decimal import Decimal

from indicators.contracts.part import Part

__all__ = ["Collection", "DaysToFull", "FillLevel", "FillRate"]


class Collection(Part, frozen=True):
    """When the step between two readings that follow each other is an emptying.

    Attributes:
        drop: By so many points of percent or more
        to: to so many percent or less
        within_h: within so many hours.
    """

    drop: Decimal = Decimal(30)
    to: Decimal = Decimal(40)
    within_h: int = 24


class FillLevel(Part, frozen=True, tag="fill_level", tag_field="name"):
    """The mean of the levels, each the median of the last few readings, within 0 to 100.

    Attributes:
        smoothed: Of so many readings.
    """

    smoothed: int = 3


class FillRate(Part, frozen=True, tag="fill_rate", tag_field="name"):
    """The median slope between every two readings since the last collection, per day.

    Attributes:
        points: So many readings are needed
        hours: over so many hours.
        before_days: How long before the end of the window readings are looked at.
        collection: What ends the readings before it.
    """

    points: int = 4
    hours: int = 12
    before_days: int = 28
    collection: Collection = Collection()


class DaysToFull(Part, frozen=True, tag="days_to_full", tag_field="name"):
    """Days until the newest reading is 100 % at the present rate.

    Attributes:
        rate: How the rate is found.
        above: In %/d: at this rate or a lower one there is no time.
        cap_d: A longer time is published as so many days.
    """

    rate: FillRate = FillRate()
    above: Decimal = Decimal("0.1")
    cap_d: int = 30
