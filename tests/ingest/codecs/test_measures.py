"""Values on their way to observations, as far as no format of JSON can show it."""

import pytest

from city.reasons import ObservationReason
from ingest.codecs.measures import Measures


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_rejected(value: float) -> None:
    measures = Measures()
    measures.add("t", "temperature", value, "Cel")
    assert measures.found == []
    assert [each.reason for each in measures.rejected] == [ObservationReason.NONFINITE]


def test_units_belong_to_numbers_and_nothing_is_no_measurement() -> None:
    measures = Measures()
    for value in (1, 1.5, True, "on", None, ""):
        measures.add("t", "temperature", value, "Cel")
    assert [(each.value, each.unit) for each in measures.found] == [
        (1, "Cel"), (1.5, "Cel"), (True, None), ("on", None),
    ]  # fmt: skip


def test_a_value_may_have_a_time_of_its_own() -> None:
    measures = Measures()
    measures.add("a", "a", 1, time_us=5)
    measures.add("b", "b", 1)
    decoded = measures.decoded("box", time_us=9, metadata={})
    assert [each.time_us for each in decoded.observations] == [5, 9]
