"""What ours is compared to works: each stack stores what was sent, and a run says so."""
# pyright: reportUnknownMemberType=false
# influxdb-client's types are partial.

from __future__ import annotations

import typing
from typing import TYPE_CHECKING

import msgspec
import pytest
from pydantic import ValidationError

from bench.digest import check, expected_digest
from bench.textbook import textbook, tuned
from bench.textbook.line_sink import LineCounter
from bench.textbook.rig import Stack, run_stack, run_stack_into_influx
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtest.report import LoadReport

TOPIC = "madina/v1/load/d0000007/up"
PAYLOAD = (
    b'{"t":1772600000123,"id":"1","obs":[{"q":"pm2_5","v":35.1,"u":"ug/m3"},'
    b'{"q":"temperature","v":-0.5}]}'
)
LINES = [
    "observation,device=d0000007,provider=load,quantity=pm2_5 value=35.1 1772600000123",
    "observation,device=d0000007,provider=load,quantity=temperature value=-0.5 1772600000123",
]


def test_both_stacks_write_the_same_lines() -> None:
    assert [point.to_line_protocol() for point in textbook.to_points(TOPIC, PAYLOAD)] == LINES
    assert tuned.to_lines(TOPIC, PAYLOAD) == LINES


def test_both_stacks_refuse_what_is_no_message() -> None:
    with pytest.raises(ValidationError):
        list(textbook.to_points(TOPIC, b'{"obs":[]}'))
    with pytest.raises(msgspec.MsgspecError):
        tuned.to_lines(TOPIC, b'{"obs":[]}')


def test_the_sink_reads_lines_and_counts_what_it_cannot_read(
    report: LoadReport, rows_of: Callable[[LoadReport], list[tuple[str, str, int, float]]]
) -> None:
    counter = LineCounter()
    lines = [
        f"observation,device={device},provider=load,quantity={quantity}"
        f" value={value} {time_us // 1_000}"
        for device, quantity, time_us, value in rows_of(report)
    ]
    counter.add("\n".join([*lines, "something else"]).encode())
    assert (counter.rows, counter.unread) == (10, 1)
    check(expected_digest(report), counter.digest.digest(), "sink")


@pytest.mark.live
@pytest.mark.parametrize("stack", typing.get_args(Stack))
def test_a_stack_stores_what_was_sent(stack: Stack) -> None:
    plan = LoadPlan(port=0, connections=5, messages=2_000)
    sample = run_stack(stack, plan)
    assert sample.messages == 2_000
    assert sample.cost > 0
    assert sample.parts["all_in"] > sample.cost


@pytest.mark.live
@pytest.mark.parametrize("stack", typing.get_args(Stack))
def test_every_row_of_a_stack_is_looked_for_in_its_database(stack: Stack) -> None:
    sample = run_stack_into_influx(stack, LoadPlan(port=0, connections=5, messages=2_000))
    assert sample.messages == 2_000
    assert sample.parts["influxd"] > 0


def test_influxdb_python_is_given_the_same_points() -> None:
    for point, line in zip(textbook.to_dictionaries(TOPIC, PAYLOAD), LINES, strict=True):
        tags = "".join(f",{name}={value}" for name, value in point["tags"].items())
        value = point["fields"]["value"]
        assert f"{point['measurement']}{tags} value={value} {point['time']}" == line
