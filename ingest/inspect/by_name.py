"""Records of one quantity each, whose name stands beside its value (long format). Pure.

A mapping knows its quantities beforehand, so each name that came becomes a value of its own with a
condition (`when`); a name that did not come while this was heard is not read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from city.quantities import plain_name
from ingest.inspect.names import UNIT_NAMES, is_known
from ingest.inspect.values import WrittenValue, written_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingest.inspect.values import Path

__all__ = ["Pair", "name_and_value", "values_by_name"]

# Members that say which quantity it is, whatever they say.
SURE: Final = frozenset(
    ("quantity", "parameter", "param", "parameter_name", "metric", "variable", "measurand",
     "observed_property", "property", "phenomenon", "pollutant", "sensor_type", "value_type")
)  # fmt: skip
# Members that may be the name of anything: what they say has to be quantities that are known.
PERHAPS: Final = frozenset(
    ("name", "n", "type", "sensor", "channel", "key", "field", "kind", "tag", "id", "label",
     "measurement", "measure", "code")
)  # fmt: skip
VALUES: Final = frozenset(
    ("value", "val", "v", "reading", "result", "measured_value", "sensor_value")
)
BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# What ends or escapes the text of a condition.
UNWRITABLE: Final = re.compile(r"['\\\x00-\x1f]")
VALUES_MAX: Final = 100
NAMES_SHOWN: Final = 5


class Pair(msgspec.Struct, frozen=True):
    """Where a record has the name of its quantity, its value, and the unit if it has one."""

    name: Path
    value: Path
    unit: Path | None


def name_and_value(records: Sequence[Mapping[Path, Any]]) -> Pair | None:
    """Return where records of one quantity each have what; None where they are no such records."""
    for name in records[0] if records else ():
        plain = plain_name(name[-1]) or ""
        if plain not in SURE | PERHAPS or not all(_is_name(each.get(name)) for each in records):
            continue
        beside = [path for each in records for path in each if path[:-1] == name[:-1]]
        value = next((path for path in beside if plain_name(path[-1]) in VALUES), None)
        if value is not None and (plain in SURE or _mostly_known(name, records)):
            unit = next((path for path in beside if plain_name(path[-1]) in UNIT_NAMES), None)
            return Pair(name, value, unit)
    return None


def values_by_name(
    records: Sequence[Mapping[Path, Any]], pair: Pair
) -> tuple[list[WrittenValue], list[str]]:
    """Return a value for each name, and what has to be said of names without one."""
    sent: defaultdict[str, list[Mapping[Path, Any]]] = defaultdict(list)
    for each in records:
        sent[each[pair.name]].append(each)
    found: dict[str, WrittenValue] = {}
    left: list[str] = []
    for name, some in sent.items():
        value = _value(name, some, pair)
        if value is None or value.rule["quantity"] in found or len(found) == VALUES_MAX:
            left.append(name)
        else:
            found[value.rule["quantity"]] = value
    notes = [
        (
            f"{_path(pair.name)} says which quantity a record has; one that did not come while this"
            " was heard is not read: listen long enough"
        )
    ]
    if left:
        shown = ", ".join(repr(each[:64]) for each in left[:NAMES_SHOWN])
        more = f" and {len(left) - NAMES_SHOWN} more" if len(left) > NAMES_SHOWN else ""
        why = "they have no number, no name of a quantity, or one that is read already"
        notes.append(f"records of {shown}{more} are not read: {why}")
    return [*found.values()], notes


def _is_name(sent: object) -> bool:
    return isinstance(sent, str) and bool(sent)


def _mostly_known(name: Path, records: Sequence[Mapping[Path, Any]]) -> bool:
    names = {each[name] for each in records}
    return 2 * sum(map(is_known, names)) >= len(names)


def _value(name: str, records: Sequence[Mapping[Path, Any]], pair: Pair) -> WrittenValue | None:
    sent = [each[pair.value] for each in records if pair.value in each]
    if UNWRITABLE.search(name) or not sent:
        return None
    said = [each[pair.unit] for each in records if pair.unit in each] if pair.unit else []
    value = written_value(pair.value, [name], sent, pair.unit, said)
    if value is None:
        return None
    condition = f"{_path(pair.name)} == '{name}'"
    found = msgspec.structs.replace(
        value.found, why=f"where {_path(pair.name)} is {name!r}: {value.found.why}"
    )
    return WrittenValue({**value.rule, "when": condition}, found)


def _path(path: Path) -> str:
    """Return a path as JMESPath."""
    return ".".join(
        each if BARE.fullmatch(each) else msgspec.json.encode(each).decode() for each in path
    )
