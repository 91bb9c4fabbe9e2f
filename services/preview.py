"""What a change of a calibration would make of published figures, before anybody makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from city.corrections import Correction
from indicators.areas import CityMap
from indicators.compute import depth
from indicators.rows import ResultRow, restated
from indicators.standing import touched_jobs
from registry.sites import Site, SiteList
from store.interface import Series

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from indicators.engine import Engine, Job
    from indicators.results import Finding, Results
    from indicators.touched import Touched

__all__ = ["CalibrationChange", "Known", "Preview", "Previewed", "preview"]

# Results that are computed for one preview, the newest.
COMPUTED_MAX: Final = 2_000


class CalibrationChange(msgspec.Struct, frozen=True):
    """A calibration of a device that comes or goes."""

    device: tuple[str, str]
    correction: Correction
    does: Literal["come", "go"]


class Known(msgspec.Struct, frozen=True):
    """The city before the change.

    Attributes:
        touched: Hours in which the device measured the quantity, of the time of the change.
    """

    sites: SiteList
    series: list[Series]
    zone: ZoneInfo
    touched: Touched


class Previewed(msgspec.Struct, frozen=True):
    """A figure as it is published, and as it would be."""

    grain: str
    before: ResultRow
    after: ResultRow


class Preview(msgspec.Struct, frozen=True):
    """What would change.

    Attributes:
        touched: Figures that are made of the observations of that time.
        computed: How many of them were computed for the preview: the newest, and none that is made
            of other figures.
        changed: Those that would get a new revision.
    """

    touched: int
    computed: int
    changed: list[Previewed]


def preview(
    engine: Engine, results: Results, known: Known, change: CalibrationChange, closed_us: int
) -> Preview:
    """Compute what is published of the time of a calibration with and without it. Blocking.

    Args:
        engine: Computes.
        results: What is published.
        known: The city as it is.
        change: What would be otherwise.
        closed_us: Windows known by this instant are closed.
    """
    city = CityMap(_with(known.sites, change), known.series, known.zone)
    hours = known.touched.by_series(each.series for each in known.series)
    jobs = [*dict.fromkeys(touched_jobs(engine.contracts, city, hours, closed_us))]
    own = sorted((each for each in jobs if not _is_of_figures(engine, each)), key=_start)
    found = engine.compute(city, own[-COMPUTED_MAX:])
    return Preview(len(jobs), len(found), _changed(results, found))


def _with(sites: SiteList, change: CalibrationChange) -> SiteList:
    return SiteList(
        sites.revision,
        tuple(
            _changed_site(each, change) if (each.provider, each.device) == change.device else each
            for each in sites.sites
        ),
    )


def _changed_site(site: Site, change: CalibrationChange) -> Site:
    others = [each for each in site.corrections if each != change.correction]
    come = [change.correction] if change.does == "come" else []
    return msgspec.structs.replace(site, corrections=tuple(sorted([*others, *come])))


def _is_of_figures(engine: Engine, job: Job) -> bool:
    return depth(engine.contracts.versions(job.indicator)[-1], job.grain) > 0


def _start(job: Job) -> int:
    return job.window.start_us


def _changed(results: Results, found: list[Finding]) -> list[Previewed]:
    latest = results.latest(each.key for each in found)
    changed: list[Previewed] = []
    for each in found:
        before = latest.get(each.key)
        if before is not None and restated(before.finding.row, each.row, "calibration"):
            changed.append(Previewed(each.grain, before.finding.row, each.row))
    return changed
