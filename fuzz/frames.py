"""The frame decoder: damaged frames, with a checksum that is right and with one that is not."""

import random
import zlib

from city.frame import (
    PREFIX,
    Control,
    ControlKind,
    Door,
    Extras,
    Frame,
    FrameError,
    Run,
    decode_frame,
    encode_frame,
)
from fuzz.mutation import mutate
from fuzz.report import Budget, Report

__all__ = ["fuzz_frames"]

RANDOM_BYTES = 4_096


def fuzz_frames(rng: random.Random, budget: Budget) -> Report:
    """Decode damaged frames: each gives a frame that encodes to the same bytes, or `FrameError`."""
    report = Report("frames")
    seeds = [encode_frame(_frame(rng, messages)) for messages in (0, 1, 2, 40, 400)]
    while budget.left(report):
        data = _input(rng, seeds)
        try:
            frame = decode_frame(data)
        except FrameError:
            report.count(len(data), accepted=False)
            continue
        assert decode_frame(encode_frame(frame)) == frame, data.hex()
        report.count(len(data), accepted=True)
    return report


def _input(rng: random.Random, seeds: list[bytes]) -> bytes:
    if rng.random() < 0.1:  # noqa: PLR2004 - one in ten is noise from the first byte on
        return rng.randbytes(rng.randrange(RANDOM_BYTES))
    damaged = mutate(rng.choice(seeds), rng)
    if len(damaged) < PREFIX.size or rng.random() < 0.5:  # noqa: PLR2004 - half are re-signed
        return damaged
    magic, version, door, shard, _ = PREFIX.unpack_from(damaged)
    body = damaged[PREFIX.size :]
    return PREFIX.pack(magic, version, door, shard, zlib.crc32(body)) + body


def _frame(rng: random.Random, messages: int) -> Frame:
    topics = [b"madina/v1/fuzz/device-%d/up" % rng.randrange(50) for _ in range(messages)]
    return Frame(
        door=Door.ENDPOINT,
        shard=rng.randrange(64),
        gateway="gateway-0",
        epoch=rng.randrange(2**60),
        count_before=rng.randrange(2**40),
        received_us=1_772_619_330_000_000,
        topics=topics,
        payloads=[rng.randbytes(rng.randrange(200)) for _ in topics],
        flags=rng.randbytes(messages),
        runs=[Run(b"client", 1_772_619_330_000_000, messages)] if messages else [],
        extras=(Extras(0, "application/json", (("a", "b"),)),) if messages else (),
        controls=(Control(ControlKind.CONNECT, "client", 1_772_619_330_000_000, "new"),),
    )
