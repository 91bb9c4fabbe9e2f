"""The newest value of every series, and when each device was heard: our own state.

Seeded from the store, then fed by what ingest tells once it is stored. Ingest leaves some out under
load, so the store is asked again from time to time, as seldom as the answer is dear.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any

import msgspec

from city.live import LiveObservation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from city.scope import Scope
    from store.interface import Series

__all__ = ["LatestValues", "NewestByKind", "newest_of"]

# Some 100 MB; a larger city's latest values are a database's affair.
SERIES_MAX = 200_000

# Of each kind a page shows the newest few.
SHOWN = 8
KINDS_MAX = 100

# Provider and id.
Name = tuple[str, str]


class LatestValues:
    """Newest values by device and quantity; changed on the event loop only.

    Attributes:
        heard: When each device was last heard, by receive time (microseconds).
        observed: The time of its newest observation.
        left_out: Values that were not kept, since there are too many series.
    """

    def __init__(self, series_max: int = SERIES_MAX) -> None:
        self._values: dict[Name, dict[str, LiveObservation]] = {}
        self._series_max = series_max
        self._series = 0
        self._names: list[Name] = []
        self.heard: dict[Name, int] = {}
        self.observed: dict[Name, int] = {}
        self.left_out = 0

    def __len__(self) -> int:
        return self._series

    def offer(self, observations: list[LiveObservation]) -> None:
        """Keep what is newer than what is known."""
        for seen in observations:
            name = (seen.provider, seen.device)
            if seen.received_us > self.heard.get(name, 0):
                self.heard[name] = seen.received_us
            if seen.time_us > self.observed.get(name, 0):
                self.observed[name] = seen.time_us
            values = self._values.get(name)
            known = None if values is None else values.get(seen.quantity)
            if known is None and self._series >= self._series_max:
                self.left_out += 1
                continue
            if values is None:
                values = self._values[name] = {}
            if known is None:
                self._series += 1
            if known is None or seen.time_us >= known.time_us:
                values[seen.quantity] = seen

    def of(self, name: Name) -> list[LiveObservation]:
        """Return the newest values of a device by quantity."""
        values = self._values.get(name, {})
        return [values[quantity] for quantity in sorted(values)]

    def devices(self, scope: Scope, after: Name | None) -> Iterator[Name]:
        """Yield the devices that have values, by provider and id, behind one of them."""
        if len(self._names) != len(self._values):
            self._names = sorted(self._values)
        start = 0 if after is None else bisect.bisect_right(self._names, after)
        for index in range(start, len(self._names)):
            if scope.admits(self._names[index][0]):
                yield self._names[index]


class NewestByKind:
    """The newest few values of each kind of device, one a device and quantity."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[tuple[Name, str], LiveObservation]] = {}

    def offer(self, kind: str, seen: LiveObservation) -> None:
        """Keep a value where it is among the newest of its kind."""
        if kind not in self._kinds and len(self._kinds) >= KINDS_MAX:
            return
        newest = self._kinds.setdefault(kind, {})
        key = ((seen.provider, seen.device), seen.quantity)
        known = newest.get(key)
        if known is not None and known.time_us > seen.time_us:
            return
        newest[key] = seen
        if len(newest) > SHOWN:
            del newest[min(newest, key=lambda each: newest[each].time_us)]

    def items(self) -> list[tuple[str, list[LiveObservation]]]:
        """Return kinds by name, each with its values, newest first."""
        return [
            (kind, sorted(newest.values(), key=lambda each: each.time_us, reverse=True))
            for kind, newest in sorted(self._kinds.items())
        ]


def newest_of(series: Sequence[Series], watermarks: pa.Table) -> list[LiveObservation]:
    """Return the newest observations of a store, oldest first."""
    by_number = {each.series: each for each in series}
    rows: list[dict[str, Any]] = watermarks.to_pylist()
    # A series that is younger than the list of them comes with the next look.
    known = (row for row in rows if row["series"] in by_number)
    found = [_observation(by_number[row["series"]], row) for row in known]
    return sorted(found, key=lambda each: each.time_us)


def _observation(series: Series, row: dict[str, Any]) -> LiveObservation:
    value: float | int | bool | str = row["value"]
    if row["other"] is not None:
        value = msgspec.json.decode(row["other"], type=bool | int | str)
    return LiveObservation(
        provider=series.provider,
        device=series.device,
        quantity=series.quantity,
        value=value,
        time_us=row["time_us"],
        received_us=row["received_us"],
        flag=row["flag"],
        unit=series.unit,
        end_us=row["end_us"],
        metadata=row["metadata"],
    )
