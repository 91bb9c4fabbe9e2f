"""Names of devices in one block of bytes: each has a number, and 60 bytes instead of 170.

A dict of texts keeps an object for each name and one for each number; here a name is its bytes,
where they end, and whose device it is.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from ingest.apply.int_table import ABSENT, IntTable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Names"]

# What was looked for last, so that a small city pays nothing for a large one.
NEAR_MAX: Final = 16_384
KEY: Final = (1 << 62) - 1


class Names:
    """Dense numbers of (owner, name); owners are numbers themselves."""

    def __init__(self, hashed: Callable[[object], int] = hash) -> None:
        """Take what makes keys; names with the same key are still told apart."""
        self._hash = hashed
        self._near: dict[tuple[int, str], int] = {}
        self._numbers = IntTable()
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        self._owners = array("i")

    def __len__(self) -> int:
        return len(self._owners)

    def find(self, owner: int, name: str) -> int:
        """Return the number of a name, `ABSENT` where nobody added it."""
        near = self._near.get((owner, name))
        if near is not None:
            return near
        number, _ = self._look(owner, name.encode())
        if number != ABSENT:
            self._keep_near(owner, name, number)
        return number

    def add(self, owner: int, name: str) -> int:
        """Return the number of a name, a new one where nobody added it before."""
        near = self._near.get((owner, name))
        if near is not None:
            return near
        data = name.encode()
        number, key = self._look(owner, data)
        if number == ABSENT:
            number = len(self._owners)
            self._numbers.put(key, number)
            self._bytes += data
            self._ends.append(len(self._bytes))
            self._owners.append(owner)
        self._keep_near(owner, name, number)
        return number

    def name(self, number: int) -> tuple[int, str]:
        """Return owner and name of a number."""
        return self._owners[number], self._data(number).decode()

    def _look(self, owner: int, data: bytes) -> tuple[int, int]:
        """Return the number of a name and its key; `ABSENT` with the key that it would get."""
        key = self._hash((owner, data)) & KEY
        while (number := self._numbers.get(key)) != ABSENT:
            if self._owners[number] == owner and self._data(number) == data:
                break
            # Another name has this key: the next one is ours, or the one after it.
            key = (key + 1) & KEY
        return number, key

    def _data(self, number: int) -> bytes:
        return bytes(self._bytes[self._ends[number] : self._ends[number + 1]])

    def _keep_near(self, owner: int, name: str, number: int) -> None:
        if len(self._near) >= NEAR_MAX:
            self._near.clear()
        self._near[owner, name] = number
