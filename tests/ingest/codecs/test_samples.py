"""Every format: each sample is read as it says, and nothing but a known reason ever comes out."""

import contextlib
import random
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.instants import text_us, to_text
from city.quantities import plain_name
from ingest.apply.rules import SettledTime, settle_time
from ingest.codecs.catalogue import find_codecs
from ingest.codecs.envelope import unpack
from ingest.codecs.seam import Arrived, CodedObservation, Decoded, MessageError

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests" / "data" / "samples"
# The native format has a stricter test of its own, since two readers have to agree on it; samples
# of Sparkplug are read one after the other.
OWN_TESTS = {"native", "sparkplug-b"}
CODECS = {name: codec for name, codec in find_codecs().items() if name not in OWN_TESTS}
NAMES = sorted(
    f"{kind}/{path.name.removesuffix('.in')}"
    for kind in CODECS
    for path in (SAMPLES / kind).glob("*.in")
)
CASES = sorted(
    path
    for kind in CODECS
    for path in (ROOT / "ingest" / "codecs" / kind.replace("-", "_") / "cases").iterdir()
)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"payload_codec": "cayenne-lpp"},
    {"payload_codec": {"1": "cayenne-lpp", "2": "none"}, "names": {"battery": "volts"}},
    {"tts_payload": "normalized", "time": "gateway", "data": "hex"},
    {"lpp_time": True, "lpp_signed_vi": True, "lpp_strip_zeros": True},
    {"units": {"temperature": 3}},
]
JSON_VALUES: list[Any] = [
    None, True, 0, -1, 2**70, 1.5, 1e300, "", "x", "é" * 2_000, "\x7f", [], [[]], [{}], {}, {"": 1},
    {"latitude": 91, "longitude": 0}, [1, None, "a", True], "2026-13-01T00:00:00Z", "AQI", "====",
]  # fmt: skip


def payload_of(path: Path, encoding: str) -> bytes:
    payload = path.read_bytes()
    return unpack(bytes.fromhex(payload.decode()) if encoding == "hex" else payload)


def decode(kind: str, meta: dict[str, Any], payload: bytes) -> Decoded:
    # Profiles and datastreams are not in the registry: what it says comes as options of the route.
    options = {
        name: value
        for part in ("route", "options", "profile", "registry")
        for name, value in meta.get(part, {}).items()
        if name != "timezone"
    }
    if "mapping" in meta:
        options |= msgspec.json.decode((SAMPLES / kind / meta["mapping"]).read_bytes())
    message = Arrived(
        meta["topic"],
        payload,
        text_us(meta["received_at"]),
        "city",
        timezone=meta.get("route", {}).get("timezone", "UTC"),
        options=options,
    )
    return CODECS[kind].decode(message)


def plain(each: CodedObservation, received_at: str) -> dict[str, Any]:
    # Samples show what is stored: a clock that was never set is not believed.
    time = settle_time(each.time_us, text_us(received_at), recorded=False)
    assert isinstance(time, SettledTime)
    return {
        "device": each.device,
        "quantity": each.quantity,
        "value": each.value,
        "unit": each.unit,
        "time": to_text(time.time_us),
    }


def check_metadata(decoded: Decoded, meta: dict[str, Any]) -> None:
    """Compare what is known beside the values; a list has one value for each observation."""
    # Tags and positions are those of the first device.
    first = [each for each in decoded.observations if each.device == decoded.device]
    for name, wanted in meta.get("metadata", {}).items():
        if isinstance(wanted, list):
            assert [each.metadata[name] for each in decoded.observations] == wanted
        else:
            assert [each.metadata[name] for each in first] == [wanted] * len(first)
    for each in decoded.observations:
        assert each.metadata.get("unit_raw") == meta.get("unit_raw", {}).get(each.quantity)


def is_real(expected: dict[str, Any]) -> bool:
    return isinstance(expected["value"], float)


def check(decoded: Decoded, received_at: str, expected: list[dict[str, Any]]) -> None:
    seen = [plain(each, received_at) for each in decoded.observations]
    wanted_all = [{**each, "time": to_text(text_us(each["time"]))} for each in expected]
    assert seen == [
        {
            **each,
            "value": pytest.approx(each["value"], rel=1e-9) if is_real(each) else each["value"],
        }
        for each in wanted_all
    ]
    for each, wanted in zip(decoded.observations, expected, strict=True):
        assert isinstance(each.value, bool) == isinstance(wanted["value"], bool)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_read_as_it_says(name: str) -> None:
    kind, path = name.partition("/")[0], SAMPLES / name
    meta = msgspec.json.decode(path.with_suffix(".meta.json").read_bytes())
    payload = payload_of(path.with_suffix(".in"), meta["encoding"])
    if meta["outcome"] == "quarantined":
        with pytest.raises(MessageError) as caught:
            decode(kind, meta, payload)
        assert caught.value.reason == meta["reason"]
        assert caught.value.words
        return
    decoded = decode(kind, meta, payload)
    expected = msgspec.json.decode(path.with_suffix(".expected.json").read_bytes())
    check(decoded, meta["received_at"], expected)
    rejected = [(plain_name(each.quantity), str(each.reason)) for each in decoded.rejected]
    assert rejected == [(each["quantity"], each["reason"]) for each in meta.get("rejected", [])]
    assert decoded.device
    check_metadata(decoded, meta)
    for each in decoded.observations:
        assert each.flag == meta.get("flags", {}).get(each.quantity, 2)
        end = meta.get("intervals", {}).get(each.quantity)
        assert each.end_us == (None if end is None else text_us(end))
        assert each.metadata.get("notes", []) == meta.get("notes", [])


@pytest.mark.parametrize("folder", CASES, ids=lambda path: f"{path.parents[1].name}-{path.name}")
def test_a_case_of_a_codec_is_read_as_it_says(folder: Path) -> None:
    message = msgspec.json.decode((folder / "message.json").read_bytes())
    payload = next(folder.glob("payload.*"))
    encoding = "hex" if payload.suffix == ".hex" else "text"
    kind = folder.parents[1].name.replace("_", "-")
    decoded = decode(kind, message, payload_of(payload, encoding))
    expected = msgspec.json.decode((folder / "expected.json").read_bytes())
    check(decoded, message["received_at"], expected)


def places_of(document: object) -> list[tuple[Any, Any]]:
    """Return every member of every object and array: the whole and the key."""
    if not isinstance(document, dict | list):
        return []
    whole = cast("dict[Any, Any]", document)
    keys = list(whole) if isinstance(document, dict) else list(range(len(whole)))
    inner = [place for key in keys for place in places_of(whole[key])]
    return [(whole, key) for key in keys] + inner


def spoil(payload: bytes, chance: random.Random) -> bytes:
    document = msgspec.json.decode(payload)
    for _ in range(chance.randint(1, 4)):
        places = places_of(document)
        if not places:
            break
        whole, key = chance.choice(places)
        if chance.random() < 0.3:
            del whole[key]
        else:
            # A copy: what is put in may be spoiled in its turn.
            whole[key] = deepcopy(chance.choice(JSON_VALUES))
    return msgspec.json.encode(document)


def spoil_bytes(payload: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(payload))
    return payload[:at] + chance.randbytes(chance.randint(0, 3)) + payload[at + 1 :]


@pytest.mark.property
@given(name=st.sampled_from(NAMES), options=st.sampled_from(OPTIONS), chance=st.randoms())
def test_nothing_but_a_message_error_ever_comes_out(
    name: str, options: dict[str, Any], chance: random.Random
) -> None:
    kind, path = name.partition("/")[0], SAMPLES / name
    meta = msgspec.json.decode(path.with_suffix(".meta.json").read_bytes())
    payload = payload_of(path.with_suffix(".in"), meta["encoding"])
    is_json = meta["encoding"] == "text" and payload.lstrip()[:1] in (b"{", b"[")
    spoiled = (spoil if is_json else spoil_bytes)(payload, chance)
    with contextlib.suppress(MessageError):
        decoded = decode(kind, {**meta, "options": options}, spoiled)
        msgspec.json.encode(decoded)
        assert all(each.device for each in decoded.observations)


@pytest.mark.property
@given(st.sampled_from(sorted(CODECS)), st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(kind: str, payload: bytes) -> None:
    topic = "madina/v1/city/a/raw/x"
    with contextlib.suppress(MessageError):
        decode(kind, {"topic": topic, "received_at": "2026-03-04T10:15:31Z"}, payload)
