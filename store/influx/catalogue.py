"""Which series there are, by the numbers that this process knows them by, and how points name them.

Numbers are of one process: the server keeps names. A series is never forgotten and keeps its
number as long as the process lives, so numbers stay dense, as ingest needs them.
"""

import sys
import threading
import zlib
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from store.influx.line_protocol import tag
from store.interface import Series

__all__ = ["Catalogue", "Fields", "Name", "fields_of"]

Name = tuple[str, str, str]

FIRST_SERIES: Final = 1_024
# Nanoseconds in a microsecond, the precision of an observation's time.
DIGITS: Final = 1_000
# Fields of a point that are no quantity, tags, and what InfluxDB keeps for itself.
RESERVED: Final = frozenset(
    {"time", "device", "provider", "place", "received", "flag", "end", "metadata", "at"}
)


class Fields(msgspec.Struct, frozen=True):
    """The fields of one quantity: a device's whim cannot give one field two types.

    Attributes:
        number: Numbers that may be used: float.
        failed: Numbers with flag 4 or 9, which no aggregate uses: float.
        other: What is no double, as JSON: string.
    """

    number: str
    failed: str
    other: str

    def names(self) -> tuple[str, str, str]:
        """Return all three."""
        return self.number, self.failed, self.other


def fields_of(quantity: str) -> Fields:
    """Return the fields of a quantity; quantities have no dot in their names."""
    number = f"{quantity}.number" if quantity in RESERVED else quantity
    return Fields(number, f"{quantity}.failed", f"{quantity}.other")


class Catalogue:
    """Every known series, and in columns what writing needs of each.

    Attributes:
        devices: By series, the number of its device.
        quantities: By series, the number of its quantity.
        digits: By quantity, the last three digits of a point's time where it is the first in it.
        device_tags: By device, how its tags are written.
        fields: By quantity.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[Name, int] = {}
        self._list: list[Series] = []
        self._device_numbers: dict[tuple[str, str], int] = {}
        self._quantity_numbers: dict[str, int] = {}
        self._of_device: list[list[int]] = []
        self.devices = np.zeros(FIRST_SERIES, np.int32)
        self.quantities = np.zeros(FIRST_SERIES, np.int32)
        self.digits: list[int] = []
        self.device_tags: list[str] = []
        self.fields: list[Fields] = []

    def __len__(self) -> int:
        return len(self._list)

    def series(self) -> list[Series]:
        """Return every series by number."""
        with self._lock:
            return self._list.copy()

    def get(self, number: int) -> Series:
        """Return a series."""
        return self._list[number]

    def number(self, provider: str, device: str, quantity: str) -> int | None:
        """Return the number of a series; None where nobody knows it."""
        return self._numbers.get((provider, device, quantity))

    def of_device(self, provider: str, device: str, quantity: str | None = None) -> list[Series]:
        """Return the series of a device, all or of one quantity."""
        at = self._device_numbers.get((provider, device))
        if at is None:
            return []
        found = [self._list[number] for number in self._of_device[at]]
        return [each for each in found if quantity in {None, each.quantity}]

    def fits(self, created: Sequence[Series]) -> bool:
        """Say whether series that ingest has made are known, or new under the next numbers."""
        following = len(self._list)
        for each in created:
            number = self._numbers.get((each.provider, each.device, each.quantity))
            if number is None and each.series == following:
                following += 1
            elif number != each.series:
                return False
        return True

    def add(self, series: Sequence[Series]) -> None:
        """Take series in the order in which they were made; they get the next numbers."""
        with self._lock:
            for each in series:
                key = (each.provider, each.device, each.quantity)
                if key not in self._numbers:
                    self._add(key, each)

    def _add(self, key: Name, series: Series) -> None:
        provider, device, quantity = key
        number = len(self._list)
        if number >= len(self.devices):
            for name in ("devices", "quantities"):
                column: npt.NDArray[np.int32] = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        at = self._device_numbers.setdefault((provider, device), len(self._of_device))
        if at == len(self._of_device):
            self._of_device.append([])
            self.device_tags.append(f"device={tag(device)},provider={tag(provider)}")
        kind = self._quantity_numbers.setdefault(sys.intern(quantity), len(self.fields))
        if kind == len(self.fields):
            self.fields.append(fields_of(quantity))
            self.digits.append(zlib.crc32(quantity.encode()) % DIGITS)
        self.devices[number], self.quantities[number] = at, kind
        self._of_device[at].append(number)
        self._list.append(msgspec.structs.replace(series, series=number))
        self._numbers[key] = number
