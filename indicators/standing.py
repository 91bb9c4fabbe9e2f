"""Standing computation: windows are closed when they end, and computed again when data come late.

How far closing has come stands in the registry, before and after; late arrivals stand there until
their windows are computed. So a kill at any moment repeats some work and changes no result.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from city.clock import US_PER_S, Clock
from indicators.areas import Area, CityMap, Member
from indicators.arrivals import SETTLE_US, STEP_US, Arrival, ArrivalCause, Arrivals
from indicators.civil import Grain, Window, day_of, start_day, windows
from indicators.compute import depth, reach_days, span
from indicators.contracts import Contracts
from indicators.contracts.model import Contract
from indicators.engine import Engine, Job, base_of
from indicators.formulas.asked import Asked
from indicators.lease import Lease, LeaseLostError
from indicators.results import Results
from indicators.rows import Cause
from indicators.touched import HOUR_US
from store.interface import Store

__all__ = ["Standing", "touched_jobs"]

log = structlog.get_logger(__name__)

# Between saying that windows are being closed and reading the store: ingest has heard of it.
HEARD_S: Final = 3.0
# Late arrivals are computed once none came for so long, or after so long in any case.
QUIET_US: Final = 3 * US_PER_S
PATIENCE_US: Final = 60 * US_PER_S
# A first start closes what is no older than that; `compute` does the rest on request.
FIRST_US: Final = 3 * 86_400 * US_PER_S
# A device that has been silent for longer has no new results until it returns.
SILENT_US: Final = 48 * HOUR_US
ARRIVALS_AT_ONCE: Final = 200
JOBS_AT_ONCE: Final = 2_000
# A window that both touch is computed again because of the later one here.
CAUSES: Final[tuple[ArrivalCause, ...]] = (
    "late_data", "replay", "device_metadata", "calibration",
)  # fmt: skip
# Days of several lengths before the end of what the longest run of days needs.
LONGEST_SPAN_US: Final = 8 * 86_400 * US_PER_S


class Standing:
    """Computes what is due, while this process holds the lease.

    Args:
        store: Where observations are.
        results: Where revisions go.
        arrivals: What came late.
        lease: The right to compute.
        engine: Computes.
        city: Returns the city as it is now.
        clock: What time it is.
        wait: Sleeps for some seconds, or raises where the computation has to end.
    """

    def __init__(  # noqa: PLR0913 - each is a part that tests give by themselves
        self,
        *,
        store: Store,
        results: Results,
        arrivals: Arrivals,
        lease: Lease,
        engine: Engine,
        city: Callable[[], CityMap],
        clock: Clock,
        wait: Callable[[float], None],
    ) -> None:
        self._store = store
        self._results = results
        self._arrivals = arrivals
        self._lease = lease
        self._engine = engine
        self._city = city
        self._clock = clock
        self._wait = wait

    def step(self, complete_us: int) -> int:
        """Do what is due; return how many revisions were appended.

        Args:
            complete_us: Everything that was received before this instant is in the store.

        Raises:
            LeaseLostError: If another process has taken over meanwhile.
        """
        if not self._lease.take():
            return 0
        return self._close(complete_us) + self._take_up()

    def release(self) -> None:
        """Let another process begin at once."""
        self._lease.release()

    def _close(self, complete_us: int) -> int:
        progress = self._lease.progress()
        until_us = min(complete_us, self._clock.now_us()) - SETTLE_US
        until_us = max(until_us - until_us % STEP_US, progress.closing_us)
        if until_us <= progress.closed_us:
            return 0
        if until_us > progress.closing_us:
            self._lease.closing(until_us)
            self._wait(HEARD_S)
        since_us = progress.closed_us or until_us - FIRST_US
        appended = 0
        city = self._city()
        jobs = self._closing(city, since_us, until_us)
        for part in self._batches(jobs):
            appended += self._append(city, part, "late_data")
        self._lease.closed(until_us)
        if appended:
            log.info("indicators.closed", until_us=until_us, revisions=appended)
        return appended

    def _closing(self, city: CityMap, since_us: int, until_us: int) -> Iterator[Job]:
        """Yield what became known in a time, of areas that were not silent then."""
        heard = self._heard()
        for contract, grain in _published(self._engine.contracts):
            areas = self._areas(city, contract, heard)
            for zone in {city.zone_of(area) for area in areas}:
                here = [area for area in areas if city.zone_of(area) == zone]
                for window in self._known(contract, grain, zone, since_us, until_us):
                    for area in here:
                        if areas[area] >= window.start_us - SILENT_US:
                            yield Job(contract.id, grain, window, area)

    def _heard(self) -> dict[int, int]:
        marks = self._store.watermarks()
        series: list[int] = marks.column("series").to_pylist()
        return dict(zip(series, marks.column("time_us").to_pylist(), strict=True))

    def _areas(
        self, city: CityMap, contract: Contract, heard: Mapping[int, int]
    ) -> dict[Area, int]:
        """Return the areas that measure something, and when each was last heard."""
        found: dict[Area, int] = {}
        for base in self._bases(contract):
            for member in city.members(base):
                newest = max((heard.get(each.series, 0) for each in member.series), default=0)
                for area in city.areas_of(member, contract):
                    found[area] = max(newest, found.get(area, 0))
        return found

    def _known(
        self, contract: Contract, grain: Grain, zone: ZoneInfo, since_us: int, until_us: int
    ) -> Iterator[Window]:
        """Yield the windows whose last observation lies in a time."""
        first, last = day_of(since_us - LONGEST_SPAN_US, zone), day_of(until_us, zone)
        for window in windows(grain, start_day(grain, first), last, zone):
            known_us = span(Asked(contract, grain, window, zone)).end_us
            if since_us < known_us <= until_us:
                yield window

    def _bases(self, contract: Contract) -> list[Contract]:
        return base_of(self._engine.contracts, contract, contract.valid_from)

    def _take_up(self) -> int:
        """Compute the closed windows that late arrivals touch."""
        waiting = self._arrivals.waiting(ARRIVALS_AT_ONCE)
        if not waiting or not self._due(waiting):
            return 0
        marks = self._store.marks()
        ready = [each for each in waiting if each.applied(marks)]
        city = self._city()
        jobs = self._jobs(city, ready)
        appended = 0
        ordered = sorted(jobs, key=lambda job: (self._depth(job), job.window))
        for cause in sorted(set(jobs.values())):
            for part in self._batches(job for job in ordered if jobs[job] == cause):
                appended += self._append(city, part, cause)
        if ready:
            self._arrivals.forget(ready)
            log.info("indicators.late", touched=len(jobs), revisions=appended)
        return appended

    def _due(self, waiting: list[Arrival]) -> bool:
        now_us = self._clock.now_us()
        quiet = waiting[-1].written_us + QUIET_US <= now_us
        return quiet or waiting[0].written_us + PATIENCE_US <= now_us

    def _jobs(self, city: CityMap, ready: list[Arrival]) -> dict[Job, Cause]:
        """Return each closed window of each area that arrivals are in, and why it changes."""
        closed_us = self._lease.progress().closed_us
        series = city.measured(
            base
            for contract, _ in _published(self._engine.contracts)
            for base in self._bases(contract)
        )
        jobs: dict[Job, Cause] = {}
        for cause in CAUSES:
            touched = self._arrivals.touched(each for each in ready if each.cause == cause)
            hours = touched.by_series(series)
            found = touched_jobs(self._engine.contracts, city, hours, closed_us)
            jobs.update(dict.fromkeys(found, cause))
        return jobs

    def _depth(self, job: Job) -> int:
        return depth(self._engine.contracts.versions(job.indicator)[-1], job.grain)

    def _batches(self, jobs: Iterable[Job]) -> Iterator[list[Job]]:
        """Split jobs so that what is computed from results comes after those are appended."""
        for _, same in groupby(jobs, key=self._depth):
            each = list(same)
            for start in range(0, len(each), JOBS_AT_ONCE):
                yield each[start : start + JOBS_AT_ONCE]

    def _append(self, city: CityMap, jobs: list[Job], cause: Cause) -> int:
        findings = self._engine.compute(city, jobs, lambda: self._wait(0.0))
        if not self._lease.take():
            raise LeaseLostError
        return len(self._results.append(findings, cause))


def touched_jobs(
    contracts: Contracts, city: CityMap, touched: Mapping[int, list[int]], closed_us: int
) -> Iterator[Job]:
    """Yield each closed window of each area that has observations in some hours.

    Args:
        contracts: Whose newest versions are computed.
        city: Areas and their devices.
        touched: Hours by series, as `Touched.by_series` returns them.
        closed_us: Windows known by this instant are closed.
    """
    if not touched:
        return
    for contract, grain in _published(contracts):
        for base in base_of(contracts, contract, contract.valid_from):
            for member in city.members(base):
                hours = _hours(member, touched)
                areas = city.areas_of(member, contract) if hours else []
                for zone in {city.zone_of(area) for area in areas}:
                    here = [area for area in areas if city.zone_of(area) == zone]
                    for window in _around(contract, grain, zone, hours, closed_us):
                        for area in here:
                            yield Job(contract.id, grain, window, area)


def _around(
    contract: Contract, grain: Grain, zone: ZoneInfo, hours: Sequence[int], closed_us: int
) -> Iterator[Window]:
    """Yield the closed windows whose span holds a part of one of some hours, in order."""
    days = {day_of(hour, zone) for hour in hours} | {
        day_of(hour + HOUR_US - 1, zone) for hour in hours
    }
    reach = reach_days(contract)
    nearby = {day + timedelta(days=ahead) for day in days for ahead in range(-reach, reach + 1)}
    for day in sorted({start_day(grain, each) for each in nearby}):
        for window in windows(grain, day, day, zone):
            whole = span(Asked(contract, grain, window, zone))
            first = bisect_right(hours, whole.start_us - HOUR_US)
            if first < len(hours) and hours[first] < whole.end_us <= closed_us:
                yield window


def _published(contracts: Contracts) -> Iterator[tuple[Contract, Grain]]:
    """Yield the newest version of each indicator with each grain; results of others first."""
    newest = [contracts.versions(name)[-1] for name in contracts.ids()]
    each: list[tuple[Contract, Grain]] = [
        (contract, grain) for contract in newest for grain in contract.grains
    ]
    yield from sorted(each, key=lambda pair: depth(*pair))


def _hours(member: Member, touched: Mapping[int, list[int]]) -> list[int]:
    return sorted({hour for each in member.series for hour in touched.get(each.series, ())})
