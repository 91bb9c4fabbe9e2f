"""What ingest knows of the registry: a snapshot in memory, brought up to date before each batch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from ingest.apply.int_table import ABSENT

if TYPE_CHECKING:
    from ingest.seams import RegistrySource
    from registry.facts import Device, Hardware, Route

__all__ = ["RegistryView"]

FIRST_SLOTS: Final = 1_024
UNKNOWN: Final = "unknown"


class RegistryView:
    """Routes, and a slot (a dense number) for every device that was ever seen.

    Attributes:
        routes: Enabled ones by name.
        routes_changed: How often they have changed.
        active: By slot, whether plain messages of the device can be stored without a closer look;
            not those of a device that was replaced: there the time decides whose they are.
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
        self._hardware: dict[tuple[str, str], dict[int, Hardware]] = {}
        self._replaced: set[int] = set()
        self.active = np.zeros(FIRST_SLOTS, np.bool_)
        self.names: list[tuple[str, str]] = []
        self.kinds: list[str] = []

    def refresh(self) -> None:
        """Take what has changed since the last time."""
        while True:
            changes = self._source.changes(self._revision)
            for route in changes.routes:
                self._take_route(route)
            for hardware in changes.hardware:
                self._take_hardware(hardware)
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
        """Return `active`, `pending`, `retired` or `unknown`; of hardware that of its device."""
        stood = self._hardware.get((provider, device))
        if stood:
            device = stood[max(stood)].device
        slot = self._slots.get(provider, {}).get(device)
        return UNKNOWN if slot is None else self._status[slot]

    def slot_at(self, provider: str, device: str, time_us: int) -> int:
        """Return whose series hold what was measured then under an id.

        Args:
            provider: Of the device.
            device: The id as sent; that of hardware in another device's place gives that device.
            time_us: Of the observation.

        Returns:
            A slot; `ABSENT` where the hardware stood nowhere then.
        """
        stood = self._hardware.get((provider, device))
        if stood is None:
            return self.slot(provider, device)
        found = (each.device for each in stood.values() if each.covers(time_us))
        there = next(found, None)
        return ABSENT if there is None else self.slot(provider, there)

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
        self.active[slot] = device.status == "active" and slot not in self._replaced

    def _take_hardware(self, hardware: Hardware) -> None:
        name = (hardware.provider, hardware.hardware)
        self._hardware.setdefault(name, {})[hardware.number] = hardware
        for device in (hardware.device, hardware.hardware):
            slot = self.slot(hardware.provider, device)
            self._replaced.add(slot)
            self.active[slot] = False
