"""Frames: what was written is what is read, byte for byte, and damage is always noticed.

The golden files are the layout of docs/frames.md as bytes; `FRAMES` says what is in them. A change
that they notice is a new frame version.
"""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.frame import (
    FRAME_VERSION,
    Control,
    ControlKind,
    Door,
    Extras,
    Frame,
    FrameError,
    RecordFlag,
    Run,
    decode_frame,
    encode_frame,
)

GOLDEN = Path(__file__).parent / "frames"
START_US = 1_772_619_330_000_000
TOPIC = "madina/v1/acme/métier-7/up".encode()
FRAMES: Final = {
    "one-message": Frame(
        Door.ENDPOINT, 3, "gateway-0", START_US, 41, START_US + 5,
        [b"tele/plug/SENSOR"], [b'{"t":1}'], bytes([RecordFlag.QOS_1]),
        [Run(b"plug", START_US + 5, 1)],
    ),
    "two-clients": Frame(
        Door.BRIDGE, 255, "bridge-1", START_US, 2**40, START_US + 5,
        [TOPIC, TOPIC, b"a"], [b"", b"\x00\xff", b"1"],
        bytes([0, RecordFlag.QOS_2 | RecordFlag.DUP, RecordFlag.RETAIN | RecordFlag.WILL]),
        [Run(b"meter", START_US + 5, 2), Run(b"", START_US - 5, 1)],
        (Extras(1, "application/json", (("k", "v"), ("k", "w"))),),
        (Control(ControlKind.CONNECT, "meter", START_US, "mqtt 5"),),
    ),
    "replay": Frame(
        Door.SERVICES, 0, "services", START_US, 7, START_US, [], [], b"", [],
        controls=(Control(ControlKind.REPLAY, "ada", START_US, '{"ids":[]}'),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_a_golden_frame_is_read_and_written_byte_for_byte(name: str) -> None:
    data = (GOLDEN / f"{name}.bin").read_bytes()
    assert decode_frame(data) == FRAMES[name]
    assert encode_frame(FRAMES[name]) == data


def test_every_golden_file_is_of_this_version() -> None:
    versions = {path.stem: path.read_bytes()[4] for path in GOLDEN.glob("*.bin")}
    assert versions == dict.fromkeys(FRAMES, FRAME_VERSION)


@pytest.mark.parametrize("name", FRAMES)
def test_no_byte_of_a_frame_can_change_unnoticed(name: str) -> None:
    data = encode_frame(FRAMES[name])
    # Door and shard stand before the checksum: the log's subject tells them as well.
    for at in (index for index in range(len(data)) if index not in {5, 6, 7}):
        damaged = data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]
        with pytest.raises(FrameError):
            decode_frame(damaged)


@pytest.mark.parametrize("name", FRAMES)
def test_no_part_of_a_frame_can_be_missing(name: str) -> None:
    data = encode_frame(FRAMES[name])
    for size in range(len(data)):
        with pytest.raises(FrameError):
            decode_frame(data[:size])
    with pytest.raises(FrameError):
        decode_frame(data + b"\0")


@given(data=st.binary(max_size=400))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode_frame(b"MDNF" + data)


MESSAGES = st.lists(
    st.tuples(st.binary(max_size=60), st.binary(max_size=300), st.integers(0, 31)), max_size=20
)


@given(messages=MESSAGES, clients=st.lists(st.binary(max_size=30), max_size=20))
def test_what_is_written_is_what_is_read(
    messages: list[tuple[bytes, bytes, int]], clients: list[bytes]
) -> None:
    runs = [Run(client, START_US + n, 1) for n, client in enumerate(clients[: len(messages)])]
    if len(messages) > len(runs):
        runs.append(Run(b"rest", START_US, len(messages) - len(runs)))
    frame = Frame(
        Door.HTTP, 9, "services", START_US, 0, START_US,
        [topic for topic, _, _ in messages], [payload for _, payload, _ in messages],
        bytes(flag for _, _, flag in messages), runs,
    )  # fmt: skip
    assert decode_frame(encode_frame(frame)) == frame
    assert frame.count_after == len(messages)
