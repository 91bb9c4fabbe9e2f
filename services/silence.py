"""Which state a device is in, by its expected interval and when it was last heard. Pure.

All of it follows from what registry and store hold, so a restart changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from city.clock import US_PER_S
from city.pauses import due_after

if TYPE_CHECKING:
    from city.pauses import Pauses
    from registry.facts import Device

__all__ = ["SILENT_AFTER", "State", "Status", "status_of"]

State = Literal["reporting", "late", "silent", "never_seen"]

# A report may come half an interval late before anybody speaks of it, and two may be missed.
LATE_AFTER: Final = 1.5
SILENT_AFTER: Final = 3.0


class Status(msgspec.Struct, frozen=True):
    """A state, and since when; None for one that reports: nothing has begun."""

    state: State
    since_us: int | None = None


def status_of(device: Device, last_us: int | None, now_us: int, pauses: Pauses = ()) -> Status:
    """Return the state of a device that was last heard at an instant; None for never.

    One whose interval nobody knows reports once it was heard. Time in which it is being worked on
    (`pauses`) is no silence.
    """
    if last_us is None:
        return Status("never_seen", device.created_us)
    if device.expected_interval_s is None:
        return Status("reporting")
    interval_us = device.expected_interval_s * US_PER_S
    silent_us = due_after(pauses, last_us, int(SILENT_AFTER * interval_us))
    late_us = due_after(pauses, last_us, int(LATE_AFTER * interval_us))
    if now_us > silent_us:
        return Status("silent", silent_us)
    return Status("late", late_us) if now_us > late_us else Status("reporting")
