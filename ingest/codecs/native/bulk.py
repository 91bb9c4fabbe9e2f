"""Thousands of plain native messages at once, in columns.

One decoder call reads all payloads as one JSON array. Between two payloads stands a number that
nobody outside knows, so a payload that is no whole document can never become part of its
neighbour. Whatever is not plain (another member, a text value, a doubt) is handed back.
"""

import secrets
from itertools import chain
from operator import itemgetter
from typing import Final, cast

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Bulk", "decode_bulk"]

SEPARATOR_BITS: Final = 62
SEPARATOR: Final = (1 << SEPARATOR_BITS) | secrets.randbits(SEPARATOR_BITS)
JOINT: Final = b",%d," % SEPARATOR
# From here on a double no longer holds every integer.
EXACT_MAX: Final = float(1 << 53)
# Longer than any number literal that is read; every character of a number becomes a `0`.
LONG_LITERAL: Final = b"0" * 65
DIGITS: Final = bytes.maketrans(b"123456789.eE+-", b"0" * 14)
# `2026-03-04T10:15:30Z`, and with nine digits of a fraction and an offset.
TIME_CHARACTERS: Final = range(20, 37)
_before_seconds = itemgetter(16)
MICROS_PER_MILLI: Final = 1_000
# 2100-01-01: text is held to it, and numbers beyond are for the rule of future times.
LAST_US: Final = 4_102_444_800_000_000
ID_MAX: Final = 64
OBSERVATIONS_MAX: Final = 1_000
# Messages read as one: their objects stay in the processor's cache until they are columns.
AT_ONCE: Final = 1_024
# Quotes of `"obs"`; of `"q":"..."` and `"v"`; of a name and its text.
QUOTES_MESSAGE: Final = 2
QUOTES_OBSERVATION: Final = 6
QUOTES_TEXT: Final = 4
QUOTES_NUMBER: Final = 2


class _Observation(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    q: str
    v: float
    u: str | None = None


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    obs: list[_Observation]
    t: str | int
    id: str | None = None


_decoder = msgspec.json.Decoder(list[_Message | int])


class Bulk(msgspec.Struct, frozen=True):
    """Plain messages in columns.

    Attributes:
        kept: Which of the payloads these are, ascending.
        counts: Observations of each of them.
        times_us: Time of each of them.
        quantities, units, values: One an observation; units as sent, None where there was none.
        refused: Which of the payloads are not plain.
    """

    kept: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    times_us: npt.NDArray[np.int64]
    quantities: list[str]
    units: list[str | None]
    values: npt.NDArray[np.float64]
    refused: list[int]


class _Stretch(msgspec.Struct, frozen=True):
    """Neighbours among the payloads that are all plain, in columns.

    Attributes:
        at: Which of the payloads is the first.
        sizes: Observations of each message.
    """

    at: int
    sizes: list[int]
    times_us: npt.NDArray[np.int64]
    quantities: list[str]
    units: list[str | None]
    values: list[float]


def decode_bulk(payloads: list[bytes]) -> Bulk:
    """Read the plain ones of some native payloads; never raises."""
    found: list[_Stretch] = []
    refused: list[int] = []
    for at in range(0, len(payloads), AT_ONCE):
        _read(payloads[at : at + AT_ONCE], at, found, refused)
    counts = list(chain.from_iterable([each.sizes for each in found]))
    values = list(chain.from_iterable([each.values for each in found]))
    return Bulk(
        kept=_joined([np.arange(each.at, each.at + len(each.sizes)) for each in found]),
        counts=np.fromiter(counts, np.int64, len(counts)),
        times_us=_joined([each.times_us for each in found]),
        quantities=list(chain.from_iterable([each.quantities for each in found])),
        units=list(chain.from_iterable([each.units for each in found])),
        values=np.fromiter(values, np.float64, len(values)),
        refused=refused,
    )


def _joined(parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _read(payloads: list[bytes], at: int, found: list[_Stretch], refused: list[int]) -> None:
    """Read a stretch as one; where something in it is not plain, read its halves."""
    stretch = _stretch(payloads, at)
    if stretch is not None:
        found.append(stretch)
    elif len(payloads) == 1:
        refused.append(at)
    else:
        middle = len(payloads) // 2
        _read(payloads[:middle], at, found, refused)
        _read(payloads[middle:], at + middle, found, refused)


def _stretch(payloads: list[bytes], at: int) -> _Stretch | None:
    """Return columns; None where one of the payloads is not plain."""
    joined = b"[" + JOINT.join(payloads) + b"]"
    messages = _messages(joined, len(payloads))
    if messages is None:
        return None
    items = [message.obs for message in messages]
    observations = list(chain.from_iterable(items))
    times_us = _times([message.t for message in messages])
    if times_us is None or not observations:
        return None
    stretch = _Stretch(
        at,
        list(map(len, items)),
        times_us,
        [each.q for each in observations],
        [each.u for each in observations],
        [each.v for each in observations],
    )
    return stretch if _is_plain(stretch, messages, joined.count(b'"')) else None


def _messages(joined: bytes, count: int) -> list[_Message] | None:
    """Return the messages that were joined; None where one of them is not plain."""
    if LONG_LITERAL in joined.translate(DIGITS):
        return None
    try:
        read = _decoder.decode(joined)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    messages, joints = read[::2], read[1::2]
    whole = len(messages) == count and joints.count(SEPARATOR) == len(joints)
    if not whole or set(map(type, messages)) != {_Message}:
        return None
    return cast("list[_Message]", messages)


def _is_plain(stretch: _Stretch, messages: list[_Message], quotes: int) -> bool:
    """Say whether limits hold, and the quotes are those of names that stand once, unescaped."""
    names = [message.id for message in messages]
    named = len(names) - names.count(None)
    times = list(map(type, [message.t for message in messages])).count(str)
    united = len(stretch.units) - stretch.units.count(None)
    expected = (
        (QUOTES_MESSAGE + QUOTES_NUMBER) * len(messages)
        + QUOTES_OBSERVATION * len(stretch.values)
        + QUOTES_TEXT * (named + united)
        + (QUOTES_TEXT - QUOTES_NUMBER) * times
    )
    return (
        quotes == expected
        and min(stretch.sizes) > 0
        and max(stretch.sizes) <= OBSERVATIONS_MAX
        and _are_ids(names)
        and _are_exact(stretch.values)
    )


def _are_ids(names: list[str | None]) -> bool:
    sizes = {len(name) for name in names if name is not None}
    return not sizes or (min(sizes) > 0 and max(sizes) <= ID_MAX)


def _are_exact(values: list[float]) -> bool:
    return max(values) < EXACT_MAX and min(values) > -EXACT_MAX


def _times(sent: list[str | int]) -> npt.NDArray[np.int64] | None:
    """Return instants in microseconds; None where one of them needs a closer look."""
    kinds = set(map(type, sent))
    if kinds == {int}:
        return _from_millis(sent)
    if kinds == {str}:
        return _from_texts([str(each) for each in sent])
    return None


def _from_millis(sent: list[str | int]) -> npt.NDArray[np.int64] | None:
    try:
        millis = np.array(sent, np.int64)
    except OverflowError:
        return None
    if millis.min() < 0 or millis.max() >= LAST_US // MICROS_PER_MILLI:
        return None
    return millis * MICROS_PER_MILLI


def _from_texts(sent: list[str]) -> npt.NDArray[np.int64] | None:
    lengths = set(map(len, sent))
    if min(lengths) not in TIME_CHARACTERS or max(lengths) not in TIME_CHARACTERS:
        return None
    joined = "".join(sent)
    # A blank instead of the T, a comma, or minutes without seconds: for the strict reader.
    whole = joined.count("T") == len(sent) and set(map(_before_seconds, sent)) == {":"}
    if not whole or " " in joined or "," in joined:
        return None
    try:
        instants = pa.array(sent).cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return None
    times_us: npt.NDArray[np.int64] = instants.cast(pa.int64()).to_numpy()
    return times_us if times_us.min() >= 0 and times_us.max() < LAST_US else None
