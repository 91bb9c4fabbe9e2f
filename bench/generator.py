"""The load of a bench: `python -m loadtest` in a process of its own, whose CPU is left out."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from bench.result import ROOT, BenchFailed
from loadtest.report import LoadReport
from madina.supervisor.death import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Generator

    from loadtest.plan import LoadPlan

__all__ = ["Load", "all_acknowledged", "connected_load"]


class Load:
    """A generator whose connections are open."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def send(self) -> LoadReport:
        """Let it send, and return what it says about that."""
        answer, words = self.process.communicate(b"go\n")
        return _report(self.process, answer, words)


@contextlib.contextmanager
def connected_load(plan: LoadPlan) -> Generator[Load]:
    """Start a generator; in the block all of its connections are open and nothing was sent."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtest"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread runs here
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process:
        try:
            process.stdin.write(msgspec.json.encode(plan) + b"\n")
            process.stdin.flush()
            if process.stderr.readline() != b"connected\n":
                _report(process, *process.communicate())
            yield Load(process)
        finally:
            process.kill()


def all_acknowledged(report: LoadReport) -> LoadReport:
    """Return the report itself.

    Raises:
        BenchFailed: If a message was not acknowledged, or a connection was lost.
    """
    waiting = report.sent - report.acked if report.plan.qos else 0
    if waiting or report.refused or report.lost_connections or report.resent:
        raise BenchFailed(
            f"of {report.sent} messages {waiting} have no PUBACK, {report.refused} were refused,"
            f" {report.resent} were sent again, {report.lost_connections} connections were lost:"
            f" {report.last_refusal}"
        )
    if not report.sent:
        raise BenchFailed("nothing was sent")
    return report


def _report(process: subprocess.Popen[bytes], answer: bytes, words: bytes) -> LoadReport:
    if process.returncode != 0 or not answer:
        last = words.decode(errors="replace").strip().splitlines()[-1:]
        raise BenchFailed(f"the load generator ended with {process.returncode}: {last}")
    return msgspec.json.decode(answer, type=LoadReport)
