"""What ingest asks: how far each series has come, what is stored at a late time, recent keys.

Points of a place beyond what is committed are what a writer had begun that died: they are passed
over, so that the frame is decided again exactly as it was.
"""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Final

import pyarrow as pa

from city.clock import US_PER_MINUTE
from store.influx.address import BOOKS
from store.influx.book_lines import RECENT
from store.influx.catalogue import Catalogue, fields_of
from store.influx.connection import DATA, Answer, Connection, rows_of
from store.influx.line_protocol import identifier, tag_text
from store.influx.observation_lines import CONFLICTS, NS_PER_US, OBSERVATIONS
from store.influx.points import (
    ABOUT,
    Found,
    Limits,
    counts,
    device_condition,
    found_in,
    selected,
    table_of,
)
from store.influx.positions import place_limit, shard_of
from store.interface import RecentKey, Series

__all__ = ["find", "find_conflicts", "read_recent", "read_watermarks"]

RECENT_KEPT: Final = 64
# Late rows of a device this far apart are looked up apart; further where they lie regularly so far
# apart, since what is stored of such a device is then no denser by much.
LATE_GAP_US: Final = 60 * US_PER_MINUTE
LATE_GAP_MAX_US: Final = 48 * 60 * US_PER_MINUTE
GAP_TIMES: Final = 4
STATEMENTS: Final = 200
# InfluxDB's times are 64 bits of nanoseconds: from 1677 to 2262.
TIME_END_US: Final = 9_223_372_036_000_000

Late = dict[tuple[str, str], dict[int, list[Series]]]


def read_watermarks(connection: Connection, catalogue: Catalogue, limits: Limits) -> pa.Table:
    """Return the newest observation of each series that counts, by series."""
    newest: dict[int, Found] = {}
    present = _present_fields(connection)
    for quantity in sorted({each.quantity for each in catalogue.series()}):
        for field in fields_of(quantity).names():
            if field in present:
                _take_newest(connection, catalogue, limits, (quantity, field), newest)
    return table_of([newest[number] for number in sorted(newest)])


def _present_fields(connection: Connection) -> set[str]:
    rows = connection.rows(DATA, f'SHOW FIELD KEYS FROM "{OBSERVATIONS}"')
    return {row["fieldKey"] for row in rows}


def _take_newest(
    connection: Connection,
    catalogue: Catalogue,
    limits: Limits,
    of: tuple[str, str],
    newest: dict[int, Found],
) -> None:
    quantity, field = of
    begun: list[tuple[Series, int]] = []
    for answer in connection.ask(DATA, _last(field)):
        series = _series(catalogue, answer, quantity)
        if series is None:
            continue
        for row in answer.rows():
            if counts(row, limits):
                _keep(newest, row, series)
            else:
                begun.append((series, limits.get(shard_of(row["place"]), 0)))
    _take_before(connection, limits, field, begun, newest)


def _take_before(
    connection: Connection,
    limits: Limits,
    field: str,
    begun: list[tuple[Series, int]],
    newest: dict[int, Found],
) -> None:
    """Take the newest that counts of series whose newest does not, each with its limit."""
    for start in range(0, len(begun), STATEMENTS):
        some = begun[start : start + STATEMENTS]
        statements = [
            _last(
                field,
                f"{device_condition(each.provider, each.device)}"
                f' AND "place" <= {place_limit(limit)}',
            )
            for each, limit in some
        ]
        answers = connection.ask_all(DATA, statements)
        for (series, _), found in zip(some, answers, strict=True):
            for row in filter(lambda row: counts(row, limits), rows_of(found)):
                _keep(newest, row, series)


def _last(field: str, where: str = "") -> str:
    about = ", ".join(map(identifier, ABOUT))
    condition = f" WHERE {where}" if where else ""
    return (
        f'SELECT last({identifier(field)}) AS {identifier(field)}, {about} FROM "{OBSERVATIONS}"'
        f'{condition} GROUP BY "device", "provider"'
    )


def _series(catalogue: Catalogue, answer: Answer, quantity: str) -> Series | None:
    number = catalogue.number(
        tag_text(answer.tags["provider"]), tag_text(answer.tags["device"]), quantity
    )
    return None if number is None else catalogue.get(number)


def _keep(newest: dict[int, Found], row: dict[str, Any], series: Series) -> None:
    for found in found_in(row, [(series, fields_of(series.quantity))]):
        known = newest.get(found.series)
        if known is None or known.time_us < found.time_us:
            newest[found.series] = found


def find(connection: Connection, catalogue: Catalogue, late: pa.Table, limits: Limits) -> pa.Table:
    """Return the stored first values at the (series, time) of a table of `LATE_SCHEMA`."""
    return _find(connection, _late(catalogue, late), OBSERVATIONS, limits)


def find_conflicts(
    connection: Connection, catalogue: Catalogue, late: pa.Table, limits: Limits
) -> pa.Table:
    """Return the stored conflicts at the (series, time) of a table of `LATE_SCHEMA`."""
    # They lie by the time of receipt. Without a bound each statement would open the files of all
    # times that the city has observations of.
    oldest = connection.rows(DATA, f'SELECT first("place") FROM "{CONFLICTS}"')
    if not oldest:
        return table_of([])
    since = f" AND time >= {oldest[0]['time']}"
    return _find(connection, _late(catalogue, late), CONFLICTS, limits, since)


def _late(catalogue: Catalogue, late: pa.Table) -> Late:
    """Return the wanted series by device and time."""
    wanted: Late = {}
    keys = zip(late.column("series").to_pylist(), late.column("time_us").to_pylist(), strict=True)
    for number, time_us in keys:
        if number < len(catalogue) and abs(time_us) < TIME_END_US:
            series = catalogue.get(number)
            times = wanted.setdefault((series.provider, series.device), {})
            times.setdefault(time_us, []).append(series)
    return wanted


def _find(
    connection: Connection, wanted: Late, measurement: str, limits: Limits, since: str = ""
) -> pa.Table:
    """Look up device by device, as many in one request as the server likes."""
    # Conflicts are kept by the time of receipt: one look at those of a device finds all of them.
    cover = _stretches if measurement == OBSERVATIONS else _whole
    asked = [
        (times, _statement(measurement, device, times, stretch) + since)
        for device, times in wanted.items()
        for stretch in cover(sorted(times))
    ]
    found: list[Found] = []
    for start in range(0, len(asked), STATEMENTS):
        some = asked[start : start + STATEMENTS]
        answers = connection.ask_all(DATA, [statement for _, statement in some])
        for (times, _), answer in zip(some, answers, strict=True):
            found += _matches(answer, times, limits)
    return table_of(found)


def _statement(
    measurement: str,
    device: tuple[str, str],
    times: dict[int, list[Series]],
    stretch: tuple[int, int],
) -> str:
    low_us, high_us = stretch
    series = {each.series: each for time_us in times for each in times[time_us]}
    if measurement == OBSERVATIONS:
        columns = selected(series.values())
        within = f"time >= {low_us * NS_PER_US} AND time < {(high_us + 1) * NS_PER_US}"
    else:
        columns = selected(series.values(), "at")
        within = f'"at" >= {low_us} AND "at" <= {high_us}'
    return f'SELECT {columns} FROM "{measurement}" WHERE {device_condition(*device)} AND {within}'


def _matches(
    answers: Iterable[Answer], times: dict[int, list[Series]], limits: Limits
) -> list[Found]:
    found: list[Found] = []
    for row in rows_of(answers):
        time_us = row["at"] if "at" in row else row["time"] // NS_PER_US
        series = times.get(time_us)
        if series and counts(row, limits):
            pairs = [(each, fields_of(each.quantity)) for each in series]
            found += found_in(row, pairs, time_us)
    return found


def _whole(times: Sequence[int]) -> list[tuple[int, int]]:
    return [(times[0], times[-1])]


def _stretches(times: Sequence[int]) -> list[tuple[int, int]]:
    """Cover sorted instants by ranges that are split at wide gaps."""
    stretches: list[tuple[int, int]] = []
    usual_us = median(after - before for before, after in pairwise(times)) if times[1:] else 0
    gap_us = min(max(GAP_TIMES * usual_us, LATE_GAP_US), LATE_GAP_MAX_US)
    for time_us in times:
        if stretches and time_us - stretches[-1][1] <= gap_us:
            stretches[-1] = (stretches[-1][0], time_us)
        else:
            stretches.append((time_us, time_us))
    return stretches


def read_recent(connection: Connection, limits: Limits) -> list[RecentKey]:
    """Return the last keys of each device, oldest first."""
    answers = connection.ask(
        BOOKS,
        f'SELECT "key", "place" FROM "{RECENT}" GROUP BY "device", "provider"'
        f" ORDER BY time DESC LIMIT {RECENT_KEPT}",
    )
    return [
        RecentKey(
            tag_text(answer.tags["provider"]),
            tag_text(answer.tags["device"]),
            int(row["key"], 16),
            row["time"] // NS_PER_US,
        )
        for answer in sorted(answers, key=lambda each: (each.tags["provider"], each.tags["device"]))
        for row in reversed([*answer.rows()])
        if counts(row, limits)
    ]
