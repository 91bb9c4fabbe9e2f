"""The connections of one fleet in one process: what is due goes out, what is done is timed."""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from loadtest.connection import Connection, ConnectionRole, DoneLog
from loadtest.packets import ConnectFields, Version, connect_packet, packet_ids
from loadtest.rig.order import FleetResult, Order
from loadtest.scenario.model import FleetRule, Outage, seconds_of
from loadtest.stream.chance import keys_of, shares
from loadtest.stream.content import FleetContent
from loadtest.stream.formats import Format, format_of
from loadtest.stream.packets import FleetPackets
from loadtest.timing import Timings

__all__ = ["Cut", "FleetLoad", "cuts_of", "fleet_format", "released"]

Numbers = NDArray[np.int64]
WIDTH: Final = 8


class Cut(msgspec.Struct, frozen=True):
    """An outage of a fleet, as it takes place.

    Attributes:
        start_s, end_s: Since the start of the run; connections may come back from the end on.
        hit: By number of a connection in the fleet: whether it is cut off.
    """

    start_s: float
    end_s: float
    hit: NDArray[np.bool_]


def cuts_of(rule: FleetRule, connections: int, seed: int) -> list[Cut]:
    """Return a fleet's outages."""
    return [_cut(each, f"outage {rule.name} {at}", connections, seed)
            for at, each in enumerate(rule.outages)]  # fmt: skip


def released(
    due_s: NDArray[np.float64], places: Numbers, cuts: list[Cut]
) -> tuple[NDArray[np.float64], int]:
    """Return from when messages count, and how many were held back by an outage of the scenario.

    Nobody but the scenario kept those back: they count from when they could be sent.
    """
    held = 0
    for cut in cuts:
        late = cut.hit[places] & (due_s >= cut.start_s) & (due_s < cut.end_s)
        held += int(late.sum())
        due_s = np.where(late, cut.end_s, due_s)
    return due_s, held


def fleet_format(rule: FleetRule, content: FleetContent, stem: str) -> Format:
    """Return the encoder of a fleet."""
    return format_of(rule.format, content.kind.signals, rule.provider, stem, WIDTH)


class FleetLoad:
    """What a process has of a fleet.

    Attributes:
        connections: In order of their numbers in the fleet.
        role: What they share.
        due: Messages of the fleet that are due by now, in all processes.
        ours: Those of them that are this process's, also where they stand for no message.
    """

    def __init__(self, rule: FleetRule, order: Order) -> None:
        self.rule = rule
        self.content = FleetContent(rule, order.scenario, order.now_ms)
        self._worker, self._workers = order.worker, order.workers
        version: Version = 5 if rule.mqtt == "5.0" else 4
        form = fleet_format(rule, self.content, order.stems[rule.name])
        self._packets = FleetPackets(
            self.content, form, version, worker=order.worker, workers=order.workers
        )
        middles = packet_ids(rule.in_flight, qos=rule.qos, version=version)
        self.role = ConnectionRole(middles, qos=rule.qos, version=version, step_s=None)
        self.role.done = self._done = DoneLog()
        numbering = self.content.numbering
        self._numbering = numbering
        mine = range(order.worker, numbering.connections, order.workers)
        self.connections = [
            Connection(
                self.role,
                _introduction(rule, order, number, version),
                self._maker(number),
                number,
            )
            for number in mine
        ]
        self._cuts = cuts_of(rule, numbering.connections, order.scenario.seed)
        self._to_cut = sorted(self._cuts, key=lambda each: each.start_s)
        self._latency, self._service = Timings(order.interval_s), Timings(order.interval_s)
        self.due = 0
        self.ours = self._late = 0

    @property
    def is_over(self) -> bool:
        """Whether all of it is due."""
        return self.due >= self.content.curve.total

    def raise_due(self, elapsed_s: float, now_s: float) -> Numbers | None:
        """Send what has become due; return its numbers, None where there is none of ours."""
        due = self.content.curve.due(elapsed_s)
        if due <= self.due:
            return None
        numbers = np.arange(self.due, due, dtype=np.int64)
        self.due = due
        places = numbers % self._numbering.devices % self._numbering.connections
        if self._workers > 1:
            ours = places % self._workers == self._worker
            numbers, places = numbers[ours], places[ours]
        if not len(numbers):
            return None
        self.ours += len(numbers)
        touched, counts = np.unique(places // self._workers, return_counts=True)
        for index, count in zip(touched.tolist(), counts.tolist(), strict=True):
            connection = self.connections[int(index)]
            connection.due += count
            connection.pump(now_s)
        return numbers

    def cut_off(self, elapsed_s: float) -> None:
        """Break off the connections whose outage has come."""
        while self._to_cut and self._to_cut[0].start_s <= elapsed_s:
            cut = self._to_cut.pop(0)
            for connection in self.connections:
                if cut.hit[connection.index]:
                    connection.abort()

    def back_after_s(self, connection: Connection, elapsed_s: float) -> float:
        """Return how long a lost connection has to stay away."""
        until = [
            cut.end_s
            for cut in self._cuts
            if cut.start_s <= elapsed_s < cut.end_s and cut.hit[connection.index]
        ]
        return max(until, default=0.0) - elapsed_s

    def waiting(self) -> int:
        """Return how many messages are due and not done."""
        scores = self.role.scores
        due = self.ours - scores.void
        return due - (scores.acked + scores.refused if self.rule.qos else scores.sent)

    def fold(self, started_s: float) -> None:
        """Time what was done since last time."""
        done = self._done
        if not done.numbers:
            return
        places = np.array(done.connections, dtype=np.int64)
        numbers = self._numbering.numbers(places, np.array(done.numbers, dtype=np.int64))
        ended_s = np.array(done.done_s) - started_s
        sent_s = np.array(done.sent_s) - started_s
        done.clear()
        due_s, held = released(self.content.curve.due_s(numbers), places, self._cuts)
        self._late += held
        self._latency.add(due_s, ended_s - due_s)
        self._service.add(sent_s, ended_s - sent_s)

    def result(self) -> FleetResult:
        """Return what became of it."""
        scores = self.role.scores
        return FleetResult(
            fleet=self.rule.name,
            due=self.due,
            scheduled=scores.sent + self._unsent(),
            sent=scores.sent,
            acked=scores.acked,
            refused=scores.refused,
            resent=scores.resent,
            lost_connections=scores.lost,
            unexpected_acks=scores.unexpected,
            late=self._late,
            next=[connection.next for connection in self.connections],
            open={each.index: left for each in self.connections if (left := each.unacknowledged())},
            refusals={each.index: each.refusals for each in self.connections if each.refusals},
            latency=self._latency.record(),
            service=self._service.record(),
            last_refusal=scores.last_refusal,
        )

    def _unsent(self) -> int:
        """Return how many messages were due and never sent."""
        unsent = 0
        for each in self.connections:
            if each.due > each.next:
                local = np.arange(each.next, each.due, dtype=np.int64)
                places = np.full(len(local), each.index, dtype=np.int64)
                fates = self.content.fates(self._numbering.numbers(places, local))
                unsent += int((~fates.void).sum())
        return unsent

    def _maker(self, connection: int) -> Callable[[int, bytes], bytes]:
        """Return what makes the packets of a connection from its own numbers."""
        packet = self._packets.packet
        share = self._numbering.share(connection)
        devices, connections = self._numbering.devices, self._numbering.connections

        def alone(local: int, middle: bytes) -> bytes:
            return packet(local * devices + connection, middle)

        def shared(local: int, middle: bytes) -> bytes:
            turn, place = divmod(local, share)
            return packet(turn * devices + connection + place * connections, middle)

        return alone if share == 1 else shared


def _cut(outage: Outage, name: str, connections: int, seed: int) -> Cut:
    start_s = seconds_of(outage.at)
    keys = keys_of(seed, name, np.arange(connections, dtype=np.int64))
    return Cut(start_s, start_s + seconds_of(outage.lasts), shares(keys) < outage.share)


def _introduction(rule: FleetRule, order: Order, number: int, version: Version) -> bytes:
    server = order.scenario.server
    login = order.logins.get(rule.provider)
    user, password = server.user, server.password
    if login is not None:
        user, password = login.user, login.password
    fields = ConnectFields(
        client_id=f"{order.stems[rule.name]}-{number}",
        version=version,
        keep_alive_s=int(seconds_of(server.keep_alive)),
        user=None if user is None else user.replace("{connection}", str(number)),
        password=None if password is None else password.replace("{connection}", str(number)),
    )
    return connect_packet(fields)
