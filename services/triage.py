"""Devices that nobody has registered, with what they send: for a person to accept or to leave.

All of it follows from what waits in quarantine, read by the routes as they are now. A message may
speak of several devices and waits under the name of one: the others are listed with it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from city.reasons import MessageReason
from store.interface import ParkedQuery, QuarantineQuery

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from city.samples import Sample, SampledValue, TimeUnit
    from city.scope import Scope
    from registry.facts import DeviceStatus, Route
    from services.parts import ServicesParts
    from store.interface import ParkedDevice, QuarantineEntry

__all__ = [
    "ParkedSample",
    "TriagePage",
    "TriageQuery",
    "UnknownDevice",
    "find_unknown",
    "is_parked",
]

REASON = MessageReason.UNKNOWN_DEVICE.value
AT_ONCE = 200

# Provider and id.
Name = tuple[str, str]
Status: TypeAlias = Literal["unknown", "pending", "active", "retired"]
Statuses: TypeAlias = "Mapping[Name, DeviceStatus]"


class TriageQuery(msgspec.Struct, frozen=True):
    """Which unknown devices; None means any.

    Attributes:
        name: Pattern of `provider/device` or of the id alone, with `*` and `?`.
        kind: As guessed.
        after: Provider and id behind which to go on.
    """

    provider: str | None = None
    route: str | None = None
    name: str | None = None
    kind: str | None = None
    after: Name | None = None
    limit: int = 100

    def admits(self, name: Name, kind: str) -> bool:
        """Say whether a device is asked for."""
        if self.kind not in {None, kind}:
            return False
        texts = (name[1], "/".join(name))
        return self.name is None or any(fnmatchcase(each, self.name) for each in texts)


class ParkedSample(msgspec.Struct, frozen=True):
    """A message that waits, and what it says of the device."""

    entry: QuarantineEntry
    values: tuple[SampledValue, ...]
    fault: str


class UnknownDevice(msgspec.Struct, frozen=True):
    """A device whose messages wait, and what it seems to be.

    Attributes:
        status: What the registry says of it.
        parked: Under whose name its messages wait, how many, since when.
        kind: Guessed by its quantities; empty where they tell nothing.
        units: Unit of each quantity in the samples.
        time_unit: In what it seems to write times; None where nothing looks like one.
        samples: The newest messages.
    """

    name: Name
    status: Literal["unknown", "pending", "retired"]
    parked: ParkedDevice
    kind: str
    units: dict[str, str | None]
    time_unit: TimeUnit | None
    samples: list[ParkedSample]


class TriagePage(msgspec.Struct, frozen=True):
    """Some of them; `after` is where to go on, None at the end."""

    devices: list[UnknownDevice]
    after: Name | None


class _Reading(msgspec.Struct, frozen=True):
    """The samples of one parked name."""

    parked: ParkedDevice
    entries: list[QuarantineEntry]
    samples: list[Sample]

    def names(self) -> list[Name]:
        """Return whom the messages are about: the name itself where they cannot be read."""
        found = {each.device for sample in self.samples for each in sample.values}
        return [(self.parked.provider, device) for device in sorted(found | {self.parked.device})]


def find_unknown(parts: ServicesParts, scope: Scope, query: TriageQuery) -> TriagePage:
    """Return unknown devices by the names under which their messages wait. Blocking."""
    routes = parts.registry.routes.facts()
    found: list[UnknownDevice] = []
    after = query.after
    while len(found) < query.limit:
        wanted = ParkedQuery(REASON, query.provider, query.route, after, AT_ONCE)
        parked = parts.store.parked(scope, wanted)
        readings = _readings(parts, scope, routes, parked)
        statuses = parts.registry.devices.statuses(
            {name for reading in readings for name in reading.names()}
        )
        for reading in readings:
            found += _unknown(parts, reading, statuses, query)
            after = (reading.parked.provider, reading.parked.device)
            if len(found) >= query.limit:
                return TriagePage(found, after)
        if len(parked) < AT_ONCE:
            return TriagePage(found, None)
    return TriagePage(found, after)


def _readings(
    parts: ServicesParts, scope: Scope, routes: Sequence[Route], parked: Sequence[ParkedDevice]
) -> list[_Reading]:
    ids = tuple(entry for each in parked for entry in each.newest)
    query = QuarantineQuery(state=None, ids=ids, limit=len(ids) or 1)
    entries = parts.store.quarantine(scope, query) if ids else []
    samples = parts.samples.read(routes, entries)
    by_id = {entry.id: (entry, sample) for entry, sample in zip(entries, samples, strict=True)}
    readings: list[_Reading] = []
    for each in parked:
        known = [by_id[entry] for entry in each.newest if entry in by_id]
        readings.append(_Reading(each, [entry for entry, _ in known], [said for _, said in known]))
    return readings


def _unknown(
    parts: ServicesParts, reading: _Reading, statuses: Statuses, query: TriageQuery
) -> Iterator[UnknownDevice]:
    """Yield the devices of a reading whose messages are not stored, those that are asked for."""
    for name in reading.names():
        status: Status = statuses.get(name, "unknown")
        values = [
            each for sample in reading.samples for each in sample.values if each.device == name[1]
        ]
        kind = parts.samples.kind({each.quantity for each in values})
        # What is active already is being taken up.
        if status == "active" or not query.admits(name, kind):
            continue
        yield UnknownDevice(
            name=name,
            status=status,
            parked=reading.parked,
            kind=kind,
            units={each.quantity: each.unit for each in reversed(values)},
            time_unit=next((each.time_unit for each in reading.samples if each.time_unit), None),
            samples=_samples(reading, name[1]),
        )


def _samples(reading: _Reading, device: str) -> list[ParkedSample]:
    return [
        ParkedSample(
            entry, tuple(each for each in sample.values if each.device == device), sample.fault
        )
        for entry, sample in zip(reading.entries, reading.samples, strict=True)
    ]


def is_parked(parts: ServicesParts, scope: Scope, name: Name) -> bool:
    """Say whether messages wait under the very name of a device. Blocking."""
    return any(
        parts.store.quarantine(
            scope, QuarantineQuery(state, REASON, provider=name[0], device=name[1], limit=1)
        )
        for state in ("held", "partial")
    )
