"""Ingest with something left out, to see what that part costs: the baseline of `pipeline`.

`BareApplier` only reads frames and payloads into columns: no registry, units, time rules,
duplicates, quarantine or ledger. `without_ledger` takes the sums out of the real one.
"""

from __future__ import annotations

import contextlib
from itertools import chain
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import pyarrow as pa

from city.frame import decode_frame
from ingest.codecs.native import decode_bulk
from ingest.seams import Applied
from store.interface import OBSERVATION_SCHEMA, Batch, GatewayCount, Mark, Series

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.apply.tally import Tally
    from ingest.seams import LoggedFrame
    from store.interface import Store

__all__ = ["BareApplier", "without_ledger"]

QUANTITIES_MAX = 16
NOTHING = OBSERVATION_SCHEMA.empty_table()


class BareApplier:
    """`ingest.seams.Applying` that believes everything."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marks: dict[int, int] = {}
        self._topics: dict[bytes, int] = {}
        self._quantities: dict[str, int] = {}
        self._series = np.empty(0, np.int32)
        self._count = 0
        self._created: list[Series] = []

    def load(self) -> dict[int, int]:
        """See `Applying.load`."""
        self._marks = self._store.marks()
        return dict(self._marks)

    def counted(self, data: bytes) -> bool | None:  # noqa: ARG002 - the seam's signature
        """Remember nothing of gateways' counts: a bench has one log, which stays."""
        return None

    def apply(self, frames: list[LoggedFrame]) -> Applied:
        """See `Applying.apply`."""
        read = [decode_frame(each.data) for each in frames]
        topics = list(chain.from_iterable(each.topics for each in read))
        received_us = np.repeat(
            [each.received_us for each in read], [len(each.topics) for each in read]
        )
        ends = {each.shard: each.sequence for each in frames}
        counts = {(each.gateway, each.epoch, each.shard): each.count_after for each in read}
        observations = self._table(topics, [p for each in read for p in each.payloads], received_us)
        self._store.write(
            Batch(
                marks=[Mark(shard, self._marks.get(shard, 0), end) for shard, end in ends.items()],
                counts=[GatewayCount(*key, count) for key, count in counts.items()],
                received=[],
                ledger=[],
                observations=observations,
                conflicts=NOTHING,
                series=self._take_created(),
            )
        )
        self._marks |= ends
        return Applied(ends, len(topics), observations.num_rows, 0, 0.0, 0.0)

    def _table(
        self, topics: list[bytes], payloads: list[bytes], received_us: npt.NDArray[np.int64]
    ) -> pa.Table:
        bulk = decode_bulk(payloads)
        assert not bulk.refused, "the load sends plain messages"
        message = np.repeat(np.arange(len(payloads)), bulk.counts)
        numbers = self._topics
        topic = np.array([numbers.setdefault(each, len(numbers)) for each in topics])
        kinds = self._quantities
        kind = np.array([kinds.setdefault(each, len(kinds)) for each in bulk.quantities])
        series = self._find(topic[message] * QUANTITIES_MAX + kind)
        rows = len(series)
        nothing = pa.nulls(rows)
        return pa.Table.from_arrays(
            [
                pa.array(series, pa.int32()),
                pa.array(bulk.times_us[message]),
                pa.array(bulk.values),
                pa.array(np.zeros(rows, np.uint8)),
                pa.array(received_us[message]),
                nothing.cast(pa.int64()),
                nothing.cast(pa.string()),
                nothing.cast(pa.string()),
            ],
            schema=OBSERVATION_SCHEMA,
        )

    def _find(self, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the series of each topic and quantity, made where there is none."""
        missing = len(self._topics) * QUANTITIES_MAX - len(self._series)
        if missing > 0:
            self._series = np.append(self._series, np.full(missing, -1, np.int32))
        new: list[int] = np.unique(codes[self._series[codes] < 0]).tolist()
        topics, quantities = list(self._topics), list(self._quantities)
        for code in new:
            _, _, provider, device, _ = topics[code // QUANTITIES_MAX].decode().split("/")
            quantity = quantities[code % QUANTITIES_MAX]
            self._created.append(Series(self._count, provider, device, quantity, None, "number"))
            self._series[code] = self._count
            self._count += 1
        return self._series[codes]

    def _take_created(self) -> list[Series]:
        created, self._created = self._created, []
        return created


def without_ledger() -> contextlib.AbstractContextManager[object]:
    """Return a block in which the real applier sums nothing up."""
    block = contextlib.ExitStack()
    for name in ("ingest.applier.received_rows", "ingest.apply.tally.Tally.rows"):
        block.enter_context(patch(name, _nothing))
    block.enter_context(patch("ingest.apply.batching._settled", _same))
    return block


def _nothing(*_arguments: object) -> list[object]:
    return []


def _same(tally: Tally, *_arguments: object) -> Tally:
    return tally
