"""Where on the log something came from, as one number that grows along a shard.

A frame is applied by one batch, or, where it asks for a replay, by several: the parts of a frame
count from 1, and what finishes a frame has the last part of all. A position is a sequence and a
part; a place is a position and the shard, in one field of a point.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from store.interface import ORIGIN_SHARDS

__all__ = ["LAST_PART", "PARTS", "place_limit", "places", "position", "position_of", "shard_of"]

PARTS: Final = 4_096
LAST_PART: Final = PARTS - 1


def position(sequence: int, part: int = LAST_PART) -> int:
    """Return the position of a part of a frame."""
    return sequence * PARTS + part


def places(origins: npt.NDArray[np.int64], part: int) -> npt.NDArray[np.int64]:
    """Return the place of each row (n,) by its origin (n,)."""
    sequence, shard = np.divmod(origins, ORIGIN_SHARDS)
    return (sequence * PARTS + part) * ORIGIN_SHARDS + shard


def position_of(place: int) -> int:
    """Return the position of a place."""
    return place // ORIGIN_SHARDS


def shard_of(place: int) -> int:
    """Return the shard of a place."""
    return place % ORIGIN_SHARDS


def place_limit(at: int) -> int:
    """Return the highest place that a position can have, whatever the shard."""
    return at * ORIGIN_SHARDS + ORIGIN_SHARDS - 1
