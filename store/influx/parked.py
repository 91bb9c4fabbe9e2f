"""Devices with waiting messages, from rows of the quarantine as they are written."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any

import msgspec

from store.interface import SAMPLES, ParkedDevice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from city.scope import Scope
    from store.interface import ParkedQuery

__all__ = ["PARKED_COLUMNS", "ParkedList", "parked_devices"]

PARKED_COLUMNS = ("provider", "device", "route", "codec", "received_us")

Row = dict[str, Any]


class ParkedList(msgspec.Struct, frozen=True):
    """Every device with waiting messages of one reason, as of one revision of every shard."""

    revisions: dict[int, int]
    reason: str
    route: str | None
    devices: list[ParkedDevice]

    def page(self, scope: Scope, query: ParkedQuery) -> list[ParkedDevice]:
        """Return a page of them, by provider and id."""
        start = 0
        if query.after is not None:
            start = bisect.bisect_right(self.devices, query.after, key=_name)
        found: list[ParkedDevice] = []
        for each in self.devices[start:]:
            if scope.admits(each.provider) and query.provider in {None, each.provider}:
                found.append(each)
                if len(found) >= query.limit:
                    break
        return found


def parked_devices(rows: Iterable[Row]) -> list[ParkedDevice]:
    """Return devices by provider and id.

    Args:
        rows: Waiting entries, newest first, with `id` and `PARKED_COLUMNS`.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["device"]:
            found.setdefault((row["provider"], row["device"]), []).append(row)
    return [_parked(name, found[name]) for name in sorted(found)]


def _parked(name: tuple[str, str], rows: list[Row]) -> ParkedDevice:
    return ParkedDevice(
        *name,
        route=rows[0]["route"],
        codec=rows[0]["codec"],
        messages=len(rows),
        first_us=min(row["received_us"] for row in rows),
        last_us=max(row["received_us"] for row in rows),
        newest=tuple(row["id"] for row in rows[:SAMPLES]),
    )


def _name(each: ParkedDevice) -> tuple[str, str]:
    return each.provider, each.device
