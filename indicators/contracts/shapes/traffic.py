"""Formulas of traffic detectors."""

from indicators.contracts.part import Part

__all__ = ["SpaceMeanSpeed", "TimeMean"]


class SpaceMeanSpeed(Part, frozen=True, tag="space_mean_speed", tag_field="name"):
    """The harmonic mean of speeds, each by how many vehicles drove so.

    Attributes:
        join_s: A number and a speed belong together within the same so many seconds.
    """

    join_s: int = 60


class TimeMean(Part, frozen=True, tag="time_mean", tag_field="name"):
    """The mean of shares of time, each weighed by how long it was measured."""
