"""What ingest knows of the registry: a snapshot in memory, brought up to date before each batch."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

import numpy as np

from ingest.apply.columns import grown
from ingest.apply.int_table import ABSENT
from ingest.apply.names import Names

if TYPE_CHECKING:
    from ingest.seams import RegistrySource
    from registry.facts import Device, Hardware, Route

__all__ = ["RegistryView"]

FIRST_SLOTS: Final = 1_024
UNKNOWN: Final = "unknown"
STATUSES: Final = (UNKNOWN, "pending", "active", "retired")


class _Words:
    """Few words that many rows say: each is kept once, rows keep its number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._words: list[str] = []

    def number(self, word: str) -> int:
        """Return the number of a word."""
        found = self._numbers.get(word)
        if found is None:
            found = self._numbers[word] = len(self._words)
            self._words.append(word)
        return found

    def word(self, number: int) -> str:
        """Return the word of a number."""
        return self._words[number]


class RegistryView:
    """Routes, and a slot (a dense number) for every device that was ever seen.

    Attributes:
        routes: Enabled ones by name.
        routes_changed: How often they have changed.
        active: By slot, whether plain messages of the device can be stored without a closer look;
            not those of a device that was replaced: there the time decides whose they are.
    """

    def __init__(self, source: RegistrySource) -> None:
        self._source = source
        self._revision = 0
        self._providers = _Words()
        self._kinds = _Words()
        # Columns by slot: objects would cost some hundred bytes more a device.
        self._names = Names()
        self._kind_of = array("i")
        self._status = bytearray()
        self.routes: dict[str, Route] = {}
        self.routes_changed = 0
        self._hardware: dict[tuple[str, str], dict[int, Hardware]] = {}
        self._replaced: set[int] = set()
        self.active = np.zeros(FIRST_SLOTS, np.bool_)

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
        slot = self._names.add(self._providers.number(provider), device)
        if slot == len(self._status):
            self._kind_of.append(self._kinds.number(""))
            self._status.append(STATUSES.index(UNKNOWN))
            self.active = grown(self.active, slot + 1, fill=False)
        return slot

    def status(self, provider: str, device: str) -> str:
        """Return `active`, `pending`, `retired` or `unknown`; of hardware that of its device."""
        stood = self._hardware.get((provider, device))
        if stood:
            device = stood[max(stood)].device
        slot = self._names.find(self._providers.number(provider), device)
        return UNKNOWN if slot == ABSENT else STATUSES[self._status[slot]]

    def name(self, slot: int) -> tuple[str, str]:
        """Return provider and device id of a slot."""
        owner, device = self._names.name(slot)
        return self._providers.word(owner), device

    def kind(self, slot: int) -> str:
        """Return what a device is for; empty where nobody said."""
        return self._kinds.word(self._kind_of[slot])

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

    def _take_route(self, route: Route) -> None:
        self.routes_changed += 1
        if route.enabled:
            self.routes[route.name] = route
        else:
            self.routes.pop(route.name, None)

    def _take_device(self, device: Device) -> None:
        slot = self.slot(device.provider, device.id)
        self._kind_of[slot] = self._kinds.number(device.kind)
        self._status[slot] = STATUSES.index(device.status)
        self.active[slot] = device.status == "active" and slot not in self._replaced

    def _take_hardware(self, hardware: Hardware) -> None:
        name = (hardware.provider, hardware.hardware)
        self._hardware.setdefault(name, {})[hardware.number] = hardware
        for device in (hardware.device, hardware.hardware):
            slot = self.slot(hardware.provider, device)
            self._replaced.add(slot)
            self.active[slot] = False
