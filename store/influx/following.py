"""Follows the series that other processes, and this one before it was started, have made."""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

import threading
from collections.abc import Callable
from typing import Any, Final

from store.influx.address import BOOKS
from store.influx.book_lines import SERIES
from store.influx.catalogue import Catalogue
from store.influx.commits import Chain, Link
from store.influx.connection import Connection
from store.influx.line_protocol import literal
from store.influx.terms import read_chains
from store.interface import Series

__all__ = ["Following"]

# Readers of one process ask the server no more often.
EVERY_S: Final = 1.0


class Following:
    """Brings a catalogue up to date; any thread may ask for it."""

    def __init__(
        self,
        connection: Connection,
        catalogue: Catalogue,
        own_terms: Callable[[], frozenset[str]],
        seconds: Callable[[], float],
    ) -> None:
        """Take which terms are this process's own: their series are in the catalogue already."""
        self._connection = connection
        self._catalogue = catalogue
        self._own_terms = own_terms
        self._seconds = seconds
        self._lock = threading.Lock()
        self._looked_s: float | None = None
        # By shard and term: number of the last series read, and the limit it was read up to.
        self._read: dict[tuple[int, str], tuple[int, int]] = {}

    def look_if_due(self) -> None:
        """Look, unless somebody just has."""
        looked_s = self._looked_s
        if looked_s is None or self._seconds() - looked_s >= EVERY_S:
            self.look(read_chains(self._connection))

    def look(self, chains: dict[int, Chain]) -> None:
        """Take the series that count and are not known yet."""
        with self._lock:
            own = self._own_terms()
            wanted = [
                (shard, link)
                for shard, chain in chains.items()
                for link in chain.links
                if link.term not in own and self._of(shard, link)[1] < link.limit
            ]
            if wanted:
                self._take(wanted)
            self._looked_s = self._seconds()

    def _take(self, wanted: list[tuple[int, Link]]) -> None:
        statements = [
            f'SELECT * FROM "{SERIES}" WHERE "shard" = {literal(str(shard))}'
            f' AND "term" = {literal(link.term)} AND time > {self._of(shard, link)[0]}'
            for shard, link in wanted
        ]
        new: list[tuple[tuple[Any, ...], Series]] = []
        answers = self._connection.ask_all(BOOKS, statements)
        for (shard, link), found in zip(wanted, answers, strict=True):
            number = self._of(shard, link)[0]
            for row in (row for answer in found for row in answer.rows()):
                if row["at"] is not None and row["at"] <= link.limit:
                    number = max(number, row["time"])
                    order = (row["made"], shard, row["at"], row["time"])
                    new.append((order, _series(row)))
            self._read[shard, link.term] = number, link.limit
        new.sort(key=lambda each: each[0])
        self._catalogue.add([series for _, series in new])

    def _of(self, shard: int, link: Link) -> tuple[int, int]:
        return self._read.get((shard, link.term), (0, 0))


def _series(row: dict[str, Any]) -> Series:
    return Series(
        series=0,
        provider=row["provider"],
        device=row["device"],
        quantity=row["quantity"],
        unit=row.get("unit"),
        kind=row["kind"],
    )
