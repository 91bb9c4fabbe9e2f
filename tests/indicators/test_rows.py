"""Rows are appended when a number changes, with its cause, and never otherwise."""

import msgspec
import pytest

from indicators.rows import ResultRow, restated, state_at

HOUR_US = 3_600_000_000
FIRST = ResultRow(
    indicator="air.mean.pm25", version="1.0.0", area="city", start_us=0, end_us=24 * HOUR_US,
    tz="UTC", value=20.0, unrounded=20.0, band=None, main_input=None, completeness=0.75,
    n_used=18, n_expected=24, state="provisional", revision=1, reason=None, computed_us=0,
)  # fmt: skip
replace = msgspec.structs.replace


@pytest.mark.parametrize(
    ("hours", "state"), [(30, "open"), (31, "provisional"), (78, "provisional"), (79, "final")]
)
def test_a_window_is_open_then_waits_for_late_data_then_is_final(hours: int, state: str) -> None:
    # Known at 07:00 of the next day, as a night is.
    assert state_at(hours * HOUR_US, 31 * HOUR_US, 48) == state


def test_late_data_make_a_revision_and_the_same_data_none() -> None:
    late = replace(FIRST, value=25.0, unrounded=25.0, completeness=1.0, n_used=24)
    second = restated(FIRST, late, "late_data")
    assert second is not None
    assert (second.value, second.revision, second.reason) == (25.0, 2, "late_data")
    assert restated(second, late, "late_data") is None


def test_a_change_of_completeness_alone_is_a_revision_and_of_state_alone_is_none() -> None:
    fuller = restated(FIRST, replace(FIRST, completeness=0.8), "replay")
    assert fuller is not None
    assert fuller.revision == 2
    assert restated(FIRST, replace(FIRST, state="final"), "late_data") is None


def test_an_open_window_is_never_stored() -> None:
    assert restated(None, replace(FIRST, state="open", revision=0), "late_data") is None


def test_the_first_revision_has_no_cause() -> None:
    found = restated(None, FIRST, "late_data")
    assert found is not None
    assert (found.revision, found.reason, found.cause) == (1, None, None)


def test_a_null_says_why_it_is_null_and_keeps_its_cause() -> None:
    gone = replace(FIRST, value=None, unrounded=None, completeness=0.5, reason="incomplete")
    found = restated(FIRST, gone, "erasure")
    assert found is not None
    assert (found.revision, found.reason, found.cause) == (2, "incomplete", "erasure")


def test_a_new_version_is_a_new_result() -> None:
    with pytest.raises(AssertionError, match="new result"):
        restated(FIRST, replace(FIRST, version="2.0.0"), "bug_fix")
