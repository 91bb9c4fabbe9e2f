"""Every codec with damaged samples: a message is decoded, or refused with a `MessageError`."""

import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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

    topic: str
    payload: bytes
    options: dict[str, Any] = {}


class Codecs:
    """Samples of all formats that have a codec, damaged, some of them given to another format."""

    name = "codecs"

    def __init__(self) -> None:
        self._codecs: Mapping[str, Codec] = find_codecs()
        self._samples = {name: found for name in sorted(self._codecs) if (found := _samples(name))}
        assert self._samples, f"no samples under {SAMPLES}"

    def make(self, rng: random.Random) -> bytes:
        """Return codec, topic, payload and options in MessagePack. See `Target.make`."""
        codec = rng.choice(list(self._samples))
        sample = rng.choice(self._samples[codec])
        if rng.random() < 0.05:
            codec = rng.choice(list(self._samples))
        topic = mutate(sample.topic.encode(), rng) if rng.random() < 0.1 else sample.topic.encode()
        payload = mutate(sample.payload, rng)
        text = topic.decode(errors="ignore")
        return msgspec.msgpack.encode((codec, text, payload, sample.options))

    def check(self, data: bytes) -> Decided:
        """Decode one message. See `Target.check`."""
        made = msgspec.msgpack.decode(data, type=tuple[str, str, bytes, dict[str, Any]])
        name, topic, payload, options = made
        try:
            message = Arrived(topic, unpack(payload), RECEIVED_US, "city", options=options)
            decoded = self._codecs[name].decode(message)
        except MessageError:
            return Decided(refused=1)
        _check(decoded)
        return Decided(accepted=1)


def _samples(codec: str) -> list[_Sample]:
    found: list[_Sample] = []
    for path in sorted((SAMPLES / codec).glob("*.in")):
        meta = msgspec.json.decode(path.with_suffix(".meta.json").read_bytes())
        payload = path.read_bytes()
        if meta["encoding"] == "hex":
            payload = bytes.fromhex(payload.decode())
        # What a route would say.
        parts = ("route", "options", "profile", "registry")
        options = {name: each for part in parts for name, each in meta.get(part, {}).items()}
        if "mapping" in meta:
            options |= msgspec.json.decode((path.parent / meta["mapping"]).read_bytes())
        found.append(_Sample(meta.get("topic", "a/b/c/d"), payload, options))
    return found


def _check(decoded: Decoded) -> None:
    """Hold what a codec says to what is written behind it."""
    for each in decoded.observations:
        assert type(each.value) in VALUES
        assert isinstance(each.value, str) or math.isfinite(each.value)
        assert each.flag in Flag
        msgspec.json.encode(each.metadata)
    assert all(each.words for each in decoded.rejected)
