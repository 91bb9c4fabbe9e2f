"""Formulas that count: what a counter saw, and how often a level was exceeded."""

from decimal import Decimal
from typing import Literal

from indicators.civil import Grain
from indicators.contracts.part import Part

__all__ = ["Counted", "ExceededCount"]


class ExceededCount(Part, frozen=True, tag="exceeded_count", tag_field="name"):
    """How many means of a year are greater than a level, by the results of another indicator.

    Attributes:
        component: The indicator that publishes the means.
        grain: Of its means; `hour` with `running_h` too.
        level: In the component's unit.
        digits: Decimals that a mean is rounded to before it is compared.
        running_h: Above 0, the greatest running mean of so many hours is counted by days, each
            running mean belonging to the day that it ends in.
        running_needed: So many hours of a running mean must be known.
        borderline: A count that is marked because another reading of the rule allows it.
    """

    component: str
    grain: Grain
    level: Decimal
    digits: int = 0
    running_h: int = 0
    running_needed: int = 0
    borderline: int | None = None


class Counted(Part, frozen=True, tag="counted", tag_field="name"):
    """What a counter counted in a window.

    Attributes:
        publish: The number itself, or as many as in an hour of the time that is known.
        whole: From this completeness on a number is not scaled; below it is, and is marked.
    """

    publish: Literal["number", "per_hour"]
    whole: float = 0.0
