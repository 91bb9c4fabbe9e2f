"""The city's devices as the registry knows them now, and which of them report, are late or silent.

Follows the registry by revisions, as ingest does, so that a page costs no query over all devices.
"""

from __future__ import annotations

import bisect
import heapq
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from city.clock import US_PER_S
from city.pauses import due_after, overlap_us
from city.scope import EVERYTHING
from services.silence import SILENT_AFTER, State, Status, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from city.pauses import Pauses
    from city.scope import Scope
    from registry.facts import Changes, Device

__all__ = ["DeviceStatus", "Fleet", "FleetLook", "Name", "SilentDevice", "StatusQuery"]

SILENT_SHOWN = 20

# Provider and id.
Name = tuple[str, str]


class SilentDevice(msgspec.Struct, frozen=True):
    """An active device that has not been heard for three of its intervals.

    Attributes:
        last_us: When it was last heard; None for never.
        silent_us: How long nothing came; of one never heard, since it was registered.
    """

    device: Device
    last_us: int | None
    silent_us: int


class FleetLook(msgspec.Struct, frozen=True):
    """Counts of devices at one instant.

    Attributes:
        reporting, late, silent, never_seen: Active ones by state.
        longest: The longest silent, longest first; also those that should have been heard.
        kinds: Active devices by kind.
        names: Names by state, in order, of those that do not report.
    """

    registered: int = 0
    active: int = 0
    pending: int = 0
    reporting: int = 0
    late: int = 0
    silent: int = 0
    never_seen: int = 0
    longest: tuple[SilentDevice, ...] = ()
    kinds: dict[str, int] = {}
    names: dict[State, list[Name]] = {}


class DeviceStatus(msgspec.Struct, frozen=True):
    """An active device, when it was last heard, and what follows.

    Attributes:
        received_us: Arrival of its newest observation; None for never.
        observed_us: Time of its newest observation.
        status: By receive time: does it talk?
        by_event_time: By the times of its observations: are its data current?
        maintained: It is being worked on now.
        offline_us: When its network said that it is gone; None where it did not, or it is back.
    """

    device: Device
    received_us: int | None
    observed_us: int | None
    status: Status
    by_event_time: Status
    offline_us: int | None = None
    maintained: bool = False


class StatusQuery(msgspec.Struct, frozen=True):
    """Which devices, by provider and id; None means any.

    Attributes:
        after: Provider and id of the last one seen.
    """

    state: State | None = None
    offline: bool | None = None
    provider: str | None = None
    kind: str | None = None
    scope: Scope = EVERYTHING
    after: Name | None = None
    limit: int = 100

    def admits(self, device: Device) -> bool:
        """Say whether a device is asked for, whatever its state."""
        return (
            device.status == "active"
            and self.scope.admits(device.provider)
            and self.provider in {None, device.provider}
            and self.kind in {None, device.kind}
        )


class Fleet:
    """Devices by name; changed on the event loop, looked at from any thread.

    Attributes:
        offline: When devices went offline, of those whose network says so.
        pauses: When devices were or are being worked on.
    """

    def __init__(self) -> None:
        self._devices: dict[Name, Device] = {}
        self._names: list[Name] = []
        self.revision = 0
        self.offline: Mapping[Name, int] = {}
        self.pauses: Mapping[Name, Pauses] = {}

    def update(self, changes: Changes) -> None:
        """Take what has changed."""
        for device in changes.devices:
            self._devices[device.provider, device.id] = device
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
        counts = Counter[State]()
        names: dict[State, list[Name]] = {}
        silent: list[SilentDevice] = []
        for device in active:
            name = (device.provider, device.id)
            last_us = heard.get(name)
            pauses = self.pauses.get(name, ())
            state = status_of(device, last_us, now_us, pauses).state
            counts[state] += 1
            if state != "reporting":
                names.setdefault(state, []).append(name)
                silent += _silence(device, last_us, now_us, pauses)
        return FleetLook(
            registered=len(devices),
            active=len(active),
            pending=statuses["pending"],
            reporting=counts["reporting"],
            late=counts["late"],
            silent=counts["silent"],
            never_seen=counts["never_seen"],
            longest=tuple(heapq.nlargest(SILENT_SHOWN, silent, key=lambda each: each.silent_us)),
            kinds=dict(Counter(device.kind for device in active)),
            names={state: sorted(found) for state, found in names.items()},
        )

    def page(
        self,
        query: StatusQuery,
        look: FleetLook,
        last: tuple[Mapping[Name, int], Mapping[Name, int]],
        now_us: int,
    ) -> list[DeviceStatus]:
        """Return devices with their states, at most `query.limit`.

        Args:
            query: Which.
            look: Where those that do not report are found without asking all.
            last: When each was last heard, by receive time and by event time.
            now_us: The present.
        """
        found: list[DeviceStatus] = []
        for name in self._candidates(query, look):
            device = self._devices.get(name)
            if device is None or not query.admits(device):
                continue
            each = self._status(device, last[0].get(name), last[1].get(name), now_us)
            gone = each.offline_us is not None
            if query.state in {None, each.status.state} and query.offline in {None, gone}:
                found.append(each)
            if len(found) >= query.limit:
                break
        return found

    def _status(
        self, device: Device, received_us: int | None, observed_us: int | None, now_us: int
    ) -> DeviceStatus:
        name = (device.provider, device.id)
        pauses = self.pauses.get(name, ())
        return DeviceStatus(
            device=device,
            received_us=received_us,
            observed_us=observed_us,
            status=status_of(device, received_us, now_us, pauses),
            by_event_time=status_of(device, observed_us, now_us, pauses),
            offline_us=self.offline.get(name),
            maintained=overlap_us(pauses, now_us, now_us + 1) > 0,
        )

    def _candidates(self, query: StatusQuery, look: FleetLook) -> Iterator[Name]:
        names: Sequence[Name]
        if query.offline:
            names = sorted(self.offline)
        elif query.state in {None, "reporting"}:
            if len(self._names) != len(self._devices):
                self._names = sorted(self._devices)
            names = self._names
        else:
            assert query.state is not None, "None was any state"
            names = look.names.get(query.state, [])
        start = 0 if query.after is None else bisect.bisect_right(names, query.after)
        return (names[index] for index in range(start, len(names)))


def _silence(
    device: Device, last_us: int | None, now_us: int, pauses: Pauses
) -> list[SilentDevice]:
    """Return the silence of a device; nothing where it is none, or nobody knows its interval."""
    if device.expected_interval_s is None:
        return []
    since_us = device.created_us if last_us is None else last_us
    wait_us = int(SILENT_AFTER * device.expected_interval_s * US_PER_S)
    if now_us <= due_after(pauses, since_us, wait_us):
        return []
    return [SilentDevice(device, last_us, now_us - since_us)]
