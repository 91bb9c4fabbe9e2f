"""A plan is arithmetic that can be followed by hand, and every figure of it has a source."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import structs

from loadtest.capacity.ask import Ask, AskError, Prices
from loadtest.capacity.calibration import Calibration
from loadtest.capacity.html import plan_html
from loadtest.capacity.needs import LEVELS, needs_of
from loadtest.capacity.plan import plan_of
from loadtest.capacity.sources import SOURCES
from loadtest.capacity.words import headline, markdown, quantity, tables

ASK = Ask(devices=900_000_000, interval_s=900, cities=1_000, peak=3, utilisation=0.5, replicas=3)


def test_a_city_needs_what_can_be_worked_out_by_hand(calibration: Calibration) -> None:
    city = needs_of(ASK, calibration, "edge", 300.0)
    # 900,000 devices, one message each in 900 s.
    assert (city.messages_per_s, city.peak_per_s, city.connections) == (1_000, 3_000, 900)
    # 2 us a message at 50 %, PINGREQs of 900 connections, and what one process uses anyway.
    assert city.gateway_cores == pytest.approx(0.012 + 900 / 300 * 2e-6 + 0.01)
    assert city.log_cores == pytest.approx(3 * (0.006 + 0.02))
    assert (city.gateways, city.ingest_workers) == (1, 1)
    assert city.memory_bytes == 900 * 5_000 + 900_000 * 300
    assert city.log_bytes == 1_000 * 150 * 86_400 * 3
    assert city.raw_bytes == 2_000 * 8 * 365 * 86_400 * 3
    assert city.out_bits_per_s == pytest.approx(100 * 50 * 64 / 3_600 * 8)
    assert city.cost_a_month is None


def test_own_connections_cost_what_a_read_costs(calibration: Calibration) -> None:
    direct, edge, sampled = (needs_of(ASK, calibration, level, 300.0) for level in LEVELS)
    # 20 us instead of 2 where each message is a read, and 900,000 connections instead of 900.
    # 15,000 connections a process: 60 of them, each of which uses something however little comes.
    assert (direct.gateways, edge.gateways) == (60, 1)
    more = direct.gateway_cores - edge.gateway_cores - 59 * 0.01
    assert more == pytest.approx(3_000 * 18e-6 / 0.5 + (900_000 * 20e-6 - 900 * 2e-6) / 300)
    assert direct.in_bits_per_s > edge.in_bits_per_s
    assert sampled.messages_per_s == edge.messages_per_s / 4


def test_prices_make_costs(calibration: Calibration) -> None:
    ask = structs.replace(ASK, prices=Prices(core_month=10, gb_month=0.02, gb_out=0.05, kwh=0.25))
    city = needs_of(ask, calibration, "edge", 300.0)
    disks = (city.log_bytes + city.raw_bytes + city.rollup_bytes_a_year) / 1e9
    out = city.out_bits_per_s / 8 * 86_400 * 365 / 12 / 1e9
    power = city.cores * 10 / 1_000 * 730 * 0.25
    assert city.cost_a_month == pytest.approx(city.cores * 10 + disks * 0.02 + out * 0.05 + power)


@given(
    devices=some.floats(1_000, 1e12),
    interval_s=some.floats(1, 86_400),
    cities=some.integers(1, 1_000),
)
def test_cities_side_by_side_need_so_many_times_what_one_needs(
    calibration: Calibration, devices: float, interval_s: float, cities: int
) -> None:
    plan = plan_of(Ask(devices=devices, interval_s=interval_s, cities=cities), calibration)
    for one, all_of_them in zip(plan.city, plan.federation, strict=True):
        for name in one.__struct_fields__:
            if name not in {"level", "cost_a_month"}:
                assert getattr(all_of_them, name) == pytest.approx(getattr(one, name) * cities)
    assert [each.devices for each in plan.limits] == sorted(each.devices for each in plan.limits)


@given(some.floats(0, 1e21))
def test_quantities_have_three_digits_and_keep_their_value(value: float) -> None:
    digits, _, prefix = quantity(value).partition(" ")
    factor = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}[prefix]
    assert float(digits.replace(",", "")) * factor == pytest.approx(value, rel=0.006, abs=1e-300)
    assert prefix == "E" or len(re.sub(r"e.*|[.,]|^0\.0*", "", digits)) <= 3


def test_quantities_as_people_write_them() -> None:
    assert quantity(33_333, "B/s") == "33.3 kB/s"
    assert quantity(999.7) == "1 k"
    assert quantity(0) == "0"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"devices": 0}, "devices 0 is too small"),
        ({"interval_s": 0}, "interval 0 is too small"),
        ({"devices": float("nan")}, "devices nan is too small"),
        ({"peak": 0.5}, "peak 0.5 is too small: the busiest second has at least the mean"),
        ({"utilisation": 1.5}, "utilisation 1.5 is no share"),
        ({"replicas": 0}, "replicas 0 is too small"),
        ({"behind": 0}, "behind 0 is too small"),
        ({"devices": 10}, "1,000 cities have 10 devices"),
        ({"format": "xml"}, "xml was not calibrated: choose one of native, influx"),
    ],
)
def test_what_means_nothing_is_refused(
    calibration: Calibration, changed: dict[str, object], words: str
) -> None:
    with pytest.raises(AskError, match=re.escape(words)):
        plan_of(structs.replace(ASK, **changed), calibration)


def test_everything_that_was_put_in_has_a_source(calibration: Calibration) -> None:
    plan = plan_of(ASK, calibration)
    assert {each.source for each in plan.assumptions} <= {*SOURCES.values()}
    assert {each.source for each in plan.limits} == {*plan.sources}
    assert "900 M devices in 1,000 cities" in headline(plan)
    text = markdown(plan)
    for title, _, rows in tables(plan):
        assert title in text
        assert all(row[0] in text for row in rows)
    without = structs.replace(calibration, broker=None)
    assert "| a broker in front | none |" in markdown(plan_of(ASK, without))


def test_a_limit_that_is_passed_and_not_built_is_said(calibration: Calibration) -> None:
    plan = plan_of(structs.replace(ASK, devices=50e9), calibration)
    text = markdown(plan)
    assert "| series of one InfluxDB 1.x | beyond it | not built: a database for each group" in text
    assert "| connections of the largest published cluster | below it | not built" in text


def test_the_page_needs_nothing_else(calibration: Calibration) -> None:
    page = plan_html(plan_of(ASK, calibration))
    assert page.startswith("<!doctype html>")
    assert "Capacity plan" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
