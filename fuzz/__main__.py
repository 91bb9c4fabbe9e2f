"""`make fuzz`: hostile bytes at everything that reads bytes; ends with 1 if anything escapes.

A seed gives the same inputs again. An input that escaped is written to a file, and
`python -m fuzz TARGET --input FILE` tries it alone.
"""

import argparse
import contextlib
import random
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from fuzz.codecs import Codecs
from fuzz.endpoint import Endpoint
from fuzz.frames import Frames
from fuzz.inspector import InspectorTarget
from fuzz.native import Native
from fuzz.oracle import Oracle
from fuzz.report import Budget, Report
from fuzz.target import EscapeError, Target, run_target

__all__ = ["main"]

TARGETS: Mapping[str, Callable[[], Target]] = MappingProxyType(
    {
        "frames": Frames,
        "native": Native,
        "codecs": Codecs,
        "inspector": InspectorTarget,
        "endpoint": Endpoint,
        "oracle": Oracle,
    }
)
# What each target gets where nothing else is said: enough to matter, short enough to be run.
CASES, SECONDS = 1_000_000, 120.0
PROGRESS_S = 5.0
RESULTS = Path(__file__).parents[1] / "bench" / "results"


def main(arguments: Sequence[str]) -> int:
    """Run the targets that are asked for, all of them by default; return the exit status."""
    asked = _asked(arguments)
    if asked.input is not None:
        print(TARGETS[asked.targets[0]]().check(asked.input.read_bytes()))
        return 0
    escaped = [name for name in asked.targets if not _run(name, asked)]
    if escaped:
        print(f"escaped: {', '.join(escaped)}", file=sys.stderr)
    return 1 if escaped else 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, help=f"for each target (default {SECONDS:g})")
    parser.add_argument(
        "--cases", type=int, help=f"messages for each target (default {CASES:,}; none with seconds)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--input", type=Path, help="check one file of one target")
    asked = parser.parse_args(arguments)
    unknown = set(asked.targets) - set(TARGETS)
    if unknown or (asked.input is not None and len(asked.targets) != 1):
        parser.error(f"targets are {', '.join(TARGETS)}; --input needs one of them")
    asked.targets = asked.targets or list(TARGETS)
    if asked.cases is None:
        asked.cases = CASES if asked.seconds is None else sys.maxsize
    asked.seconds = asked.seconds or (SECONDS if asked.cases == CASES else float("inf"))
    return asked


def _run(name: str, asked: argparse.Namespace) -> bool:
    started_s = time.monotonic()
    progress = _Progress()
    # The target's name is part of the seed: the order of targets changes nothing.
    rng = random.Random(f"{name} {asked.seed}")
    budget = Budget(cases=asked.cases, seconds=asked.seconds)
    try:
        report = run_target(TARGETS[name](), rng, budget, progress.tell)
    except EscapeError as error:
        _tell_escape(name, asked.seed, error)
        return False
    print(f"{_line(report)} in {time.monotonic() - started_s:.0f} s, seed {asked.seed}: no escape")
    return True


class _Progress:
    def __init__(self) -> None:
        self._next_s = time.monotonic() + PROGRESS_S

    def tell(self, report: Report) -> None:
        if time.monotonic() >= self._next_s:
            self._next_s += PROGRESS_S
            print(f"{_line(report)} ...", flush=True)


def _line(report: Report) -> str:
    return (
        f"{report.target}: {report.cases:,} cases ({report.accepted:,} read,"
        f" {report.refused:,} refused), {report.size_bytes / 1e6:,.1f} MB"
    )


def _tell_escape(name: str, seed: int, error: EscapeError) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"fuzz-{name}-{seed}-{error.report.inputs}.bin"
    path.write_bytes(error.data)
    traceback.print_exception(error.__cause__)
    print(f"{error}\nagain: python -m fuzz {name} --input {path}", file=sys.stderr)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    sys.exit(130)
