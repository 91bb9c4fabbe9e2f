"""One load on a platform, open loop, and what became of it over time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import msgspec

from bench.cpu import machine_s
from bench.frozen_disk import freeze, thaw
from bench.generator import all_acknowledged, connected_load
from bench.plan.watch import watched
from city.clock import MachineClock
from loadtest.capacity.batches import Batch, Look, batches_alone
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan
from loadtest.simulate.backlog import Sample

if TYPE_CHECKING:
    from bench.plan.platform import Platform
    from loadtest.report import LoadReport

__all__ = ["CONNECTIONS", "IN_FLIGHT", "Outage", "RealRun", "Sender", "message_bytes"]

# As `madina load calibrate` has them: concentrators with devices behind.
CONNECTIONS: Final = 20
CARRIED: Final = 20
IN_FLIGHT: Final = 5_000
DRAIN_S: Final = 300.0
US_PER_MS: Final = 1_000


class Outage(msgspec.Struct, frozen=True):
    """The store's disk stands still."""

    at_s: float
    lasts_s: float


class RealRun(msgspec.Struct, frozen=True):
    """A load that was sent and applied.

    Attributes:
        seconds: How long messages were due.
        samples: Due and applied, over the time since the first one was due.
        used_s: Processor seconds until all was applied, by part; `generator` too.
        lasted_s: From the first message due until all were applied.
        ingest: What ingest did meanwhile.
        batches: Of it, those that were seen alone.
        late_ms: p99 of how late messages were acknowledged.
        outage: As it was, on the run's own clock.
        others: Cores that neither the platform nor the load used, but somebody did.
        stolen: Share of the processors' time that other machines took.
    """

    rate_per_s: float
    seconds: float
    samples: list[Sample]
    used_s: dict[str, float]
    lasted_s: float
    ingest: Look
    batches: list[Batch]
    late_ms: float
    outage: Outage | None
    others: float
    stolen: float


class Sender:
    """Sends one load after the other to a platform; their messages are never duplicates."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._next_ms = 0
        self._sent = 0

    def warm(self) -> None:
        """Let every device be heard, and processes do what they do once."""
        self.run(4_000.0, 3.0)

    def run(
        self, rate_per_s: float | None, seconds: float, outage: Outage | None = None
    ) -> RealRun:
        """Send and wait until everything is applied.

        Args:
            rate_per_s: Open loop; None: as fast as windows allow.
            seconds: For how long messages are due.
            outage: Of the store, meanwhile.

        Raises:
            BenchFailed: A message was not acknowledged or not applied.
        """
        platform = self._platform
        plan = self._plan(rate_per_s, seconds)
        before, used = platform.look(), platform.used_s()
        with watched(platform.run.http) as seen, connected_load(plan) as load:
            before_s = machine_s()
            began_s = time.monotonic()
            with ThreadPoolExecutor(1) as beside:
                sending = beside.submit(load.send)
                was = None if outage is None else self._outage(began_s, outage)
                report = all_acknowledged(sending.result())
            self._sent += report.sent
            self._next_ms = plan.first_ms + report.sent // (CONNECTIONS * CARRIED) + CONNECTIONS
            platform.settle(self._sent)
            after, looks = platform.look(), seen()
            machine = machine_s().since(before_s)
        spent = {name: each - used[name] for name, each in platform.used_s().items()}
        spent["generator"] = report.cpu_s
        lasted_s = after.at_s - began_s
        samples = [_sample(each, before, began_s, report) for each in looks if each.at_s >= began_s]
        return RealRun(
            rate_per_s=report.sent / seconds,
            seconds=seconds,
            samples=samples,
            used_s=spent,
            lasted_s=lasted_s,
            ingest=after.since(before),
            batches=batches_alone(looks),
            late_ms=report.latency.p99_ms,
            outage=was,
            others=max(0.0, machine.busy_s - sum(spent.values())) / lasted_s,
            stolen=machine.stolen_s / machine.all_s,
        )

    def _plan(self, rate_per_s: float | None, seconds: float) -> LoadPlan:
        # Times of now: old ones would have days of indicators computed again meanwhile.
        first_ms = max(self._next_ms, MachineClock().now_us() // US_PER_MS)
        return LoadPlan(
            port=self._platform.mqtt_port,
            connections=CONNECTIONS,
            devices_per_connection=CARRIED,
            in_flight=IN_FLIGHT,
            rate_per_s=rate_per_s,
            seconds=seconds,
            first_ms=first_ms,
            drain_s=DRAIN_S,
        )

    def _outage(self, began_s: float, outage: Outage) -> Outage:
        time.sleep(max(0.0, began_s + outage.at_s - time.monotonic()))
        at_s = time.monotonic()
        freeze(self._platform.disk)
        try:
            time.sleep(outage.lasts_s)
        finally:
            thaw(self._platform.disk)
        return Outage(at_s - began_s, time.monotonic() - at_s)


def message_bytes() -> float:
    """Return the bytes of topic and payload of a message."""
    fleet = Fleet(LoadPlan(port=1, connections=CONNECTIONS, devices_per_connection=CARRIED))
    # Beside them: type, two bytes of length, two of the topic's length, two of the packet's number.
    return len(fleet.packets(0)(0, fleet.middles[0])) - 7


def _sample(look: Look, before: Look, began_s: float, report: LoadReport) -> Sample:
    elapsed_s = look.at_s - began_s
    due = min(report.sent, int(elapsed_s * report.sent / (report.plan.seconds or 1.0)))
    return Sample(elapsed_s, due, min(report.sent, look.messages - before.messages))
