"""The city's devices as the registry knows them now, and which of them are silent.

Follows the registry by revisions, as ingest does, so that a page costs no query over all devices.
"""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from city.clock import US_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry.facts import Changes, Device

__all__ = ["Fleet", "FleetLook", "SilentDevice"]

# A device may miss two reports before somebody is told.
INTERVALS = 3
SILENT_SHOWN = 20

# Provider and id.
Name = tuple[str, str]


class SilentDevice(msgspec.Struct, frozen=True):
    """An active device that has not been heard for three of its intervals.

    Attributes:
        last_us: When it was last heard; None for never.
        silent_us: How long nothing came; of one never heard, since we know it.
    """

    device: Device
    last_us: int | None
    silent_us: int


class FleetLook(msgspec.Struct, frozen=True):
    """Counts of devices at one instant.

    Attributes:
        reporting: Active, heard, and not silent.
        longest: The longest silent, longest first.
        kinds: Active devices by kind.
    """

    registered: int = 0
    active: int = 0
    pending: int = 0
    reporting: int = 0
    silent: int = 0
    longest: tuple[SilentDevice, ...] = ()
    kinds: dict[str, int] = {}


class Fleet:
    """Devices by name; changed on the event loop, looked at from any thread."""

    def __init__(self) -> None:
        self._devices: dict[Name, Device] = {}
        self._known_since: dict[Name, int] = {}
        self.revision = 0

    def update(self, changes: Changes, now_us: int) -> None:
        """Take what has changed."""
        for device in changes.devices:
            name = (device.provider, device.id)
            self._devices[name] = device
            self._known_since.setdefault(name, now_us)
        self.revision = changes.revision

    def get(self, name: Name) -> Device | None:
        """Return one device; None where nobody registered it."""
        return self._devices.get(name)

    def look(self, heard: Mapping[Name, int], now_us: int) -> FleetLook:
        """Count devices and find the silent ones. Takes a while for a large city."""
        # One step of the interpreter, so that no change falls into it.
        devices = list(self._devices.values())
        statuses = Counter(device.status for device in devices)
        active = [device for device in devices if device.status == "active"]
        silent = [found for device in active if (found := self._silence(device, heard, now_us))]
        spoken = sum(1 for device in active if (device.provider, device.id) in heard)
        quiet = sum(1 for each in silent if each.last_us is not None)
        return FleetLook(
            registered=len(devices),
            active=len(active),
            pending=statuses["pending"],
            reporting=spoken - quiet,
            silent=len(silent),
            longest=tuple(heapq.nlargest(SILENT_SHOWN, silent, key=lambda each: each.silent_us)),
            kinds=dict(Counter(device.kind for device in active)),
        )

    def _silence(
        self, device: Device, heard: Mapping[Name, int], now_us: int
    ) -> SilentDevice | None:
        """Return the silence of a device; None where it is none, or nobody knows its interval."""
        if device.expected_interval_s is None:
            return None
        name = (device.provider, device.id)
        last_us = heard.get(name)
        since_us = self._known_since[name] if last_us is None else last_us
        silent_us = now_us - since_us
        if silent_us <= INTERVALS * device.expected_interval_s * US_PER_S:
            return None
        return SilentDevice(device, last_us, silent_us)
