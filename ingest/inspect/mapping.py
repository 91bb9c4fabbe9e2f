"""Writes a mapping for JSON and bare numbers that no codec knows, from samples. Pure.

What is written is an ordinary document of the `mapping` codec (formats.md section 16), to be
reviewed by a person: members become values, metadata, the time and the device by their names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from city.quantities import plain_name, quantity_of
from ingest.guesses import time_unit_of
from ingest.inspect.findings import FoundQuantity, Heard
from ingest.inspect.names import (
    DEVICE_NAMES,
    META_NAMES,
    TIME_NAMES,
    UNIT_NAMES,
    named,
)
from ingest.inspect.sniff import document_of
from ingest.inspect.topics import is_quantity_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["WrittenMapping", "write_mapping"]

DEPTH_MAX: Final = 4
VALUES_MAX: Final = 100
NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
ID_MAX: Final = 128
NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
ABSENT_NUMBERS: Final = frozenset((-999, -9999, -999.0, -9999.0))
ABSENT_TEXTS: Final = frozenset(("--", "-", "n/a", "N/A", "null", "NaN"))
TRUTH: Final = {
    "free": False, "vacant": False, "available": False,
    "busy": True, "occupied": True, "taken": True,
}  # fmt: skip
FORMATS: Final = {"s": "epoch_s", "ms": "epoch_ms", "us": "epoch_us", "ns": "epoch_ns"}

# Names from the outside in.
Path = tuple[str, ...]


class WrittenMapping(msgspec.Struct, frozen=True):
    """Options of a route for the codec `mapping`, and what it reads."""

    options: dict[str, Any]
    quantities: list[FoundQuantity]


def write_mapping(name: str, pattern: str, samples: Sequence[Heard]) -> WrittenMapping | None:
    """Return a mapping; None where the samples are neither JSON objects nor bare numbers.

    Args:
        name: Of the mapping.
        pattern: Topic filter that all samples fit.
        samples: At least one.
    """
    match, device = _captures(pattern)
    documents = [document_of(each.payload) for each in samples]
    if all(each is None for each in documents):
        return _of_text(name, match, device or _last_level(pattern), samples)
    records, at = _records(documents)
    if not records:
        return None
    written = _Writer(records, samples[-1].received_us)
    options: dict[str, Any] = {"mapping": name, "version": 1, "match": {"topic": match},
                               "input": "json"}  # fmt: skip
    if at is not None:
        options["records"] = at
    own = written.device()
    if own is not None and (device is None or at is not None):
        options["device"] = {"path": _pointer(own)}
    else:
        options["device"] = device or _last_level(pattern)
    time = written.time()
    if time is not None:
        options["time"] = time
    options["values"], options["metadata"] = written.values(), written.metadata
    return WrittenMapping(options, written.quantities) if options["values"] else None


def _captures(pattern: str) -> tuple[str, str | None]:
    """Return the filter with names for its wildcards, and the device that they make together."""
    levels = pattern.split("/")
    wild = [index for index, level in enumerate(levels) if level == "+"]
    names = ["device"] if len(wild) == 1 else [f"part{n + 1}" for n in range(len(wild))]
    for index, capture in zip(wild, names, strict=True):
        levels[index] = f"+{capture}"
    return "/".join(levels), ":".join(f"{{{each}}}" for each in names) or None


def _last_level(pattern: str) -> str:
    """Return the one device of a topic that names none otherwise."""
    return NOT_PLAIN.sub("-", pattern.rpartition("/")[2])[:ID_MAX] or "unnamed"


def _of_text(name: str, match: str, device: str, samples: Sequence[Heard]) -> WrittenMapping | None:
    texts = [each.payload.decode(errors="replace").strip() for each in samples]
    if not all(map(NUMBER.fullmatch, texts)):
        return None
    levels = [each for each in match.split("/") if each[:1] != "+"]
    word = next((each for each in reversed(levels) if is_quantity_word(each)), levels[-1])
    numbers = [float(each.replace(",", ".")) for each in texts]
    found = named([word], numbers, None)
    if found is None:
        return None
    value: dict[str, Any] = {"quantity": found.quantity, "path": "@", "type": "number"}
    if found.unit is not None:
        value["unit"] = found.unit
    if any("," in each for each in texts):
        value["decimal"] = ","
    options = {"mapping": name, "version": 1, "match": {"topic": match}, "input": "text",
               "device": device, "values": [value]}  # fmt: skip
    quantity = FoundQuantity(
        found.quantity, found.unit, numbers[0], "low", f"the topic says {word}; {found.why}", "@"
    )
    return WrittenMapping(options, [quantity])


def _records(documents: Sequence[Any]) -> tuple[list[dict[str, Any]], str | None]:
    """Return the records of documents, and the JMESPath to them; None: the document itself."""
    if all(isinstance(each, list) for each in documents):
        return _objects([each for document in documents for each in document]), "@"
    objects = _objects(documents)
    if not objects:
        return [], None
    for key in objects[0]:
        arrays = [each.get(key) for each in objects]
        if all(isinstance(each, list) and cast("list[Any]", each) for each in arrays):
            records = _objects([each for array in arrays for each in cast("list[Any]", array)])
            if records:
                return records, msgspec.json.encode(key).decode()
    return objects, None


def _objects(found: Sequence[Any]) -> list[dict[str, Any]]:
    objects = [cast("dict[str, Any]", each) for each in found if isinstance(each, dict)]
    return objects if len(objects) == len(found) else []


def _pointer(path: Path) -> str:
    return "".join(f"/{each.replace('~', '~0').replace('/', '~1')}" for each in path)


def _leaves(part: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in part.items():
        if isinstance(value, dict) and len(path) < DEPTH_MAX:
            yield from _leaves(cast("dict[str, Any]", value), (*path, key))
        elif value is not None and not isinstance(value, list | dict):
            yield (*path, key), value


class _Writer:
    """Sorts the members of records; each is taken once."""

    def __init__(self, records: Sequence[dict[str, Any]], received_us: int) -> None:
        self._received_us = received_us
        self._members: dict[Path, list[Any]] = defaultdict(list)
        self.metadata: dict[str, str] = {}
        self.quantities: list[FoundQuantity] = []
        for record in records:
            for path, value in _leaves(record):
                self._members[path].append(value)

    def device(self) -> Path | None:
        """Take the member that names the device."""
        by_name = {plain_name(path[-1]): path for path in reversed(self._members)}
        for name in DEVICE_NAMES:
            path = by_name.get(name)
            if path and all(type(each) in {str, int} for each in self._members[path]):
                del self._members[path]
                return path
        return None

    def time(self) -> dict[str, str] | None:
        """Take the member that is the time."""
        for path in [*self._members]:
            values = self._members[path]
            units = {time_unit_of(each, self._received_us) for each in values}
            if plain_name(path[-1]) in TIME_NAMES and len(units) == 1 and None not in units:
                del self._members[path]
                unit = units.pop()
                return {"path": _pointer(path), "format": FORMATS.get(str(unit), "rfc3339")}
        return None

    def values(self) -> list[dict[str, Any]]:
        """Take all others: what is measured as values, the rest as metadata."""
        units = {path[:-1]: path for path in self._members if plain_name(path[-1]) in UNIT_NAMES}
        found: dict[str, dict[str, Any]] = {}
        for path, values in self._members.items():
            plain = plain_name(path[-1]) or ""
            if path in units.values():
                continue
            value = None if plain in META_NAMES else self._value(path, values, units.get(path[:-1]))
            if value is None:
                name = META_NAMES.get(plain, plain)
                if name:
                    self.metadata.setdefault(name, _pointer(path))
            elif len(found) < VALUES_MAX:
                found.setdefault(value["quantity"], value)
        return [*found.values()]

    def _value(self, path: Path, sent: list[Any], unit: Path | None) -> dict[str, Any] | None:
        rules = _kind_rules(sent)
        if rules is None:
            return None
        numbers = [
            float(str(each).replace(",", "."))
            for each in sent
            if not isinstance(each, bool) and NUMBER.fullmatch(str(each))
            and each not in ABSENT_NUMBERS
        ]  # fmt: skip
        said = str(self._members[unit][0]) if unit else None
        found = named(path, numbers, said)
        if found is None:
            return None
        quantity = "occupied" if "map" in rules else found.quantity
        value = {"quantity": quantity, "path": _pointer(path), **rules}
        if isinstance(sent[0], bool) or "map" in rules:
            known = quantity_of(quantity)
            if known is not None and known.kind != "bool":
                return None
            example, text, why = sent[0], None, "true or false"
        else:
            example, text, why = (numbers or [0.0])[0], found.unit, found.why
            if unit and found.confidence == "high" and said is not None:
                value["unit_path"] = _pointer(unit)
            elif text is not None:
                value["unit"] = text
        self.quantities.append(
            FoundQuantity(quantity, text, example, found.confidence, why, _pointer(path))
        )
        return value


def _kind_rules(sent: list[Any]) -> dict[str, Any] | None:
    """Return how values of one member are read; None where they are words."""
    texts = [each for each in sent if isinstance(each, str)]
    absent = [each for each in dict.fromkeys(sent) if _is_absent(each)]
    missing = {"missing": absent} if absent else {}
    left = [each for each in texts if each not in ABSENT_TEXTS]
    if left and all(each.lower() in TRUTH for each in left) and len(left) == len(sent):
        return {"map": {each: TRUTH[each.lower()] for each in sorted({*left})}}
    if not all(map(NUMBER.fullmatch, left)):
        return None
    if len(texts) == len(sent) and not left:
        return None
    rules: dict[str, Any] = {"type": "number"} if left else {}
    if any("," in each for each in left):
        rules["decimal"] = ","
    return {**rules, **missing}


def _is_absent(sent: object) -> bool:
    if isinstance(sent, str):
        return sent in ABSENT_TEXTS
    return not isinstance(sent, bool) and sent in ABSENT_NUMBERS
