"""The embedded store: CPU of a row against row-by-row inserts and against a floor (G15, G17).

Ours writes what ingest writes: marks, counts and the ledger's sums are in each transaction.
"""

from __future__ import annotations

from functools import partial
from statistics import median

from bench.pairs import Paired, measure_pairs
from bench.progress import say
from bench.result import BenchResult, Goal
from bench.store_writes import Load, by_floor, by_rows, by_store, stored_bytes

__all__ = ["measure"]

BATCHES = (500, 2_000, 5_000, 20_000)
SERIES = (100_000, 1_000_000)
# executemany costs some hundred times more a row: as many rows would take an hour.
ROWS_BY_ROW = 4_000
ROWS_A_SECOND = 700_000
# Below some million rows the unused part of the file's last blocks counts.
ROWS_STORED = 3_000_000
SECONDS = 2.0
# A native message of two observations, as every bench sends it.
PAYLOAD_BYTES, OBSERVATIONS = 140, 2


def measure(seconds: float | None) -> BenchResult:
    """Measure writes of the store alone.

    Raises:
        BenchFailed: What is in a file is not what was written.
    """
    rows = int(ROWS_A_SECOND * (seconds or SECONDS))
    load = Load(rows, batch=5_000, series=SERIES[0])
    pairs = 5 if seconds is None else 3
    say("against executemany")
    rowwise = measure_pairs(
        partial(by_store, load), partial(by_rows, Load(ROWS_BY_ROW, 5_000, SERIES[0])), pairs
    )
    say("against an INSERT of the same tables")
    floor = measure_pairs(partial(by_store, load), partial(by_floor, load), pairs)
    written, compacted = stored_bytes(Load(ROWS_STORED, batch=5_000, series=SERIES[0]))
    times_floor = 1 / floor.ratio()
    return BenchResult(
        bench="duckdb",
        unit="us CPU a row",
        value=rowwise.cost(),
        baseline=rowwise.baseline(),
        ratio=rowwise.ratio(),
        samples=[*rowwise.samples, *floor.samples],
        goals=[
            Goal("G15", rowwise.ratio(), ">= 100 x executemany", rowwise.ratio() >= 100),
            Goal("G15 floor", times_floor, "<= 8 x INSERT SELECT", times_floor <= 8),
            Goal(
                "G17",
                PAYLOAD_BYTES / (OBSERVATIONS * written),
                ">= 8 x smaller than the JSON of the same observations",
                PAYLOAD_BYTES / (OBSERVATIONS * written) >= 8,
            ),
        ],
        extra={
            "by_batch": _by_batch(rows),
            "bytes_a_row": {"written": written, "compacted": compacted},
            "commit_ms": {name: rowwise.median_of(name) for name in _commit_parts(rowwise)},
            "control": [rowwise.control, floor.control],
            "noisy": rowwise.noisy or floor.noisy,
        },
    )


def _commit_parts(paired: Paired) -> list[str]:
    return sorted(paired.ours[0].parts)


def _by_batch(rows: int) -> list[dict[str, float]]:
    """Return the cost by rows a transaction and by series, median of three."""
    found: list[dict[str, float]] = []
    for series in SERIES:
        for batch in BATCHES:
            # Small batches take longer: the same number of transactions is enough of them.
            load = Load(min(rows, batch * 200), batch, series)
            runs = [by_store(load) for _ in range(3)]
            cost = median(each.cost for each in runs)
            say(f"{series:,} series, batches of {batch:,}: {cost:.2f} us a row")
            found.append(
                {
                    "series": series,
                    "batch": batch,
                    "us_a_row": cost,
                    "rows_a_s": median(each.parts["rows_a_s"] for each in runs),
                    "commit_p99_ms": median(each.parts["commit_p99_ms"] for each in runs),
                }
            )
    return found
