"""A part of a civil day, which several formulas are told of."""

import datetime

from indicators.contracts.part import Part

__all__ = ["Period"]


class Period(Part, frozen=True):
    """A part of a civil day by the wall clock; into the next day if it ends before it starts.

    Attributes:
        component: Id of the indicator that publishes the level of this period alone.
        weight_h: Hours that it counts for.
        penalty_db: What is added to its level.
    """

    starts: datetime.time
    ends: datetime.time
    component: str = ""
    weight_h: int = 0
    penalty_db: int = 0
