"""What a member of a vendor's records becomes: a value of a mapping, or a format of times. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from city.quantities import quantity_of
from ingest.guesses import time_unit_of
from ingest.inspect.findings import FoundQuantity
from ingest.inspect.names import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.inspect.names import Named

__all__ = [
    "Path",
    "WrittenValue",
    "is_absent",
    "is_number",
    "number_of",
    "pointer",
    "time_format",
    "written_value",
]

NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?", re.ASCII)
ABSENT_NUMBERS: Final = frozenset((-999, -9999))
ABSENT_TEXTS: Final = frozenset(("--", "-", "n/a", "N/A", "null", "NaN"))
TRUTH: Final = {
    "free": False, "vacant": False, "available": False,
    "busy": True, "occupied": True, "taken": True,
}  # fmt: skip
FORMATS: Final = {"s": "epoch_s", "ms": "epoch_ms", "us": "epoch_us", "ns": "epoch_ns"}
# Day and month the other way round look the same: such times are for a person.
PATTERNS: Final = tuple(
    (re.compile(re.sub("[a-zA-Z]", r"\\d", form.replace(".", r"\.")), re.ASCII), form)
    for form in ("dd.MM.yyyy HH:mm:ss", "dd.MM.yyyy HH:mm", "yyyy/MM/dd HH:mm:ss",
                 "yyyy/MM/dd HH:mm", "yyyy-MM-dd HH:mm")
)  # fmt: skip

# Names from the outside in.
Path = tuple[str, ...]


class WrittenValue(msgspec.Struct, frozen=True):
    """A value of a mapping, and what it rests on."""

    rule: dict[str, Any]
    found: FoundQuantity


def pointer(path: Path) -> str:
    """Return a path as JSON Pointer (RFC 6901)."""
    return "".join(f"/{each.replace('~', '~0').replace('/', '~1')}" for each in path)


def is_number(text: str) -> bool:
    """Say whether a text is a number, with a point or a comma."""
    return NUMBER.fullmatch(text) is not None


def number_of(sent: object) -> float | None:
    """Return what was sent as a number; None where it is none."""
    if isinstance(sent, bool):
        return None
    return float(str(sent).replace(",", ".")) if is_number(str(sent)) else None


def is_absent(sent: object) -> bool:
    """Say whether something stands for no value."""
    return number_of(sent) in ABSENT_NUMBERS or (isinstance(sent, str) and sent in ABSENT_TEXTS)


def time_format(sent: Sequence[object], received_us: int) -> str | None:
    """Return the format of times, as a mapping calls it; None where they are none that is known."""
    texts = [each for each in sent if isinstance(each, str)]
    if len(texts) == len(sent):
        for pattern, form in PATTERNS:
            if texts and all(map(pattern.fullmatch, texts)):
                return form
    whole = [int(each) if isinstance(each, str) and each.isdecimal() else each for each in sent]
    units = {time_unit_of(each, received_us) for each in whole}
    if len(units) != 1 or None in units:
        return None
    return FORMATS.get(str(units.pop()), "rfc3339")


def written_value(
    at: Path, names: Sequence[str], sent: list[Any], unit: Path | None, said: Sequence[Any]
) -> WrittenValue | None:
    """Return a value; None where it has no name of a quantity, or words.

    Args:
        at: Where it stands in a record.
        names: What names it, from the outside in.
        sent: All that came.
        unit: Where its unit stands; None: nowhere.
        said: Units that came.
    """
    rules = _kind_rules(sent)
    numbers = [
        number for each in sent if (number := number_of(each)) is not None and not is_absent(each)
    ]
    text = str(said[0]) if said else None
    found = named(names, numbers, text)
    if rules is None or found is None:
        return None
    if isinstance(sent[0], bool) or "map" in rules:
        return _of_truth(at, rules, found, sent[0])
    rule = {"quantity": found.quantity, "path": pointer(at), **rules}
    if unit is not None and found.confidence == "high" and text is not None:
        rule["unit_path"] = pointer(unit)
    elif found.unit is not None:
        rule["unit"] = found.unit
    example = (numbers or [0.0])[0]
    told = FoundQuantity(
        found.quantity, found.unit, example, found.confidence, found.why, rule["path"]
    )
    return WrittenValue(rule, told)


def _of_truth(
    at: Path, rules: dict[str, Any], found: Named, example: str | Literal[True, False]
) -> WrittenValue | None:
    quantity = "occupied" if "map" in rules else found.quantity
    known = quantity_of(quantity)
    if known is not None and known.kind != "bool":
        return None
    why = "true or false"
    told = FoundQuantity(quantity, None, example, found.confidence, why, pointer(at))
    return WrittenValue({"quantity": quantity, "path": pointer(at), **rules}, told)


def _kind_rules(sent: list[Any]) -> dict[str, Any] | None:
    """Return how values of one member are read; None where they are words."""
    texts = [each for each in sent if isinstance(each, str)]
    absent = [each for each in dict.fromkeys(sent) if is_absent(each)]
    missing = {"missing": absent} if absent else {}
    left = [each for each in texts if not is_absent(each)]
    if left and all(each.lower() in TRUTH for each in left) and len(left) == len(sent):
        return {"map": {each: TRUTH[each.lower()] for each in sorted({*left})}}
    if not all(map(is_number, left)):
        return None
    if len(texts) == len(sent) and not left:
        return None
    rules: dict[str, Any] = {"type": "number"} if left else {}
    if any("," in each for each in left):
        rules["decimal"] = ","
    return {**rules, **missing}
