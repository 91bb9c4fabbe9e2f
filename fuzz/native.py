"""Native JSON: the strict reader and the bulk reader agree, and both decide every message."""

import random
from typing import Final

import msgspec
import numpy as np

from city.quantities import QUANTITY_PATTERN
from city.reasons import ObservationReason
from city.units import ucum
from fuzz.mutation import mutate
from fuzz.report import Decided
from ingest.codecs.envelope import unpack
from ingest.codecs.native import CODEC, decode_bulk
from ingest.codecs.seam import Arrived, CodedObservation, Decoded, MessageError

__all__ = ["Native"]

TOPIC: Final = "madina/v1/city/a/up"
RECEIVED_US: Final = 1_772_619_330_000_000
BATCH_MAX: Final = 24

# Values at the edges of what JSON, doubles, 64 bits, times and names can be.
VALUES: Final = (
    b"1", b"-1.5", b"21.25", b"0", b"-0", b"-0.0", b"1e3", b"1E-400", b"1e308", b"1e309", b"01",
    b"9007199254740991", b"9007199254740992", b"-9007199254740993", b"9007199254740992.0",
    b"9223372036854775808", b"18446744073709551616", b"1" * 64, b"1" * 65, b"0." + b"1" * 70,
    b"NaN", b"-Infinity", b"true", b"null", b'""', b'"on"', b'"\\u0000"', b'"\\ud800"', b'"\xff"',
    b'"\xc3\xbc"', b"[]", b"[1]", b"{}", b"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", b"",
)  # fmt: skip
TIMES: Final = (
    b"1772619330000", b"0", b"-1", b"4102444800000", b"1772619330", b"1772619330000.0", b"1e12",
    b'"2026-03-04T10:15:30Z"', b'"2026-03-04T10:15:30.123456789+05:30"', b"9" * 30,
    b'"2026-03-04T10:15:30"', b'"2026-03-04 10:15:30Z"', b'"2026-02-30T10:15:30Z"',
    b'"2026-03-04T24:00:00Z"', b'"2026-03-04T23:59:60Z"', b'"2026-03-04T10:15:30,5Z"',
    b'"9999-12-31T23:59:59Z"', b'"1969-12-31T23:59:59Z"', b'"2026-03-04T10:15:30-00:00"',
    b'"2026-03-04T10:15:30.Z"', b'"2026-03-04t10:15:30z"', b'"2026-03-04T10:15Z"', b"null",
)  # fmt: skip
NAMES: Final = (
    b'"pm10"', b'"laeq"', b'"temperature_7"', b'"PM10"', b'""', b'"\\u0070m10"', b'"' + b"q" * 65
    + b'"', b"7", b"null", b'"\xc2\xb5"',
)  # fmt: skip
UNITS: Final = (b'"ug/m3"', b'"dB"', b'"\xc2\xb5g/m\xc2\xb3"', b'"furlong"', b"null", b"3")
IDS: Final = (b'"a-1"', b'""', b'"' + b"i" * 65 + b'"', b"12", b"null", b'"\\n"')
SPACES: Final = (b"", b"", b"", b" ", b"\n\t", b"\x0b", b"\xc2\xa0")
ENDS: Final = (b"", b"", b"", b"", b" ", b"\n", b",", b"}", b"]", b"\0", b",{}", b"//")


class Native:
    """Batches of native messages, so that damage may reach across what is read as one."""

    name = "native"

    def make(self, rng: random.Random) -> bytes:
        """Return a batch, as a MessagePack array of payloads. See `Target.make`."""
        batch = [_payload(rng) for _ in range(rng.randrange(1, BATCH_MAX))]
        return msgspec.msgpack.encode(batch)

    def check(self, data: bytes) -> Decided:
        """Read a batch both ways. See `Target.check`."""
        payloads = msgspec.msgpack.decode(data, type=list[bytes])
        strict = [_strict(payload) for payload in payloads]
        _compare(payloads, strict)
        refused = strict.count(None)
        return Decided(accepted=len(strict) - refused, refused=refused)


def _strict(payload: bytes) -> Decoded | None:
    """Return what the strict reader says; None where it has a reason to refuse."""
    try:
        return CODEC.decode(Arrived(TOPIC, unpack(payload), RECEIVED_US, "city"))
    except MessageError:
        return None


def _compare(payloads: list[bytes], strict: list[Decoded | None]) -> None:
    bulk = decode_bulk(payloads)
    kept: list[int] = bulk.kept.tolist()
    assert sorted([*kept, *bulk.refused]) == list(range(len(payloads)))
    ends: list[int] = np.cumsum(bulk.counts).tolist()
    values: list[float] = bulk.values.tolist()
    assert (ends[-1] if ends else 0) == len(values) == len(bulk.quantities) == len(bulk.units)
    start = 0
    for at, end, time_us in zip(kept, ends, bulk.times_us.tolist(), strict=True):
        decoded = strict[at]
        assert decoded is not None, f"bulk read what strict refuses: {payloads[at]!r}"
        names, units = bulk.quantities[start:end], bulk.units[start:end]
        rows = list(zip(names, units, values[start:end], strict=True))
        named = [row for row in rows if QUANTITY_PATTERN.fullmatch(row[0])]
        assert [_row(each) for each in decoded.observations] == [
            (name, None if unit is None else ucum(unit), value, time_us)
            for name, unit, value in named
        ], payloads[at]
        # What names no quantity is for the code behind both readers to reject.
        assert len(decoded.rejected) == len(rows) - len(named), payloads[at]
        assert all(each.reason is ObservationReason.BAD_QUANTITY for each in decoded.rejected)
        start = end


def _row(each: CodedObservation) -> tuple[str, str | None, float, int | None]:
    assert isinstance(each.value, int | float)
    return each.quantity, each.unit, float(each.value), each.time_us


def _payload(rng: random.Random) -> bytes:
    made = _odd(rng) if rng.random() < 0.5 else _usual(rng)
    return mutate(made, rng) if rng.random() < 0.5 else made


def _usual(rng: random.Random) -> bytes:
    return b'{"t":%d,"id":"%d","obs":[{"q":"pm10","v":%d.25,"u":"ug/m3"},{"q":"laeq","v":%d}]}' % (
        RECEIVED_US // 1_000, rng.randrange(1_000), rng.randrange(100), rng.randrange(100)
    )  # fmt: skip


def _odd(rng: random.Random) -> bytes:
    """Return a message whose members are usual or at an edge, left out, twice, in any order."""
    items = [_object(rng, _observation(rng)) for _ in range(rng.choice([0, 1, 1, 1, 2, 3]))]
    members = [(b"obs", b"[%s]" % b",".join(items)), (b"t", _pick(rng, TIMES))]
    if rng.random() < 0.3:
        members.append((b"id", _pick(rng, IDS)))
    if rng.random() < 0.1:
        rare = [(b"ver", b"1"), (b"ver", b"2"), (b"dev", b'"a"'), (b"x", b"{}"), (b"meta", b"{}")]
        members.append(rng.choice(rare))
    rng.shuffle(members)
    return _object(rng, members) + rng.choice(ENDS)


def _observation(rng: random.Random) -> list[tuple[bytes, bytes]]:
    members = [(b"q", _pick(rng, NAMES)), (b"v", _pick(rng, VALUES))]
    if rng.random() < 0.5:
        members.append((b"u", _pick(rng, UNITS)))
    if rng.random() < 0.1:
        rare = [(b"t", _pick(rng, TIMES)), (b"e", _pick(rng, TIMES)), (b"f", b"4"), (b"z", b"1")]
        members.append(rng.choice(rare))
    return members


def _pick(rng: random.Random, choices: tuple[bytes, ...]) -> bytes:
    """Return the first ones more often: a message with three faults shows only one of them."""
    if rng.random() < 0.3:
        return rng.choice(choices)
    return choices[min(int(rng.expovariate(0.4)), len(choices) - 1)]


def _object(rng: random.Random, members: list[tuple[bytes, bytes]]) -> bytes:
    if members and rng.random() < 0.05:
        members = [*members, rng.choice(members)] if rng.random() < 0.5 else members[1:]
    space = rng.choice(SPACES)
    return b"{%s}" % b",".join(b'%s"%s":%s' % (space, name, text) for name, text in members)
