"""The city's devices on the air: each with a connection of its own, past first, then live.

The past is sent at a bounded rate, so that it takes its seconds without crowding out what other
devices send at the same time.
"""

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Final

import msgspec

from city.clock import US_PER_S, Clock
from loadtest.city.agenda import Agenda
from loadtest.city.devices import City, CityDevice
from loadtest.connection import Connection, ConnectionRole
from loadtest.dialling import Dialler
from loadtest.packets import ConnectFields, connect_packet, packet_ids, publish_packet

__all__ = ["AirSettings", "AirState", "Broadcast"]

VERSION: Final = 4
KEEP_ALIVE_S: Final = 60
TICK_S: Final = 0.02
TELL_S: Final = 1.0
DIALS_AT_ONCE: Final = 16
# What is in flight when the city is told to stop gets this long.
GOODBYE_S: Final = 2.0


class AirSettings(msgspec.Struct, frozen=True):
    """Where and how fast.

    Attributes:
        filled_per_s: Messages of the past a second, of all devices together.
        in_flight: Messages without PUBACK that a device may have.
        logins: User and password of each provider; none of them: nobody needs one.
    """

    host: str
    port: int
    logins: Mapping[str, tuple[str, str]] = {}
    filled_per_s: int = 6_000
    in_flight: int = 20


class AirState(msgspec.Struct, frozen=True):
    """How far the city is.

    Attributes:
        to_fill: Messages of the past, in all.
        filled: How many of them the devices have been told to send.
    """

    connected: int
    to_fill: int
    filled: int
    acked: int


class Broadcast:
    """Publishes what a city measures until told to stop."""

    def __init__(
        self, city: City, settings: AirSettings, clock: Clock, last_s: Mapping[str, float]
    ) -> None:
        """Plan what is sent.

        Args:
            city: Whose devices.
            settings: Where and how fast.
            clock: What time it is.
            last_s: By device id: when the newest stored observation was, seconds since 1970.
        """
        self._settings = settings
        self._clock = clock
        start_s = clock.now_us() / US_PER_S
        middles = packet_ids(settings.in_flight, qos=1, version=VERSION)
        role = ConnectionRole(middles, qos=1, version=VERSION, step_s=None)
        self._dialler = Dialler(settings.host, settings.port)
        role.lost = self._dialler.again
        self._scores = role.scores
        self._agendas = [Agenda(device, start_s, last_s.get(device.id)) for device in city.devices]
        self._connections = [
            Connection(role, self._introduction(device), _packets(city, device, agenda))
            for device, agenda in zip(city.devices, self._agendas, strict=True)
        ]
        self._to_fill = sum(agenda.filled for agenda in self._agendas)
        self._filled = 0
        self._turn = 0

    async def run(self, stop: asyncio.Event, tell: Callable[[AirState], None]) -> None:
        """Publish until told to stop; `tell` is called each second."""
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(self._dialler.work()) for _ in range(DIALS_AT_ONCE)]
            beside.append(tasks.create_task(self._keep_alive()))
            self._dialler.add(self._connections)
            try:
                await self._publish(stop, tell)
                await self._say_goodbye()
            finally:
                for task in beside:
                    task.cancel()

    async def _publish(self, stop: asyncio.Event, tell: Callable[[AirState], None]) -> None:
        filled_s = told_s = perf_counter()
        while not stop.is_set():
            now_s = perf_counter()
            self._fill(int((now_s - filled_s) * self._settings.filled_per_s))
            filled_s = now_s
            self._send_due(now_s)
            if now_s - told_s >= TELL_S:
                told_s = now_s
                self._scores.latency.fold()
                tell(self._state())
            await asyncio.sleep(TICK_S)

    def _fill(self, budget: int) -> None:
        """Let devices send some of their past, in turns."""
        untouched = 0
        while budget > 0 and self._filled < self._to_fill and untouched < len(self._connections):
            connection, agenda = self._connections[self._turn], self._agendas[self._turn]
            self._turn = (self._turn + 1) % len(self._connections)
            waiting = connection.due - connection.next
            more = min(budget, agenda.filled - connection.due, self._settings.in_flight - waiting)
            untouched += 1
            if more > 0:
                connection.due += more
                self._filled += more
                budget -= more
                untouched = 0

    def _send_due(self, now_s: float) -> None:
        wall_s = self._clock.now_us() / US_PER_S
        for connection, agenda in zip(self._connections, self._agendas, strict=True):
            if connection.due >= agenda.filled:
                connection.due = agenda.due(wall_s)
            connection.pump(now_s)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_S / 2)
            for connection in self._connections:
                connection.keep_alive()

    async def _say_goodbye(self) -> None:
        give_up_s = perf_counter() + GOODBYE_S
        for connection in self._connections:
            connection.due = connection.next
        while self._scores.acked < self._scores.sent:
            await asyncio.sleep(TICK_S)
            if perf_counter() > give_up_s:
                break
        for connection in self._connections:
            connection.finish()
        # The loop's next turns write the goodbyes and close the sockets.
        await asyncio.sleep(TICK_S)

    def _state(self) -> AirState:
        scores = self._scores
        return AirState(scores.connected, self._to_fill, self._filled, scores.acked)

    def _introduction(self, device: CityDevice) -> bytes:
        provider = device.kind.provider
        user, password = self._settings.logins.get(provider, (None, None))
        return connect_packet(
            ConnectFields(
                client_id=f"{provider}-{device.id}",
                version=VERSION,
                keep_alive_s=KEEP_ALIVE_S,
                user=user,
                password=password,
            )
        )


def _packets(city: City, device: CityDevice, agenda: Agenda) -> Callable[[int, bytes], bytes]:
    def packet(entry: int, middle: bytes) -> bytes:
        payload = city.payload(device, agenda.number(entry))
        return publish_packet(device.topic, payload, middle, version=VERSION)

    return packet
