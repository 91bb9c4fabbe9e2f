"""Every codec with damaged samples: a message is decoded, or refused with a `MessageError`."""

import math
import random
from collections.abc import Mapping
from pathlib import Path

import msgspec

from city.flags import Flag
from fuzz.mutation import mutate
from fuzz.report import Decided
from ingest.codecs.catalogue import find_codecs
from ingest.codecs.envelope import unpack
from ingest.codecs.seam import Arrived, Codec, Decoded, MessageError

__all__ = ["Codecs"]

SAMPLES = Path(__file__).parents[1] / "tests" / "data" / "samples"
RECEIVED_US = 1_772_619_330_000_000
VALUES = (float, int, bool, str)


class _Sample(msgspec.Struct, frozen=True):
    """A message as its file says it arrived."""

    codec: str
    topic: str
    payload: bytes


class Codecs:
    """Samples of all formats that have a codec, damaged, some of them given to another format."""

    name = "codecs"

    def __init__(self) -> None:
        self._codecs: Mapping[str, Codec] = find_codecs()
        self._samples = [each for name in sorted(self._codecs) for each in _samples(name)]
        assert self._samples, f"no samples under {SAMPLES}"

    def make(self, rng: random.Random) -> bytes:
        """Return a codec's name, a topic and a payload in MessagePack. See `Target.make`."""
        sample = rng.choice(self._samples)
        codec = rng.choice(sorted(self._codecs)) if rng.random() < 0.05 else sample.codec
        topic = mutate(sample.topic.encode(), rng) if rng.random() < 0.1 else sample.topic.encode()
        payload = mutate(sample.payload, rng)
        return msgspec.msgpack.encode((codec, topic.decode(errors="ignore"), payload))

    def check(self, data: bytes) -> Decided:
        """Decode one message. See `Target.check`."""
        name, topic, payload = msgspec.msgpack.decode(data, type=tuple[str, str, bytes])
        try:
            message = Arrived(topic, unpack(payload), RECEIVED_US, "city")
            decoded = self._codecs[name].decode(message)
        except MessageError:
            return Decided(refused=1)
        _check(decoded)
        return Decided(accepted=1)


def _samples(codec: str) -> list[_Sample]:
    found: list[_Sample] = []
    for path in sorted((SAMPLES / codec).glob("*.in")):
        meta = msgspec.json.decode(path.with_suffix(".meta.json").read_bytes())
        found.append(_Sample(codec, meta.get("topic", "a/b/c/d"), path.read_bytes()))
    return found


def _check(decoded: Decoded) -> None:
    """Hold what a codec says to what is written behind it."""
    for each in decoded.observations:
        assert type(each.value) in VALUES
        assert isinstance(each.value, str) or math.isfinite(each.value)
        assert each.flag in Flag
        msgspec.json.encode(each.metadata)
    assert all(each.words for each in decoded.rejected)
