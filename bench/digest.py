"""What a set of observations comes to: counts, sums and a hash that order does not change.

Both ends make one by themselves: the load's plan says what must be stored, a sink says what was.
Anything lost, doubled or changed makes them differ.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from bench.result import BenchFailed
from loadtest.payloads import PHASE_STEP, PHASES, Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from loadtest.report import LoadReport

__all__ = ["Digest", "DigestOfSeries", "check", "expected_digest", "row_keys"]

US_PER_MS: Final = 1_000
# Odd constants of splitmix64; any mixing does that changes all bits with each input bit.
MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
MIX_2: Final = np.uint64(0x94D049BB133111EB)
GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
MASK: Final = (1 << 64) - 1


class Digest(msgspec.Struct, frozen=True):
    """Of any number of observations.

    Attributes:
        rows: How many.
        time_sum: Of their times in microseconds, modulo 2^64.
        mixed: Exclusive or of the rows' hashes: device, quantity, time and value.
        counts: Observations by `device quantity`.
    """

    rows: int
    time_sum: int
    mixed: int
    counts: dict[str, int]


class DigestOfSeries:
    """Collects rows of numbered series. Not thread-safe."""

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.uint64)
        self._counts = np.zeros(0, np.int64)
        self._names: list[str] = []
        self._time_sum = 0
        self._mixed = 0

    def name(self, device: str, quantity: str) -> int:
        """Return the number of a new series; they count up from 0."""
        self._names.append(f"{device} {quantity}")
        return len(self._names) - 1

    def add(
        self,
        series: npt.NDArray[np.int32],
        time_us: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
    ) -> None:
        """Take rows of series that have names."""
        if len(self._names) > len(self._keys):
            new = self._names[len(self._keys) :]
            self._keys = np.append(self._keys, row_keys(new))
            self._counts = np.append(self._counts, np.zeros(len(new), np.int64))
        self._counts += np.bincount(series, minlength=len(self._counts))
        self._time_sum = (self._time_sum + int(time_us.sum())) & MASK
        self._mixed ^= _mixed(self._keys[series], time_us, values)

    def digest(self) -> Digest:
        """Return what all rows come to."""
        counts: dict[str, int] = {}
        for name, count in zip(self._names, self._counts.tolist(), strict=False):
            if count:
                counts[name] = counts.get(name, 0) + count
        return Digest(int(self._counts.sum()), self._time_sum, self._mixed, counts)


def row_keys(names: list[str]) -> npt.NDArray[np.uint64]:
    """Return a number for each `device quantity`; the same in every process, unlike `hash`."""
    hashes = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.array([int.from_bytes(each, "little") for each in hashes], np.uint64)


def expected_digest(*reports: LoadReport) -> Digest:
    """Return what must be stored: every message that generators sent, exactly once."""
    digest = DigestOfSeries()
    for report in reports:
        _add_report(digest, report)
    return digest.digest()


def _add_report(digest: DigestOfSeries, report: LoadReport) -> None:
    plan = report.plan
    fleet = Fleet(plan)
    # Device 0 says with its n-th message what every device says in phase n.
    phases = [fleet.values(0, phase) for phase in range(PHASES)]
    for device, messages in _messages_by_device(report):
        sequence = np.arange(messages, dtype=np.int64)
        time_us = (plan.first_ms + sequence * plan.step_ms) * US_PER_MS
        phase = (device * PHASE_STEP + sequence) % PHASES
        for quantity in phases[0]:
            values = np.array([each[quantity] for each in phases])
            series = digest.name(fleet.device_name(device), quantity)
            digest.add(np.full(messages, series, np.int32), time_us, values[phase])


def _messages_by_device(report: LoadReport) -> Iterator[tuple[int, int]]:
    share = report.plan.devices_per_connection
    for connection, messages in enumerate(report.sent_by_connection):
        for turn in range(share):
            device = report.plan.first_device + connection * share + turn
            yield device, (messages - turn + share - 1) // share


def check(expected: Digest, found: Digest, what: str) -> None:
    """Compare what must be there with what is.

    Raises:
        BenchFailed: With the first difference in words.
    """
    if expected == found:
        return
    names = expected.counts.keys() | found.counts.keys()
    for name in sorted(names):
        wanted, got = expected.counts.get(name, 0), found.counts.get(name, 0)
        if wanted != got:
            raise BenchFailed(f"{what}: {got} observations of {name}, {wanted} were sent")
    raise BenchFailed(f"{what}: the counts agree, but times or values were changed")


def _mixed(
    keys: npt.NDArray[np.uint64],
    time_us: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
) -> int:
    mixed = keys ^ (time_us.view(np.uint64) * GOLDEN)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * MIX_1
    mixed ^= values.view(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * MIX_2
    return int(np.bitwise_xor.reduce(mixed ^ (mixed >> np.uint64(31))))
