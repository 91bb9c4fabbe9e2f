"""One side through one outage: `python -m bench.outage.one_run SIDE OUTAGE --seconds N`.

A process of its own for each, so that the sides of one outage can run side by side: what is counted
is messages, not time. Prints an `Outcome` as a line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from bench.generator import connected_load
from bench.outage.door import open_door
from bench.outage.outages import OUTAGES, Scene
from bench.outage.sides import SIDES, running_side
from bench.result import BenchFailed
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from collections.abc import Generator

    from bench.outage.sides import SideName
    from loadtest.report import LoadReport

__all__ = ["Outcome", "main", "run_outage"]

DEVICES, IN_FLIGHT = 200, 20
# The textbook stack writes each message by itself: some 500 to 900 a second are all it can.
RATE_PER_S = 250.0
DRAIN_S = 90.0
DISK_MIB = 192


class Outcome(msgspec.Struct, frozen=True):
    """What became of what devices sent.

    Attributes:
        acked: Messages with a PUBACK, those without sense too.
        lost: Of those: in no store and no quarantine, or not whole.
        doubled: Observations that are there more than once, or as a conflict.
        strange: Messages that nobody sent.
        waiting: Messages that devices still hold in the end: nobody acknowledged them.
        difference: Of the ledger, where there is one.
    """

    side: str
    outage: str
    acked: int
    lost: int
    doubled: int
    strange: int
    waiting: int
    difference: int


def run_outage(side: SideName, outage: str, seconds: float) -> Outcome:
    """Send for so long, hurt the side after a third of it, mostly for another third, and count.

    Raises:
        BenchFailed: It did not start, or did not come back.
    """
    with (
        _folders(on_small_disk=outage == "disk-full") as (folder, disk),
        running_side(side, folder) as running,
        open_door(running.port) as door,
    ):
        plan = LoadPlan(
            port=door.port,
            connections=DEVICES,
            in_flight=IN_FLIGHT,
            rate_per_s=RATE_PER_S,
            messages=round(RATE_PER_S * seconds),
            drain_s=DRAIN_S,
        )
        with connected_load(plan) as load, ThreadPoolExecutor(1) as beside:
            sending = beside.submit(load.send)
            scene = Scene(running, door, disk, sending, seconds / 3)
            if outage != "poison":
                scene.wait(seconds / 3)
            OUTAGES[outage].do(scene, RATE_PER_S)
            while not sending.done():
                scene.wait(0.1)
            report: LoadReport = sending.result()
        kept = running.settle(report)
    verdict = kept.verdict
    return Outcome(
        side=side,
        outage=outage,
        acked=verdict.acked + scene.poison,
        lost=verdict.lost + max(0, scene.poison - kept.poison),
        doubled=verdict.doubled,
        strange=verdict.strange,
        waiting=round(RATE_PER_S * seconds) - report.acked,
        difference=kept.difference,
    )


@contextlib.contextmanager
def _folders(*, on_small_disk: bool) -> Generator[tuple[Path, Path]]:
    """Make a folder for a side; what it keeps lies on a disk of its own where that is to be filled.

    What programs say goes elsewhere, as it does to a journal.
    """
    with tempfile.TemporaryDirectory(prefix="madina-bench-") as name, contextlib.ExitStack() as end:
        folder = Path(name)
        disk = folder / "disk"
        disk.mkdir()
        if on_small_disk:
            _run("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", disk)
            end.callback(_run, "umount", "--lazy", disk)
        for kept in ("data", "influxdb", "mosquitto"):
            (disk / kept).mkdir()
            (folder / kept).symlink_to(disk / kept)
        yield folder, disk


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise BenchFailed(f"{command[0]}: {words} (root may do this)")


def main() -> int:
    """Do what the command line names; 1 where it could not be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=(*SIDES,))
    parser.add_argument("outage", choices=(*OUTAGES,))
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    try:
        outcome = run_outage(cast("SideName", given.side), given.outage, given.seconds)
    except BenchFailed as failed:
        sys.stderr.write(f"{given.side}, {given.outage}: {failed}\n")
        return 1
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
