"""How what fast messages say becomes values of series, thousands at a time.

A pair is a quantity and a unit as sent. Which series it means depends on the device; how it is
converted depends on the pair and on the unit of that series alone, so nothing is kept for a device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from city.quantities import QUANTITY_PATTERN
from city.units import ucum
from ingest.apply.columns import grown
from ingest.apply.int_table import ABSENT
from ingest.apply.rules import SettledUnit, settle_unit

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.apply.series import SeriesBook

__all__ = ["Links", "Meant"]

# What this many pairs, and this many units of series, do not hold is decided one by one.
PAIRS_MAX: Final = 4_096
UNITS_MAX: Final = 1_024
FIRST_PAIRS: Final = 64
# A pair, and a way to convert, that says: look at these messages one by one.
UNCLEAR: Final = 0
UNKNOWN: Final = -1

Pair = tuple[str, str | None]


class Meant(msgspec.Struct, frozen=True):
    """What some observations mean, in columns (n,).

    Attributes:
        series: Whose values they are; of an unclear one nothing is said.
        ways: How each is converted; a number.
    """

    series: npt.NDArray[np.int64]
    ways: npt.NDArray[np.int32]

    @property
    def unclear(self) -> npt.NDArray[np.bool_]:
        """Which of them need a closer look (n,)."""
        return self.ways == UNCLEAR


class Links:
    """Resolves observations of fast messages."""

    def __init__(self, book: SeriesBook) -> None:
        self._book = book
        self._pairs: dict[Pair, int] = {}
        self._pair_names: list[Pair] = [("", None)]
        # The quantity of each pair, and what its first message makes: a series, or nothing.
        self._quantity_of = np.zeros(FIRST_PAIRS, np.int64)
        self._first: list[SettledUnit | None] = [None]
        # By pair and unit of the series.
        self._way = np.full((FIRST_PAIRS, FIRST_PAIRS), UNKNOWN, np.int32)
        self._ways: dict[tuple[float, float], int] = {}
        self._factors = np.ones(1)
        self._offsets = np.zeros(1)

    def find(
        self,
        slots: npt.NDArray[np.int64],
        quantities: list[str],
        units: list[str | None],
    ) -> Meant:
        """Return what observations mean (n,); this may make series."""
        numbers = list(map(self._pairs.get, zip(quantities, units, strict=True)))
        if None in numbers:
            numbers = [self._number(pair) for pair in zip(quantities, units, strict=True)]
        pairs = np.array(numbers, np.int64)
        series = self._book.find_all(slots, self._quantity_of[pairs])
        missing = (series == ABSENT) & (pairs != UNCLEAR)
        if missing.any():
            self._create(slots[missing], pairs[missing])
            series = self._book.find_all(slots, self._quantity_of[pairs])
        known = (series != ABSENT) & (pairs != UNCLEAR)
        if known.all():
            return Meant(series, self._ways_of(pairs, self._book.unit_numbers(series)))
        ways = np.full(len(pairs), UNCLEAR, np.int32)
        ways[known] = self._ways_of(pairs[known], self._book.unit_numbers(series[known]))
        return Meant(series, ways)

    def converted(self, found: Meant, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return values in the units of their series."""
        # A sum with -0.0 gives 0.0: one zero, so that equal values have equal bits.
        return values * self._factors[found.ways] + self._offsets[found.ways]

    def _number(self, pair: Pair) -> int:
        """Return the number of a pair; what cannot be settled by itself is unclear."""
        if pair in self._pairs or len(self._pairs) >= PAIRS_MAX:
            return self._pairs.get(pair, UNCLEAR)
        quantity, text = pair
        if QUANTITY_PATTERN.fullmatch(quantity) is None or (text is not None and not ucum(text)):
            self._pairs[pair] = UNCLEAR
            return UNCLEAR
        number = self._pairs[pair] = len(self._pair_names)
        self._pair_names.append(pair)
        self._quantity_of = grown(self._quantity_of, number + 1, 0)
        self._quantity_of[number] = self._book.quantity_number(quantity)
        self._first.append(_settled(pair, None))
        return number

    def _create(self, slots: npt.NDArray[np.int64], pairs: npt.NDArray[np.int64]) -> None:
        """Make the series that devices say for the first time, where they can be made."""
        said: set[tuple[int, int]] = {*zip(slots.tolist(), pairs.tolist(), strict=True)}
        for slot, pair in sorted(said):
            settled, (quantity, _) = self._first[pair], self._pair_names[pair]
            if settled is not None and self._book.find(slot, quantity) == ABSENT:
                self._book.create(slot, quantity, settled.unit, settled.kind)

    def _ways_of(
        self, pairs: npt.NDArray[np.int64], units: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        self._grow(int(units.max(initial=0)))
        units = np.minimum(units, UNITS_MAX)
        ways = self._way[pairs, units]
        unknown = ways == UNKNOWN
        if unknown.any():
            some: list[int] = pairs[unknown].tolist()
            for pair, unit in {*zip(some, units[unknown].tolist(), strict=True)}:
                self._way[pair, unit] = self._resolve(pair, unit)
            ways = self._way[pairs, units]
        return ways

    def _resolve(self, pair: int, unit: int) -> int:
        """Return how values of a pair become values in a unit."""
        if unit >= UNITS_MAX:
            return UNCLEAR
        settled = _settled(self._pair_names[pair], self._book.numbered_unit(unit))
        if settled is None:
            return UNCLEAR
        change = (settled.conversion.factor, settled.conversion.offset)
        number = self._ways.setdefault(change, len(self._factors))
        if number == len(self._factors):
            self._factors = np.append(self._factors, change[0])
            self._offsets = np.append(self._offsets, change[1])
        return number

    def _grow(self, unit: int) -> None:
        """Make room for every pair, and for units up to a number."""
        rows, columns = self._way.shape
        wanted = (len(self._pair_names), min(unit, UNITS_MAX) + 1)
        if wanted[0] <= rows and wanted[1] <= columns:
            return
        wider = np.full((max(2 * rows, wanted[0]), max(2 * columns, wanted[1])), UNKNOWN, np.int32)
        wider[:rows, :columns] = self._way
        self._way = wider


def _settled(pair: Pair, known: SettledUnit | None) -> SettledUnit | None:
    """Return what a pair is in a known unit, or in its own; None where it cannot be."""
    quantity, text = pair
    sent = None if text is None else ucum(text)
    settled = settle_unit(quantity, "number", sent, known=known, readable=True)
    return settled if isinstance(settled, SettledUnit) else None
