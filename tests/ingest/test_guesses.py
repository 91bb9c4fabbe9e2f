"""What an unknown sender seems to be: by its quantities, and by what looks like a time."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.clock import US_PER_S
from city.samples import TimeUnit
from ingest.guesses import guessed_kind, guessed_time_unit

PER_S: list[tuple[TimeUnit, int]] = [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)]
RECEIVED_S = 1_790_000_000


@pytest.mark.parametrize(
    ("quantities", "kind"),
    [
        ({"pm2_5", "temperature", "humidity"}, "air"),
        ({"pm10_2", "o3", "laeq"}, "air"),
        ({"laeq"}, "noise"),
        ({"occupied", "battery_level"}, "parking"),
        ({"fill_level", "temperature"}, "waste"),
        ({"temperature", "wind_speed_3"}, "weather"),
        ({"battery_level", "x1"}, ""),
        (set[str](), ""),
    ],
)
def test_the_kind_is_what_most_quantities_speak_for(quantities: set[str], kind: str) -> None:
    assert guessed_kind(quantities) == kind


@pytest.mark.property
@given(st.sampled_from(PER_S), st.integers(-300 * 86_400, 300 * 86_400), st.integers(0, 200))
def test_a_time_near_the_arrival_tells_its_unit(
    unit: tuple[TimeUnit, int], off_s: int, value: int
) -> None:
    name, per_s = unit
    payload = msgspec.json.encode({"v": value, "at": [{"t": (RECEIVED_S + off_s) * per_s}]})
    assert guessed_time_unit(payload, RECEIVED_S * US_PER_S) == name


@pytest.mark.parametrize(
    ("payload", "unit"),
    [
        (b'{"time": "2026-03-04T10:15:30Z", "v": 3}', "iso8601"),
        (b'{"time": "20260304T101530Z"}', "iso8601"),
        (b'{"v": 21.5, "ok": true, "text": "x"}', None),
        (b'{"v": 1' + b"0" * 400 + b"}", None),
        (b"t|15|h|40", None),
        (b"\xff\x00", None),
    ],
)
def test_text_and_what_is_no_json(payload: bytes, unit: TimeUnit | None) -> None:
    assert guessed_time_unit(payload, RECEIVED_S * US_PER_S) == unit
