"""Formulas of means: the mean itself, its index, its band, and what is made of several."""

from decimal import Decimal
from typing import Literal

from indicators.contracts.part import Part

__all__ = ["HighestIndex", "MeanBand", "MeanIndex", "MeanValue", "NowCast"]


class MeanIndex(Part, frozen=True, tag="mean_index", tag_field="name"):
    """The index of the mean of a day's valid hour means."""


class MeanValue(Part, frozen=True, tag="mean_value", tag_field="name"):
    """The mean of the valid hour means of a window; below 0 it is published as 0."""


class MeanBand(Part, frozen=True, tag="mean_band", tag_field="name"):
    """The number of the band, from 1 on, that holds the mean of an hour."""


class HighestIndex(Part, frozen=True, tag="highest_index", tag_field="name"):
    """The highest of other indicators of the same window.

    Attributes:
        components: Ids in the catalogue's order: the first wins a tie. One that is not measured
            contributes nothing, and so does one that has no contract yet.
        stem: What `main_input` leaves out of an id.
        needed: One of each of these groups of components has to be known.
    """

    components: tuple[str, ...]
    stem: str
    needed: tuple[tuple[str, ...], ...] = ()


class NowCast(Part, frozen=True, tag="nowcast", tag_field="name"):
    """EPA's weighted mean of the last clock hours.

    Attributes:
        publish: The index of the result, or the concentration itself.
        hours: Clock hours looked back on.
        least_weight: Floor of the weight factor.
        recent: Of so many most recent hours
        recent_needed: so many must be known.
    """

    publish: Literal["index", "concentration"]
    hours: int
    least_weight: Decimal
    recent: int
    recent_needed: int
