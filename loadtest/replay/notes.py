"""What reading recorded rows came to: rows, devices, and everything that was not sent and why."""

from collections import Counter

import msgspec

__all__ = ["DeviceFacts", "Notes", "Skipped"]

# Kept with their row numbers; beyond it they are only counted.
SKIPPED_KEPT = 1_000


class DeviceFacts(msgspec.Struct):
    """A device that the data name.

    Attributes:
        id: As the registry has it.
        interval_s: Seconds between its messages; None where nothing tells.
    """

    id: str
    name: str = ""
    kind: str = ""
    interval_s: float | None = None
    lat: float | None = None
    lon: float | None = None
    tags: tuple[str, ...] = ()


class Skipped(msgspec.Struct, frozen=True):
    """A row that was not sent, or one value of a row that was.

    Attributes:
        row: Line of the file; in a JSON document, which row, from 1.
        key: Which member of the row, where rows hold several readings.
        column: Of the one value; empty where it is the row.
        reason: One of few words, for counting.
    """

    file: str
    row: int
    key: str
    column: str
    reason: str
    words: str


class Notes:
    """Grows while rows are read.

    Attributes:
        rows: Readings that there are: `messages` and those in `skipped_rows` together.
        missing: Values that are absent, by column.
        skipped_rows, skipped_values: By reason.
        skipped: The first thousand of both.
        devices: By what the data call them.
        faults: What is said of devices and could not be used.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.messages = 0
        self.missing: Counter[str] = Counter()
        self.skipped_rows: Counter[str] = Counter()
        self.skipped_values: Counter[str] = Counter()
        self.skipped: list[Skipped] = []
        self.devices: dict[str, DeviceFacts] = {}
        self.faults: list[str] = []
        self._last_us: dict[str, int] = {}
        self._steps: dict[str, Counter[int]] = {}

    def skip(self, skipped: Skipped) -> None:
        """Note a row or a value that is not sent."""
        (self.skipped_values if skipped.column else self.skipped_rows)[skipped.reason] += 1
        if len(self.skipped) < SKIPPED_KEPT:
            self.skipped.append(skipped)

    def step(self, device: str, time_us: int) -> None:
        """Note how long after a device's row before it this one was."""
        last_us = self._last_us.get(device)
        self._last_us[device] = time_us
        if last_us is not None and time_us != last_us:
            self._steps.setdefault(device, Counter())[abs(time_us - last_us)] += 1

    def usual_step_s(self, device: str) -> float | None:
        """Return the most frequent step of a device, seconds; None where it has one row only."""
        steps = self._steps.get(device)
        return None if not steps else steps.most_common(1)[0][0] / 1_000_000
