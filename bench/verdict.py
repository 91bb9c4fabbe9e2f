"""What became of a load, message by message: the generator's report against the store's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

    from loadtest.plan import LoadPlan
    from loadtest.report import LoadReport

__all__ = ["SEQUENCE_BITS", "Keys", "Verdict", "compare", "judge"]

Keys = npt.NDArray[np.int64]

# A message's key: device in the upper bits, sequence number in the lower.
SEQUENCE_BITS = 32


class Verdict(msgspec.Struct, frozen=True):
    """Messages by what became of them; a message is what one device sent at one time.

    Attributes:
        acked: Messages that the generator has a PUBACK for.
        stored: Messages that are in the store with all of their observations.
        lost: Acknowledged messages that are not, or not whole.
        doubled: Observations that are there more than once, or as a conflict.
        strange: Stored messages that nobody sent.
    """

    acked: int
    stored: int
    lost: int
    doubled: int
    strange: int


def judge(database: Path, reports: Iterable[LoadReport]) -> Verdict:
    """Compare a store's file, which nobody has open, with what was sent to it by one provider."""
    reports = list(reports)
    return compare(*_stored(database, reports[0].plan), reports)


def compare(stored: Keys, doubled: int, reports: list[LoadReport]) -> Verdict:
    """Compare what is stored with what was sent.

    Args:
        stored: Key of each message that is there whole.
        doubled: Observations that are there more than once, or as a conflict.
        reports: Of one provider's loads, in the order in which they ran.
    """
    plan = reports[0].plan
    sent = np.concatenate([_sent(report, plan) for report in reports])
    unacked = np.concatenate([_unacked(report, plan) for report in reports])
    acked = np.setdiff1d(sent, unacked)
    return Verdict(
        acked=len(acked),
        stored=len(stored),
        lost=len(np.setdiff1d(acked, stored)),
        doubled=doubled,
        strange=len(np.setdiff1d(stored, sent)),
    )


def _sent(report: LoadReport, first: LoadPlan) -> Keys:
    parts = [
        _keys(report.plan, first, connection, np.arange(count, dtype=np.int64))
        for connection, count in enumerate(report.sent_by_connection)
    ]
    return np.concatenate(parts)


def _unacked(report: LoadReport, first: LoadPlan) -> Keys:
    parts = [
        _keys(report.plan, first, connection, np.array(numbers, np.int64))
        for connection, numbers in report.unacked.items()
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _keys(plan: LoadPlan, first: LoadPlan, connection: int, numbers: Keys) -> Keys:
    """Return keys of a connection's messages; sequence numbers count from the first plan's time."""
    sequence, turn = np.divmod(numbers, plan.devices_per_connection)
    device = plan.first_device + connection * plan.devices_per_connection + turn
    ahead = (plan.first_ms - first.first_ms) // first.step_ms
    return (device << SEQUENCE_BITS) + sequence + ahead


def _stored(database: Path, plan: LoadPlan) -> tuple[Keys, int]:
    """Return messages with all of their observations, and how many observations are too many."""
    query = f"""
        SELECT device::BIGINT << {SEQUENCE_BITS} | sequence AS key,
               count(*) AS rows, count(DISTINCT series) AS different
        FROM (SELECT substr(series.device, 2) AS device, series.series,
                     (time_us // 1000 - {plan.first_ms}) // {plan.step_ms} AS sequence
              FROM observations JOIN series USING (series) WHERE provider = '{plan.provider}')
        GROUP BY key
        """  # noqa: S608 - numbers of a plan
    with duckdb.connect(str(database), read_only=True) as connection:
        relation: Any = connection.sql(query)
        found: pa.Table = relation.to_arrow_table()
        (conflicts,) = connection.execute("SELECT count(*) FROM conflicts").fetchall()[0]
    key, rows, different = (found.column(name).to_numpy() for name in ("key", "rows", "different"))
    whole: Keys = key[different == plan.observations].astype(np.int64)
    return whole, int((rows - different).sum()) + int(conflicts)
