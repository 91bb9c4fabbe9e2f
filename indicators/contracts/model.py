"""What an indicator's contract holds: the fields of indicators.md section 17, nothing computed.

A contract is one TOML file. Its formula is one of the shapes below, with its parameters; the
functions that compute them are in `indicators.formulas`.
"""

import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from indicators.civil import Grain

__all__ = [
    "Band",
    "Contract",
    "Counted",
    "DayEveningNight",
    "EnergyMean",
    "ExceededCount",
    "ExceededLevel",
    "ExtremeDay",
    "Formula",
    "HeatIndex",
    "HighestIndex",
    "Input",
    "Kpi",
    "MeanBand",
    "MeanIndex",
    "MeanValue",
    "NowCast",
    "Period",
    "Privacy",
    "Rounding",
    "Source",
    "Spatial",
    "Vector",
    "Version",
    "WindowRule",
    "version_of",
]

Version = tuple[int, int, int]
SpatialRule = Literal[
    "none",
    "mean",
    "median",
    "pop_weighted",
    "area_weighted",
    "worst",
    "sum",
    "ratio_of_sums",
    "energy_mean",
    "share_above_level",
]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a contract: a field it does not know is an error, and a default is not written."""


class Input(_Part, frozen=True):
    """A series that an indicator is computed from.

    Attributes:
        quantity: Name as in formats.md; a series with a channel qualifies too.
        unit: UCUM code that the quantity is stored in.
        statistic: What one value says of its interval.
        longest_interval_s: Series with a longer nominal interval do not qualify.
        daily: A series with one value a civil day qualifies too, and enters at the day.
        roles: Roles of devices that qualify; empty: all.
    """

    quantity: str
    unit: str
    statistic: Literal["mean", "energy_mean", "sum", "last"]
    longest_interval_s: int
    daily: bool = False
    roles: tuple[str, ...] = ()


class WindowRule(_Part, frozen=True):
    """What is averaged: how long in words, and what its bounds follow."""

    duration: str
    alignment: str


class Rounding(_Part, frozen=True):
    """How a published value is rounded.

    Attributes:
        mode: `half_up` away from zero, `truncate` toward zero, or `none`.
        digits: Decimals of the published value.
        truncate_input: Decimals that an average is cut to before the bands; None: it is not cut.
    """

    mode: Literal["half_up", "truncate", "none"]
    digits: int = 0
    truncate_input: int | None = None


class Band(_Part, frozen=True):
    """One band of an ordered scale; bounds are inclusive and exact decimals.

    Where no band of a scale has an upper bound, each ends below the lower bound of the next.

    Attributes:
        lower: Least value; None: open below.
        upper: Greatest value; None: open above.
        code: Word for programs.
        label: English name as printed in the source.
        index: Index at both bounds, where values become an index.
        colour: RRGGBB in hex.
    """

    code: str
    label: str
    lower: Decimal | None = None
    upper: Decimal | None = None
    index: tuple[int, int] | None = None
    colour: str | None = None


class Spatial(_Part, frozen=True):
    """How places become a district: the rule of section 15d, others to ask for, the minimum."""

    rule: SpatialRule
    min_sites: int = 1
    others: tuple[SpatialRule, ...] = ()


class Privacy(_Part, frozen=True):
    """What section 15e hides.

    Attributes:
        kind: Class of data.
        k: Smallest cell that may be shown.
        dominance: Greatest share of one contributor.
    """

    kind: Literal["none", "counts", "households"]
    k: int = 0
    dominance: float | None = None


class Source(_Part, frozen=True):
    """Where figures come from, and whether they were read there."""

    document: str
    mark: Literal["VERIFIED", "FROM MEMORY", "PRODUCT RULE"]
    section: str = ""
    url: str = ""


class Kpi(_Part, frozen=True):
    """A label of somebody's set of KPIs. It never changes a formula."""

    kpi_scheme: str
    kpi_id: str
    kpi_version: str
    fit: Literal["same", "proxy", "partial"]


class Vector(_Part, frozen=True):
    """A computation with a known answer, run by the tests.

    Attributes:
        given: Values of each input in order of time from `starts` on; of each component for an
            indicator of indicators. A text of numbers, `12*65` for twelve times 65, `-` for none.
        expect: Members of the result row that are checked; the text `null` stands for null.
        interval_s: Nominal interval of the given values.
        starts: Wall time of the first given value on the civil day before or of the window.
        days_before: Whole days before the window's that the given values start on.
        newest_first: Values are given from the newest to the oldest.
        grain: Grain of the window; None: the first of the contract.
    """

    given: dict[str, str]
    expect: dict[str, float | str | list[str]]
    interval_s: int = 3600
    starts: datetime.time = datetime.time(0)
    days_before: int = 0
    newest_first: bool = False
    grain: Grain | None = None


class MeanIndex(_Part, frozen=True, tag="mean_index", tag_field="name"):
    """The index of the mean of a day's valid hour means."""


class MeanValue(_Part, frozen=True, tag="mean_value", tag_field="name"):
    """The mean of the valid hour means of a window; below 0 it is published as 0."""


class MeanBand(_Part, frozen=True, tag="mean_band", tag_field="name"):
    """The number of the band, from 1 on, that holds the mean of an hour."""


class HighestIndex(_Part, frozen=True, tag="highest_index", tag_field="name"):
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


class NowCast(_Part, frozen=True, tag="nowcast", tag_field="name"):
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


class Period(_Part, frozen=True):
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


class EnergyMean(_Part, frozen=True, tag="energy_mean", tag_field="name"):
    """The energy mean of levels over the window, or over a period of its day."""

    period: Period | None = None


class DayEveningNight(_Part, frozen=True, tag="day_evening_night", tag_field="name"):
    """The weighted energy mean of the periods of a day with their penalties (Lden)."""

    periods: tuple[Period, ...]


class ExceededLevel(_Part, frozen=True, tag="exceeded_level", tag_field="name"):
    """The level that is exceeded so many percent of the time (L10, L50, L90)."""

    percent: int


class ExceededCount(_Part, frozen=True, tag="exceeded_count", tag_field="name"):
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


class Counted(_Part, frozen=True, tag="counted", tag_field="name"):
    """What a counter counted in a window.

    Attributes:
        publish: The number itself, or as many as in an hour of the time that is known.
        whole: From this completeness on a number is not scaled; below it is, and is marked.
    """

    publish: Literal["number", "per_hour"]
    whole: float = 0.0


class HeatIndex(_Part, frozen=True, tag="heat_index", tag_field="name"):
    """The heat index of the US National Weather Service, of each sample; the greatest of a day.

    The bands of its contract are in degrees Fahrenheit, as the service prints them.

    Attributes:
        moisture: What the second input is: relative humidity (%), or the dew point (Cel), of which
            and of the air's temperature relative humidity is the ratio of the vapour pressures.
        join_s: Samples of both inputs belong together within the same so many seconds.
    """

    moisture: Literal["humidity", "dew_point"] = "humidity"
    join_s: int = 60


class ExtremeDay(_Part, frozen=True, tag="extreme_day", tag_field="name"):
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


Formula = (
    MeanIndex
    | MeanValue
    | MeanBand
    | HighestIndex
    | NowCast
    | EnergyMean
    | DayEveningNight
    | ExceededLevel
    | ExceededCount
    | Counted
    | HeatIndex
    | ExtremeDay
)


class Contract(_Part, frozen=True):
    """The definition of one indicator in one version. Field by field: indicators.md section 17.

    Attributes:
        completeness: Threshold of each level that gates: `hour`, `day`, `period`, `month`, `year`
            and, of a year's quarters, `quarters` (how many of them meet the share of `year`).
        band_grains: Grains whose values are given a band; empty: all.
        valid_from: First day whose windows this version governs, by the window's start.
        valid_to: First day that it no longer governs.
    """

    id: str
    version: str
    title: dict[str, str]
    unit: str
    formula: Formula
    window: WindowRule
    grains: tuple[Grain, ...]
    completeness: dict[str, float]
    accept_suspect: bool
    rounding: Rounding
    spatial: Spatial
    privacy: Privacy
    timezone_rule: Literal["civil", "utc"]
    lateness_h: int
    sources: tuple[Source, ...]
    provisional: bool
    valid_from: datetime.date
    tests: tuple[Vector, ...]
    inputs: tuple[Input, ...] = ()
    bands: tuple[Band, ...] = ()
    band_grains: tuple[Grain, ...] = ()
    out_of_scale: Literal["cap", "extrapolate", "null", "none"] = "none"
    valid_to: datetime.date | None = None
    supersedes: str | None = None
    kpi: tuple[Kpi, ...] = ()


def version_of(text: str) -> Version:
    """Read a version: three numbers joined by dots.

    Raises:
        ValueError: If it is none.
    """
    major, minor, patch = (int(part) for part in text.split("."))
    return major, minor, patch
