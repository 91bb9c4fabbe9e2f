"""Chance that repeats itself: the same numbers for the same seed, moment and name."""

import math
from typing import Final
from zlib import crc32

__all__ = ["drift", "even", "key_of", "pick"]

MASK: Final = (1 << 64) - 1
# Constants of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
GAMMA: Final = 0x9E3779B97F4A7C15
MIX_1: Final = 0xBF58476D1CE4E5B9
MIX_2: Final = 0x94D049BB133111EB
SCALE: Final = 2.0**-63


def key_of(seed: int, *names: str) -> int:
    """Return a number that stands for some names under a seed."""
    return _mixed(seed * GAMMA + crc32("/".join(names).encode()))


def pick(key: int, at: int) -> float:
    """Return a number from -1 to 1, evenly spread and unrelated to its neighbours."""
    return _mixed(key + at * GAMMA) * SCALE - 1.0


def even(key: int, at: int, low: float, high: float) -> float:
    """Return a number from `low` to `high`."""
    return low + (pick(key, at) + 1.0) / 2.0 * (high - low)


def drift(key: int, time_s: float, period_s: float) -> float:
    """Return a number from -1 to 1 that wanders smoothly and turns about once a period."""
    at, between = divmod(time_s, period_s)
    share = (1.0 - math.cos(math.pi * between / period_s)) / 2.0
    before, after = pick(key, int(at)), pick(key, int(at) + 1)
    return before + (after - before) * share


def _mixed(value: int) -> int:
    value &= MASK
    value = (value ^ value >> 30) * MIX_1 & MASK
    value = (value ^ value >> 27) * MIX_2 & MASK
    return value ^ value >> 31
