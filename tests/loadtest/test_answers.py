"""Answers are understood in whatever pieces they come."""

import contextlib

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.answers import AnswerError, Answers, AnswersReader
from loadtest.packets import Version


def fed(version: Version, *pieces: bytes) -> Answers:
    reader = AnswersReader(version)
    total = Answers([])
    for piece in pieces:
        found = reader.feed(piece)
        total.acknowledged += found.acknowledged
        total.refused = total.refused + found.refused
        total.connack = total.connack if found.connack is None else found.connack
        total.disconnect = total.disconnect if found.disconnect is None else found.disconnect
    return total


def puback(number: int) -> bytes:
    return b"\x40\x02" + number.to_bytes(2, "big")


@pytest.mark.property
@given(st.lists(st.integers(1, 65_535), max_size=50), st.integers(1, 7))
def test_acknowledgements_are_the_same_in_any_pieces(numbers: list[int], size: int) -> None:
    stream = b"\x20\x02\x00\x00" + b"".join(map(puback, numbers)) + b"\xd0\x00"
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    answers = fed(4, *pieces)
    assert (answers.acknowledged, answers.connack) == (numbers, 0)


def test_a_reason_code_from_0x80_on_is_a_refusal() -> None:
    codes = mqtt5.PubAckReasonCode
    stream = b"".join(
        mqtt5.PubAckPacket(number, reason_code=code).write()
        for number, code in ((1, codes.SUCCESS), (2, codes.NOT_AUTHORIZED),
                             (3, codes.NO_MATCHING_SUBSCRIBERS))
    )  # fmt: skip
    answers = fed(5, stream)
    assert (answers.acknowledged, answers.refused) == ([1, 3], [2])


def test_the_receive_maximum_is_found_among_other_properties() -> None:
    packet = mqtt5.ConnAckPacket(
        session_expiry_interval=9,
        assigned_client_id="given",
        server_keep_alive=30,
        receive_max=7,
        topic_alias_max=3,
        retain_available=False,
        user_properties=[("a", "b")],
    )
    answers = AnswersReader(5).feed(packet.write())
    assert (answers.connack, answers.receive_maximum) == (0, 7)


def test_a_refused_connection_and_a_disconnect_tell_their_reasons() -> None:
    assert fed(4, b"\x20\x02\x00\x05").connack == 5
    assert fed(5, b"\xe0\x02\x8e\x00").disconnect == 0x8E


@pytest.mark.parametrize(
    "stream", [b"\x30\x05\x00\x01abc", b"\x40\xff\xff\xff\xff\x01", b"SSH-2.0-" + bytes(80)]
)
def test_what_no_publisher_gets_is_refused(stream: bytes) -> None:
    with pytest.raises(AnswerError):
        fed(4, stream)


@pytest.mark.property
@given(st.lists(st.binary(max_size=60), max_size=6), st.sampled_from([4, 5]))
def test_any_bytes_are_understood_or_refused(pieces: list[bytes], version: Version) -> None:
    with contextlib.suppress(AnswerError):
        fed(version, *pieces)
