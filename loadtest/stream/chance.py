"""Chance that repeats itself, for whole columns: the numbers of `loadtest.city.chance`."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from loadtest.city.chance import GAMMA, MIX_1, MIX_2, key_of

__all__ = ["drifts", "keys_of", "picks", "shares"]

Keys = NDArray[np.uint64]
Column = NDArray[np.float64]
_GAMMA: Final = np.uint64(GAMMA)
_MIX_1: Final = np.uint64(MIX_1)
_MIX_2: Final = np.uint64(MIX_2)
_SCALE: Final = 2.0**-64


def keys_of(seed: int, name: str, numbers: NDArray[np.int64]) -> Keys:
    """Return a key for each number of something under a seed."""
    return _mixed(np.uint64(key_of(seed, name)) + numbers.astype(np.uint64) * _GAMMA)


def shares(keys: Keys, at: NDArray[np.int64] | int = 0) -> Column:
    """Return numbers from 0 up to 1, evenly spread and unrelated to their neighbours."""
    steps = np.asarray(at, dtype=np.int64).astype(np.uint64)
    return _mixed(keys + steps * _GAMMA).astype(np.float64) * _SCALE


def picks(keys: Keys, at: NDArray[np.int64] | int = 0) -> Column:
    """Return numbers from -1 to 1, evenly spread and unrelated to their neighbours."""
    return shares(keys, at) * 2.0 - 1.0


def drifts(keys: Keys, time_s: Column, period_s: float) -> Column:
    """Return numbers from -1 to 1 that wander smoothly and turn about once a period."""
    whole = np.floor(time_s / period_s)
    share = (1.0 - np.cos(np.pi * (time_s / period_s - whole))) / 2.0
    at = whole.astype(np.int64)
    before, after = picks(keys, at), picks(keys, at + 1)
    return before + (after - before) * share


def _mixed(value: Keys) -> Keys:
    value = (value ^ value >> np.uint64(30)) * _MIX_1
    value = (value ^ value >> np.uint64(27)) * _MIX_2
    return value ^ value >> np.uint64(31)
