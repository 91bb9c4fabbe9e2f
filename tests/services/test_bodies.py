"""Bodies of HTTP requests taken apart: every message as it came, and no bomb goes off."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.bodies import INFLATED_MAX_BYTES, MESSAGES_MAX, divided, inflated, media_type
from services.problems import ProblemError

JSON = "application/json"
LINES = "application/x-ndjson"
LONGEST = 200_000
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def taken(body: bytes, kind: str) -> list[bytes]:
    return divided(body, kind, whole_arrays=False, message_max_bytes=LONGEST)


@given(st.lists(VALUES, min_size=1, max_size=20), st.integers(1, 4))
def test_messages_are_the_same_as_array_and_by_line_whatever_members_the_gzip_has(
    values: list[object], members: int
) -> None:
    wanted = [json.dumps(each).encode() for each in values]
    lines, array = b"\r\n \n".join(wanted) + b"\n", b"[" + b" ,\n".join(wanted) + b"]"
    step = -(-len(lines) // members)
    packed = b"".join(gzip.compress(lines[at : at + step]) for at in range(0, len(lines), step))
    assert taken(inflated(packed, "gzip"), LINES) == taken(array, JSON) == wanted


def test_as_many_messages_as_allowed_are_taken_however_many_commas_they_have() -> None:
    wanted = [b'{"n":[1,2,3]}'] * MESSAGES_MAX
    assert taken(b"[" + b",".join(wanted) + b"]", JSON) == wanted
    assert taken(b"\n".join(wanted), LINES) == wanted


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"[" + b"1," * (INFLATED_MAX_BYTES // 2 - 2) + b"1]", JSON, 413, "too_large"),
        (b"1\n" * (INFLATED_MAX_BYTES // 2), LINES, 413, "too_large"),
        (b" \n" * (INFLATED_MAX_BYTES // 2), LINES, 422, "no_message"),
        (b"[" * INFLATED_MAX_BYTES, JSON, 422, "json_depth"),
        (b'[{"a":' * (INFLATED_MAX_BYTES // 6), JSON, 422, "json_depth"),
        (b"[" + b"1," * (INFLATED_MAX_BYTES // 2 - 1), JSON, 413, "too_large"),
    ],
)  # fmt: skip
def test_a_bomb_of_a_dozen_kilobytes_is_refused_before_it_takes_memory(
    body: bytes, kind: str, status: int, code: str
) -> None:
    packed = gzip.compress(body)
    assert len(packed) < 20_000
    tracemalloc.start()
    try:
        with pytest.raises(ProblemError) as refused:
            taken(inflated(packed, "gzip"), kind)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (int(refused.value.status), refused.value.code) == (status, code)
    # Unpacking holds what it has and what it makes of it.
    assert most < 3 * INFLATED_MAX_BYTES


@pytest.mark.parametrize(
    ("packed", "status"),
    [
        (gzip.compress(b"1")[:-1], 400),
        (gzip.compress(b"1") + b"?", 400),
        (gzip.compress(b"1") * 101, 400),
        (gzip.compress(b" " * INFLATED_MAX_BYTES) + gzip.compress(b"1"), 413),
    ],
    ids=["early end", "something follows", "many members", "too much in two"],
)
def test_what_is_no_gzip_or_too_much_of_it_is_refused(packed: bytes, status: int) -> None:
    with pytest.raises(ProblemError) as refused:
        inflated(packed, "gzip")
    assert int(refused.value.status) == status


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("", ""),
        ("Application/JSON; Charset=UTF-8; profile=x", "application/json"),
        ("application/json;odata=minimal;charset=utf-8", "application/json"),
        ('application/ld+json; charset="utf-8"', "application/ld+json"),
        ("text/csv; header=present", "text/csv"),
    ],
)
def test_parameters_of_content_types_may_come_in_any_order(content_type: str, kind: str) -> None:
    assert media_type(content_type) == kind


def test_another_character_set_is_named_wherever_it_stands() -> None:
    with pytest.raises(ProblemError, match="'latin-1' is not taken here") as refused:
        media_type("text/plain; format=flowed; charset=latin-1")
    assert refused.value.mend == "send it in UTF-8"
