"""Text that stands for numbers, against the table of the formats."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from city.reasons import ObservationReason
from ingest.codecs.measures import Measures
from ingest.codecs.stringly import cast_text

TABLE = Path(__file__).parents[2] / "data" / "samples" / "common" / "number.json"


@pytest.mark.parametrize(
    "case", msgspec.json.decode(TABLE.read_bytes()), ids=lambda case: repr(case["in"])
)
def test_a_text_is_read_as_the_table_says(case: dict[str, Any]) -> None:
    measures = Measures()
    value, unit = cast_text(case["in"])
    measures.add("q", "q", value, unit)
    if "reason" in case:
        assert [str(each.reason) for each in measures.rejected] == [case["reason"]]
        return
    wanted: Any = case["in"] if "text" in case else case["out"]
    assert unit == (wanted["unit"] if unit else None)
    wanted = wanted["value"] if unit else wanted
    assert [each.value for each in measures.found] == [wanted]
    assert isinstance(value, float) or type(value) is type(wanted)


def test_what_is_no_text_stays_and_a_long_text_is_refused() -> None:
    for value in (True, 7, 1.5, None, [1]):
        assert cast_text(value) == (value, None)
    measures = Measures()
    measures.add("q", "q", cast_text("9" * 5_000)[0])
    assert [each.reason for each in measures.rejected] == [ObservationReason.TEXT_TOO_LONG]
