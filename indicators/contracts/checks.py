"""What a contract must say beyond its types, found before anything is computed from it."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from city.quantities import quantity_of
from city.units import ucum
from indicators.contracts.model import Band, Contract
from indicators.contracts.shapes import (
    DayEveningNight,
    DaysToFull,
    EnergyMean,
    ExceededCount,
    ExtremeDay,
    FillRate,
    HeatIndex,
    HeldLevel,
    HeldShare,
    HighestIndex,
    MeanIndex,
    MeanValue,
    NowCast,
    SpaceMeanSpeed,
)

__all__ = ["faults"]

ID: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
LEVELS: Final = frozenset({"15min", "hour", "day", "week", "period", "month", "year"})
QUARTERS_A_YEAR: Final = 4
HOURS_A_DAY: Final = 24
# The levels that gate a formula, where they are not the grains that it is published in.
GATED: Final[Mapping[type, set[str]]] = {
    MeanIndex: {"hour", "day"},
    MeanValue: {"hour"},
    NowCast: {"hour"},
    DayEveningNight: {"period"},
    HighestIndex: set(),
    HeatIndex: {"hour", "day"},
    ExtremeDay: {"hour", "day"},
    FillRate: set(),
    DaysToFull: set(),
}


def faults(contract: Contract) -> Iterator[tuple[str, str]]:
    """Yield each fault of a contract: the field, and what is wrong with it."""
    yield from _identity(contract)
    yield from _inputs(contract)
    yield from _gate(contract)
    yield from _privacy(contract)
    yield from _bands(contract.bands)
    yield from _formula(contract)
    if not contract.tests:
        yield "tests", "a contract proves itself by at least one vector"


def _identity(contract: Contract) -> Iterator[tuple[str, str]]:
    if not ID.fullmatch(contract.id):
        yield "id", f"{contract.id!r} is no dotted lower-case name"
    if not VERSION.fullmatch(contract.version):
        yield "version", f"{contract.version!r} is not three numbers joined by dots"
    if "en" not in contract.title:
        yield "title", "there is no English title"
    if contract.valid_to is not None and contract.valid_to <= contract.valid_from:
        yield "valid_to", f"{contract.valid_to} is not after valid_from"
    if contract.supersedes is not None and not _names_a_version(contract.supersedes):
        yield "supersedes", f"{contract.supersedes!r} is no id@version"
    remembered = any(source.mark == "FROM MEMORY" for source in contract.sources)
    if not contract.sources:
        yield "sources", "a figure without a source is not published"
    if remembered and not contract.provisional:
        yield "provisional", "a figure is FROM MEMORY, so the contract is provisional"


def _names_a_version(text: str) -> bool:
    name, _, version = text.partition("@")
    return bool(ID.fullmatch(name) and VERSION.fullmatch(version))


def _inputs(contract: Contract) -> Iterator[tuple[str, str]]:
    if ucum(contract.unit) != contract.unit:
        yield "unit", f"{contract.unit!r} is no UCUM code that we know"
    takes_indicators = isinstance(contract.formula, HighestIndex | ExceededCount)
    if takes_indicators is bool(contract.inputs):
        yield "inputs", "an indicator has inputs or, if it is of indicators, components"
    for place, each in enumerate(contract.inputs):
        known = quantity_of(each.quantity)
        if known is None or known.unit != each.unit:
            yield f"inputs[{place}]", f"{each.quantity!r} is not stored in {each.unit!r}"
        if each.longest_interval_s <= 0:
            yield f"inputs[{place}].longest_interval_s", "an interval is above 0"


def _gate(contract: Contract) -> Iterator[tuple[str, str]]:
    if not contract.grains:
        yield "grains", "nothing is published without a grain"
    if contract.lateness_h < 0:
        yield "lateness_h", "late data come after the window"
    for level, share in contract.completeness.items():
        if level == "quarters":
            if share not in range(QUARTERS_A_YEAR + 1):
                yield "completeness.quarters", f"{share} is no count of quarters"
        elif level not in LEVELS:
            yield f"completeness.{level}", f"levels are {', '.join(sorted(LEVELS))} and quarters"
        elif not 0 < share <= 1:
            yield f"completeness.{level}", f"{share} is no fraction above 0 and up to 1"


def _privacy(contract: Contract) -> Iterator[tuple[str, str]]:
    privacy = contract.privacy
    if privacy.kind == "none":
        return
    if privacy.k < 1:
        yield "privacy.k", "say the smallest cell that may be shown: 10 by section 15e"
    if privacy.dominance is not None and not 0 < privacy.dominance < 1:
        yield "privacy.dominance", f"{privacy.dominance} is no share of one contributor"
    if not contract.inputs:
        yield "privacy", "what is computed from other figures cannot be guarded: guard those"


def _bands(bands: tuple[Band, ...]) -> Iterator[tuple[str, str]]:
    if bands and all(band.upper is None for band in bands):
        yield from _open_bands(bands)
        return
    for place, (band, after) in enumerate(pairwise(bands)):
        # Without a lower bound a band begins just above the one before.
        least = after.upper if after.lower is None else after.lower
        if band.upper is None or (least is not None and band.upper >= least):
            yield f"bands[{place}]", f"{band.code!r} does not end below {after.code!r}"
        if band.index and after.index and band.index[1] >= after.index[0]:
            yield f"bands[{place}].index", f"{band.code!r} does not end below {after.code!r}"
    for place, band in enumerate(bands):
        if band.lower is not None and band.upper is not None and band.lower >= band.upper:
            yield f"bands[{place}]", f"{band.code!r} ends before it starts"


def _open_bands(bands: tuple[Band, ...]) -> Iterator[tuple[str, str]]:
    for place, (band, after) in enumerate(pairwise(bands)):
        if band.lower is None or after.lower is None or band.lower >= after.lower:
            yield f"bands[{place}]", f"{band.code!r} does not start below {after.code!r}"


def _formula(contract: Contract) -> Iterator[tuple[str, str]]:
    match contract.formula:
        case MeanIndex() | NowCast(publish="index"):
            yield from _index(contract)
        case HighestIndex() as formula:
            yield from _highest(contract.id, formula)
        case DayEveningNight(periods=periods):
            if sum(each.weight_h for each in periods) != HOURS_A_DAY:
                yield "formula.periods", "weights do not add up to 24 hours"
        case ExtremeDay(run=run) if run < 1:
            yield "formula.run", "a run is of one day or more"
        case _:
            pass
    yield from _taken(contract)
    yield from _levels(contract)


def _taken(contract: Contract) -> Iterator[tuple[str, str]]:
    """Yield where the inputs are not those of the formula."""
    formula, given = contract.formula, [each.quantity for each in contract.inputs]
    if isinstance(formula, HeatIndex):
        if given != ["temperature", formula.moisture]:
            yield "inputs", f"this index is of temperature and {formula.moisture}, in this order"
    elif isinstance(formula, SpaceMeanSpeed):
        if given != ["vehicles", "speed"]:
            yield "inputs", "this speed is of vehicles and speed, in this order"
    elif isinstance(formula, HeldShare | HeldLevel):
        if given != ["free_spaces", "total_spaces"]:
            yield "inputs", "parking is of free_spaces and total_spaces, in this order"
    elif len(given) > 1:
        yield "inputs", "this formula takes one input"


def _highest(name: str, formula: HighestIndex) -> Iterator[tuple[str, str]]:
    components, stem = formula.components, formula.stem
    if not all(each.startswith(stem) for each in components) or not components:
        yield "formula.components", f"components are ids that start with {stem!r}"
    if name in components:
        yield "formula.components", "an indicator is no component of itself"
    if not {each for group in formula.needed for each in group} <= {*components}:
        yield "formula.needed", "what is needed is one of the components"


def _index(contract: Contract) -> Iterator[tuple[str, str]]:
    bounded = all(band.index and band.upper and band.lower is not None for band in contract.bands)
    if not contract.bands or not bounded:
        yield "bands", "an index needs bands, each with both bounds and an index"
    if contract.rounding.truncate_input is None:
        yield "rounding.truncate_input", "an index needs to know where its input is cut"


def _levels(contract: Contract) -> Iterator[tuple[str, str]]:
    formula = contract.formula
    needed = set(GATED.get(type(formula), {*contract.grains} & LEVELS))
    if isinstance(formula, EnergyMean) and formula.period is not None:
        needed = {"period"}
    if isinstance(formula, MeanValue):
        needed |= {*contract.grains} & LEVELS
    if "year" in contract.grains:
        needed |= {"year"} if isinstance(formula, ExceededCount) else {"year", "quarters"}
    for level in sorted(needed - set(contract.completeness)):
        yield f"completeness.{level}", "there is no threshold"
