"""Which series there are, and how what fast messages say becomes values of them.

A link is (device, quantity and unit as sent): the series it means and the conversion into its
unit. All is kept in columns: a city has millions of series.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

import numpy as np

from city.quantities import QUANTITY_PATTERN
from city.units import ucum
from ingest.apply.int_table import ABSENT, IntTable
from ingest.apply.rules import SettledUnit, settle_unit
from store.interface import Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from ingest.apply.view import RegistryView
    from store.interface import Kind

__all__ = ["NO_LINK", "Links", "SeriesBook"]

# Slots are shifted by this much; quantities and pairs are numbered below it.
PAIR_BITS: Final = 22
# A link that says: look at these messages one by one.
NO_LINK: Final = 0
FIRST_LINKS: Final = 1_024


class SeriesBook:
    """Every series by device and quantity; numbers are dense and never used again."""

    def __init__(self, view: RegistryView, known: Iterable[Series]) -> None:
        self._view = view
        self._numbers = IntTable()
        self._quantities: dict[str, int] = {}
        self._quantity_names: list[str] = []
        self._units: dict[SettledUnit, int] = {}
        self._unit_list: list[SettledUnit] = []
        self._slot_of = array("i")
        self._quantity_of = array("i")
        self._unit_of = array("i")
        self._created: list[Series] = []
        for each in sorted(known, key=lambda series: series.series):
            assert each.series == len(self._slot_of), "series numbers are dense"
            slot = view.slot(each.provider, each.device)
            self._add(slot, each.quantity, SettledUnit(each.unit, each.kind))

    def __len__(self) -> int:
        return len(self._slot_of)

    def find(self, slot: int, quantity: str) -> int:
        """Return the series of a device and quantity, `ABSENT` where there is none."""
        at = self._quantities.get(quantity)
        return ABSENT if at is None else self._numbers.get(slot << PAIR_BITS | at)

    def unit(self, series: int) -> SettledUnit:
        """Return unit and kind of a series."""
        return self._unit_list[self._unit_of[series]]

    def name(self, series: int) -> tuple[int, str]:
        """Return slot and quantity of a series."""
        return self._slot_of[series], self._quantity_names[self._quantity_of[series]]

    def create(self, slot: int, quantity: str, unit: str | None, kind: Kind) -> int:
        """Return a new series, which goes into the present batch."""
        provider, device = self._view.name(slot)
        number = self._add(slot, quantity, SettledUnit(unit, kind))
        self._created.append(Series(number, provider, device, quantity, unit, kind))
        return number

    def take_created(self) -> list[Series]:
        """Return the series that were made since the last time."""
        created, self._created = self._created, []
        return created

    def _add(self, slot: int, quantity: str, unit: SettledUnit) -> int:
        number = len(self._slot_of)
        at = self._quantities.setdefault(quantity, len(self._quantities))
        if at == len(self._quantity_names):
            self._quantity_names.append(quantity)
        self._numbers.put(slot << PAIR_BITS | at, number)
        self._slot_of.append(slot)
        self._quantity_of.append(at)
        self._unit_of.append(self._units.setdefault(unit, len(self._units)))
        if len(self._unit_list) < len(self._units):
            self._unit_list.append(unit)
        return number


class Links:
    """Resolves observations of fast messages, thousands at a time."""

    def __init__(self, book: SeriesBook) -> None:
        self._book = book
        self._pairs: dict[tuple[str, str | None], int] = {}
        self._pair_names: list[tuple[str, str | None]] = []
        self._links = IntTable()
        self._count = NO_LINK + 1
        self._series = np.full(FIRST_LINKS, ABSENT, np.int32)
        self._factors = np.ones(FIRST_LINKS)
        self._offsets = np.zeros(FIRST_LINKS)

    def find(
        self,
        slots: npt.NDArray[np.int64],
        quantities: list[str],
        units: list[str | None],
    ) -> npt.NDArray[np.int64]:
        """Return the link of each observation (n,); `NO_LINK` where it needs a closer look."""
        pairs = list(map(self._pairs.get, zip(quantities, units, strict=True)))
        if None in pairs:
            pairs = self._learn_pairs(quantities, units)
        keys = (slots << PAIR_BITS) | np.array(pairs, np.int64)
        links = self._links.find(keys)
        missing = links == ABSENT
        if missing.any():
            for key in np.unique(keys[missing]).tolist():
                self._links.put(key, self._resolve(key))
            links = self._links.find(keys)
        return links

    def series(self, links: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the series of links."""
        return self._series[links]

    def converted(
        self, links: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return values in the units of their series."""
        # A sum with -0.0 gives 0.0: one zero, so that equal values have equal bits.
        return values * self._factors[links] + self._offsets[links]

    def _learn_pairs(self, quantities: list[str], units: list[str | None]) -> list[int]:
        for pair in zip(quantities, units, strict=True):
            if pair not in self._pairs and len(self._pair_names) < 1 << PAIR_BITS:
                self._pairs[pair] = len(self._pair_names)
                self._pair_names.append(pair)
        return [self._pairs[pair] for pair in zip(quantities, units, strict=True)]

    def _resolve(self, key: int) -> int:
        """Return the link of a key that was never seen; this may make its series."""
        slot, (quantity, text) = key >> PAIR_BITS, self._pair_names[key & ((1 << PAIR_BITS) - 1)]
        sent = None if text is None else ucum(text)
        if QUANTITY_PATTERN.fullmatch(quantity) is None or (text is not None and sent is None):
            return NO_LINK
        number = self._book.find(slot, quantity)
        known = None if number == ABSENT else self._book.unit(number)
        settled = settle_unit(quantity, "number", sent, known=known, readable=True)
        if not isinstance(settled, SettledUnit):
            return NO_LINK
        if number == ABSENT:
            number = self._book.create(slot, quantity, settled.unit, settled.kind)
        return self._add(number, settled)

    def _add(self, number: int, settled: SettledUnit) -> int:
        link = self._count
        self._count += 1
        if link >= len(self._series):
            self._series = np.concatenate([self._series, np.full_like(self._series, ABSENT)])
            self._factors = np.concatenate([self._factors, np.ones_like(self._factors)])
            self._offsets = np.concatenate([self._offsets, np.zeros_like(self._offsets)])
        self._series[link] = number
        self._factors[link] = settled.conversion.factor
        self._offsets[link] = settled.conversion.offset
        return link
