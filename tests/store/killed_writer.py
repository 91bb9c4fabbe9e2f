"""Writes batches that agree with themselves until somebody kills it; run with a file's path."""

import random
import sys
from pathlib import Path

import pyarrow as pa

from store.duckdb.store import DuckDBStore
from store.interface import (
    OBSERVATION_SCHEMA,
    Batch,
    GatewayCount,
    LedgerRow,
    Mark,
    QuarantineEntry,
    ReceivedRow,
    Resolution,
    Series,
)

SHARD = 3
MINUTE_US = 60_000_000


def batch(sequence: int, rows: int) -> Batch:
    """Return the batch behind a mark: each row and each sum names the mark that it makes."""
    mark = sequence + 1
    table = pa.table(
        {
            "series": [mark] * rows,
            "time_us": list(range(rows)),
            "value": [float(mark)] * rows,
            "flag": [2] * rows,
            "received_us": [0] * rows,
            "end_us": [None] * rows,
            "other": [None] * rows,
            "metadata": [None] * rows,
        },
        schema=OBSERVATION_SCHEMA,
    )
    return Batch(
        marks=[Mark(SHARD, sequence, mark)],
        counts=[GatewayCount("gateway-0", 7, SHARD, mark)],
        received=[ReceivedRow(SHARD, mark % 5 * MINUTE_US, 1)],
        ledger=[LedgerRow(SHARD, mark % 5 * MINUTE_US, "acme", "native", accepted=1, stored=rows)],
        observations=table,
        conflicts=OBSERVATION_SCHEMA.empty_table(),
        series=[Series(mark, "acme", f"meter-{mark}", "pm10", None, "number")],
        quarantine=[entry(mark)],
        resolutions=[Resolution(f"{SHARD}-{sequence}-0", "dropped", resolved_us=mark)],
    )


def entry(mark: int) -> QuarantineEntry:
    """Return an entry that the next batch will resolve."""
    return QuarantineEntry(
        id=f"{SHARD}-{mark}-0", shard=SHARD, received_us=mark, minute_us=0, topic="t",
        provider="acme", device="", route="", codec="", client="", flags=1, reason="no_route",
        words="", payload=b"x" * 500, length=500, sha256="",
    )  # fmt: skip


def main(path: Path, seed: int) -> None:
    """Write until killed; say once that writing has begun."""
    rng = random.Random(seed)
    # A small log makes checkpoints, the longest part of a commit, as likely as anything to be hit.
    store = DuckDBStore(path, wal_limit_bytes=1 << 20)
    sequence = store.marks().get(SHARD, 0)
    while True:
        store.write(batch(sequence, rng.choice([1, 100, 20_000])))
        sequence += 1
        print(sequence, flush=True)  # noqa: T201 - its reader kills it after some of them


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
