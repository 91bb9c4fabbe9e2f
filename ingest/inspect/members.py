"""Sorts the members of a vendor's records: device, time, what is measured, and the rest. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, cast

from city.quantities import plain_name
from ingest.codecs.mapping.layout import METADATA_MAX
from ingest.inspect.by_name import name_and_value, values_by_name
from ingest.inspect.names import DEVICE_NAMES, META_NAMES, TIME_NAMES, UNIT_NAMES
from ingest.inspect.values import Path, WrittenValue, pointer, time_format, written_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest.inspect.findings import FoundQuantity

__all__ = ["Members"]

DEPTH_MAX: Final = 4
VALUES_MAX: Final = 100
SHOWN: Final = 5
TEXT_SHOWN: Final = 40


class Members:
    """The members of records; each is taken once.

    Attributes:
        metadata: Name to path, once the values are taken.
        quantities: What the values rest on.
        notes: What a person has to know or decide.
        by_name: Each record has one quantity, and says which.
    """

    def __init__(self, records: Sequence[dict[str, Any]], received_us: int) -> None:
        """Take records, and when about they came."""
        self._received_us = received_us
        self._records = [dict(_leaves(each)) for each in records]
        self._members: dict[Path, list[Any]] = defaultdict(list)
        self._pair = name_and_value(self._records)
        self.by_name = self._pair is not None
        self.metadata: dict[str, str] = {}
        self.quantities: list[FoundQuantity] = []
        self.notes: list[str] = []
        for record in self._records:
            for path, value in record.items():
                self._members[path].append(value)
        if self._pair is not None:
            for path in (self._pair.name, self._pair.value, self._pair.unit):
                self._members.pop(path or (), None)

    def device(self) -> str | None:
        """Take the member that names the device; return its path."""
        by_name = {plain_name(path[-1]): path for path in reversed(self._members)}
        for name in DEVICE_NAMES:
            path = by_name.get(name)
            if path and all(type(each) in {str, int} for each in self._members[path]):
                del self._members[path]
                return pointer(path)
        return None

    def time(self) -> dict[str, str] | None:
        """Take the member that is the time."""
        for path in [*self._members]:
            if plain_name(path[-1]) not in TIME_NAMES:
                continue
            sent = self._members[path]
            form = time_format(sent, self._received_us)
            if form is not None:
                del self._members[path]
                return {"path": pointer(path), "format": form}
            if any(isinstance(each, str) for each in sent):
                self.notes.append(
                    f"{pointer(path)} may be a time, but {str(sent[0])[:TEXT_SHOWN]!r} is not"
                    " understood; without `time` it is that of receipt"
                )
        return None

    def values(self) -> list[dict[str, Any]]:
        """Take all others: what is measured as values, the rest as metadata."""
        found = self._wide() if self._pair is None else self._long()
        self.quantities = [each.found for each in found]
        return [each.rule for each in found]

    def left(self) -> list[str]:
        """Return paths of what nobody has taken."""
        return [pointer(path) for path in self._members]

    def _long(self) -> list[WrittenValue]:
        assert self._pair is not None, "asked for"
        found, notes = values_by_name(self._records, self._pair)
        self.notes += notes
        unread: list[str] = []
        for path, sent in self._members.items():
            plain = plain_name(path[-1]) or ""
            if plain in META_NAMES or written_value(path, path, sent, None, []) is None:
                self._note(path, plain)
            else:
                unread.append(pointer(path))
        if unread:
            shown = ", ".join(unread[:SHOWN])
            self.notes.append(f"numbers that every record repeats are not read: {shown}")
        return found

    def _wide(self) -> list[WrittenValue]:
        units = {path[:-1]: path for path in self._members if plain_name(path[-1]) in UNIT_NAMES}
        found: dict[str, WrittenValue] = {}
        for path, sent in self._members.items():
            plain = plain_name(path[-1]) or ""
            if path in units.values():
                continue
            unit = units.get(path[:-1])
            said = self._members[unit] if unit else []
            meta = plain in META_NAMES
            value = None if meta else written_value(path, path, sent, unit, said)
            if value is None:
                self._note(path, plain)
            elif len(found) < VALUES_MAX:
                found.setdefault(value.rule["quantity"], value)
        return [*found.values()]

    def _note(self, path: Path, plain: str) -> None:
        name = META_NAMES.get(plain, plain)
        if name and len(self.metadata) < METADATA_MAX:
            self.metadata.setdefault(name, pointer(path))


def _leaves(part: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in part.items():
        if isinstance(value, dict) and len(path) < DEPTH_MAX:
            yield from _leaves(cast("dict[str, Any]", value), (*path, key))
        elif value is not None and value != "" and not isinstance(value, list | dict):
            yield (*path, key), value
