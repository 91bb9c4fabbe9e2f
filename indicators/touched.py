"""Which hours of which series some observations lie in: columns, packed, merged, looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

import numpy as np

from city.clock import US_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["HOUR_US", "Touched"]

HOUR_US: Final = 60 * US_PER_MINUTE
# A pair is one number while sorted: hours since 1970 fit 2^24 until the year 3883.
HOUR_BITS: Final = 24
HOUR_MASK: Final = (1 << HOUR_BITS) - 1


class Touched:
    """Pairs of a series and an hour of UTC, each once, in order.

    Args:
        pairs: `series << 24 | hours since 1970`, sorted, each once.
    """

    def __init__(self, pairs: NDArray[np.int64]) -> None:
        self._pairs = pairs

    def __len__(self) -> int:
        """Return how many pairs there are."""
        return len(self._pairs)

    @classmethod
    def before(cls, observations: pa.Table, until_us: int) -> Self:
        """Return what the observations from before an instant touch."""
        times: NDArray[np.int64] = observations.column("time_us").to_numpy()
        old = times < until_us
        if not old.any():
            return cls(np.empty(0, dtype=np.int64))
        series: NDArray[np.int64] = observations.column("series").to_numpy()[old].astype(np.int64)
        return cls(np.unique(series << HOUR_BITS | times[old] // HOUR_US))

    @classmethod
    def within(cls, series: Iterable[int], from_us: int, to_us: int) -> Self:
        """Return every hour of some series that a time has a part of."""
        hours = np.arange(max(from_us, 0) // HOUR_US, -(-to_us // HOUR_US), dtype=np.int64)
        numbers = np.unique(np.fromiter(series, dtype=np.int64))
        return cls((numbers[:, None] << HOUR_BITS | hours[None, :]).ravel())

    @classmethod
    def hours(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """Return pairs of a series and the first microsecond of an hour."""
        rows = np.array([*pairs], dtype=np.int64).reshape(-1, 2)
        return cls(np.unique(rows[:, 0] << HOUR_BITS | rows[:, 1] // HOUR_US))

    @classmethod
    def merged(cls, kept: Iterable[bytes]) -> Self:
        """Return all that several kept ones hold together."""
        rows = np.frombuffer(b"".join(kept), dtype="<i8").astype(np.int64).reshape(-1, 2)
        return cls(np.unique(rows[:, 0] << HOUR_BITS | rows[:, 1] // HOUR_US))

    def keep(self) -> bytes:
        """Return the form that is kept: series and first microsecond, eight bytes each."""
        rows = np.stack([self._pairs >> HOUR_BITS, (self._pairs & HOUR_MASK) * HOUR_US], axis=1)
        return rows.astype("<i8").tobytes()

    def by_series(self, wanted: Iterable[int]) -> dict[int, list[int]]:
        """Return the touched hours' first microseconds, of those wanted that have any."""
        ids = np.unique(np.fromiter(wanted, dtype=np.int64))
        first = np.searchsorted(self._pairs, ids << HOUR_BITS)
        last = np.searchsorted(self._pairs, (ids + 1) << HOUR_BITS)
        some = first < last
        return {
            series: ((self._pairs[start:end] & HOUR_MASK) * HOUR_US).tolist()
            for series, start, end in zip(
                ids[some].tolist(), first[some].tolist(), last[some].tolist(), strict=True
            )
        }
