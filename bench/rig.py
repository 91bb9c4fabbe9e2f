"""The way of a message with every part in a process of its own: log, gateway, ingest, null store.

One call is one verified run. CPU counts from before the first message until the last one is
verified; connecting is not part of it. The generator's CPU and what the null store's counting
costs are printed and left out.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.digest import Digest, check, expected_digest
from bench.generator import all_acknowledged, connected_load
from bench.influxd import digest_of_points, running_influxd
from bench.ingest_process import How, IngestFacts, IngestPlan
from bench.pairs import Sample
from bench.processes import LogServer, Program, gateway, log_server, program, until
from bench.result import BenchFailed
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from collections.abc import Generator

    from loadtest.report import LoadReport
    from store.influx import InfluxAddress

__all__ = [
    "CATCH_UP_S",
    "MICROS",
    "Rig",
    "RigRun",
    "run_rig",
    "running_ingest",
    "running_rig",
    "verify",
    "verify_applied",
    "wait_until_applied",
]

AS_IT_IS = How()
MICROS = 1e6
# How long ingest may take to catch up once the last message has its PUBACK.
CATCH_UP_S = 60.0


class RigRun(msgspec.Struct, frozen=True):
    """One verified run.

    Attributes:
        cpu_s: Processor seconds by program; of `ingest` without what counting has cost.
        seconds: From the first message until the last one was applied.
        rss_bytes: Memory by program at the end.
    """

    report: LoadReport
    facts: IngestFacts
    cpu_s: dict[str, float]
    seconds: float
    rss_bytes: dict[str, int]

    @property
    def cpu_us(self) -> dict[str, float]:
        """Microseconds a message by program."""
        return {name: used * MICROS / self.report.sent for name, used in self.cpu_s.items()}

    def sample(self, side: str) -> Sample:
        """Return it as a sample: what gateway and ingest have cost."""
        used = self.cpu_us
        ours = used["gateway"] + used["ingest"]
        parts = used | {
            "all_in": ours + used["log"],
            "per_s": self.report.sent / self.seconds,
            "batch_messages": self.report.sent / self.facts.store.batches,
        }
        return Sample(side, ours, self.report.sent, parts)


class Rig:
    """Programs that run.

    Attributes:
        programs: `log`, `gateway`, `ingest`, and `influxd` where it stores there.
        influx: That database.
    """

    def __init__(
        self,
        programs: dict[str, Program],
        how: How = AS_IT_IS,
        influx: InfluxAddress | None = None,
    ) -> None:
        self._ledger = how.checks == "all"
        self._reports: list[LoadReport] = []
        self._counting_s = 0.0
        self.programs = programs
        self.influx = influx

    def run(self, plan: LoadPlan) -> RigRun:
        """Send a load and verify that all of it, and of those before it, was applied.

        Raises:
            BenchFailed: If anything was lost, doubled or changed, or the ledger does not balance.
        """
        plan = msgspec.structs.replace(plan, port=self.programs["gateway"].port)
        with connected_load(plan) as load:
            before = self._cpu_s()
            began_s = time.monotonic()
            report = all_acknowledged(load.send())
            self._reports.append(report)
            sent = sum(each.sent for each in self._reports)
            wait_until_applied(self.programs["ingest"], sent, *self.programs.values())
            seconds = time.monotonic() - began_s
            after = self._cpu_s()
        facts = verify_applied(self.programs["ingest"], *self._reports, ledger=self._ledger)
        if self.influx is not None:
            found = digest_of_points(self.influx, plan.provider)
            check(expected_digest(*self._reports), found, "InfluxDB")
        used = {name: after[name] - before[name] for name in after}
        used["ingest"] -= facts.store.cpu_s - self._counting_s
        self._counting_s = facts.store.cpu_s
        used["generator"] = report.cpu_s
        memory = {name: each.rss_bytes() for name, each in self.programs.items()}
        return RigRun(report, facts, used, seconds, memory)

    def _cpu_s(self) -> dict[str, float]:
        return {name: each.cpu_s() for name, each in self.programs.items()}


def verify(facts: IngestFacts, *reports: LoadReport, ledger: bool = True) -> None:
    """Hold what a store was given to what was sent.

    Args:
        facts: What was stored.
        reports: What was sent.
        ledger: Whether there is a ledger, which has to balance.

    Raises:
        BenchFailed: If they differ, or the ledger does not balance.
    """
    try:
        check(expected_digest(*reports), facts.store.digest, "null store")
    except BenchFailed as failed:
        store = msgspec.structs.replace(facts.store, digest=Digest(0, 0, 0, {}))
        raise BenchFailed(f"{failed}; {store}") from failed
    sent = sum(each.sent for each in reports)
    if ledger and (facts.store.difference or facts.store.accepted != sent):
        raise BenchFailed(f"the ledger does not say that all was accepted: {facts.store}")


@contextlib.contextmanager
def running_rig(plan: LoadPlan, how: How = AS_IT_IS) -> Generator[Rig]:
    """Run everything with the devices of a plan registered, in a folder that is then removed."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="madina-bench-")))
        log = stack.enter_context(log_server(folder))
        programs: dict[str, Program] = {"log": log}
        address: InfluxAddress | None = None
        if how.store == "influxdb":
            programs["influxd"], address = stack.enter_context(running_influxd(folder))
        url = "" if address is None else address.url
        ingest = stack.enter_context(running_ingest(folder, log, plan, how, url))
        gate = stack.enter_context(gateway(folder, log))
        # The gateway makes the stream, so ingest can only now begin to read it.
        until(
            lambda: msgspec.json.decode(ingest.ask("reads"), type=bool),
            "ingest to wait for frames",
            ingest,
        )
        yield Rig(programs | {"gateway": gate, "ingest": ingest}, how, address)


def run_rig(plan: LoadPlan, how: How = AS_IT_IS) -> RigRun:
    """Start everything afresh for one run."""
    with running_rig(plan, how) as rig:
        return rig.run(plan)


@contextlib.contextmanager
def running_ingest(
    folder: Path,
    log: LogServer,
    plan: LoadPlan,
    how: How = AS_IT_IS,
    influx_url: str = "",
) -> Generator[Program]:
    """Run ingest over a log, with the devices of a plan registered."""
    fleet = Fleet(plan)
    count = plan.connections * plan.devices_per_connection
    wanted = IngestPlan(
        log.url,
        str(folder),
        provider=plan.provider,
        devices=[fleet.device_name(plan.first_device + each) for each in range(count)],
        step_ms=plan.step_ms,
        how=how,
        influx_url=influx_url,
    )
    path = folder / "ingest.json"
    path.write_bytes(msgspec.json.encode(wanted))
    command = [sys.executable, "-m", "bench.ingest_process", path]
    with program("ingest", command, folder, says_ready=True, talks=True) as running:
        yield running


def verify_applied(ingest: Program, *reports: LoadReport, ledger: bool = True) -> IngestFacts:
    """Wait for what was sent to be applied, verify it, and return what was stored.

    Raises:
        BenchFailed: If anything was lost, doubled or changed, or the ledger does not balance.
    """
    wait_until_applied(ingest, sum(each.sent for each in reports))
    facts = msgspec.json.decode(ingest.ask("facts"), type=IngestFacts)
    verify(facts, *reports, ledger=ledger)
    return facts


def wait_until_applied(ingest: Program, messages: int, *beside: Program) -> None:
    """Wait until an ingest process has applied all that was sent.

    Raises:
        BenchFailed: If it takes too long, or a program ended.
    """
    until(
        lambda: msgspec.json.decode(ingest.ask("applied"), type=int) >= messages,
        f"{messages} messages to be applied",
        ingest,
        *beside,
        patience_s=CATCH_UP_S,
    )
