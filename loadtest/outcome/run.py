"""The record of a run, as it is kept in a file: what reports, comparisons and merges read."""

from collections.abc import Iterable
from typing import Final

import msgspec

from loadtest.latency import LatencySummary
from loadtest.outcome.faults import Backlog, FaultOutcome
from loadtest.outcome.findings import Account, Findings
from loadtest.outcome.tally import Tally
from loadtest.rig.crew import CrewProgress
from loadtest.rig.machine import Machine, PartTick
from loadtest.rig.order import FleetResult
from loadtest.rig.sampling import ReadingRecord
from loadtest.scenario.curve import Span
from loadtest.scenario.model import Scenario
from loadtest.timing import TimingsRecord, merged

__all__ = ["BudgetCheck", "FleetOutcome", "LoadRun", "PhaseFigures", "Window", "fleet_outcomes"]

FORMAT: Final = 1


class Window(msgspec.Struct, frozen=True):
    """A time of the run in which something was made to go wrong.

    Attributes:
        end_s: When what it brings about is over, as far as it was foreseen.
        instant: It was done at `start_s`, and not for a while.
    """

    name: str
    start_s: float
    end_s: float
    instant: bool = False


class FleetOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a fleet's messages; see `FleetResult`."""

    fleet: str
    qos: int
    scheduled: int
    sent: int
    acked: int
    refused: int
    resent: int
    lost_connections: int
    unexpected_acks: int
    late: int
    latency: TimingsRecord
    service: TimingsRecord


class PhaseFigures(msgspec.Struct, frozen=True):
    """One phase as it went.

    Attributes:
        due_per_s: What the schedule asked for.
        latency: Of the messages that were due in it.
        held: Whether it kept the budgets, with no more than a second's messages waiting.
    """

    span: Span
    due_per_s: float
    latency: LatencySummary
    held: bool


class BudgetCheck(msgspec.Struct, frozen=True):
    """One budget. `measured` is None where it could not be told."""

    name: str
    wanted: str
    measured: float | None
    met: bool


class LoadRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a scenario.

    Attributes:
        shard: Which of how many machines' parts this is; `0/1` is all of it.
        started_at: ISO 8601, UTC.
        revision: Version of the program.
        seconds: From the first message's due time to the last PUBACK.
        cpu_s: Of the generator.
        history: How far it was, each second.
        parts: What the platform's processes used, by name.
        disk_bytes: What its data folder took, by second.
        stolen: Share of this machine's time that others took.
        bottleneck: Why nothing here may be said of the platform's latency; empty: it may.
        account: Every message, against the ledger; None where no platform of ours was asked.
        tally: What the account is made from; a shard has only this, and all of them add up.
        findings: Every stored value of some devices, against what was sent.
        catch_up_s: From the last PUBACK until nothing waited any more.
        faults: What was done to the platform, and when it had caught up; by place in the scenario.
        backlog: What waited meanwhile; only looked at in runs with faults.
        complaints: Why the run failed, for people; empty: it did not.
    """

    format: int = FORMAT
    scenario: Scenario
    target: str
    shard: str
    started_at: str
    revision: str
    machine: Machine
    spans: list[Span]
    windows: list[Window]
    processes: int
    connections: int
    connect_s: float
    bytes_a_connection: int
    dial_failures: int
    seconds: float
    cpu_s: float
    interval_s: float
    fleets: list[FleetOutcome]
    lag: TimingsRecord
    history: list[CrewProgress]
    parts: dict[str, list[PartTick]]
    disk_bytes: dict[int, int]
    stolen: float
    bottleneck: list[str]
    phases: list[PhaseFigures]
    account: Account | None = None
    tally: Tally | None = None
    findings: Findings | None = None
    reading: ReadingRecord | None = None
    catch_up_s: float | None = None
    faults: dict[int, FaultOutcome] = {}
    backlog: list[Backlog] = []
    budgets: list[BudgetCheck] = []
    complaints: list[str] = []

    @property
    def latency(self) -> TimingsRecord:
        """From due to PUBACK, of all fleets with acknowledgements; of all if none has."""
        return merged(each.latency for each in self._acknowledged())

    @property
    def service(self) -> TimingsRecord:
        """The same from sending."""
        return merged(each.service for each in self._acknowledged())

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.complaints

    def total(self, member: str) -> int:
        """Return a count of all fleets together."""
        return sum(getattr(each, member) for each in self.fleets)

    def _acknowledged(self) -> list[FleetOutcome]:
        return [each for each in self.fleets if each.qos] or self.fleets


def fleet_outcomes(scenario: Scenario, results: Iterable[FleetResult]) -> list[FleetOutcome]:
    """Add up what processes tell, by fleet."""
    kept = [*results]
    return [
        _outcome(rule.name, rule.qos, [each for each in kept if each.fleet == rule.name])
        for rule in scenario.fleets
    ]


def _outcome(fleet: str, qos: int, results: list[FleetResult]) -> FleetOutcome:
    return FleetOutcome(
        fleet=fleet,
        qos=qos,
        scheduled=sum(each.scheduled for each in results),
        sent=sum(each.sent for each in results),
        acked=sum(each.acked for each in results),
        refused=sum(each.refused for each in results),
        resent=sum(each.resent for each in results),
        lost_connections=sum(each.lost_connections for each in results),
        unexpected_acks=sum(each.unexpected_acks for each in results),
        late=sum(each.late for each in results),
        latency=merged(each.latency for each in results),
        service=merged(each.service for each in results),
    )
