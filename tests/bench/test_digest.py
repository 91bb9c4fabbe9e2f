"""The proof that every observation arrived once and unchanged: it has to fail when one did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.digest import Digest, DigestOfSeries, check, expected_digest
from bench.result import BenchFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtest.report import LoadReport

    Row = tuple[str, str, int, float]
    Rows = Callable[[LoadReport], list[Row]]


def digest_of(rows: list[Row], at_once: int = 1_000) -> Digest:
    """Make a digest as a store does: series are numbered as they come."""
    digest = DigestOfSeries()
    names: dict[tuple[str, str], int] = {}
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        series = [
            names[key] if key in names else names.setdefault(key, digest.name(*key))
            for row in some
            for key in [row[:2]]
        ]
        digest.add(
            np.array(series, np.int32),
            np.array([row[2] for row in some]),
            np.array([row[3] for row in some]),
        )
    return digest.digest()


def test_what_was_sent_is_what_must_be_stored(report: LoadReport, rows_of: Rows) -> None:
    rows = rows_of(report)
    assert len(rows) == 10
    check(expected_digest(report), digest_of(rows), "store")


def test_neither_order_nor_batches_matter(report: LoadReport, rows_of: Rows) -> None:
    rows = rows_of(report)[::-1]
    check(expected_digest(report), digest_of(rows, at_once=3), "store")


def test_two_loads_one_after_the_other_are_one(report: LoadReport, rows_of: Rows) -> None:
    rows = rows_of(report) * 2
    check(expected_digest(report, report), digest_of(rows), "store")


def lose(rows: list[Row]) -> list[Row]:
    return rows[1:]


def double(rows: list[Row]) -> list[Row]:
    return [*rows, rows[0]]


def lose_one_and_double_another(rows: list[Row]) -> list[Row]:
    return [*rows[2:], rows[2], rows[3]]


def change_a_value(rows: list[Row]) -> list[Row]:
    device, quantity, time_us, value = rows[0]
    return [(device, quantity, time_us, value + 0.1), *rows[1:]]


def change_a_time(rows: list[Row]) -> list[Row]:
    device, quantity, time_us, value = rows[0]
    return [(device, quantity, time_us + 1, value), *rows[1:]]


def swap_two_values(rows: list[Row]) -> list[Row]:
    first, second = rows[0], rows[2]
    assert first[1] == second[1]
    return [(*first[:3], second[3]), rows[1], (*second[:3], first[3]), *rows[3:]]


def give_it_to_another_device(rows: list[Row]) -> list[Row]:
    return [("d0000002", *rows[0][1:]), *rows[1:]]


@pytest.mark.parametrize(
    "spoil",
    [
        lose,
        double,
        lose_one_and_double_another,
        change_a_value,
        change_a_time,
        swap_two_values,
        give_it_to_another_device,
    ],
)
def test_every_fault_is_found(
    report: LoadReport, rows_of: Rows, spoil: Callable[[list[Row]], list[Row]]
) -> None:
    with pytest.raises(BenchFailed):
        check(expected_digest(report), digest_of(spoil(rows_of(report))), "store")
