"""A slope says which way most values go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.formulas.slopes import theil_sen

LEVELS = st.lists(st.floats(0, 100), min_size=2, max_size=40)


def test_one_wrong_level_does_not_pull_the_slope() -> None:
    days = np.arange(5)
    assert theil_sen(days, np.asarray([20, 30, 41, 95, 60.0])) == pytest.approx(10.25)


@given(LEVELS, st.floats(-10, 10))
def test_what_rises_by_so_much_more_a_step_has_a_slope_of_so_much_more(
    levels: list[float], rise: float
) -> None:
    steps, values = np.arange(len(levels)), np.asarray(levels, dtype=np.float64)
    raised = theil_sen(steps, values + np.float64(rise) * steps)
    assert raised == pytest.approx(theil_sen(steps, values) + rise, abs=1e-9)
