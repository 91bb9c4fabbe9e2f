"""Formulas of sound levels."""

from indicators.contracts.part import Part
from indicators.contracts.shapes.period import Period

__all__ = ["DayEveningNight", "EnergyMean", "ExceededLevel"]


class EnergyMean(Part, frozen=True, tag="energy_mean", tag_field="name"):
    """The energy mean of levels over the window, or over a period of its day."""

    period: Period | None = None


class DayEveningNight(Part, frozen=True, tag="day_evening_night", tag_field="name"):
    """The weighted energy mean of the periods of a day with their penalties (Lden)."""

    periods: tuple[Period, ...]


class ExceededLevel(Part, frozen=True, tag="exceeded_level", tag_field="name"):
    """The level that is exceeded so many percent of the time (L10, L50, L90)."""

    percent: int
