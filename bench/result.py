"""What a bench says: the one shape of every result, and how a measurement fails."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import msgspec

from city.clock import US_PER_S, MachineClock

__all__ = ["ROOT", "BenchFailed", "BenchResult", "Goal", "Machine", "encode_result", "this_machine"]

ROOT = Path(__file__).resolve().parents[1]


class BenchFailed(Exception):  # noqa: N818 - it says what happened, as BenchResult does
    """A measurement that proves nothing: not verified, or its control did not hold."""


class Goal(msgspec.Struct, frozen=True):
    """A figure that somebody wants, and what was measured.

    Attributes:
        id: Goal of the design (`G1`, ...) or the bench's own words.
        measured: In the words of `wanted`.
        wanted: For people: `>= 10`, `<= 8 us`.
        met: Whether it is.
    """

    id: str
    measured: float
    wanted: str
    met: bool


class Machine(msgspec.Struct, frozen=True):
    """Where and on what it was measured.

    Attributes:
        load: Processes that wanted a processor over the minute before, as the kernel counts them.
        commit: Of this project; `+` where files differ from it.
    """

    processor: str
    cores: int
    memory_bytes: int
    kernel: str
    python: str
    load: float
    commit: str
    date: str


class BenchResult(msgspec.Struct, kw_only=True):
    """A verified measurement.

    Attributes:
        bench: Name of the module in `bench/`.
        unit: Of `value` and `baseline`.
        value: Median of ours.
        baseline: Median of what it is compared to; None where there is nothing.
        ratio: How many times better than the baseline: median of the paired ratios.
        samples: What each run gave.
        goals: What was wanted.
        extra: More keys of the JSON object, beside these.
    """

    bench: str
    unit: str
    value: float
    baseline: float | None = None
    ratio: float | None = None
    samples: list[dict[str, object]] = []
    goals: list[Goal] = []
    extra: dict[str, object] = {}


def encode_result(result: BenchResult, machine: Machine) -> bytes:
    """Write a result as one JSON object in one line, figures with six digits."""
    fields = msgspec.structs.asdict(result)
    extra = fields.pop("extra")
    return msgspec.json.encode(_rounded(fields | extra | {"machine": machine}))


def this_machine() -> Machine:
    """Return what is known about this machine and checkout."""
    date = datetime.fromtimestamp(MachineClock().now_us() // US_PER_S, UTC)
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=platform.release(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
        commit=_commit(),
        date=date.isoformat(),
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def _rounded(value: object) -> object:
    """Return a value for JSON: plain containers, floats with six significant digits."""
    plain: object = msgspec.to_builtins(value)
    if isinstance(plain, float):
        return float(f"{plain:.6g}")
    if isinstance(plain, dict):
        members = cast("dict[object, object]", plain)
        return {str(key): _rounded(each) for key, each in members.items()}
    if isinstance(plain, list):
        return [_rounded(each) for each in cast("list[object]", plain)]
    return plain
