"""What devices cost: memory of an ingest worker, and CPU a message, as a city grows (goal G10).

Each size runs in a process of its own: registry, series, duplicates and topics of that many devices
that have all been heard, to a store that keeps nothing. Then messages of devices all over the city
are timed. Memory is the growth of the process, so what the allocator wastes counts.
"""

import subprocess
import sys

import msgspec

from bench.endpoint import slope
from bench.growth_process import GrowthFacts
from bench.progress import say
from bench.result import ROOT, BenchFailed, BenchResult, Goal

__all__ = ["measure", "measured"]

SIZES = (1_000, 10_000, 100_000, 1_000_000)
BYTES_MAX = 300.0
EXPONENT_MAX = 0.05
# Messages a second of the timed part, about: what `seconds` comes to.
RATE = 200_000
SECONDS = 2.0


def measure(seconds: float | None) -> BenchResult:
    """Measure every size."""
    messages = int((seconds or SECONDS) * RATE)
    found = [measured(devices, messages) for devices in SIZES]
    largest = found[-1]
    grows = slope((each.devices, each.cpu_us) for each in found)
    return BenchResult(
        bench="growth",
        unit="exponent of CPU a message over devices",
        value=grows,
        samples=[msgspec.to_builtins(each) for each in found],
        goals=[
            Goal("G10", grows, f"<= {EXPONENT_MAX:g}", grows <= EXPONENT_MAX),
            Goal(
                "G10 memory",
                largest.bytes_a_device,
                f"<= {BYTES_MAX:g} bytes a device at {largest.devices:,}",
                largest.bytes_a_device <= BYTES_MAX,
            ),
        ],
        extra={"bytes_a_device": largest.bytes_a_device},
    )


def measured(devices: int, messages: int) -> GrowthFacts:
    """Measure one size, in a process of its own: memory that another one gave back would count.

    Raises:
        BenchFailed: It ended, or something is not stored.
    """
    command = [sys.executable, str(ROOT / "bench" / "growth_process.py")]
    done = subprocess.run(
        [*command, str(devices), str(messages)], capture_output=True, check=False, cwd=ROOT
    )
    if done.returncode:
        raise BenchFailed(f"{devices:,} devices: {done.stderr.decode(errors='replace')[-500:]}")
    found = msgspec.json.decode(done.stdout, type=GrowthFacts)
    if found.stored < 2 * (devices + messages):
        raise BenchFailed(f"{devices:,} devices: only {found.stored:,} observations were stored")
    say(f"{devices:,} devices: {found.bytes_a_device:.0f} bytes each, {found.cpu_us:.2f} us")
    return found
