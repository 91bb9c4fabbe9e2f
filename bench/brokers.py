"""What brokers lose by themselves: while nobody reads, and when they are killed.

Behind a bridge nothing is safe before the broker has stored it, so this counts what a broker had
acknowledged to its publisher and never delivered, through the real bridge into a real log.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import paho.mqtt.client as paho
from nats.aio.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bench.processes import bridge, free_port, log_server, mosquitto_path, program
from bench.progress import say
from bench.result import BenchFailed, BenchResult, Goal
from city.frame import decode_frame
from city.subjects import STREAM
from madina.supervisor.nats_server import nats_server_path

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from bench.processes import LogServer, Program

__all__ = ["BROKERS", "measure"]

AWAY_MESSAGES: Final = 5_000
KILLED_MESSAGES: Final = 2_000
TOPIC: Final = "plant/meter"
ACKNOWLEDGE_S: Final = 120.0
QUIET_S: Final = 2.0
LOOK_S: Final = 0.2

MOSQUITTO: Final = "persistence true\npersistence_location {store}/\n"
TUNED: Final = (
    "max_queued_messages 0\nmax_inflight_messages 1000\nset_tcp_nodelay true\n"
    "autosave_on_changes true\nautosave_interval 1000\n"
)
NATS: Final = 'jetstream {{ store_dir: "{store}" {sync} }}\n'

# Name, program, its configuration without the listener.
BROKERS: Final = {
    "Mosquitto, as Debian starts it": ("mosquitto", MOSQUITTO),
    "Mosquitto, tuned": ("mosquitto", MOSQUITTO + TUNED),
    "nats-server, as it comes": ("nats", NATS.replace("{sync}", "")),
    "nats-server, sync_interval always": (
        "nats",
        NATS.replace("{sync}", ", sync_interval: always"),
    ),
}


class Losses(msgspec.Struct, frozen=True):
    """Messages that a broker acknowledged and never delivered.

    Attributes:
        away: Of `AWAY_MESSAGES`, published while the bridge was away; nobody was killed.
        away_killed: Of `KILLED_MESSAGES`, likewise, and then the broker was killed.
        read_killed: Of `KILLED_MESSAGES`, killed right after the last PUBACK, the bridge reading.
    """

    away: int
    away_killed: int
    read_killed: int


def measure(seconds: float | None) -> BenchResult:  # noqa: ARG001 - counts decide, not seconds
    """Count what each broker loses, and print it as the table of docs/bridges.md."""
    found = {name: _losses(name) for name in BROKERS}
    say("| broker | bridge away | away, then kill -9 | kill -9 while the bridge reads |")
    say("| --- | --- | --- | --- |")
    for name, each in found.items():
        killed = [
            f"{lost:,} of {KILLED_MESSAGES:,}" for lost in (each.away_killed, each.read_killed)
        ]
        cells = (name, f"{each.away:,} of {AWAY_MESSAGES:,}", *killed)
        say(f"| {' | '.join(cells)} |")
    lost = found["nats-server, sync_interval always"]
    total = lost.away + lost.away_killed + lost.read_killed
    return BenchResult(
        bench="brokers",
        unit="messages that nats-server with sync_interval always has lost",
        value=total,
        goals=[Goal("brokers", total, "0 with one that stores before it acknowledges", not total)],
        extra={"losses": msgspec.to_builtins(found)},
    )


def _losses(name: str) -> Losses:
    say(name)
    with _rig(name) as rig:
        with rig.bridge():
            rig.publish(AWAY_MESSAGES)
            warm = rig.delivered()
        if len(warm) != AWAY_MESSAGES:
            raise BenchFailed(f"{name}: {len(warm)} of {AWAY_MESSAGES} came, and nobody was killed")
        away = rig.lost(rig.publish(AWAY_MESSAGES))
        sent = rig.publish(KILLED_MESSAGES)
        rig.restart()
        away_killed = rig.lost(sent)
        with rig.bridge():
            sent = rig.publish(KILLED_MESSAGES)
            rig.restart()
            read_killed = len(sent - rig.delivered())
    return Losses(away, away_killed, read_killed)


class _Rig:
    """A broker that can be killed, the log, and a publisher."""

    def __init__(
        self, folder: Path, log: LogServer, port: int, start: Callable[[], Program]
    ) -> None:
        self._folder = folder
        self._log = log
        self._port = port
        self._start = start
        self._broker = start()
        self._sent = 0

    @contextlib.contextmanager
    def bridge(self) -> Generator[None]:
        """Let the bridge read for the length of a block."""
        with bridge(self._folder, self._log, f"mqtt://127.0.0.1:{self._port}?topic={TOPIC}"):
            yield

    def publish(self, count: int) -> set[bytes]:
        """Publish with QoS 1; return the payloads once all are acknowledged."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"publisher-{self._sent}")
        client.max_inflight_messages_set(100)
        client.connect("127.0.0.1", self._port)
        client.loop_start()
        payloads = [b"%d" % (self._sent + number) for number in range(count)]
        self._sent += count
        told = [client.publish(TOPIC, payload, qos=1) for payload in payloads]
        for each in told:
            each.wait_for_publish(ACKNOWLEDGE_S)
        acknowledged = all(each.is_published() for each in told)
        client.disconnect()
        client.loop_stop()
        if not acknowledged:
            raise BenchFailed(f"not all of {count} messages were acknowledged")
        return set(payloads)

    def restart(self) -> None:
        """Kill the broker and start it again."""
        self._broker.process.kill()
        self._broker.process.wait()
        self._broker = self._start()

    def lost(self, sent: set[bytes]) -> int:
        """Let the bridge read what is left; return how many messages never came."""
        with self.bridge():
            return len(sent - self.delivered())

    def delivered(self) -> set[bytes]:
        """Return the payloads on the log, once no more come."""
        found: set[bytes] = set()
        quiet_from_s = time.monotonic()
        while time.monotonic() - quiet_from_s < QUIET_S:
            time.sleep(LOOK_S)
            now = asyncio.run(_payloads(self._log.url))
            if len(now) > len(found):
                quiet_from_s = time.monotonic()
            found = now
        return found


@contextlib.contextmanager
def _rig(name: str) -> Generator[_Rig]:
    kind, text = BROKERS[name]
    port = free_port()
    with contextlib.ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="madina-bench-")))
        log = block.enter_context(log_server(folder))
        store = folder / "broker"
        store.mkdir()
        configuration = folder / "broker.conf"
        text = text.format(store=store)
        if kind == "mosquitto":
            user = "user root\n" if os.geteuid() == 0 else ""
            text = f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}{text}"
            found = mosquitto_path()
        else:
            found = str(nats_server_path())
            mqtt = f"mqtt {{ host: 127.0.0.1, port: {port}, max_ack_pending: 1000, ack_wait: 2s }}"
            text = f"server_name: b\nhost: 127.0.0.1\nport: {free_port()}\n{mqtt}\n{text}"
        configuration.write_text(text, encoding="utf-8")
        command = [found, "-c", configuration]

        def start() -> Program:
            return block.enter_context(program("broker", command, folder, port=port))

        yield _Rig(folder, log, port, start)


async def _payloads(url: str) -> set[bytes]:
    client = Client()
    await client.connect(url)
    try:
        jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
        state = (await jetstream.stream_info(STREAM)).state
        found: set[bytes] = set()
        for sequence in range(max(state.first_seq, 1), state.last_seq + 1):
            message = await jetstream.get_msg(STREAM, sequence, direct=True)
            found.update(decode_frame(message.data or b"").payloads)
        return found
    finally:
        await client.close()
