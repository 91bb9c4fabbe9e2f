"""Publishes messages of a recording: QoS 1, in order, over one connection that survives restarts.

Without a speed as fast as acknowledgements come: a server that is slow to store slows the player
down, and nothing is dropped on either side.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import Final

import msgspec

from loadtest.connection import Connection, ConnectionRole
from loadtest.dialling import Dialler
from loadtest.packets import ConnectFields, connect_packet, packet_ids, publish_packet
from loadtest.replay.recording import Message

__all__ = ["PlayError", "PlayPlan", "PlayProgress", "PlayReport", "play"]

# Messages without PUBACK; a server that allows fewer says so.
WINDOW: Final = 4_096
# Messages that are made before they can be sent, and those made at a time.
AHEAD: Final = 8_192
SLICE: Final = 512
TICK_S: Final = 0.002
PROGRESS_S: Final = 0.1
KEEP_ALIVE_S: Final = 60
CONNECT_S: Final = 30.0
# So long may a server be away, or break off whatever is sent, before the player gives up.
GIVE_UP_S: Final = 60.0
GOODBYE_S: Final = 5.0
US_PER_S: Final = 1_000_000


class PlayError(Exception):
    """The server does not let the player in; the words say why."""


class PlayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to publish to, and how fast.

    Attributes:
        speed: Times the recorded speed; None: as fast as it goes. The messages are in order of
            time then, and all at hand.
    """

    host: str
    port: int
    client_id: str
    user: str | None = None
    password: str | None = None
    speed: float | None = None


class PlayProgress(msgspec.Struct, frozen=True):
    """How far it is."""

    sent: int
    acked: int


class PlayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages on their way.

    Attributes:
        sent: Messages, each counted once.
        acked: Those that the server has promised to keep.
        resent: Packets sent again after a lost connection.
        refused: Messages that the server refused with a reason.
        last_refusal: Words of the last refusal or break; may be empty.
        finished: Every message was sent; otherwise somebody stopped it, or it gave up.
    """

    sent: int
    acked: int
    resent: int
    refused: int
    lost_connections: int
    last_refusal: str
    seconds: float
    finished: bool

    @property
    def rate_per_s(self) -> float:
        """Acknowledged messages a second."""
        return self.acked / self.seconds if self.seconds else 0.0


async def play(
    plan: PlayPlan,
    messages: Iterable[Message],
    *,
    progress: Callable[[PlayProgress], None],
    stop: asyncio.Event,
) -> PlayReport:
    """Publish messages.

    Args:
        plan: How.
        messages: What, in this order.
        progress: Called some times a second.
        stop: Ends sending early; what is in flight is still waited for.

    Raises:
        PlayError: If the server cannot be reached or lets nobody in.
    """
    player = _Player(plan, messages, progress, stop)
    failure: PlayError | None = None
    async with asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(player.dialler.work()), tasks.create_task(player.keep_alive())]
        try:
            await player.connect()
            await player.send()
        except PlayError as error:
            failure = error
        finally:
            for task in beside:
                task.cancel()
            await player.close()
    if failure is not None:
        raise failure
    return player.report()


class _Player:
    """One run."""

    def __init__(
        self,
        plan: PlayPlan,
        messages: Iterable[Message],
        progress: Callable[[PlayProgress], None],
        stop: asyncio.Event,
    ) -> None:
        middles = packet_ids(WINDOW, qos=1, version=5)
        role = ConnectionRole(middles, qos=1, version=5, step_s=None)
        self.dialler = Dialler(plan.host, plan.port)
        role.lost = self.dialler.again
        introduction = ConnectFields(
            client_id=plan.client_id,
            version=5,
            keep_alive_s=KEEP_ALIVE_S,
            user=plan.user,
            password=plan.password,
        )
        self._plan = plan
        self._progress = progress
        self._stop = stop
        self._scores = role.scores
        self._connection = Connection(role, connect_packet(introduction), self._packet)
        self._messages: Iterator[Message] = iter(messages)
        self._made: dict[int, Message] = {}
        self._count = self._oldest = 0
        self._is_whole = False
        self._due_s: list[float] = []
        self._first_us: int | None = None
        self._started_s = self._ended_s = self._told_s = 0.0
        self._moved, self._moved_s = (0, 0), 0.0
        self._lost, self._lost_s = 0, 0.0

    async def connect(self) -> None:
        """Wait until the server lets it in."""
        self.dialler.add([self._connection])
        began_s = perf_counter()
        while not self._connection.is_open:
            await asyncio.sleep(TICK_S)
            if perf_counter() - began_s > CONNECT_S:
                why = self._scores.last_refusal or "no answer"
                raise PlayError(f"{self._plan.host}:{self._plan.port} lets nobody in: {why}")

    async def send(self) -> None:
        """Send everything, unless somebody stops it; then wait for what is in flight."""
        self._started_s = self._moved_s = perf_counter()
        while not self._stop.is_set() and not self._is_over():
            busy = self._make()
            self._let_go()
            await self._turn(busy=busy)
        self._connection.due = self._connection.next
        while self._open() and not self._is_stuck():
            await self._turn(busy=False)
        self._ended_s = perf_counter()
        self._progress(PlayProgress(self._scores.sent, self._scores.acked))

    async def keep_alive(self) -> None:
        """Ping on an idle connection, until cancelled."""
        while True:
            await asyncio.sleep(KEEP_ALIVE_S / 2)
            self._connection.keep_alive()

    async def close(self) -> None:
        """Say goodbye."""
        self._connection.finish()
        give_up_s = perf_counter() + GOODBYE_S
        while self._connection.is_attached:
            await asyncio.sleep(TICK_S)
            if perf_counter() > give_up_s:
                break
        self._connection.abort()

    def report(self) -> PlayReport:
        """Return what became of it."""
        scores = self._scores
        return PlayReport(
            sent=scores.sent,
            acked=scores.acked,
            resent=scores.resent,
            refused=scores.refused,
            lost_connections=scores.lost,
            last_refusal=scores.last_refusal,
            seconds=self._ended_s - self._started_s,
            finished=self._is_whole and self._connection.next >= self._count,
        )

    def _packet(self, number: int, middle: bytes) -> bytes:
        message = self._made[number]
        return publish_packet(message.topic, message.payload, middle, version=5)

    def _make(self) -> bool:
        """Make some messages ahead of those that are sent; say whether there are more to make."""
        if self._is_whole or self._count - self._connection.next >= AHEAD:
            return False
        made = [*islice(self._messages, SLICE)]
        self._made.update(enumerate(made, self._count))
        if self._plan.speed is not None and made:
            if self._first_us is None:
                self._first_us = made[0].time_us
            a_second = self._plan.speed * US_PER_S
            self._due_s += [(each.time_us - self._first_us) / a_second for each in made]
        self._count += len(made)
        self._is_whole = len(made) < SLICE
        return not self._is_whole

    def _let_go(self) -> None:
        """Say what may be sent by now, and forget what is acknowledged."""
        now_s = perf_counter()
        elapsed_s = now_s - self._started_s
        paced = self._plan.speed is not None
        self._connection.due = bisect_right(self._due_s, elapsed_s) if paced else self._count
        self._connection.pump(now_s)
        oldest = min(self._connection.unacknowledged()[:1] or [self._connection.next])
        for number in range(self._oldest, oldest):
            del self._made[number]
        self._oldest = oldest

    async def _turn(self, *, busy: bool) -> None:
        now_s = perf_counter()
        if now_s - self._told_s >= PROGRESS_S:
            self._told_s = now_s
            self._scores.latency.fold()
            self._progress(PlayProgress(self._scores.sent, self._scores.acked))
        await asyncio.sleep(0 if busy else TICK_S)

    def _open(self) -> int:
        return self._scores.sent - self._scores.acked - self._scores.refused

    def _is_over(self) -> bool:
        whole = self._is_whole and self._connection.next >= self._count and not self._open()
        return whole or self._is_stuck()

    def _is_stuck(self) -> bool:
        """Say whether nothing is acknowledged any more by a server that is away or breaks off.

        A server that is there and acknowledges nothing waits for its log: so does the player.
        """
        now_s, scores = perf_counter(), self._scores
        moved = (scores.acked, scores.refused)
        if moved != self._moved or (self._connection.is_open and not self._open()):
            self._moved, self._moved_s = moved, now_s
        if scores.lost != self._lost:
            self._lost, self._lost_s = scores.lost, now_s
        away = not self._connection.is_open or now_s - self._lost_s < GIVE_UP_S
        return away and now_s - self._moved_s > GIVE_UP_S
