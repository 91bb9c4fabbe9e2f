"""What ingest knows of the registry: a snapshot in memory, brought up to date before each batch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from ingest.seams import RegistrySource
    from registry.facts import Device, Route

__all__ = ["RegistryView"]

FIRST_SLOTS: Final = 1_024
UNKNOWN: Final = "unknown"


class RegistryView:
    """Routes, and a slot (a dense number) for every device that was ever seen.

    Attributes:
        routes: Enabled ones by name.
        routes_changed: How often they have changed.
        active: By slot, whether observations of the device are stored.
        names: Provider and device id by slot.
        kinds: Kind of device by slot.
    """

    def __init__(self, source: RegistrySource) -> None:
        self._source = source
        self._revision = 0
        self._slots: dict[str, dict[str, int]] = {}
        self._status: list[str] = []
        self.routes: dict[str, Route] = {}
        self.routes_changed = 0
        self.active = np.zeros(FIRST_SLOTS, np.bool_)
        self.names: list[tuple[str, str]] = []
        self.kinds: list[str] = []

    def refresh(self) -> None:
        """Take what has changed since the last time."""
        while True:
            changes = self._source.changes(self._revision)
            for route in changes.routes:
                self._take_route(route)
            for device in changes.devices:
                self._take_device(device)
            self._revision = changes.revision
            if changes.complete:
                return

    def accept(self, devices: list[tuple[str, str]]) -> None:
        """Register unknown devices as active and see them so."""
        self._source.accept(devices)
        self.refresh()

    def slot(self, provider: str, device: str) -> int:
        """Return the slot of a device; a new one where it was never seen."""
        slots = self._slots.setdefault(sys.intern(provider), {})
        slot = slots.get(device)
        return self._add(slots, provider, device) if slot is None else slot

    def status(self, provider: str, device: str) -> str:
        """Return `active`, `pending`, `retired` or `unknown`."""
        slot = self._slots.get(provider, {}).get(device)
        return UNKNOWN if slot is None else self._status[slot]

    def _add(self, slots: dict[str, int], provider: str, device: str) -> int:
        slot = slots[device] = len(self.names)
        self.names.append((sys.intern(provider), device))
        self.kinds.append("")
        self._status.append(UNKNOWN)
        if slot >= len(self.active):
            self.active = np.concatenate([self.active, np.zeros_like(self.active)])
        return slot

    def _take_route(self, route: Route) -> None:
        self.routes_changed += 1
        if route.enabled:
            self.routes[route.name] = route
        else:
            self.routes.pop(route.name, None)

    def _take_device(self, device: Device) -> None:
        slot = self.slot(device.provider, device.id)
        self.kinds[slot] = sys.intern(device.kind)
        self._status[slot] = sys.intern(device.status)
        self.active[slot] = device.status == "active"
