"""Writes a mapping for traffic that no codec knows, from samples. Pure.

What is written is an ordinary document of the `mapping` codec (formats.md section 16), to be
reviewed by a person: members become values, metadata, the time and the device by their names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ingest.inspect.findings import FoundQuantity, Heard
from ingest.inspect.members import Members
from ingest.inspect.names import named
from ingest.inspect.payloads import UNKNOWN, Reading, payloads_of, readings
from ingest.inspect.refusal import NoMappingError
from ingest.inspect.topics import is_quantity_word
from ingest.inspect.values import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WrittenMapping", "write_mapping"]

NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
ID_MAX: Final = 128
LEFT_SHOWN: Final = 5


class WrittenMapping(msgspec.Struct, frozen=True):
    """Options of a route for the codec `mapping`, and what it reads.

    Attributes:
        what: How the payloads are read.
        notes: What a person has to know or decide.
    """

    options: dict[str, Any]
    quantities: list[FoundQuantity]
    what: str
    notes: list[str] = []


def write_mapping(name: str, pattern: str, samples: Sequence[Heard]) -> WrittenMapping:
    """Return a mapping.

    Args:
        name: Of the mapping.
        pattern: Topic filter that all samples fit.
        samples: At least one.

    Raises:
        NoMappingError: They are neither JSON objects, nor lines of them, nor rows of CSV, nor bare
            numbers, or nothing in them says what is measured.
    """
    match, device = _captures(pattern)
    payloads = payloads_of(samples)
    head: dict[str, Any] = {"mapping": name, "version": 1, "match": {"topic": match}}
    texts = [each.decode(errors="replace").strip() for each in payloads]
    if all(map(is_number, texts)):
        return _of_text(head, match, device or _last_level(pattern), texts)
    received_us = samples[-1].received_us
    for reading in readings(payloads, _word(match), received_us):
        written = _of_records(head, reading, device, _last_level(pattern), received_us)
        if written.options["values"]:
            return written
    raise NoMappingError("nothing in its messages is a number with a name: a person has to say")


def _of_records(
    head: dict[str, Any], reading: Reading, device: str | None, last: str, received_us: int
) -> WrittenMapping:
    members = Members(reading.records, received_us)
    around = Members(reading.around, received_us)
    options = {**head, **reading.options}
    own = members.device()
    # What holds the records is asked last: a topic says what a message is about.
    outer = around.device() if own is None and device is None else None
    if own is not None and (device is None or reading.many):
        options["device"] = {"path": own}
    elif outer is not None:
        options["device"] = {"path": outer, "of": "document"}
    else:
        options["device"] = device or last
    time = members.time()
    if time is None and (sent := around.time()) is not None:
        time = {**sent, "of": "document"}
    if time is not None:
        options["time"] = time
    options["values"], options["metadata"] = members.values(), members.metadata
    what = reading.what
    if members.by_name:
        what = f"{what.partition(';')[0]}; each record has one quantity and its name"
        what = what.removeprefix("members by their names; ")
    notes = [*members.notes, *around.notes, *_beside(around.left())]
    return WrittenMapping(options, members.quantities, what, notes)


def _beside(left: Sequence[str]) -> list[str]:
    if not left:
        return []
    more = f" and {len(left) - LEFT_SHOWN} more" if len(left) > LEFT_SHOWN else ""
    return [f"what stands beside the records is not read: {', '.join(left[:LEFT_SHOWN])}{more}"]


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


def _word(match: str) -> str | None:
    """Return the level of a topic that names a quantity."""
    levels = [each for each in match.split("/") if each[:1] != "+"]
    return next((each for each in reversed(levels) if is_quantity_word(each)), None)


def _of_text(head: dict[str, Any], match: str, device: str, texts: Sequence[str]) -> WrittenMapping:
    levels = [each for each in match.split("/") if each[:1] != "+"]
    word = _word(match) or levels[-1]
    numbers = [float(each.replace(",", ".")) for each in texts]
    found = named([word], numbers, None)
    if found is None:
        raise NoMappingError(UNKNOWN)
    value: dict[str, Any] = {"quantity": found.quantity, "path": "@", "type": "number"}
    if found.unit is not None:
        value["unit"] = found.unit
    if any("," in each for each in texts):
        value["decimal"] = ","
    options = {**head, "input": "text", "device": device, "values": [value]}
    quantity = FoundQuantity(
        found.quantity, found.unit, numbers[0], "low", f"the topic says {word}; {found.why}", "@"
    )
    return WrittenMapping(options, [quantity], "one number, named by its topic")
