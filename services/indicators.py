"""What the API asks of indicators: stored revisions, open windows, computing, explaining."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from city.clock import US_PER_S
from city.corrections import Correction
from indicators.areas import Area, CityMap, input_of
from indicators.arrivals import ArrivalCause, Arrivals
from indicators.civil import Window
from indicators.contracts import load
from indicators.contracts.shapes import HighestIndex
from indicators.engine import Engine, Job, base_of
from indicators.explain import InputExplained, explain_input
from indicators.inputs import read_inputs
from indicators.lease import Lease
from indicators.periods import starting_in
from indicators.privacy import Published, exact
from indicators.results import Finding, Results, ResultsQuery, Stored
from indicators.standing import Standing
from registry.database import Change
from services.outlet import Outlet
from services.preview import Known, preview
from services.proofs import make_proof
from services.touching import expected_hours, measured_hours

if TYPE_CHECKING:
    from collections.abc import Callable

    from indicators.areas import Member
    from indicators.civil import Grain
    from indicators.contracts.model import Contract
    from indicators.proof import Proof
    from indicators.rows import Cause, ResultRow
    from services.parts import ServicesParts
    from services.preview import CalibrationChange, Preview
    from store.interface import Series

__all__ = ["Explained", "IndicatorBook", "SeriesExplained", "TooMuchError", "ValuesPage"]

# Results of one request that have to be computed.
COMPUTED_MAX: Final = 2_000
OPEN_MAX: Final = 100
YEAR_US: Final = 367 * 86_400 * US_PER_S
# What was over before and is not closed was never asked for: `compute` does it.
OPEN_US: Final = 3 * 86_400 * US_PER_S


class TooMuchError(Exception):
    """More would have to be computed than one request may."""

    def __init__(self, asked: int) -> None:
        super().__init__(f"{asked} results are more than the {COMPUTED_MAX} of one request")


class ValuesPage(msgspec.Struct, frozen=True):
    """Results, and the position of the last where more follow."""

    rows: list[Published]
    last: tuple[str, int, int] | None


class SeriesExplained(msgspec.Struct, frozen=True):
    """A series, and what it gave.

    Attributes:
        declared: Whether somebody said how often it reports.
        conflicts: Later values at times that had one: kept, and never used.
        received_us: When the first and the last observation were received; none: no observation.
        corrections: Calibrations by which its values were read.
    """

    series: Series
    declared: bool
    given: InputExplained
    conflicts: int
    received_us: tuple[int, int] | None
    corrections: list[Correction] = []


class Explained(msgspec.Struct, frozen=True):
    """Where one value came from.

    Attributes:
        row: The value asked for; an open one is computed now.
        revisions: All that were ever published, oldest first.
        components: Results that it was made of.
        lineage: Members of indicators.md section 15f.
    """

    contract: Contract
    window: Window
    row: Published
    revisions: list[Published]
    components: list[Published]
    inputs: list[SeriesExplained]
    lineage: dict[str, object]
    inputs_hash: str


class IndicatorBook:
    """Reads, computes and explains results. Its calls block: they run in threads.

    Attributes:
        contracts: The definitions.
        zone: The city's.
        outlet: Through which figures leave.
    """

    def __init__(self, parts: ServicesParts) -> None:
        self._store = parts.store
        self._registry = parts.registry
        self._clock = parts.clock
        self.contracts = load()
        self.zone = ZoneInfo(parts.timezone)
        self.results = Results(parts.registry.database)
        self._engine = Engine(parts.store, self.results, self.contracts, parts.clock)
        self.outlet = Outlet(self.results, self.contracts, self.zone)
        self._holder = uuid.uuid4().hex

    def standing(self, wait: Callable[[float], None]) -> Standing:
        """Return the standing computation of this process."""
        database = self._registry.database
        return Standing(
            store=self._store,
            results=self.results,
            arrivals=Arrivals(database, self._clock),
            lease=Lease(database, self._clock, self._holder),
            engine=self._engine,
            city=self.city,
            clock=self._clock,
            wait=wait,
        )

    def city(self) -> CityMap:
        """Return the city as it is now."""
        return CityMap(self._registry.sites.all(), self._store.series(), self.zone)

    def device_changing(
        self,
        device: tuple[str, str],
        from_us: int,
        to_us: int,
        quantity: str | None = None,
    ) -> Callable[[Change], None]:
        """Return what has a device's published time computed again, in the change's transaction.

        Args:
            device: Provider and id.
            from_us: Where it begins.
            to_us: Where it ends; what is not over yet is computed when it is.
            quantity: Which of its quantities is calibrated otherwise; None: all of it changes.
        """
        until_us = min(to_us, self._clock.now_us())
        cause: ArrivalCause
        if quantity is None:
            cause, touched = (
                "device_metadata",
                expected_hours(self._store, device, from_us, until_us),
            )
        else:
            cause = "calibration"
            touched = measured_hours(self._store, device, quantity, from_us, until_us)
        arrivals = Arrivals(self._registry.database, self._clock)

        def announce(change: Change) -> None:
            if len(touched):
                arrivals.announce_with(change, (), touched, cause)

        return announce

    def previewed(self, change: CalibrationChange) -> Preview:
        """Return what a change of a calibration would make of published figures."""
        progress = Lease(self._registry.database, self._clock, self._holder).progress()
        correction = change.correction
        touched = measured_hours(
            self._store,
            change.device,
            correction.quantity,
            correction.from_us,
            min(correction.until_us, progress.closed_us),
        )
        known = Known(self._registry.sites.all(), self._store.series(), self.zone, touched)
        return preview(self._engine, self.results, known, change, progress.closed_us)

    def page(self, contract: Contract, query: ResultsQuery, *, public: bool) -> ValuesPage:
        """Return stored results by area, start and revision, at most `query.limit`.

        Args:
            contract: Any version of the indicator.
            query: Which.
            public: The reader may not read the observations.
        """
        as_of_us = query.as_of_us
        if self.outlet.gated(contract, public=public):
            as_of_us = self.outlet.until(contract, as_of_us or self._clock.now_us(), public=True)
        more = msgspec.structs.replace(query, limit=query.limit + 1, as_of_us=as_of_us)
        found = self.results.find(more)
        shown = found[: query.limit]
        told = self.outlet.revisions if query.history else self.outlet.rows
        rows = told(shown, contract, query.as_of_us or self._clock.now_us(), public=public)
        last = shown[-1].finding.row if len(found) > len(shown) else None
        return ValuesPage(rows, None if last is None else _position(last))

    def open(
        self, contract: Contract, grain: Grain, area: Area, within: Window, *, public: bool
    ) -> list[Published]:
        """Compute the windows of an area that nobody has closed yet.

        Args:
            contract: Any version of the indicator.
            grain: One of its grains.
            area: One area.
            within: Where windows start.
            public: The reader may not read the observations.
        """
        city = self.city()
        now_us = self._clock.now_us()
        closed_us = Lease(self._registry.database, self._clock, self._holder).progress().closed_us
        # No window that is open began longer ago than a year.
        late = Window(max(within.start_us, now_us - YEAR_US), min(within.end_us, now_us))
        if late.end_us <= late.start_us:
            return []
        jobs = [
            job
            for job in self._jobs(city, contract, grain, [area], late)
            if self._engine.span(city, job).end_us > max(closed_us, now_us - OPEN_US)
        ]
        found = self._engine.compute(city, jobs[-OPEN_MAX:])
        rows = [
            msgspec.structs.replace(each.row, state="open", revision=0)
            for each in found
            if each.row.n_expected or each.row.reason != "incomplete"
        ]
        return self.outlet.opened(rows, contract, public=public)

    def compute(
        self,
        contract: Contract,
        grain: Grain,
        areas: list[Area],
        within: Window,
        cause: Cause,
        actor: str,
    ) -> list[Finding]:
        """Compute closed windows again and append what has changed; return those revisions.

        Raises:
            TooMuchError: If that is more than one request may ask for.
        """
        city = self.city()
        wanted = areas or self._all_areas(city, contract)
        now_us = self._clock.now_us()
        jobs = [
            job
            for job in self._jobs(city, contract, grain, wanted, within)
            if self._engine.span(city, job).end_us <= now_us
        ]
        if len(jobs) > COMPUTED_MAX:
            raise TooMuchError(len(jobs))
        findings = self._engine.compute(city, jobs)
        asked = f"{contract.id} {grain} {', '.join(map(str, areas)) or 'every area'}"
        return self.results.append(findings, cause, actor=actor, asked=asked[:300])

    def explain(
        self, contract: Contract, grain: Grain, area: Area, window: Window, *, public: bool
    ) -> Explained:
        """Return where a value came from, read afresh from the store.

        The public gets neither inputs nor lineage of personal data.
        """
        city = self.city()
        job = Job(contract.id, grain, window, area)
        (fresh,) = self._engine.compute(city, [job])
        _, governing = self._engine.asked(job, city.zone_of(area))
        query = ResultsQuery(
            contract.id,
            grain,
            version=governing.contract.version,
            areas=(str(area),),
            from_us=window.start_us,
            to_us=window.start_us + 1,
            history=True,
        )
        stored = self.results.find(query)
        now_us = self._clock.now_us()
        own = governing.contract
        revisions = self.outlet.revisions(stored, own, now_us, public=public)
        (opened,) = self.outlet.opened([fresh.row], own, public=public)
        if self.outlet.gated(own, public=public):
            row = revisions[-1] if revisions else opened
            return Explained(own, window, row, revisions, [], [], {}, "")
        shown = stored[-1].finding if stored else fresh
        components = self._components(city, job, own)
        inputs = [
            explained
            for base in self._bases(own, city, area)
            for explained in self._inputs(
                city, msgspec.structs.replace(job, indicator=base.id), base
            )
        ]
        return Explained(
            contract=own,
            window=window,
            row=revisions[-1] if revisions else opened,
            revisions=revisions,
            components=components,
            inputs=inputs,
            lineage=shown.lineage,
            inputs_hash=shown.inputs_hash,
        )

    def proof(self, area: Area, stored: Stored) -> Proof:
        """Return a published figure with all that it was computed from.

        Raises:
            ProofError: What is stored now does not give it, or one proof cannot hold it.
        """
        sites = self._registry.sites.all()
        city = CityMap(sites, self._store.series(), self.zone)
        return make_proof(self._engine, self._store, sites, city, area, stored)

    def _jobs(
        self, city: CityMap, contract: Contract, grain: Grain, areas: list[Area], within: Window
    ) -> list[Job]:
        return [
            Job(contract.id, grain, window, area)
            for area in areas
            for window in starting_in(grain, within, city.zone_of(area), COMPUTED_MAX)
        ]

    def _all_areas(self, city: CityMap, contract: Contract) -> list[Area]:
        found: dict[Area, None] = {}
        for base in base_of(self.contracts, contract, contract.valid_from):
            for member in city.members(base):
                found.update(dict.fromkeys(city.areas_of(member, contract)))
        return list(found)

    def _bases(self, contract: Contract, city: CityMap, area: Area) -> list[Contract]:
        bases = base_of(self.contracts, contract, contract.valid_from)
        return [base for base in bases if city.inside(area, base)]

    def _components(self, city: CityMap, job: Job, contract: Contract) -> list[Published]:
        if not isinstance(contract.formula, HighestIndex):
            return []
        jobs = [
            msgspec.structs.replace(job, indicator=base.id)
            for base in self._bases(contract, city, job.area)
        ]
        return [exact(each.row) for each in self._engine.compute(city, jobs)]

    def _inputs(self, city: CityMap, job: Job, contract: Contract) -> list[SeriesExplained]:
        members = city.inside(job.area, contract)
        asked, _ = self._engine.asked(job, city.zone_of(job.area))
        whole = self._engine.span(city, job)
        inputs = read_inputs(self._store, members, whole.start_us, whole.end_us)
        return [
            self._explained(
                member,
                series,
                explain_input(asked, input_of(contract, series), inputs[series.series]),
                whole,
            )
            for member in members
            for series in member.series
        ]

    def _explained(
        self, member: Member, series: Series, given: InputExplained, whole: Window
    ) -> SeriesExplained:
        rows = self._store.columns([series.series], whole.start_us, whole.end_us)
        late = rows.select(["series", "time_us", "value", "other"])
        received: list[int] = rows.column("received_us").to_pylist()
        return SeriesExplained(
            series=series,
            declared=member.site.interval_s is not None,
            given=given,
            conflicts=self._store.find_conflicts(late).num_rows,
            received_us=(min(received), max(received)) if received else None,
            corrections=[
                each
                for each in member.site.corrections
                if each.quantity == series.quantity
                and each.from_us < whole.end_us
                and each.until_us > whole.start_us
            ],
        )


def _position(row: ResultRow) -> tuple[str, int, int]:
    return row.area, row.start_us, row.revision
