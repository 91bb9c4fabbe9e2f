"""Cayenne LPP: lengths, repeated channels, times, places, and the names that servers give."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.reasons import MessageReason, ObservationReason
from ingest.codecs.cayenne_lpp import CODEC, read_frame, server_names
from ingest.codecs.cayenne_lpp.table import TYPES
from ingest.codecs.measures import Measures
from ingest.codecs.profile import Profile
from ingest.codecs.seam import Arrived, Decoded, MessageError

TOPIC = "madina/v1/lab/box/raw/cayenne-lpp"


def decode(frame: str, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    return CODEC.decode(Arrived(topic, bytes.fromhex(frame), 0, "lab", options=options))


def values(decoded: Decoded) -> dict[str, Any]:
    return {each.quantity: each.value for each in decoded.observations}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("01", MessageReason.LPP_TRUNCATED),
        ("0167", MessageReason.LPP_TRUNCATED),
        ("016700d7 02 67 00", MessageReason.LPP_TRUNCATED),
        ("016700d7 00", MessageReason.LPP_TRUNCATED),
        ("016700d7 000000", MessageReason.LPP_TRUNCATED),
        ("01f00102", MessageReason.LPP_UNKNOWN_TYPE),
        ("010400", MessageReason.LPP_UNKNOWN_TYPE),
    ],
)
def test_a_doubt_refuses_the_whole_frame(frame: str, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(frame)
    assert (caught.value.reason, caught.value.device) == (reason, "box")
    assert "byte" in caught.value.words


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("somewhere/else", MessageReason.MISSING_DEVICE),
        ("madina/v1/lab", MessageReason.MISSING_DEVICE),
        ("madina/v1/lab//raw/cayenne-lpp", MessageReason.BAD_DEVICE_ID),
    ],
)
def test_the_topic_has_to_name_the_device(topic: str, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode("016700d7", topic)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "options",
    [
        {"lpp_time": "yes"},
        {"names": {"temperature_1": "Not A Name"}},
        {"units": {"temperature": "degrees"}},
        {"payload_codec": 3},
    ],
)
def test_options_that_cannot_be_followed_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(MessageError) as caught:
        decode("016700d7", **options)
    assert (caught.value.reason, caught.value.device) == (MessageReason.NO_CODEC, "box")
    assert next(iter(options)) in caught.value.words


def test_an_empty_frame_is_a_control_message() -> None:
    assert decode("") == Decoded(device="box")


def test_zeros_at_the_end_are_left_out_where_the_route_says_so() -> None:
    assert values(decode("016700d7 000000", lpp_strip_zeros=True)) == {"temperature_1": 21.5}
    assert values(decode("01 67 0000", lpp_strip_zeros=True)) == {"temperature_1": 0.0}


def test_a_channel_that_repeats_counts_once_unless_a_time_stands_between() -> None:
    assert values(decode("016700d7 016700d8")) == {"temperature_1": 21.6}
    apart = decode("016700d7 058569a80642 016700d8")
    assert [each.quantity for each in apart.observations] == [
        "temperature_1", "unix_time_5", "temperature_1",
    ]  # fmt: skip


def test_times_of_a_frame_hold_for_what_follows_them() -> None:
    found = decode("016700d6 058569a80606 016700d7 058569a80642 016700d8", lpp_time=True)
    seen = [(each.value, each.time_us) for each in found.observations]
    first, second = 0x69A80606 * 1_000_000, 0x69A80642 * 1_000_000
    assert seen == [(21.4, first), (21.5, first), (21.6, second)]


def test_a_place_is_measured_and_kept_beside_every_value() -> None:
    found = decode("0c8807fd8700bef500086a 016700d7")
    assert values(found)["latitude_12"] == 52.3655
    position = {"lat": 52.3655, "lon": 4.8885, "alt": 21.54}
    assert all(each.metadata["position"] == position for each in found.observations)


def test_a_place_that_is_not_on_earth_is_rejected_alone() -> None:
    found = decode("0288 0e1bff 1d4c00 fffff6")
    assert [each.reason for each in found.rejected] == [ObservationReason.OUT_OF_RANGE] * 2
    assert values(found) == {"altitude_2": -0.1}
    assert found.observations[0].metadata == {}


def test_names_and_units_of_the_route_are_used() -> None:
    found = decode(
        "01020bb8",
        names={"analog_in_1": "fill_level"},
        units={"fill_level": "percent"},
    )
    assert [(each.quantity, each.value, each.unit) for each in found.observations] == [
        ("fill_level", 30.0, "%")
    ]


@pytest.mark.parametrize(
    ("sent", "quantity", "unit"),
    [
        ("temperature_7", "temperature_7", "Cel"),
        ("relative_humidity_8", "humidity_8", "%"),
        ("barometric_pressure_10", "pressure_10", "hPa"),
        ("luminosity_5", "illuminance_5", "lx"),
        ("digital_in_1", "digital_in_1", None),
        ("gps_12_latitude", "latitude_12", "deg"),
        ("gps_12_altitude", "altitude_12", "m"),
        ("accelerometer_9_x", "acceleration_x_9", "[g]"),
        ("gyrometer_11_z", "rotation_z_11", "deg/s"),
        ("temperature_7_x", "temperature_7_x", None),
        ("myOwn", "my_own", None),
        ("---", None, None),
    ],
)
def test_a_servers_name_becomes_ours(sent: str, quantity: str | None, unit: str | None) -> None:
    assert server_names(Profile())(sent) == (quantity, unit)


@given(st.lists(st.tuples(st.integers(1, 255), st.sampled_from(sorted(TYPES)))), st.randoms())
def test_a_frame_of_known_types_is_always_read(items: list[tuple[int, int]], chance: Any) -> None:  # noqa: ANN401 - hypothesis' own class
    frame = b"".join(
        bytes([channel, kind]) + chance.randbytes(TYPES[kind].size) for channel, kind in items
    )
    measures = Measures()
    read_frame(frame, Profile(), measures)
    assert measures.rejected == []
    assert len(measures.found) == sum(len(TYPES[kind].quantities) for _, kind in expected_of(items))


def expected_of(items: list[tuple[int, int]]) -> set[tuple[int, int]] | list[tuple[int, int]]:
    """Return which items count: without a time between them, each channel and type once."""
    stretches: list[set[tuple[int, int]]] = [set()]
    for channel, kind in items:
        if kind == 133:
            stretches.append(set())
        stretches[-1].add((channel, kind))
    return [each for stretch in stretches for each in stretch]
