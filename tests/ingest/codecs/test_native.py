"""The native format: the samples through the strict reader, and the bulk reader beside it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.instants import text_us, to_text
from city.reasons import MessageReason
from ingest.codecs.catalogue import find_codecs
from ingest.codecs.envelope import unpack
from ingest.codecs.native import CODEC, decode_bulk
from ingest.codecs.seam import Arrived, CodedObservation, MessageError

SAMPLES = Path(__file__).parents[2] / "data" / "samples" / "native"
NAMES = sorted(path.name.removesuffix(".in") for path in SAMPLES.glob("*.in"))
TOPIC = "madina/v1/city/a/up"
RECEIVED_US = text_us("2026-03-04T10:15:31.250Z")


def arrived(payload: bytes, topic: str = TOPIC) -> Arrived:
    return Arrived(topic, unpack(payload), RECEIVED_US, "city")


def plain(each: CodedObservation) -> dict[str, Any]:
    time_us = RECEIVED_US if each.time_us is None else each.time_us
    return {
        "device": each.device,
        "quantity": each.quantity,
        "value": each.value,
        "unit": each.unit,
        "time": to_text(time_us),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_read_as_it_says(name: str) -> None:
    meta = msgspec.json.decode((SAMPLES / f"{name}.meta.json").read_bytes())
    message = arrived((SAMPLES / f"{name}.in").read_bytes(), meta["topic"])
    if meta["outcome"] == "quarantined":
        with pytest.raises(MessageError) as caught:
            CODEC.decode(message)
        assert caught.value.reason == meta["reason"]
        return
    decoded = CODEC.decode(message)
    expected = msgspec.json.decode((SAMPLES / f"{name}.expected.json").read_bytes())
    # A time far ahead is brought to the receive time behind the codec.
    seen = [plain(each) for each in decoded.observations if each.quantity != "level"]
    wanted = [each for each in expected if each["quantity"] != "level"]
    assert seen == [{**each, "time": to_text(text_us(each["time"]))} for each in wanted]
    assert decoded.message_id == meta.get("message_id")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", MessageReason.JSON_SYNTAX),
        (b'{"obs":[]} x', MessageReason.JSON_SYNTAX),
        (b'{"t":1,"obs":[{"q":"a","v":' + b"1" * 65 + b"}]}", MessageReason.JSON_SYNTAX),
        (b'{"t":1,"obs":[{"q":"a","v":1e999}]}', MessageReason.JSON_NONFINITE),
        (b'{"t":1,"t":2,"obs":[{"q":"a","v":1}]}', MessageReason.JSON_DUPLICATE_KEY),
        (b"[" * 100_000, MessageReason.JSON_DEPTH),
        (b"[]", MessageReason.MISSING_FIELD),
        (b'{"obs":[{"q":"a"}]}', MessageReason.MISSING_FIELD),
        (b'{"obs":[]}', MessageReason.NO_OBSERVATIONS),
        (b'{"t":1.5,"obs":[{"q":"a","v":1}]}', MessageReason.BAD_TIME),
        (b'{"ver":2,"obs":[{"q":"a","v":1}]}', MessageReason.NATIVE_VERSION),
        (b'{"obs":[' + b",".join([b'{"q":"a","v":1}'] * 1_001) + b"]}", MessageReason.TOO_MANY),
        (b'{"t":"2026-03-04T15:30-00:00","obs":[{"q":"a","v":1}]}', MessageReason.BAD_TIME),
        (b'{"obs":[{"q":"a","v":"\\ud800"}]}', MessageReason.UTF8),
        (b'{"obs":[{"q":"a","v":"\xff"}]}', MessageReason.UTF8),
        (b'{"obs":\0[]}', MessageReason.NUL_BYTE),
        (b"\x1f\x8bnothing packed", MessageReason.DECOMPRESS),
        (b"\x28\xb5\x2f\xfdnothing", MessageReason.DECOMPRESS),
        (b" " * (256 * 1024 + 1), MessageReason.OVERSIZE),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_message_has_one_reason_and_is_never_plain(
    payload: bytes, reason: MessageReason
) -> None:
    with pytest.raises(MessageError) as caught:
        CODEC.decode(arrived(payload))
    assert caught.value.reason == reason
    assert caught.value.words
    assert decode_bulk([payload]).refused == [0]


OBSERVATION = st.fixed_dictionaries(
    {"q": st.sampled_from(["pm10", "laeq"]), "v": st.integers(-99, 99) | st.floats(-1e6, 1e6)},
    optional={"u": st.sampled_from(["ug/m3", "dB"])},
)
MESSAGE = st.fixed_dictionaries(
    {
        "t": st.integers(0, 4_000_000_000_000) | st.integers(0, 4_000_000_000_000_000).map(to_text),
        "obs": st.lists(OBSERVATION, min_size=1, max_size=3),
    },
    optional={"id": st.text(min_size=1, max_size=9), "x": st.integers()},
)
PAYLOAD = MESSAGE.map(msgspec.json.encode) | st.binary(max_size=40)


@given(st.lists(PAYLOAD, max_size=12))
def test_bulk_reads_what_strict_reads_and_hands_back_the_rest(payloads: list[bytes]) -> None:
    bulk = decode_bulk(payloads)
    assert sorted([*bulk.kept.tolist(), *bulk.refused]) == list(range(len(payloads)))
    values: list[float] = bulk.values.tolist()
    rows = iter(list(zip(bulk.quantities, bulk.units, values, strict=True)))
    kept: list[int] = bulk.kept.tolist()
    for number, at in enumerate(kept):
        count, time_us = int(bulk.counts[number]), int(bulk.times_us[number])
        strict = CODEC.decode(arrived(payloads[at])).observations
        assert [(each.quantity, each.unit, float(each.value)) for each in strict] == [
            next(rows) for _ in range(count)
        ]
        assert {each.time_us for each in strict} == {time_us}


def test_a_payload_never_becomes_part_of_its_neighbour() -> None:
    first = b'{"t":1,"obs":[{"q":"a","v":1}'
    second = b'{"q":"b","v":2}]}'
    two = b'{"t":1,"obs":[{"q":"a","v":1}]},{"t":1,"obs":[{"q":"a","v":1}]}'
    assert decode_bulk([first, second, two]).refused == [0, 1, 2]


def test_every_codec_is_found_by_its_folder() -> None:
    assert find_codecs()["native"] is CODEC
