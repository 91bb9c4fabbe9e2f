"""Computes results of any areas and windows from the store: each device once, then its areas.

Nothing is kept here. Devices are taken some at a time, so that a city of any size fits in memory;
what each of them comes to is combined by the contract's spatial rule.
"""

import importlib.metadata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import TZPATH, ZoneInfo

import msgspec

from city.clock import US_PER_S, Clock
from indicators.areas import Area, CityMap, Member, sites_of
from indicators.civil import Grain, Window, day_of
from indicators.compute import components, from_observations, from_rows, result_row, span
from indicators.contracts import Contracts, Governing, contract_hash
from indicators.contracts.model import Contract
from indicators.contracts.shapes import ExceededCount, HighestIndex
from indicators.formulas.asked import Asked
from indicators.inputs import Evidence, Input, merged, read_inputs
from indicators.privacy import CELL, Cell, cell_of, guarded
from indicators.results import Finding, Results, ResultsQuery
from indicators.rows import Outcome, ResultRow
from indicators.spatial import of_district, of_place
from store.interface import Store

__all__ = ["Engine", "Job", "base_of"]

# Devices and time that are read at once.
MEMBERS_AT_ONCE: Final = 100
# More than the hours of a year.
RESULTS_AT_ONCE: Final = 10_000
SPAN_AT_ONCE_US: Final = 31 * 86_400 * US_PER_S


class Job(msgspec.Struct, frozen=True):
    """One value to compute."""

    indicator: str
    grain: Grain
    window: Window
    area: Area


class _Part(msgspec.Struct, frozen=True):
    """A row, and what it was made from."""

    row: ResultRow
    evidence: Evidence


class _Wanted(msgspec.Struct, frozen=True):
    """What a device is to be computed for."""

    asked: Asked
    governing: Governing
    span: Window


# Indicator, window, zone, device.
_Key = tuple[str, Window, str, str]
_Parts = dict[_Key, _Part]


class _MemberJobs(msgspec.Struct, frozen=True):
    member: Member
    jobs: dict[_Key, _Wanted]


class Engine:
    """Computes; reads the store and, for years, day results.

    Args:
        store: Where observations are.
        results: Where day results are.
        contracts: The definitions.
        clock: For states and `computed_at`.
    """

    def __init__(self, store: Store, results: Results, contracts: Contracts, clock: Clock) -> None:
        self.contracts = contracts
        self._store = store
        self._results = results
        self._clock = clock
        self._code = importlib.metadata.version("madina")
        self._tzdata = _tzdata_version()
        self._hashes: dict[tuple[str, str], str] = {}

    def asked(self, job: Job, zone: ZoneInfo) -> tuple[Asked, Governing]:
        """Return a job with the version that governs its window.

        Raises:
            UnknownIndicatorError: If nobody defined the indicator.
        """
        day = day_of(job.window.start_us, zone)
        governing = self.contracts.governing(job.indicator, day)
        return Asked(governing.contract, job.grain, job.window, zone), governing

    def compute(
        self, city: CityMap, jobs: Iterable[Job], between: Callable[[], None] = lambda: None
    ) -> list[Finding]:
        """Compute jobs of any mix; those of the same time and devices share what is read.

        Args:
            city: Areas and their devices.
            jobs: What to compute.
            between: Is called again and again, and may raise to end it.
        """
        found: list[Finding] = []
        for part in _by_time(jobs):
            from_results = {job for job in part if self._from_results(job, city)}
            observed = [job for job in part if job not in from_results]
            parts = self._of_devices(city, observed, between)
            for job in part:
                between()
                of_results = job in from_results
                found.append(
                    self._of_results(city, job) if of_results else self._of_area(city, job, parts)
                )
        return found

    def span(self, city: CityMap, job: Job) -> Window:
        """Return the time whose observations a job is computed from."""
        asked, _ = self.asked(job, city.zone_of(job.area))
        return span(asked)

    def _from_results(self, job: Job, city: CityMap) -> bool:
        asked, _ = self.asked(job, city.zone_of(job.area))
        highest = isinstance(asked.contract.formula, HighestIndex)
        return not highest and bool(components(asked.contract, job.grain))

    def _of_devices(
        self, city: CityMap, jobs: Sequence[Job], between: Callable[[], None]
    ) -> _Parts:
        """Compute what each device comes to for every job that it has a part in."""
        wanted: dict[tuple[str, ...], dict[str, _MemberJobs]] = {}
        for job in jobs:
            zone = city.zone_of(job.area)
            for base in self._bases(job, city):
                of_base = msgspec.structs.replace(job, indicator=base.id)
                asked, governing = self.asked(of_base, zone)
                part = _Wanted(asked, governing, span(asked))
                quantities = tuple(each.quantity for each in base.inputs)
                for member in city.inside(job.area, base):
                    key = (base.id, job.window, zone.key, member.name)
                    wanted.setdefault(quantities, {}).setdefault(
                        member.name, _MemberJobs(member, {})
                    ).jobs[key] = part
        parts: _Parts = {}
        for of_quantities in wanted.values():
            each = list(of_quantities.values())
            for start in range(0, len(each), MEMBERS_AT_ONCE):
                between()
                self._add_devices(parts, each[start : start + MEMBERS_AT_ONCE], between)
        return parts

    def _add_devices(
        self, parts: _Parts, chunk: Sequence[_MemberJobs], between: Callable[[], None]
    ) -> None:
        spans = [job.span for each in chunk for job in each.jobs.values()]
        inputs = read_inputs(
            self._store,
            [each.member for each in chunk],
            min(each.start_us for each in spans),
            max(each.end_us for each in spans),
        )
        for each in chunk:
            between()
            for key, job in each.jobs.items():
                parts[key] = self._of_device(each.member, job, inputs)

    def _bases(self, job: Job, city: CityMap) -> list[Contract]:
        """Return the contracts over observations that a job stands on."""
        asked, _ = self.asked(job, city.zone_of(job.area))
        return base_of(self.contracts, asked.contract, day_of(job.window.start_us, asked.zone))

    def _of_device(self, member: Member, job: _Wanted, inputs: Mapping[int, Input]) -> _Part:
        area = f"device:{member.name}"
        contract = job.asked.contract
        asked = msgspec.structs.replace(job.asked, traits=member.site.traits)
        groups = [[inputs[series.series] for series in group] for group in member.groups]
        rows: list[ResultRow] = []
        for group in groups:
            seen = [found.of(wanted) for found, wanted in zip(group, contract.inputs, strict=True)]
            outcome = from_observations(asked, *seen)
            rows.append(self._row(job.asked, job.governing, outcome, area))
        evidence = merged(found.evidence(job.span) for group in groups for found in group)
        if len(rows) == 1:
            return _Part(rows[0], evidence)
        return _Part(self._combined(job.asked, job.governing, rows, area, of_place), evidence)

    def _of_area(self, city: CityMap, job: Job, parts: _Parts) -> Finding:
        asked, governing = self.asked(job, city.zone_of(job.area))
        if isinstance(asked.contract.formula, HighestIndex):
            bases = self._bases(job, city)
            each = [
                self._combination(city, msgspec.structs.replace(job, indicator=base.id), parts)
                for base in bases
            ]
            known = [part for part in each if part is not None]
            outcome = from_rows(asked, [part.row for part in known])
            evidence = merged(part.evidence for part in known) if known else Evidence()
            part = _Part(self._row(asked, governing, outcome, str(job.area)), evidence)
        else:
            found = self._combination(city, job, parts)
            nothing = Outcome(
                value=None, completeness=0.0, n_used=0, n_expected=0, reason="incomplete"
            )
            part = found or _Part(self._row(asked, governing, nothing, str(job.area)), Evidence())
        return self._finding(city, job, asked, part, self._cell(city, job, asked, parts))

    def _cell(self, city: CityMap, job: Job, asked: Asked, parts: _Parts) -> Cell | None:
        """Return who stands behind a figure, where some of it may have to be hidden."""
        if not guarded(asked.contract.privacy):
            return None
        return cell_of(
            job.area,
            [
                (member, parts[job.indicator, job.window, asked.zone.key, member.name].row)
                for member in city.inside(job.area, asked.contract)
            ],
        )

    def _combination(self, city: CityMap, job: Job, parts: _Parts) -> _Part | None:
        """Return what an area's devices come to together; None where it has none."""
        asked, governing = self.asked(job, city.zone_of(job.area))
        members = city.inside(job.area, asked.contract)
        if not members:
            return None

        def part_of(member: Member) -> _Part:
            return parts[job.indicator, job.window, asked.zone.key, member.name]

        sites = [
            self._site(asked, governing, name, [part_of(each) for each in here])
            for name, here in sites_of(members).items()
        ]
        if job.area.kind in ("device", "place"):
            site = sites[0]
            return _Part(msgspec.structs.replace(site.row, area=str(job.area)), site.evidence)
        rows = [site.row for site in sites]
        row = self._combined(asked, governing, rows, str(job.area), of_district)
        return _Part(row, merged(site.evidence for site in sites))

    def _site(self, asked: Asked, governing: Governing, name: str, parts: Sequence[_Part]) -> _Part:
        if len(parts) == 1:
            return _Part(msgspec.structs.replace(parts[0].row, area=name), parts[0].evidence)
        rows = [part.row for part in parts]
        row = self._combined(asked, governing, rows, name, of_place)
        return _Part(row, merged(part.evidence for part in parts))

    def _combined(
        self,
        asked: Asked,
        governing: Governing,
        rows: Sequence[ResultRow],
        area: str,
        rule: Callable[[Contract, Sequence[ResultRow]], Outcome],
    ) -> ResultRow:
        return self._row(asked, governing, rule(asked.contract, rows), area)

    def _of_results(self, city: CityMap, job: Job) -> Finding:
        """Compute a month or a year from the latest results of the area."""
        asked, governing = self.asked(job, city.zone_of(job.area))
        rows: list[ResultRow] = []
        whole = span(asked)
        for each in components(asked.contract, job.grain):
            query = ResultsQuery(
                each.indicator,
                each.grain,
                areas=(str(job.area),),
                from_us=whole.start_us,
                to_us=whole.end_us,
                tz=asked.zone.key,
                limit=RESULTS_AT_ONCE,
            )
            rows += [found.finding.row for found in self._results.find(query)]
        outcome = from_rows(asked, rows)
        if job.area.kind not in ("device", "place") and asked.contract.spatial.rule == "none":
            outcome = Outcome(
                value=None, completeness=0.0, n_used=0, n_expected=0, reason="not_applicable"
            )
        row = self._row(asked, governing, outcome, str(job.area))
        return self._finding(city, job, asked, _Part(row, Evidence()), None)

    def _row(self, asked: Asked, governing: Governing, outcome: Outcome, area: str) -> ResultRow:
        return result_row(
            asked,
            outcome,
            area=area,
            now_us=self._clock.now_us(),
            retrospective=governing.retrospective,
        )

    def _finding(
        self, city: CityMap, job: Job, asked: Asked, part: _Part, cell: Cell | None
    ) -> Finding:
        contract = asked.contract
        key = (contract.id, contract.version)
        if key not in self._hashes:
            self._hashes[key] = contract_hash(contract)
        return Finding(
            row=part.row,
            grain=job.grain,
            known_us=span(asked).end_us,
            inputs_hash=part.evidence.digest,
            lineage={
                **part.evidence.members(),
                **({} if cell is None else {CELL: msgspec.to_builtins(cell)}),
                "sites": city.revision,
                "contract": self._hashes[key],
                "code": self._code,
                "tzdata": self._tzdata,
            },
        )


def base_of(contracts: Contracts, contract: Contract, day: date) -> list[Contract]:
    """Return the contracts over observations that a contract stands on; it, if it is one."""
    if isinstance(contract.formula, ExceededCount):
        return [contracts.governing(contract.formula.component, day).contract]
    if not isinstance(contract.formula, HighestIndex):
        return [contract] if contract.inputs else []
    known = set(contracts.ids())
    return [
        contracts.governing(name, day).contract
        for name in contract.formula.components
        if name in known
    ]


def _by_time(jobs: Iterable[Job]) -> list[list[Job]]:
    """Split jobs so that each part spans little time; each job once."""
    parts: list[list[Job]] = []
    for job in sorted(dict.fromkeys(jobs), key=lambda job: job.window):
        first = parts[-1][0].window.start_us if parts else None
        if first is None or job.window.start_us - first >= SPAN_AT_ONCE_US:
            parts.append([])
        parts[-1].append(job)
    return parts


def _tzdata_version() -> str:
    """Return the version of the zones that Python uses: the system's, else the package's."""
    for folder in TZPATH:
        for name in ("tzdata.zi", "+VERSION"):
            file = Path(folder) / name
            if file.is_file():
                with file.open() as opened:
                    return opened.readline().removeprefix("# version").strip()
    try:
        return importlib.metadata.version("tzdata")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
