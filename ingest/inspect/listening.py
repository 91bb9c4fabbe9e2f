"""Hears what came in lately: reads frames from our own log, and changes nothing there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from city.frame import Frame, FrameError, decode_frame
from city.topics import filter_matches
from ingest.inspect.findings import Heard
from ingest.log.reading import FrameReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nats.aio.client import Client

__all__ = ["MESSAGES_MAX", "Traffic", "hear"]

# More than a person looks at; a proposal does not get better by more.
MESSAGES_MAX: Final = 20_000
FRAMES_MAX: Final = 20_000
READ_FRAMES: Final = 256
READ_BYTES: Final = 4 << 20


class Traffic(msgspec.Struct, frozen=True):
    """Messages in the order of arrival; `cut`: more came than are looked at."""

    messages: list[Heard]
    cut: bool = False


async def hear(client: Client, shards: int, topic_filter: bytes, since_us: int) -> Traffic:
    """Return the messages of a filter that the log took since an instant.

    Raises:
        LogError: If there is no log yet, or it refuses.
        TimeoutError: If it does not answer.
    """
    reader = FrameReader(client)
    await reader.start()
    found: list[Heard] = []
    cut = False
    for shard in range(shards):
        left = MESSAGES_MAX // shards
        here, more = await _hear_shard(reader, shard, topic_filter, since_us, left)
        found += here
        cut = cut or more
    found.sort(key=lambda each: each.received_us)
    return Traffic(found, cut)


async def _hear_shard(
    reader: FrameReader, shard: int, topic_filter: bytes, since_us: int, left: int
) -> tuple[list[Heard], bool]:
    found: list[Heard] = []
    after, frames, more = 0, 0, True
    while more:
        stretch = await reader.read(
            shard,
            after,
            frames=READ_FRAMES,
            size_bytes=READ_BYTES,
            since_us=0 if after else since_us,
        )
        for logged in stretch.frames:
            found += _of_frame(logged.data, topic_filter)
            after = logged.sequence
        frames += len(stretch.frames)
        more = stretch.more
        if len(found) >= left or frames >= FRAMES_MAX:
            return found[:left], more or len(found) > left
    return found, False


def _of_frame(data: bytes, topic_filter: bytes) -> Iterator[Heard]:
    try:
        frame = decode_frame(data)
    except FrameError:
        return
    arrived = _arrivals(frame)
    kinds = {each.index: each.content_type for each in frame.extras}
    for index, (topic, payload, received_us) in enumerate(
        zip(frame.topics, frame.payloads, arrived, strict=True)
    ):
        if filter_matches(topic_filter, topic):
            text = topic.decode(errors="replace")
            yield Heard(text, payload, received_us, kinds.get(index, ""))


def _arrivals(frame: Frame) -> list[int]:
    return [run.received_us for run in frame.runs for _ in range(run.count)]
