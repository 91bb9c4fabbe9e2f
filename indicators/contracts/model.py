"""What an indicator's contract holds: the fields of indicators.md section 17, nothing computed.

A contract is one TOML file. Its formula is one of `indicators.contracts.shapes`, with its
parameters; the functions that compute them are in `indicators.formulas`.
"""

import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from indicators.civil import Grain
from indicators.contracts.part import Part
from indicators.contracts.shapes import Formula

__all__ = [
    "Band",
    "Contract",
    "Input",
    "Kpi",
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


class Input(Part, frozen=True):
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


class WindowRule(Part, frozen=True):
    """What is averaged: how long in words, and what its bounds follow."""

    duration: str
    alignment: str


class Rounding(Part, frozen=True):
    """How a published value is rounded.

    Attributes:
        mode: `half_up` away from zero, `truncate` toward zero, or `none`.
        digits: Decimals of the published value.
        truncate_input: Decimals that an average is cut to before the bands; None: it is not cut.
    """

    mode: Literal["half_up", "truncate", "none"]
    digits: int = 0
    truncate_input: int | None = None


class Band(Part, frozen=True):
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


class Spatial(Part, frozen=True):
    """How places become a district: the rule of section 15d, others to ask for, the minimum.

    Attributes:
        least: The worst value is the least one, not the greatest.
    """

    rule: SpatialRule
    min_sites: int = 1
    others: tuple[SpatialRule, ...] = ()
    least: bool = False


class Privacy(Part, frozen=True):
    """What section 15e hides.

    Attributes:
        kind: Class of data.
        k: Smallest cell that may be shown.
        dominance: Greatest share of one contributor.
    """

    kind: Literal["none", "counts", "households"]
    k: int = 0
    dominance: float | None = None


class Source(Part, frozen=True):
    """Where figures come from, and whether they were read there."""

    document: str
    mark: Literal["VERIFIED", "FROM MEMORY", "PRODUCT RULE"]
    section: str = ""
    url: str = ""


class Kpi(Part, frozen=True):
    """A label of somebody's set of KPIs. It never changes a formula."""

    kpi_scheme: str
    kpi_id: str
    kpi_version: str
    fit: Literal["same", "proxy", "partial"]


class Vector(Part, frozen=True):
    """A computation with a known answer, run by the tests.

    Attributes:
        given: Values of each input in order of time from `starts` on; of each component for an
            indicator of indicators. A text of numbers, `12*65` for twelve times 65, `-` for none.
        expect: Members of the result row that are checked; the text `null` stands for null.
        interval_s: Nominal interval of the given values.
        starts: Wall time of the first given value on the civil day before or of the window.
        days_before: Whole days before the window's that the given values start on.
        newest_first: Values are given from the newest to the oldest.
        minutes: When each value was given after `starts`, where they are no interval apart.
        traits: Of the device that gave them.
        grain: Grain of the window; None: the first of the contract.
    """

    given: dict[str, str]
    expect: dict[str, float | str | list[str]]
    interval_s: int = 3600
    starts: datetime.time = datetime.time(0)
    days_before: int = 0
    newest_first: bool = False
    minutes: tuple[float, ...] = ()
    traits: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    grain: Grain | None = None


class Contract(Part, frozen=True):
    """The definition of one indicator in one version. Field by field: indicators.md section 17.

    Attributes:
        completeness: Threshold of each level that gates: `hour`, `day`, `week`, `period`, `month`,
            `year` and, of a year's quarters, `quarters` (so many of them meet the share of `year`).
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
