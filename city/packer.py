"""Packs what connections read into frames, shard by shard, and remembers whom to confirm.

No I/O. The cost of a message is decided here, so everything works on the lists of a whole
read; a loop over messages runs only for a read that has to be divided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from city.access import ShardRules
from city.clock import US_PER_MINUTE
from city.filling import Filling, Origin, Reading, SealedFrame, Waiting
from city.frame import Control, ControlKind, Extras
from city.subjects import shard_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.backlog import Backlog
    from city.clock import Clock
    from city.intake import Publisher

__all__ = ["Packer"]

# Topics whose shard is remembered: at about 150 bytes each, 10 MB at most.
REMEMBERED_TOPICS = 65_536
# Connects and disconnects that wait for a frame of one shard; more are dropped and counted.
MAX_CONTROLS = 4_096


class Packer:
    """Implements `city.intake.Intake`.

    Attributes:
        messages, message_bytes: Taken since the start.
        dropped_controls: Connects and disconnects that found no room.
    """

    def __init__(  # noqa: PLR0913 - the composition of the hot path, built once
        self,
        origin: Origin,
        *,
        shards: int,
        frame_bytes: int,
        clock: Clock,
        backlog: Backlog,
        opened: Callable[[], None],
        sealed: Callable[[SealedFrame], None],
    ) -> None:
        """Take `opened` (a first message waits: start the linger) and `sealed` (send this)."""
        self._origin = origin
        self._frame_bytes = frame_bytes
        self._clock = clock
        self._backlog = backlog
        self._opened = opened
        self._sealed = sealed
        self._fillings = [Filling(shard) for shard in range(shards)]
        self._rules = ShardRules()
        self._shards: dict[bytes, int] = {}
        self._lingering = False
        self._readings = 0
        self._control_frames = 0
        self._minute_us = self._minute_end_us = 0
        self.messages = 0
        self.message_bytes = 0
        self.dropped_controls = 0

    @property
    def full(self) -> bool:
        """Say whether connections have to stop reading."""
        return self._backlog.full

    @property
    def remembered_topics(self) -> int:
        """Return how many topics have their shard remembered."""
        return len(self._shards)

    def use_rules(self, rules: ShardRules) -> None:
        """Take the shard levels of routes from now on."""
        if rules != self._rules:
            self._rules = rules
            self._shards.clear()

    def take(  # noqa: PLR0913, PLR0917 - the seam's signature, see `Intake`
        self,
        publisher: Publisher,
        client: bytes,
        topics: list[bytes],
        payloads: list[bytes],
        flags: bytes,
        acknowledgements: list[bytes],
        size_bytes: int,
        extras: tuple[Extras, ...] = (),
    ) -> None:
        """Take the messages of one read; see `Intake.take`."""
        now_us = self._clock.now_us()
        if not self._minute_us <= now_us < self._minute_end_us:
            self._turn_minute(now_us)
        count = len(topics)
        self.messages += count
        self._readings += 1
        reading = Reading(self._readings, publisher, client, now_us)
        shard = self._one_shard(topics)
        size = sum(map(len, topics)) + sum(map(len, payloads))
        if shard is None or extras or (size > self._frame_bytes and count > 1):
            added = self._scatter(
                reading, topics, payloads, flags, acknowledgements, size_bytes, extras
            )
        else:
            filling = self._room(shard, size)
            waiting = Waiting(publisher, acknowledgements, size_bytes)
            added = filling.begin_run(reading, waiting, count)
            added += filling.add_many(topics, payloads, flags, size)
        self.message_bytes += added
        self._backlog.hold(added)
        if not self._lingering:
            self._lingering = True
            self._opened()

    def control(self, kind: ControlKind, client: str, detail: str) -> None:
        """Record that a client connected or disconnected."""
        now_us = self._clock.now_us()
        if not self._minute_us <= now_us < self._minute_end_us:
            self._turn_minute(now_us)
        filling = self._fillings[shard_of(client.encode(), len(self._fillings))]
        if len(filling.controls) >= MAX_CONTROLS:
            self.dropped_controls += 1
            return
        self._backlog.hold(filling.add_control(Control(kind, client, now_us, detail)))

    def tick(self) -> None:
        """Let control records of a minute that is over go, although nobody sends a message."""
        now_us = self._clock.now_us()
        if not self._minute_us <= now_us < self._minute_end_us:
            self._turn_minute(now_us)

    def seal_messages(self) -> None:
        """Seal what holds messages: the linger is over."""
        self._lingering = False
        for filling in self._fillings:
            if filling.topics:
                self._seal(filling)

    def seal_all(self) -> None:
        """Seal everything, frames of nothing but control records too."""
        self._lingering = False
        for filling in self._fillings:
            if filling.topics or filling.controls:
                self._seal(filling)

    def _turn_minute(self, now_us: int) -> None:
        """A frame belongs to one minute; a clock that was set back starts a new one as well."""
        self.seal_all()
        self._minute_us = now_us - now_us % US_PER_MINUTE
        self._minute_end_us = self._minute_us + US_PER_MINUTE

    def _learn(self, topic: bytes) -> int:
        if len(self._shards) >= REMEMBERED_TOPICS:
            self._shards.clear()
        shard = shard_of(self._rules.key_of(topic), len(self._fillings))
        self._shards[topic] = shard
        return shard

    def _one_shard(self, topics: list[bytes]) -> int | None:
        """Return the shard that all topics have; None: they have several, or one is new."""
        first = topics[0]
        shard = self._shards.get(first)
        if shard is None:
            shard = self._learn(first)
        if topics.count(first) == len(topics) or {*map(self._shards.get, topics)} == {shard}:
            return shard
        return None

    def _room(self, shard: int, size_bytes: int) -> Filling:
        """Return the frame of a shard with room for so much, or an empty one."""
        filling = self._fillings[shard]
        if filling.size_bytes + size_bytes > self._frame_bytes and filling.size_bytes:
            self._seal(filling)
        return filling

    def _scatter(  # noqa: PLR0913, PLR0917 - the seam's columns, divided
        self,
        reading: Reading,
        topics: list[bytes],
        payloads: list[bytes],
        flags: bytes,
        acknowledgements: list[bytes],
        size_bytes: int,
        extras: tuple[Extras, ...],
    ) -> int:
        """Add a read message by message: several shards, or more than a frame holds."""
        share_bytes, rest_bytes = divmod(size_bytes, len(topics))
        named = {each.index: each for each in extras}
        added = 0
        for index, topic in enumerate(topics):
            payload = payloads[index]
            shard = self._shards.get(topic)
            if shard is None:
                shard = self._learn(topic)
            filling = self._room(shard, len(topic) + len(payload))
            if filling.reading != reading.number:
                waiting = Waiting(reading.publisher, [], rest_bytes)
                added += filling.begin_run(reading, waiting, 0)
                rest_bytes = 0
            filling.waiting[-1].size_bytes += share_bytes
            added += filling.add_one(topic, payload, flags[index], acknowledgements[index])
            if named and index in named:
                added += filling.add_extras(named[index])
        return added

    def _seal(self, filling: Filling) -> None:
        """Hand a frame on. Without messages it has the next one's count, so its id needs more."""
        origin = self._origin
        message_id = f"{origin.gateway}-{origin.epoch}-{filling.shard}-{filling.count}"
        if not filling.topics:
            self._control_frames += 1
            message_id += f"-control-{self._control_frames}"
        self._sealed(filling.seal(origin, message_id))
