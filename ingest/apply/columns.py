"""Columns that grow with a city."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["column_of", "grown"]

Scalar = TypeVar("Scalar", bound=np.generic)

# From here on a column has pages of its own, which the system has back when it is outgrown. The
# allocator would keep them: a third of what a million devices cost.
PAGES_BYTES: Final = 1 << 18


def column_of(
    length: int,
    dtype: npt.DTypeLike,
    fill: Any,  # noqa: ANN401 - whatever the column holds
) -> npt.NDArray[Any]:
    """Return a column (length,) with the same value in every row."""
    size_bytes = length * np.dtype(dtype).itemsize
    if size_bytes < PAGES_BYTES:
        return np.full(length, fill, dtype)
    column = np.frombuffer(mmap.mmap(-1, size_bytes), dtype, length)
    column.fill(fill)
    return column


def grown(column: npt.NDArray[Scalar], length: int, fill: Any) -> npt.NDArray[Scalar]:  # noqa: ANN401 - whatever the column holds
    """Return a column of at least a length, which may be the same one.

    Args:
        column: Shape (n,).
        length: How many rows it has to have.
        fill: What stands in new rows.
    """
    if length <= len(column):
        return column
    # A quarter more: doubling would leave half of a large city's column empty.
    longer = column_of(max(length, len(column) + len(column) // 4), column.dtype, fill)
    longer[: len(column)] = column
    return longer
