"""Topics of the fast path, and the device that each stands for.

The first topics are kept whole. Of the others only fingerprints are kept, 96 bits of each: a
million topics would be 120 MB, and looking one of them up would wait for memory (decision 0015).
Two topics of a million have the same one once in 10^17 cities.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

from ingest.apply.int_table import ABSENT, IntTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["NO_LANE", "Lanes"]

NO_LANE: Final = -1
# Topics that are kept whole.
WHOLE_MAX: Final = 16_384


class Lanes:
    """Slots of devices by topic.

    A fingerprint is Python's hash, whose key is drawn at random by each process (SipHash-1-3),
    and a CRC-32, which nobody can choose for it.
    """

    def __init__(self, whole_max: int = WHOLE_MAX) -> None:
        """Take how many topics are kept whole."""
        self._whole_max = whole_max
        self._whole: dict[bytes, int] = {}
        self._numbers = IntTable()
        self._slots = array("i")
        self._checks = array("I")

    def find(self, topics: Sequence[bytes]) -> npt.NDArray[np.int64]:
        """Return the slot of each topic (n,), `NO_LANE` where it has none."""
        get = self._whole.get
        lanes = np.array([get(topic, NO_LANE) for topic in topics], np.int64)
        if self._slots:
            rest = np.flatnonzero(lanes == NO_LANE)
            lanes[rest] = self._by_fingerprint([topics[at] for at in rest.tolist()])
        return lanes

    def get(self, topic: bytes) -> int:
        """Return the slot of one topic, `NO_LANE` where it has none."""
        if topic in self._whole:
            return self._whole[topic]
        number = self._number(topic)
        return NO_LANE if number == ABSENT else self._slots[number]

    def put(self, topic: bytes, slot: int) -> None:
        """Say which device a topic stands for."""
        number = self._number(topic)
        if number != ABSENT:
            self._slots[number] = slot
        elif topic in self._whole or len(self._whole) < self._whole_max:
            self._whole[topic] = slot
        elif self._numbers.get(hash(topic)) == ABSENT:
            self._numbers.put(hash(topic), len(self._slots))
            self._slots.append(slot)
            self._checks.append(crc32(topic))

    def drop(self, topic: bytes) -> None:
        """Forget a topic; it may be put again."""
        number = self._number(topic)
        if number != ABSENT:
            self._slots[number] = NO_LANE
        self._whole.pop(topic, None)

    def _number(self, topic: bytes) -> int:
        number = self._numbers.get(hash(topic)) if self._slots else ABSENT
        return number if number != ABSENT and self._checks[number] == crc32(topic) else ABSENT

    def _by_fingerprint(self, topics: list[bytes]) -> npt.NDArray[np.int64]:
        keys = np.fromiter(map(hash, topics), np.int64, len(topics))
        numbers = self._numbers.find(keys)
        checks = np.fromiter(map(crc32, topics), np.uint32, len(topics))
        known = numbers != ABSENT
        known &= np.frombuffer(memoryview(self._checks), np.uint32)[numbers] == checks
        return np.where(known, np.frombuffer(memoryview(self._slots), np.int32)[numbers], NO_LANE)
