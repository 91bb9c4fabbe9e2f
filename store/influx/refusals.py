"""Which points a server refuses, found by sending halves again, and which observations they hold.

A refusal names one point of a request, or only how many. What is sent twice is the same point.
Source: InfluxDB 1.8 documentation, "InfluxDB API reference", `/write`: status 400 with `partial
write: ... dropped=N`; the other points of the request are stored.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from store.errors import RowsRefusedError
from store.influx.catalogue import Catalogue
from store.influx.connection import DATA, Connection, RefusedError
from store.influx.observation_lines import rows_of_lines
from store.interface import Batch

__all__ = ["Lines", "refused_lines"]

DROPPED: Final = re.compile(r"dropped=(\d+)")


class Lines(msgspec.Struct, frozen=True):
    """What a batch writes of observations.

    Attributes:
        places: Of the first values' rows (n,); see `store.influx.positions`.
    """

    observations: list[str]
    conflicts: list[str]
    places: npt.NDArray[np.int64]

    @property
    def all(self) -> list[str]:
        """Return every line in the order in which they are sent."""
        return self.observations + self.conflicts

    def rows_refused(
        self, store: str, catalogue: Catalogue, batch: Batch, refused: Mapping[int, str]
    ) -> RowsRefusedError:
        """Return what to raise where the server refuses some of the lines."""
        rows = rows_of_lines(catalogue, batch.observations, self.places)
        conflicts = {at - len(rows): words for at, words in refused.items() if at >= len(rows)}
        observations = {
            row: words for at, words in refused.items() if at < len(rows) for row in rows[at]
        }
        return RowsRefusedError(store=store, observations=observations, conflicts=conflicts)


def refused_lines(connection: Connection, lines: list[str], error: RefusedError) -> dict[int, str]:
    """Return the server's words by position of each refused line; the others are written.

    Args:
        connection: To the server.
        lines: What it has refused as a whole or in part.
        error: How it said so.

    Raises:
        StoreBusyError: The server does not answer.
    """
    dropped = DROPPED.search(error.words)
    if len(lines) == 1 or (dropped is not None and int(dropped[1]) >= len(lines)):
        return dict.fromkeys(range(len(lines)), error.words)
    middle = len(lines) // 2
    found: dict[int, str] = {}
    for start, part in ((0, lines[:middle]), (middle, lines[middle:])):
        try:
            connection.write(DATA, "\n".join(part).encode())
        except RefusedError as refused:
            inside = refused_lines(connection, part, refused)
            found |= {start + at: words for at, words in inside.items()}
    return found
