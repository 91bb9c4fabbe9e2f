"""How two definitions differ, member by member: what is said where two numbers do not compare."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final, cast

import msgspec

from indicators.contracts.loader import meaning
from indicators.contracts.model import Contract

__all__ = ["Difference", "difference"]

ABSENT: Final = msgspec.UNSET


class Difference(msgspec.Struct, frozen=True):
    """One member of two definitions.

    Attributes:
        member: Path of it: `bands.2.upper`, counted from 0.
        left, right: What each says; None where it says nothing.
    """

    member: str
    left: object
    right: object


def difference(left: Contract, right: Contract) -> list[Difference]:
    """Return every member whose meaning differs, in the order of contracts; none: they are equal.

    Titles, vectors and `valid_to` are no part of a meaning, as in `contract_hash`.
    """
    mine, theirs = (msgspec.to_builtins(meaning(each)) for each in (left, right))
    return list(_between("", mine, theirs))


def _between(path: str, left: Any, right: Any) -> Iterator[Difference]:  # noqa: ANN401 - any part
    if left == right:
        return
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        mine, theirs = cast("Mapping[str, Any]", left), cast("Mapping[str, Any]", right)
        for name in dict.fromkeys((*mine, *theirs)):
            here = _inside(path, name)
            yield from _between(here, mine.get(name, ABSENT), theirs.get(name, ABSENT))
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        pairs = zip_longest(cast("list[Any]", left), cast("list[Any]", right), fillvalue=ABSENT)
        for place, (one, other) in enumerate(pairs):
            yield from _between(_inside(path, str(place)), one, other)
    else:
        yield Difference(path, _said(left), _said(right))  # pyright: ignore[reportUnknownArgumentType] - of any kind


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _said(value: object) -> object:
    return None if value is ABSENT else value
