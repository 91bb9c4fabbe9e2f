"""Damage bytes the way networks, memories and people do. Pure: the same seed, the same bytes."""

import random
from collections.abc import Callable, Sequence

__all__ = ["mutate"]

# Values at the edges of lengths, counts and signs.
EDGES = (b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\xff", b"\x00\x00\x00\x80", b"\xff" * 4)
MAX_CHANGES = 4


def _flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: random.Random) -> None:
    at, edge = rng.randrange(len(data)), rng.choice(EDGES)
    data[at : at + len(edge)] = edge


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.randrange(1, 9))


def _cut(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randrange(1, 9)]


def _truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _repeat(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.randrange(1, 33)]


CHANGES: Sequence[Callable[[bytearray, random.Random], None]] = (
    _flip, _flip, _overwrite, _overwrite, _insert, _cut, _truncate, _repeat,
)  # fmt: skip


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return a damaged copy: one to four changes; now and then the bytes as they are."""
    damaged = bytearray(data)
    for _ in range(rng.randrange(MAX_CHANGES + 1)):
        if damaged:
            rng.choice(CHANGES)(damaged, rng)
    return bytes(damaged)
