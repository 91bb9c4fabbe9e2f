"""Messages a second from devices into DuckDB, and what its rows cost (G15, G17).

End to end: QoS 1 over sockets, gateway, log and node on the same cores as the generator, verified
message by message. The rows are written as ingest writes them: marks, counts and the ledger's sums
in each transaction; against row-by-row inserts, and against a floor.
"""

from __future__ import annotations

from functools import partial
from statistics import median

import msgspec

from bench.end_to_end import end_to_end
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
# End to end: as every bench, one device a connection; the others take turns on their connections.
DEVICES, RUN_S = 200, 15.0
MORE_SERIES = (20_000, *SERIES)
# A native message of two observations, as every bench sends it.
PAYLOAD_BYTES, OBSERVATIONS = 140, 2


class _Costs(msgspec.Struct, frozen=True):
    """Rows of ours against those of others."""

    rowwise: Paired
    floor: Paired
    written: float
    compacted: float

    @property
    def payload_to_rows(self) -> float:
        return PAYLOAD_BYTES / (OBSERVATIONS * self.written)


def measure(seconds: float | None) -> BenchResult:
    """Measure the way of a message into the store, and the store alone.

    Raises:
        BenchFailed: What is in a file is not what was sent or written.
    """
    runs = [end_to_end(DEVICES, seconds or RUN_S) for _ in range(1 if seconds else 3)]
    rate = median(each.rate_per_s for each in runs)
    many = [end_to_end(series // OBSERVATIONS, seconds or RUN_S) for series in MORE_SERIES]
    rows = int(ROWS_A_SECOND * (seconds or SECONDS))
    costs = _costs(rows, pairs=5 if seconds is None else 3)
    row_ratio, times_floor = costs.rowwise.ratio(), 1 / costs.floor.ratio()
    smaller = costs.payload_to_rows
    return BenchResult(
        bench="duckdb",
        unit="msg/s end to end, QoS 1",
        value=rate,
        baseline=None,
        ratio=row_ratio,
        samples=[msgspec.to_builtins(each) for each in (*runs, *many)],
        goals=[
            Goal("end to end", rate, ">= 80,000 msg/s, ledger difference 0", rate >= 80_000),
            Goal("G15", row_ratio, ">= 100 x executemany", row_ratio >= 100),
            Goal("G15 floor", times_floor, "<= 8 x INSERT SELECT", times_floor <= 8),
            Goal("G17", smaller, ">= 8 x smaller than its JSON", smaller >= 8),
        ],
        extra={
            "by_series": {
                str(series): each.rate_per_s for series, each in zip(MORE_SERIES, many, strict=True)
            },
            "us_a_row": {
                "ours": costs.rowwise.cost(),
                "executemany": costs.rowwise.baseline(),
                "floor": costs.floor.baseline(),
            },
            "by_batch": _by_batch(rows),
            "bytes_a_row": {"written": costs.written, "compacted": costs.compacted},
            "commit_ms": {
                name: costs.rowwise.median_of(name) for name in sorted(costs.rowwise.ours[0].parts)
            },
            "control": [costs.rowwise.control, costs.floor.control],
            "noisy": costs.rowwise.noisy or costs.floor.noisy,
        },
    )


def _costs(rows: int, pairs: int) -> _Costs:
    load = Load(rows, batch=5_000, series=SERIES[0])
    few = Load(ROWS_BY_ROW, batch=5_000, series=SERIES[0])
    say("rows: against executemany")
    rowwise = measure_pairs(partial(by_store, load), partial(by_rows, few), pairs)
    say("rows: against an INSERT of the same tables")
    floor = measure_pairs(partial(by_store, load), partial(by_floor, load), pairs)
    return _Costs(rowwise, floor, *stored_bytes(Load(ROWS_STORED, 5_000, SERIES[0])))


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
