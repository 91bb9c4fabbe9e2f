"""A published figure with what it was computed from, put together from store and registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from indicators.civil import Window, day_of
from indicators.compute import components, span
from indicators.contracts.shapes import HighestIndex
from indicators.engine import Engine, Job, base_of
from indicators.proof import Proof, said, same_figure

if TYPE_CHECKING:
    from indicators.areas import Area, CityMap, Member
    from indicators.contracts import Contract
    from indicators.results import Stored
    from indicators.rows import ResultRow
    from registry.sites import SiteList
    from store.interface import Store

__all__ = ["ProofError", "make_proof"]

# Series of one proof: it is made in memory, and somebody has to read it.
SERIES_MAX: Final = 5_000


class ProofError(Exception):
    """A figure cannot be proved now.

    Args:
        code: For programs.
        words: Why.
        mend: What to do about it.
    """

    def __init__(self, code: str, words: str, mend: str) -> None:
        super().__init__(words)
        self.code = code
        self.mend = mend


def make_proof(
    engine: Engine, store: Store, sites: SiteList, city: CityMap, area: Area, stored: Stored
) -> Proof:
    """Return the proof of a published figure. Blocking.

    Raises:
        ProofError: It is made of other results or of too many series, or what is stored now gives
            another figure.
    """
    row = stored.finding.row
    contract = engine.contracts.get(row.indicator, row.version)
    job = Job(contract.id, stored.finding.grain, Window(row.start_us, row.end_us), area)
    _refuse_other_definition(engine, job, city, contract)
    _refuse_results(contract, job)
    (fresh,) = engine.compute(city, [job])
    _refuse_change(stored, fresh.row)
    bases = base_of(engine.contracts, contract, day_of(row.start_us, city.zone_of(area)))
    members = _members(city, area, bases)
    series = sorted({each.series for member in members for each in member.series})
    if len(series) > SERIES_MAX:
        words = f"{len(series)} series have a part in it, more than the {SERIES_MAX} of one proof"
        raise ProofError("too_much", words, "ask for a place or a device of the area")
    asked, _ = engine.asked(job, city.zone_of(area))
    spans = [span(asked), *(_span(engine, job, base, city) for base in bases)]
    return Proof(
        published=stored.finding,
        fresh=fresh,
        contracts=[contract, *(each for each in bases if each.id != contract.id)],
        members=members,
        sites=sites,
        zone=city.zone,
        observations=store.columns(
            series, min(each.start_us for each in spans), max(each.end_us for each in spans)
        ),
    )


def _refuse_other_definition(engine: Engine, job: Job, city: CityMap, contract: Contract) -> None:
    asked, _ = engine.asked(job, city.zone_of(job.area))
    if asked.contract.version != contract.version or asked.zone.key != city.zone_of(job.area).key:
        words = f"version {contract.version} does not govern its period any more"
        raise ProofError("other_definition", words, "compute the period again")


def _refuse_results(contract: Contract, job: Job) -> None:
    if not isinstance(contract.formula, HighestIndex) and components(contract, job.grain):
        words = f"the figure of a {job.grain} is made of other figures, not of observations"
        raise ProofError("made_of_figures", words, "ask for the proofs of its days or hours")


def _refuse_change(stored: Stored, fresh: ResultRow) -> None:
    row = stored.finding.row
    if not same_figure(row, fresh):
        words = (
            f"revision {row.revision} is {said(row)}, and what is stored now gives {said(fresh)}:"
            " observations came late, were corrected or have expired"
        )
        raise ProofError(
            "figure_changed", words, "ask for the latest revision, or compute it again"
        )


def _members(city: CityMap, area: Area, bases: list[Contract]) -> list[Member]:
    """Return the devices of an area; one for each of several inputs is named once with all."""
    found: dict[tuple[str, tuple[int, ...]], Member] = {}
    for base in bases:
        for member in city.inside(area, base):
            found[member.name, tuple(each.series for each in member.series)] = member
    return list(found.values())


def _span(engine: Engine, job: Job, base: Contract, city: CityMap) -> Window:
    return engine.span(city, Job(base.id, job.grain, job.window, job.area))
