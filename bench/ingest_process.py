"""Ingest in a process of its own over a null store, which answers questions by line.

All answers are JSON. `reads`: whether it is connected and waits for frames; `applied`: how many
messages were applied; `facts`: what they came to, delays since the last question.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import uvloop

from bench.bare_applier import BareApplier, without_ledger
from bench.commit_log import CommitLog, Delay
from bench.influxd import DATABASE
from bench.null_store import NullStore, NullStoreFacts
from city.clock import MachineClock
from ingest.applier import Applier, ApplierSettings
from ingest.codecs.catalogue import find_codecs
from ingest.run import IngestSettings, run_ingest
from ingest.status import StatusBoard
from madina.collecting import collect_less
from madina.log_output import log_to_stderr
from madina.node import SWITCH_INTERVAL_S
from madina.ready import ready_teller
from registry.registry import Registry
from store.duckdb import DuckDBStore
from store.influx import InfluxAddress, InfluxStore

if TYPE_CHECKING:
    from ingest.seams import Applying
    from store.interface import Store

__all__ = ["How", "IngestFacts", "IngestPlan", "main"]

DEVICES_AT_ONCE = 5_000
# As the settings' default.
SHARDS = 4
US_PER_MS = 1_000


class How(msgspec.Struct, frozen=True):
    """What is different from ingest as it is.

    Attributes:
        store: `null` alone, or in front of `duckdb` or `influxdb`.
        checks: What ingest does: all of it, all but the ledger, or none of it.
        delays: Remember when each observation was committed, which takes memory.
    """

    store: Literal["null", "duckdb", "influxdb"] = "null"
    checks: Literal["all", "no-ledger", "none"] = "all"
    delays: bool = False


class IngestPlan(msgspec.Struct, frozen=True):
    """What to run.

    Attributes:
        folder: Where registry and store live.
        devices: Registered before it begins; they take turns in this order.
        step_ms: Between two messages of a device.
        influx_url: Of the database, where the store is one.
    """

    nats_url: str
    folder: str
    shards: int = SHARDS
    provider: str = "load"
    devices: list[str] = []
    step_ms: int = 1
    how: How = How()
    influx_url: str = ""


class IngestFacts(msgspec.Struct, frozen=True):
    """What became of it.

    Attributes:
        delay: From when an observation was due at the device until its commit, of those since
            the facts were last asked for.
    """

    store: NullStoreFacts
    delay: Delay


def main() -> None:
    """Run until SIGTERM or the end of standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("--ready-fd", type=int)
    given = parser.parse_args()
    log_to_stderr("ingest")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    plan = msgspec.json.decode(given.plan.read_bytes(), type=IngestPlan)
    folder = Path(plan.folder)
    registry = Registry.open(f"sqlite:///{folder / 'registry.sqlite'}", MachineClock())
    _register(registry, plan)
    behind = _behind(plan)
    commits = CommitLog(MachineClock(), plan.devices, plan.step_ms * US_PER_MS)
    store = NullStore(behind, commits if plan.how.delays else None)
    applying: Applying = Applier(store, registry, ApplierSettings(), find_codecs())
    if plan.how.checks == "none":
        applying = BareApplier(store)
    try:
        with without_ledger() if plan.how.checks == "no-ledger" else contextlib.nullcontext():
            uvloop.run(_run(plan, applying, store, commits, given.ready_fd))
    finally:
        store.close()
        registry.close()


def _behind(plan: IngestPlan) -> Store | None:
    """Return the store that keeps what is written, if any does."""
    if plan.how.store == "duckdb":
        return DuckDBStore(Path(plan.folder) / "bench.duckdb")
    if plan.how.store == "influxdb":
        return InfluxStore(InfluxAddress(plan.influx_url, DATABASE))
    return None


def _register(registry: Registry, plan: IngestPlan) -> None:
    for start in range(0, len(plan.devices), DEVICES_AT_ONCE):
        some = plan.devices[start : start + DEVICES_AT_ONCE]
        registry.accept([(plan.provider, device) for device in some])


async def _run(
    plan: IngestPlan, applying: Applying, store: NullStore, commits: CommitLog, ready_fd: int | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    board = StatusBoard()

    def answer() -> None:
        for line in sys.stdin.buffer:
            if line == b"reads\n":
                found = msgspec.json.encode(board.status.log == "ready")
            elif line == b"applied\n":
                found = msgspec.json.encode(store.applied)
            else:
                found = msgspec.json.encode(IngestFacts(store.facts(), commits.delay()))
                commits.forget()
            sys.stdout.buffer.write(found + b"\n")
            sys.stdout.buffer.flush()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=answer, daemon=True).start()
    settings = IngestSettings(plan.nats_url, "bench", plan.shards)
    tell = ready_teller(ready_fd)

    def ready() -> None:
        # As a node does.
        collect_less()
        tell()

    await run_ingest(settings, applying, stop, ready=ready, board=board)


if __name__ == "__main__":
    main()
