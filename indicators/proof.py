"""A published figure with all that it was computed from, and the same computation far away.

The proof holds definitions, sites and observations. Whoever has it computes the figure again with
the engine that computed it, and needs no platform, no network and no trust in who sent it; the
hashes of definition and inputs are those that `explain` prints.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import csv

from city.clock import SimulatedClock
from indicators.areas import CityMap, Member, parse_area
from indicators.civil import Grain, Window
from indicators.contracts import Contract, Contracts, contract_hash
from indicators.contracts.loader import meaning_bytes
from indicators.engine import Engine, Job
from indicators.package import PackageError, Packing, check_files, read_file
from indicators.results import Finding, Results
from indicators.rows import ResultRow
from registry.sites import SiteList
from store.interface import OBSERVATION_SCHEMA, Series, Store

__all__ = ["Check", "Figure", "Proof", "check_proof", "said", "same_figure", "write_proof"]

FIGURE: Final = "figure.json"
OBSERVATIONS: Final = "observations.csv"
KIND: Final = "madina-figure-1"
# What two computations of one figure have to agree in.
COMPARED: Final = (
    "value", "unrounded", "band", "main_input", "completeness", "n_used", "n_expected",
)  # fmt: skip
COLUMNS: Final = ("series", "time_us", "value", "flag", "received_us", "end_us")
UNITS: Final = {
    "series": "number of the series in figure.json",
    "time_us": "microseconds since 1970-01-01 UTC",
    "value": "in the unit of the series",
    "flag": "QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 bad, 9 missing",
    "received_us": "microseconds since 1970-01-01 UTC",
    "end_us": "microseconds since 1970-01-01 UTC; empty: an instant",
}


class Figure(msgspec.Struct, frozen=True):
    """A figure as it was published, and the city that it was computed in.

    Attributes:
        row: The revision.
        contract: Hash of the definition.
        inputs: Hash over the observations of the proof, as the engine makes it.
        published_inputs: The same of those that the revision was computed from; another one where
            observations came or went that do not change the figure.
        zone: The city's.
        contracts: Files of the definitions, the figure's own first.
    """

    kind: str
    row: ResultRow
    grain: Grain
    contract: str
    inputs: str
    published_inputs: str
    zone: str
    contracts: list[str]
    sites: SiteList
    series: list[Series]


class Proof(msgspec.Struct, frozen=True):
    """What a proof is made of.

    Attributes:
        published: The revision.
        fresh: The same figure, computed now.
        contracts: The figure's own definition first, then those that it stands on.
        members: The devices that have a part in it.
        observations: Of their series over the time that it needs.
    """

    published: Finding
    fresh: Finding
    contracts: Sequence[Contract]
    members: Sequence[Member]
    sites: SiteList
    zone: ZoneInfo
    observations: pa.Table


class Check(msgspec.Struct, frozen=True):
    """One thing that was checked, and what came out of it."""

    what: str
    holds: bool
    words: str = ""


class _Kept:
    """The observations of a proof, asked for as of a store."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def columns(self, series: Sequence[int], from_us: int, to_us: int) -> pa.Table:
        """Return observations from `from_us` on, before `to_us`, sorted by series and time."""
        numbers = self._table.column("series").to_numpy()
        times = self._table.column("time_us").to_numpy()
        wanted = np.isin(numbers, list(series)) & (from_us <= times) & (times < to_us)
        return self._table.filter(pa.array(wanted))


def same_figure(one: ResultRow, other: ResultRow) -> bool:
    """Say whether two computations came to the same figure."""
    return all(getattr(one, name) == getattr(other, name) for name in COMPARED)


def write_proof(proof: Proof) -> bytes:
    """Return a proof as a package: `figure.json`, definitions, `observations.csv`."""
    to = io.BytesIO()
    packing = Packing(to)
    files = [f"contracts/{each.id}-{each.version}.json" for each in proof.contracts]
    figure = _figure(proof, files)
    packing.add(FIGURE, msgspec.json.format(msgspec.json.encode(figure), indent=2))
    for file, contract in zip(files, proof.contracts, strict=True):
        packing.add(file, meaning_bytes(contract), description="its SHA-256 is its hash")
    table = io.BytesIO()
    csv.write_csv(proof.observations.select(list(COLUMNS)), table)
    fields = [
        {
            "name": name,
            "type": "number" if name == "value" else "integer",
            "description": UNITS[name],
        }
        for name in COLUMNS
    ]
    packing.add(
        OBSERVATIONS, table.getvalue(), profile="tabular-data-resource", schema={"fields": fields}
    )
    packing.finish(
        name=figure.row.indicator.lower(), kind=KIND, contract=figure.contract, inputs=figure.inputs
    )
    return to.getvalue()


def _figure(proof: Proof, files: list[str]) -> Figure:
    inside = {(each.site.provider, each.site.device) for each in proof.members}
    sites = tuple(each for each in proof.sites.sites if (each.provider, each.device) in inside)
    return Figure(
        kind=KIND,
        row=proof.published.row,
        grain=proof.published.grain,
        contract=contract_hash(proof.contracts[0]),
        inputs=proof.fresh.inputs_hash,
        published_inputs=proof.published.inputs_hash,
        zone=proof.zone.key,
        contracts=files,
        sites=SiteList(proof.sites.revision, sites),
        series=[series for each in proof.members for series in each.series],
    )


def check_proof(package: zipfile.ZipFile) -> list[Check]:
    """Check a proof by nothing but itself: its files, its definitions, and the figure again.

    Raises:
        PackageError: If it is no proof, or cannot be read.
    """
    checks = [Check(f"file {path}", holds) for path, holds in check_files(package)]
    if not all(each.holds for each in checks):
        return checks
    figure = _read(read_file(package, FIGURE), Figure)
    if figure.kind != KIND:
        raise PackageError(f"it is a {figure.kind!r}, and this madina reads {KIND!r}")
    contracts = [_read(read_file(package, path), Contract) for path in figure.contracts]
    digest = contract_hash(contracts[0])
    checks.append(Check("definition", digest == figure.contract, f"sha256 {figure.contract}"))
    found = _computed(figure, contracts, _observations(read_file(package, OBSERVATIONS)))
    checks.append(
        Check("inputs", found.inputs_hash == figure.inputs, f"hash {found.inputs_hash or 'none'}")
    )
    words = f"published {said(figure.row)}, computed {said(found.row)}"
    checks.append(Check("figure", same_figure(found.row, figure.row), words))
    return checks


def _computed(figure: Figure, contracts: list[Contract], table: pa.Table) -> Finding:
    try:
        zone = ZoneInfo(figure.zone)
        city = CityMap(figure.sites, figure.series, zone)
        window = Window(figure.row.start_us, figure.row.end_us)
        job = Job(figure.row.indicator, figure.grain, window, parse_area(figure.row.area))
        # Of a store the engine asks columns only, and for such a figure nothing of results.
        engine = Engine(
            cast("Store", _Kept(table)),
            cast("Results", None),
            Contracts(contracts),
            SimulatedClock(figure.row.computed_us),
        )
        (found,) = engine.compute(city, [job])
    except (ZoneInfoNotFoundError, LookupError, ValueError, msgspec.MsgspecError) as error:
        raise PackageError(f"the figure cannot be computed from what is there: {error}") from error
    return found


def _observations(data: bytes) -> pa.Table:
    types = {name: OBSERVATION_SCHEMA.field(name).type for name in COLUMNS}
    options = csv.ConvertOptions(column_types=types, include_columns=list(COLUMNS))
    try:
        table = csv.read_csv(io.BytesIO(data), convert_options=options)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise PackageError(f"{OBSERVATIONS} cannot be read: {error}") from error
    return table


def _read(data: bytes, kind: type[Any]) -> Any:  # noqa: ANN401 - of the kind that was asked for
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise PackageError(f"it cannot be read: {error}") from error


def said(row: ResultRow) -> str:
    """Say what a figure is, for people."""
    value = "nothing" if row.value is None else f"{row.value:g}"
    return f"{value} ({row.completeness:.0%} complete, {row.n_used} of {row.n_expected})"
