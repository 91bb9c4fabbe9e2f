"""The shared rules of names, ids, times and units, against the tables of the formats."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.identity import device_id, eui, joined_id
from city.instants import InstantError, epoch_us, from_millis, local_us, text_us, to_text
from city.quantities import QUANTITY_PATTERN, quantity_name, quantity_of
from city.units import conversion, dimension, ucum

COMMON = Path(__file__).parents[1] / "data" / "samples" / "common"


def table(name: str) -> list[dict[str, Any]]:
    return msgspec.json.decode((COMMON / f"{name}.json").read_bytes())


@pytest.mark.parametrize("case", table("q1"), ids=lambda case: repr(case["in"])[:40])
def test_a_quantity_is_named_as_the_table_says(case: dict[str, Any]) -> None:
    assert quantity_name(case["in"]) == case["out"]


@pytest.mark.parametrize("case", table("device_id"), ids=str)
def test_a_device_is_named_as_the_table_says(case: dict[str, Any]) -> None:
    if "parts" in case:
        assert joined_id(case["parts"]) == case["out"]
    elif "eui" in case:
        assert eui(case["eui"]) == case["out"]
    else:
        assert device_id(case["in"]) == case["out"]


def instant(case: dict[str, Any]) -> int:
    sent = case["in"]
    if case["rule"] == "text":
        return text_us(sent)
    if case["rule"] == "local":
        return local_us(sent, ZoneInfo(case["timezone"]))[0]
    return epoch_us(int(sent) if isinstance(sent, str) else sent)


OURS = [case for case in table("time") if case["rule"] in {"text", "local", "epoch_auto"}]


@pytest.mark.parametrize("case", OURS, ids=lambda case: f"{case['rule']} {case['in']}")
def test_an_instant_is_read_as_the_table_says(case: dict[str, Any]) -> None:
    if case["out"] is None:
        with pytest.raises(InstantError):
            instant(case)
    else:
        assert to_text(instant(case)).replace(".000000Z", "Z") == case["out"]


def test_a_number_far_ahead_is_read_and_text_is_not() -> None:
    assert epoch_us(99_999_999_999) == 99_999_999_999 * 1_000_000
    with pytest.raises(InstantError):
        text_us("5138-11-16T09:46:39Z")


@given(st.integers(min_value=0, max_value=4_102_444_799_999_999))
def test_an_instant_survives_its_text(instant_us: int) -> None:
    assert text_us(to_text(instant_us)) == instant_us


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-03-04", "2026-03-04 10:15:30Z", "2026-03-04T10:15:30+99:00",
        "٢٠٢٦-03-04T10:15:30Z", "2026-03-04T25:00:00Z", "2026-03-04T10:15:30.Z",
        "0000-03-04T10:15:30Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_words(text: str) -> None:
    with pytest.raises(InstantError, match=r"\S"):
        text_us(text)


@pytest.mark.parametrize("millis", [-1, 253_402_300_800_000])
def test_milliseconds_outside_of_the_calendar_are_refused(millis: int) -> None:
    with pytest.raises(InstantError):
        from_millis(millis)


def test_a_wall_clock_that_shows_a_time_twice_says_so() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    assert local_us("2026-10-25T02:30:00", madrid)[1]
    assert local_us("2026-03-29T02:30:00", madrid)[1]
    assert not local_us("2026-07-01T12:00:00", madrid)[1]
    with pytest.raises(InstantError):
        local_us("2026-07-01T12:00:00Z", madrid)


@given(st.text(max_size=200))
def test_every_text_becomes_a_safe_id_or_none(text: str) -> None:
    found = device_id(text)
    if found is not None:
        assert found.isascii()
        assert not set(found) & set("/+#$ \0")


@given(st.text(max_size=100))
def test_every_name_becomes_a_quantity_or_none(text: str) -> None:
    found = quantity_name(text)
    assert found is None or QUANTITY_PATTERN.fullmatch(found)


def test_units_are_read_with_their_case() -> None:
    assert ucum("°C") == ucum(" C ") == ucum("Cel") == "Cel"
    assert ucum("\u00b5g/m³") == ucum("\u03bcg/m³") == "ug/m3"
    assert ucum("CELSIUS") is None
    assert ucum("OU/m3") is None
    assert ucum("VLT") == "V"


@pytest.mark.parametrize(
    ("value", "sent", "wanted", "converted"),
    [
        (212.0, "[degF]", "Cel", 100.0),
        (0.0, "K", "Cel", -273.15),
        (101_325.0, "Pa", "hPa", 1_013.25),
        (1.5, "mg/m3", "ug/m3", 1_500.0),
        (10.0, "m/s", "km/h", 36.0),
        (36.0, "km/h", "m/s", 10.0),
        (2.0, "L/s", "m3/h", 7.2),
        (0.5, "1", "%", 50.0),
        (3_600_000.0, "J", "kW.h", 1.0),
        (25.0, "Cel", "K", 298.15),
    ],
)
def test_a_value_is_converted(value: float, sent: str, wanted: str, converted: float) -> None:
    found = conversion(sent, wanted)
    assert found is not None
    assert value * found.factor + found.offset == pytest.approx(converted)


def test_units_of_different_things_do_not_convert() -> None:
    assert conversion("Cel", "hPa") is None
    assert conversion("[ppb]", "ug/m3") is None
    assert dimension("Cel") == dimension("K") != dimension("dB")


def test_a_channel_has_the_unit_of_its_quantity() -> None:
    assert quantity_of("temperature_7") == quantity_of("temperature")
    assert quantity_of("pm2_5_sds") == quantity_of("pm2_5")
    assert quantity_of("odour") is None
    found = quantity_of("occupied")
    assert found is not None
    assert found.kind == "bool"
