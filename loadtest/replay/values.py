"""One measurement of a row: its value, quantity and unit as native JSON has them. Pure."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final, cast

from city.quantities import quantity_name
from loadtest.replay.mapping import ValueRule
from loadtest.replay.templates import Fields, Template, field_of, fits, text_of

__all__ = ["OddValueError", "ValueReader"]

# No more lenient than devices have to be: Python itself also reads `1_000` and other digits.
NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
WHOLE: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
BOOLEANS: Final = {"true": True, "false": False}


class OddValueError(ValueError):
    """A value that is none of its type; the first word is the reason."""


class ValueReader:
    """Reads what one `ValueRule` speaks of."""

    def __init__(self, rule: ValueRule, missing: frozenset[str]) -> None:
        self._rule = rule
        self._missing = missing
        self._quantity = Template(rule.quantity)
        self._unit = Template(rule.unit)

    @property
    def column(self) -> str:
        """The column that it reads."""
        return self._rule.column

    def speaks_of(self, fields: Fields) -> bool:
        """Say whether a row has such a measurement."""
        return not self._rule.when or fits(self._rule.when, fields)

    def is_missing(self, found: object) -> bool:
        """Say whether what stands in the column is no value."""
        return found is None or (
            isinstance(found, str) and (not found.strip() or found.strip() in self._missing)
        )

    def observation(self, fields: Fields, found: object) -> dict[str, Any]:
        """Return an item of `obs` of a native message.

        Raises:
            OddValueError: If it has no quantity, or a value that cannot be of its type.
        """
        quantity = self._name(fields)
        observation: dict[str, Any] = {"q": quantity, "v": self._value(found)}
        unit = self._unit.fill(fields)
        if unit:
            observation["u"] = self._rule.units.get(unit, unit)
        return observation

    def value_of(self, fields: Fields) -> object:
        """Return what stands in the column."""
        return field_of(fields, self._rule.column)

    def _name(self, fields: Fields) -> str:
        if not self._quantity.fields:
            return self._rule.quantity
        raw = self._quantity.fill(fields)
        name = None if raw is None else quantity_name(raw)
        if name is None:
            raise OddValueError(f"bad_quantity {raw!r} names no quantity")
        return name

    def _value(self, found: object) -> object:
        if isinstance(found, dict | list):
            # For ingest to judge, and to keep with its reason.
            return cast("object", found)
        text = text_of(found) or ""
        return _mapped(text, self._rule.map) if self._rule.map else READERS[self._rule.type](text)


def _mapped(text: str, meanings: Mapping[str, float | bool | str]) -> float | bool | str:
    if text not in meanings:
        raise OddValueError(f"not_in_map {text[:64]!r} is not in `map`")
    return meanings[text]


def _boolean(text: str) -> bool:
    if text.lower() not in BOOLEANS:
        raise OddValueError(f"not_a_bool {text[:64]!r} is neither true nor false")
    return BOOLEANS[text.lower()]


def _number(text: str) -> int | float:
    if WHOLE.fullmatch(text):
        return int(text)
    value = float(text) if NUMBER.fullmatch(text) else float("nan")
    if not isfinite(value):
        raise OddValueError(f"not_a_number {text[:64]!r} is no number")
    return value


READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "number": _number,
    "bool": _boolean,
    "text": str,
}
