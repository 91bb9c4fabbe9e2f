"""Traffic's speed: harmonic, against numpy, and a contract that takes what it needs."""

import math
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.civil import window_of
from indicators.columns import observations
from indicators.compute import from_observations
from indicators.contracts import ContractError, load, read
from indicators.formulas.asked import Asked
from indicators.rows import Outcome

FOLDER = Path(__file__).parents[2] / "indicators" / "contracts"
SPEED = load().get("traffic.speed_space", "1.0.0")
UTC = ZoneInfo("UTC")
DAY = window_of("day", date(2025, 6, 2), UTC)
HOUR_US = 3_600_000_000


def speed_of_day(numbers: list[int], speeds: list[float], shift_us: int = 0) -> Outcome:
    """Compute a day of hours; speeds come so much later than numbers."""
    starts = [DAY.start_us + n * HOUR_US for n in range(len(numbers))]
    vehicles = observations(starts, [float(each) for each in numbers], interval_us=HOUR_US)
    driven = observations([each + shift_us for each in starts], speeds, interval_us=HOUR_US)
    return from_observations(Asked(SPEED, "day", DAY, UTC), vehicles, driven)


@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 2_000), st.floats(3, 160)), min_size=24, max_size=24
    ).filter(lambda pairs: any(number for number, _ in pairs))
)
def test_speed_is_harmonic_by_vehicles(pairs: list[tuple[int, float]]) -> None:
    numbers, speeds = np.asarray([n for n, _ in pairs]), np.asarray([v for _, v in pairs])
    found = speed_of_day(numbers.tolist(), speeds.tolist())
    wanted = numbers.sum() / (numbers / speeds).sum()
    assert found.unrounded is not None
    assert math.isclose(found.unrounded, wanted, rel_tol=1e-12)
    assert speeds.min() * (1 - 1e-9) <= found.unrounded <= speeds.max() * (1 + 1e-9)
    assert found.completeness == 1


def test_a_number_and_a_speed_of_the_same_minute_belong_together() -> None:
    numbers, speeds = [10] * 24, [50.0] * 24
    assert speed_of_day(numbers, speeds, shift_us=30_000_000).value == 50
    apart = speed_of_day(numbers, speeds, shift_us=90_000_000)
    assert (apart.value, apart.reason) == (None, "incomplete")


def test_a_speed_of_other_quantities_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "traffic.speed_space-1.0.0.toml").read_text(encoding="utf-8")
    path = tmp_path / "traffic.speed_space-1.0.0.toml"
    path.write_text(text.replace('quantity = "vehicles"', 'quantity = "bicycles"'))
    with pytest.raises(ContractError, match="vehicles and speed, in this order"):
        read(path)
