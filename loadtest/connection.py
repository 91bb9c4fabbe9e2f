"""One simulated device's connection: a window of messages, resent until they are acknowledged.

A message is known by its number alone; its bytes are made again where it has to be resent. So a
connection costs the same whether its server answers at once or is gone for an hour.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final, cast

from loadtest.answers import AnswerError, Answers, AnswersReader
from loadtest.latency import LatencyRecorder
from loadtest.packets import DISCONNECT, PINGREQ, Version, as_duplicate, pubrel

__all__ = ["Connection", "ConnectionRole", "DoneLog", "Scores"]

FREE: Final = -1
# Messages in one write where nothing is acknowledged: about 32 KiB.
BATCH: Final = 256
# Beyond it a server's refusals are only counted.
REFUSALS_KEPT: Final = 1_000


class Scores:
    """What all connections of a run have counted together.

    Attributes:
        connected: Connections that the server has let in and that are open.
        latency: From when a message was due until its PUBACK.
        service: From when it was sent until its PUBACK; only where messages have a schedule.
        unexpected: PUBACKs of messages that were not in flight.
        void: Numbers of a plan that stand for no message.
    """

    def __init__(self) -> None:
        self.connected = 0
        self.void = 0
        self.connects = 0
        self.lost = 0
        self.sent = 0
        self.acked = 0
        self.resent = 0
        self.refused = 0
        self.unexpected = 0
        self.last_refusal = ""
        self.latency = LatencyRecorder()
        self.service = LatencyRecorder()


class DoneLog:
    """Which messages are done and when, for schedules that only their owner knows.

    Attributes:
        connections, numbers, done_s, sent_s: Columns of one length; the owner empties them.
    """

    __slots__ = ("connections", "done_s", "numbers", "sent_s")

    def __init__(self) -> None:
        self.connections: list[int] = []
        self.numbers: list[int] = []
        self.done_s: list[float] = []
        self.sent_s: list[float] = []

    def clear(self) -> None:
        """Forget what is in it."""
        for column in (self.connections, self.numbers, self.done_s, self.sent_s):
            column.clear()


class ConnectionRole:
    """What connections of one kind share.

    Attributes:
        middles: What stands between topic and payload, for each packet id from 1.
        qos: 0 where nothing is acknowledged, 1 or 2.
        done: Where messages that are done go; None: straight into the scores' latencies.
        step_s: Seconds between the messages of a connection; None where they have no schedule.
        lost: Called with a connection that ended before it was told to.
    """

    __slots__ = ("done", "lost", "middles", "qos", "scores", "step_s", "version")

    def __init__(
        self, middles: list[bytes], *, qos: int, version: Version, step_s: float | None
    ) -> None:
        self.middles = middles
        self.qos = qos
        self.version: Version = version
        self.step_s = step_s
        self.done: DoneLog | None = None
        self.scores = Scores()
        self.lost: Callable[[Connection], None] = _forget


class Connection(asyncio.Protocol):
    """A device that connects, publishes and goes on where it was after a lost connection.

    Attributes:
        due: How many messages may have been sent by now; the owner raises it and calls `pump`.
        next: Number of the next message that was never sent.
        first_due_s: When the first message was due, by `perf_counter`.
        refusals: Numbers that the server refused, the first thousand.
        index: Its number among the owner's.
    """

    __slots__ = (
        "_accepted", "_connect", "_free", "_goes_on", "_idle", "_numbers", "_packet", "_paused",
        "_reader", "_released", "_role", "_sent_at", "_transport", "closing", "due", "first_due_s",
        "index", "next", "refusals",
    )  # fmt: skip

    def __init__(
        self,
        role: ConnectionRole,
        connect: bytes,
        packet: Callable[[int, bytes], bytes],
        index: int = 0,
    ) -> None:
        """Make a connection that is not open yet.

        Args:
            role: What it shares with others.
            connect: Its CONNECT packet.
            packet: Makes the PUBLISH of a number; empty bytes where there is no message.
            index: Its number among the owner's.
        """
        self._role = role
        self._connect = connect
        self._packet = packet
        self._transport: asyncio.Transport | None = None
        self._reader = AnswersReader(role.version)
        self._accepted = False
        self._paused = False
        self._idle = False
        self._goes_on = False
        self._numbers = [FREE] * len(role.middles) if role.qos else []
        self._sent_at = [0.0] * len(self._numbers)
        self._free: list[int] = []
        # Slots of QoS 2 whose message the server has: only their PUBREL is sent again.
        self._released: set[int] | None = set() if role.qos == 2 else None  # noqa: PLR2004
        self.index = index
        self.closing = False
        self.due = 0
        self.next = 0
        self.first_due_s = 0.0
        self.refusals: list[int] = []

    @property
    def is_open(self) -> bool:
        """Whether the server has let it in and it has not been lost since."""
        return self._accepted

    @property
    def is_attached(self) -> bool:
        """Whether there is a socket, whatever the server has said."""
        return self._transport is not None

    def unacknowledged(self) -> list[int]:
        """Return the numbers of messages that were sent and not acknowledged, ascending."""
        return sorted(number for number in self._numbers if number != FREE)

    def pump(self, now_s: float) -> None:
        """Send what is due and fits into the window."""
        if not self._accepted or self._paused or self.due <= self.next:
            return
        self._idle = False
        if self._role.qos:
            self._send_confirmed(now_s)
        else:
            self._send_unconfirmed()

    def keep_alive(self) -> None:
        """Send a PINGREQ if nothing was sent since the last call."""
        if self._accepted and self._idle:
            self._write(PINGREQ)
        self._idle = True

    def finish(self) -> None:
        """Say goodbye and close; it does not count as lost then."""
        self.closing = True
        if self._accepted:
            self._write(DISCONNECT)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Break it off."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce itself. See `asyncio.Protocol`."""
        # uvloop's transports have the methods without the base class.
        self._transport = cast("asyncio.Transport", transport)
        self._reader = AnswersReader(self._role.version)
        self._paused = False
        self._write(self._connect)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell the owner. See `asyncio.Protocol`."""
        if self._accepted:
            self._role.scores.connected -= 1
        self._accepted = False
        self._transport = None
        if not self.closing:
            self._role.scores.lost += 1
            self._role.lost(self)

    def pause_writing(self) -> None:
        """Wait until the socket has taken what was written. See `asyncio.Protocol`."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on. See `asyncio.Protocol`."""
        self._paused = False
        self.pump(perf_counter())

    def data_received(self, data: bytes) -> None:
        """Take acknowledgements and send what they make room for. See `asyncio.Protocol`."""
        try:
            answers = self._reader.feed(data)
        except AnswerError as error:
            self._break_off(str(error))
            return
        now_s = perf_counter()
        if answers.acknowledged:
            self._acknowledge(answers.acknowledged, now_s)
        if answers.rare:
            self._take_rare(answers, now_s)
        self.pump(now_s)

    def _acknowledge(self, packet_ids: list[int], now_s: float) -> None:
        role, numbers, sent_at, free = self._role, self._numbers, self._sent_at, self._free
        step_s, done = role.step_s, role.done
        known = len(packet_ids)
        for packet_id in packet_ids:
            slot = packet_id - 1
            if not 0 <= slot < len(numbers) or numbers[slot] == FREE:
                known -= 1
                continue
            if done is not None:
                done.connections.append(self.index)
                done.numbers.append(numbers[slot])
                done.done_s.append(now_s)
                done.sent_s.append(sent_at[slot])
            elif step_s is None:
                role.scores.latency.seconds.append(now_s - sent_at[slot])
            else:
                role.scores.service.seconds.append(now_s - sent_at[slot])
                due_s = self.first_due_s + numbers[slot] * step_s
                role.scores.latency.seconds.append(now_s - due_s)
            numbers[slot] = FREE
            free.append(slot)
            if self._released:
                self._released.discard(slot)
        role.scores.acked += known
        role.scores.unexpected += len(packet_ids) - known

    def _send_confirmed(self, now_s: float) -> None:
        """Fill the window."""
        first, free, packet = self.next, self._free, self._packet
        numbers, sent_at, middles = self._numbers, self._sent_at, self._role.middles
        packets: list[bytes] = []
        number = first
        while free and number < self.due:
            slot = free[-1]
            made = packet(number, middles[slot])
            if made:
                free.pop()
                numbers[slot] = number
                sent_at[slot] = now_s
                packets.append(made)
            number += 1
        self.next = number
        self._role.scores.sent += len(packets)
        self._role.scores.void += number - first - len(packets)
        if packets:
            self._write(b"".join(packets))

    def _send_unconfirmed(self) -> None:
        """Send a batch, and the next one once others have had their turn."""
        count = min(BATCH, self.due - self.next)
        packet, middle = self._packet, self._role.middles[0]
        made = [(number, packet(number, middle)) for number in range(self.next, self.next + count)]
        packets = [each for _, each in made if each]
        self._write(b"".join(packets))
        if self._role.done is not None:
            self._log_unconfirmed([number for number, each in made if each])
        self.next += count
        self._role.scores.sent += len(packets)
        self._role.scores.void += count - len(packets)
        if self.due > self.next and not self._goes_on:
            self._goes_on = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _log_unconfirmed(self, numbers: list[int]) -> None:
        """Note what was written: nothing more is ever known of it."""
        done, now_s = self._role.done, perf_counter()
        assert done is not None
        done.connections.extend([self.index] * len(numbers))
        done.numbers.extend(numbers)
        done.done_s.extend([now_s] * len(numbers))
        done.sent_s.extend([now_s] * len(numbers))

    def _go_on(self) -> None:
        self._goes_on = False
        self.pump(perf_counter())

    def _take_rare(self, answers: Answers, now_s: float) -> None:
        self._refuse(answers.refused)
        if answers.received:
            self._release(answers.received)
        if answers.disconnect is not None:
            self._break_off(f"disconnected with reason {answers.disconnect:#04x}")
        elif answers.connack:
            self._break_off(f"connection refused with reason {answers.connack:#04x}")
        elif answers.connack is not None:
            self._let_in(answers.receive_maximum, now_s)

    def _release(self, packet_ids: list[int]) -> None:
        """Let go of messages that the server has (QoS 2)."""
        known = [each for each in packet_ids if self._is_used(each - 1)]
        if self._released is None or len(known) < len(packet_ids):
            self._role.scores.unexpected += len(packet_ids)
            return
        self._released.update(each - 1 for each in known)
        self._write(b"".join(map(pubrel, known)))

    def _refuse(self, packet_ids: list[int]) -> None:
        """Give up messages that the server will never take."""
        scores = self._role.scores
        for packet_id in packet_ids:
            slot = packet_id - 1
            if not self._is_used(slot):
                scores.unexpected += 1
                continue
            if len(self.refusals) < REFUSALS_KEPT:
                self.refusals.append(self._numbers[slot])
            self._numbers[slot] = FREE
            self._free.append(slot)
            scores.refused += 1

    def _is_used(self, slot: int) -> bool:
        return 0 <= slot < len(self._numbers) and self._numbers[slot] != FREE

    def _let_in(self, receive_maximum: int | None, now_s: float) -> None:
        """Send again what a lost connection left open, oldest first, then go on."""
        scores = self._role.scores
        self._accepted = True
        scores.connected += 1
        scores.connects += 1
        window = min(len(self._numbers), receive_maximum or len(self._numbers))
        self._free = [slot for slot in range(window) if self._numbers[slot] == FREE]
        left = sorted((number, slot) for slot, number in enumerate(self._numbers) if number != FREE)
        for number, slot in left:
            if self._released and slot in self._released:
                self._write(pubrel(slot + 1))
                continue
            self._sent_at[slot] = now_s
            self._write(as_duplicate(self._packet(number, self._role.middles[slot])))
        scores.resent += len(left)

    def _break_off(self, why: str) -> None:
        self._role.scores.last_refusal = why
        self.abort()

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)


def _forget(_: Connection) -> None:
    """Leave a lost connection alone."""
