"""Which series there are, kept in columns: a city has millions of them."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

import numpy as np

from ingest.apply.int_table import ABSENT, IntTable
from ingest.apply.rules import SettledUnit
from store.interface import Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from ingest.apply.view import RegistryView
    from store.interface import Kind

__all__ = ["SeriesBook"]

# Slots are shifted by this much; quantities are numbered below it.
QUANTITY_BITS: Final = 22


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
        return ABSENT if at is None else self._numbers.get(slot << QUANTITY_BITS | at)

    def find_all(
        self, slots: npt.NDArray[np.int64], quantities: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the series of devices and numbers of quantities, `ABSENT` where there is none."""
        return self._numbers.find((slots << QUANTITY_BITS) | quantities)

    def quantity_number(self, quantity: str) -> int:
        """Return the number of a quantity, for `find_all`."""
        at = self._quantities.setdefault(quantity, len(self._quantities))
        if at == len(self._quantity_names):
            self._quantity_names.append(quantity)
        return at

    def unit_numbers(self, series: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the numbers of the units of series (n,)."""
        # A view that would live on would keep the column from growing.
        return np.frombuffer(memoryview(self._unit_of), np.int32)[series]

    def numbered_unit(self, number: int) -> SettledUnit:
        """Return a unit and kind by its number."""
        return self._unit_list[number]

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
        at = self.quantity_number(quantity)
        self._numbers.put(slot << QUANTITY_BITS | at, number)
        self._slot_of.append(slot)
        self._quantity_of.append(at)
        self._unit_of.append(self._units.setdefault(unit, len(self._units)))
        if len(self._unit_list) < len(self._units):
            self._unit_list.append(unit)
        return number
