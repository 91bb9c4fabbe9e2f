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
from fuzz.report import Decided

__all__ = ["Frames"]

RANDOM_BYTES = 4_096
SIZES = (0, 1, 2, 40, 400)


class Frames:
    """Damaged frames: each is a frame that encodes to the same meaning, or a `FrameError`."""

    name = "frames"

    def __init__(self) -> None:
        # The frames that are damaged are always the same ones.
        rng = random.Random(0)
        self._seeds = [encode_frame(_frame(rng, messages)) for messages in SIZES]

    def make(self, rng: random.Random) -> bytes:
        """Return a damaged frame, or noise. See `Target.make`."""
        return _input(rng, self._seeds)

    def check(self, data: bytes) -> Decided:
        """Decode a frame. See `Target.check`."""
        try:
            frame = decode_frame(data)
        except FrameError:
            return Decided(refused=1)
        assert decode_frame(encode_frame(frame)) == frame
        return Decided(accepted=1)


def _input(rng: random.Random, seeds: list[bytes]) -> bytes:
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(RANDOM_BYTES))
    damaged = mutate(rng.choice(seeds), rng)
    if len(damaged) < PREFIX.size or rng.random() < 0.5:
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
