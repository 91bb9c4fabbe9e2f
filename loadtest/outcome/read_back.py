"""Every stored value of some devices against what they sent, and the days that they tell."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from loadtest.outcome.account import FleetRecord
from loadtest.outcome.findings import Findings, LostMessage
from loadtest.outcome.run import Window
from loadtest.scenario.curve import Span
from loadtest.scenario.model import seconds_of
from loadtest.stream.content import WRONG_UNIT
from loadtest.stream.formats import Format

__all__ = ["CheckedDevice", "StoredValue", "ValueReader", "checked_devices", "read_back"]

Numbers = NDArray[np.int64]
Marks = NDArray[np.bool_]
LISTED: Final = 100
LATE_S: Final = 5.0
# Values come back through a conversion of units.
SAME: Final = 1e-6
MS_PER_S: Final = 1_000


class StoredValue(msgspec.Struct, frozen=True):
    """One stored observation; times in milliseconds since 1970."""

    quantity: str
    time_ms: int
    value: float
    received_ms: int


class ValueReader(Protocol):
    """What is asked of a platform."""

    def stored(self, device: str, from_ms: int) -> Iterable[StoredValue]:
        """Return everything stored of a device (`provider/id`) from a time on."""
        ...


class CheckedDevice(msgspec.Struct, frozen=True):
    """A device that is looked at."""

    name: str
    number: int
    record: FleetRecord


class _Sent(msgspec.Struct, frozen=True):
    """What a device sent of a quantity: columns.

    Attributes:
        times_ms, values: Of each message that was sent; a repetition is none.
        promised: Whether it had its PUBACK.
    """

    times_ms: Numbers
    sequences: Numbers
    due_s: NDArray[np.float64]
    promised: Marks
    values: NDArray[np.float64]


def checked_devices(
    records: list[FleetRecord], forms: list[Format], most: int | None
) -> list[CheckedDevice]:
    """Return devices of all fleets, evenly spread; all of them where `most` is None."""
    total = sum(record.content.rule.devices for record in records)
    step = 1 if most is None else max(1, -(-total // max(1, most)))
    found: list[CheckedDevice] = []
    if most == 0:
        return found
    for record, form in zip(records, forms, strict=True):
        rule = record.content.rule
        found += (
            CheckedDevice(f"{rule.provider}/{form.name(number)}", number, record)
            for number in range(0, rule.devices, step)
            if record.knows(number)
        )
    return found


def read_back(
    devices: list[CheckedDevice],
    reader: ValueReader,
    spans: list[Span],
    windows: list[Window],
    started_ms: int,
) -> Findings:
    """Compare what is stored of devices with what they sent.

    Args:
        devices: Which ones.
        reader: What is stored.
        spans: Phases of the run.
        windows: What was made to go wrong in it.
        started_ms: When the first message was due, by the platform's clock.
    """
    found = _Found(spans, windows, started_ms)
    for device in devices:
        found.look(device, reader)
    return found.findings(len(devices))


class _Found:
    def __init__(self, spans: list[Span], windows: list[Window], started_ms: int) -> None:
        self._spans = spans
        self._windows = windows
        self._started_ms = started_ms
        self._counts: Counter[str] = Counter()
        self._late: Counter[str] = Counter()
        self._lost: list[LostMessage] = []
        self._wrong: list[str] = []

    def look(self, device: CheckedDevice, reader: ValueReader) -> None:
        """Compare one device."""
        stored: dict[str, list[StoredValue]] = defaultdict(list)
        clock = device.record.content.clock
        first_ms = int(clock.epoch_s * MS_PER_S)
        for value in reader.stored(device.name, first_ms - _skew_ms(device)):
            stored[value.quantity].append(value)
        lost: dict[int, float] = {}
        for quantity, sent in _sent(device):
            missing = self._compare(sent, stored[quantity])
            lost |= dict(
                zip(sent.sequences[missing].tolist(), sent.due_s[missing].tolist(), strict=True)
            )
            self._answer(device, quantity, sent, stored[quantity], short=bool(missing.any()))
        self._counts["messages lost"] += len(lost)
        for sequence, due_s in [*lost.items()][: LISTED - len(self._lost)]:
            self._lost.append(LostMessage(device.name, sequence, due_s, self._window(due_s)))

    def findings(self, devices: int) -> Findings:
        """Return all that was found."""
        counts = self._counts
        return Findings(
            devices=devices,
            values=counts["values"],
            lost=counts["lost"],
            doubled=counts["doubled"],
            foreign=counts["foreign"],
            changed=counts["changed"],
            out_of_order=counts["out of order"],
            late=dict(self._late),
            messages_lost=counts["messages lost"],
            lost_messages=self._lost,
            answers=counts["answers"],
            answers_wrong=counts["wrong answers"],
            answers_short=counts["short answers"],
            wrong_answers=self._wrong,
        )

    def _compare(self, sent: _Sent, rows: list[StoredValue]) -> Marks:
        """Count what is wrong with a series; return which promised values are missing."""
        times = Counter(row.time_ms for row in rows)
        known = dict(zip(sent.times_ms.tolist(), sent.values.tolist(), strict=True))
        counts = self._counts
        counts["values"] += len(rows)
        counts["doubled"] += sum(count - 1 for count in times.values())
        counts["foreign"] += sum(1 for time_ms in times if time_ms not in known)
        counts["changed"] += sum(
            1 for row in rows if abs(known.get(row.time_ms, row.value) - row.value) > SAME
        )
        missing = sent.promised & ~np.isin(sent.times_ms, [*times])
        counts["lost"] += int(missing.sum())
        self._order(sent, rows)
        return missing

    def _order(self, sent: _Sent, rows: list[StoredValue]) -> None:
        due_ms = dict(zip(sent.times_ms.tolist(), (sent.due_s * MS_PER_S).tolist(), strict=True))
        newest = 0
        for row in sorted(rows, key=lambda each: each.received_ms):
            self._counts["out of order"] += row.time_ms < newest
            newest = max(newest, row.time_ms)
            due = due_ms.get(row.time_ms)
            if due is not None and row.received_ms - self._started_ms - due > LATE_S * MS_PER_S:
                self._late[self._window(due / MS_PER_S)] += 1

    def _answer(
        self,
        device: CheckedDevice,
        quantity: str,
        sent: _Sent,
        rows: list[StoredValue],
        *,
        short: bool,
    ) -> None:
        """Compare the means of civil days: what the city would publish with what is true."""
        if not sent.promised.all():
            return
        clock = device.record.content.clock
        truth = _means(clock.local(sent.times_ms / MS_PER_S).days, sent.values)
        times = np.array([row.time_ms for row in rows], dtype=np.float64)
        told = _means(clock.local(times / MS_PER_S).days, np.array([row.value for row in rows]))
        self._counts["answers"] += len(truth)
        for day, mean in truth.items():
            if day not in told or abs(told[day] - mean) > SAME * max(1.0, abs(mean)):
                self._counts["wrong answers"] += 1
                self._counts["short answers"] += short
                words = f"{device.name} {quantity} day {day}: {told.get(day)} instead of {mean}"
                self._wrong = [*self._wrong, words][:LISTED]

    def _window(self, due_s: float) -> str:
        for window in self._windows:
            if window.start_s <= due_s < window.end_s:
                return window.name
        return next((span.name for span in self._spans if due_s < span.end_s), "after the end")


def _sent(device: CheckedDevice) -> Iterator[tuple[str, _Sent]]:
    """Yield each quantity and what the device sent of it, each time once."""
    content = device.record.content
    numbers = content.numbering.of_device(device.number, device.record.due)
    fates = content.fates(numbers)
    whole = device.record.sent(numbers) & ~fates.void & ~fates.repeat & ~fates.malformed
    wrong = bool((fates.variant[:1] == WRONG_UNIT).any())
    numbers = numbers[whole]
    said = content.content(numbers)
    promised = device.record.promised(numbers)
    due_s = content.curve.due_s(numbers)
    for at, (signal, values) in enumerate(zip(content.kind.signals, said.values, strict=True)):
        if wrong and at == 0:
            continue
        scaled = values / 10**signal.digits
        yield signal.quantity, _Sent(said.time_ms, said.sequences, due_s, promised, scaled)


def _means(days: Numbers, values: NDArray[np.float64]) -> dict[int, float]:
    found, inverse, counts = np.unique(days, return_inverse=True, return_counts=True)
    sums = np.bincount(inverse, weights=values, minlength=len(found))
    return dict(zip(found.tolist(), (sums / counts).tolist(), strict=True))


def _skew_ms(device: CheckedDevice) -> int:
    return int(seconds_of(device.record.content.rule.habits.skew) * MS_PER_S) + 1
