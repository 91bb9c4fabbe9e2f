"""Formulas of heat: how hot it feels, and days above a level."""

from decimal import Decimal
from typing import Literal

from indicators.contracts.part import Part
from indicators.contracts.shapes.period import Period

__all__ = ["ExtremeDay", "HeatIndex"]


class HeatIndex(Part, frozen=True, tag="heat_index", tag_field="name"):
    """The heat index of the US National Weather Service, of each sample; the greatest of a day.

    The bands of its contract are in degrees Fahrenheit, as the service prints them.

    Attributes:
        moisture: What the second input is: relative humidity (%), or the dew point (Cel), of which
            and of the air's temperature relative humidity is the ratio of the vapour pressures.
        join_s: Samples of both inputs belong together within the same so many seconds.
    """

    moisture: Literal["humidity", "dew_point"] = "humidity"
    join_s: int = 60


class ExtremeDay(Part, frozen=True, tag="extreme_day", tag_field="name"):
    """Whether a civil day's greatest or least hour mean is above a level, or a run of such days.

    Attributes:
        extreme: Of the day's valid hour means.
        above: The level that the extreme is greater than, in the input's unit.
        needed: When one valid hour has to start at least.
        run: Consecutive days that have to be above; a missing day ends a run.
    """

    extreme: Literal["max", "min"]
    above: Decimal
    needed: Period
    run: int = 1
