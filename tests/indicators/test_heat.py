"""Heat: the index by its published values, samples in pairs, days by their extremes, runs."""

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.areas import Area
from indicators.civil import window_of
from indicators.columns import observations
from indicators.contracts import ContractError, load, read
from indicators.contracts.shapes import HeatIndex
from indicators.engine import Job
from indicators.formulas.extremes import in_run
from indicators.formulas.heat import heat_index_f, humidity_of, joined

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Town

MINUTE_US = 60_000_000
FOLDER = "indicators/contracts"
SECOND_INPUT = """[[inputs]]
quantity = "humidity"
unit = "%"
statistic = "mean"
longest_interval_s = 60

"""


@pytest.mark.parametrize(
    ("temperature", "humidity", "index"),
    [
        (70, 50, 69.525), (80, 40, 79.79), (90, 70, 105.922),
        (100, 10, 94.122), (82, 90, 91.992), (110, 5, 101.402),
        (40, 90, 40), (40.1, 90, 39.07),
    ],
)  # fmt: skip
def test_the_index_is_the_published_one(temperature: float, humidity: float, index: float) -> None:
    found = heat_index_f(np.asarray([float(temperature)]), np.asarray([float(humidity)]))
    assert float(found[0]) == pytest.approx(index, abs=1e-3)


def test_air_at_its_dew_point_is_saturated() -> None:
    found = humidity_of(np.asarray([20.0, 20.0]), np.asarray([20.0, 9.3]))
    assert found.tolist() == pytest.approx([100, 50], abs=0.2)


def test_samples_of_the_same_minute_are_one_pair() -> None:
    air = observations([0, 61, 62, 180], [1.0, 2, 3, 4], interval_us=60)
    damp = observations([30, 119, 240], [7.0, 8, 9], interval_us=60)
    one, other = joined(air, damp, 60)
    assert (one.value.tolist(), other.value.tolist()) == ([1, 2], [7, 8])


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 5))
def test_the_days_around_tell_whether_a_day_is_in_a_run(above: list[bool], run: int) -> None:
    whole = [in_run(above, day, run) for day in range(len(above))]
    padded = [False] * run + above + [False] * run
    nearby = [in_run(padded[day + 1 : day + 2 * run], run - 1, run) for day in range(len(above))]
    assert nearby == whole


def test_runs_of_hot_days_are_counted_whole() -> None:
    highest = [34, 36, 37, 36, 33, 36, 36, 35, 36, 37, 38, 30]
    above = [each > 35 for each in highest]
    counted = [in_run(above, day, 3) for day in range(len(above))]
    assert sum(counted) == 6
    assert not counted[5]


@pytest.mark.parametrize(
    ("name", "old", "new", "field"),
    [
        ("heat.index-1.0.0", 'quantity = "humidity"\nunit = "%"',
         'quantity = "pressure"\nunit = "hPa"', "inputs"),
        ("heat.index-1.0.0", 'lower = "103"', 'lower = "89"', "bands[2]"),
        ("heat.wave_day-1.0.0", "run = 3", "run = 0", "formula.run"),
        ("heat.summer_day-1.0.0", "day = 0.75, ", "", "completeness.day"),
        ("heat.summer_day-1.0.0", "[[inputs]]",
         SECOND_INPUT + "[[inputs]]", "inputs"),
    ],
)  # fmt: skip
def test_a_broken_contract_is_refused(
    tmp_path: "Path", pytestconfig: pytest.Config, name: str, old: str, new: str, field: str
) -> None:
    text = (pytestconfig.rootpath / FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / f"{name}.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        read(path)
    assert caught.value.field == field


def test_one_mast_gives_both_inputs(town: "Town") -> None:
    """A device with one of the inputs has no index; channels are pairs of their own."""
    hours = range(24)
    for device, place in (("mast", "square"), ("bare", "yard")):
        town.device(device, place)
        town.write(device, "temperature_1", dict.fromkeys(hours, 32.0))
    town.write("mast", "humidity_1", {**dict.fromkeys(hours, 70.0), 23: math.nan})
    town.write("mast", "humidity_2", dict.fromkeys(hours, 10.0))
    town.at(25)
    town.step()
    (row,) = town.rows("heat.index", "device:acme/mast")
    assert (row.value, row.n_used, row.n_expected) == (40.4, 23, 24)
    assert row.band == "Danger"
    assert not town.rows("heat.index", "device:acme/bare")
    (row,) = town.rows("heat.summer_day", "device:acme/bare")
    assert row.value == 1
    town.write("mast", "humidity_1", {-1: 70.0}, flag=1)


def test_a_heat_wave_is_known_two_days_later_and_restated(town: "Town") -> None:
    town.device("mast", "square")
    for day in range(-1, 3):
        town.at(24 * day + 24)
        hot = 30.0 if day == -1 else 36.0
        hours = {24 * day + hour: hot for hour in range(24) if day != 2 or hour}
        town.write("mast", "temperature", hours)
        town.step()
    assert not town.rows("heat.wave_day", "device:acme/mast")
    town.at(72.5)
    town.step()
    (row,) = town.rows("heat.wave_day", "device:acme/mast")
    assert row.value == 1
    town.write("mast", "temperature", {24 * 2: 36.0})
    town.late()
    (row,) = town.rows("heat.wave_day", "device:acme/mast")
    assert (row.value, row.revision) == (1, 1)


def test_a_value_stands_on_both_inputs(town: "Town") -> None:
    town.device("mast", "square")
    town.write("mast", "temperature", {0: 32.0})
    town.write("mast", "humidity", {0: 70.0})
    town.at(2)
    contract = load().get("heat.index", "1.0.0")
    assert isinstance(contract.formula, HeatIndex)
    window = window_of("day", town.date, town.zone)
    job = Job("heat.index", "hour", type(window)(town.day_us, town.day_us + town.hour_us),
              Area("device", "acme/mast"))  # fmt: skip
    (found,) = town.engine().compute(town.city(), [job])
    assert found.row.value == 40.4
    assert found.lineage["series"] == [0, 1]
