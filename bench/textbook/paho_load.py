"""A load from paho, as its documentation shows it: a client a device, each with its network loop.

`python -m bench.textbook.paho_load`: a plan as a line of JSON on standard input; the processor
seconds that sending took, on standard output. It connects, says `connected` and waits for a line.
"""

from __future__ import annotations

import sys
import time

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan

__all__ = ["main"]

WAIT_S = 60.0
LOOK_S = 0.01


def main() -> None:
    """Carry out one plan of so many messages."""
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=LoadPlan)
    clients = [_client(plan, number) for number in range(plan.connections)]
    while not all(client.is_connected() for client in clients):
        time.sleep(LOOK_S)
    sys.stderr.write("connected\n")
    sys.stderr.flush()
    sys.stdin.buffer.readline()
    fleet = Fleet(plan)
    assert plan.messages is not None
    each = plan.messages // plan.connections
    texts = [_texts(fleet, plan, number, each) for number in range(plan.connections)]
    began_s = time.process_time()
    infos: list[paho.MQTTMessageInfo] = []
    for at in range(each):
        infos = [
            client.publish(*texts[number][at], qos=plan.qos)
            for number, client in enumerate(clients)
        ]
        # A window as ours has: no message waits in the client for long.
        if at % plan.in_flight == plan.in_flight - 1:
            _wait_for(infos)
    _wait_for(infos)
    used_s = time.process_time() - began_s
    for client in clients:
        client.disconnect()
        client.loop_stop()
    sys.stdout.write(f"{used_s}\n")


def _client(plan: LoadPlan, number: int) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"paho-{number}")
    client.max_inflight_messages_set(plan.in_flight)
    client.connect(plan.host, plan.port)
    client.loop_start()
    return client


def _texts(fleet: Fleet, plan: LoadPlan, number: int, each: int) -> list[tuple[str, bytes]]:
    """Return topics and payloads of a connection: those of our own generator."""
    packet = fleet.packets(number)
    made: list[tuple[str, bytes]] = []
    for at in range(each):
        data = packet(at, b"\0\1")
        size = data[3] << 8 | data[4]
        made.append((data[5 : 5 + size].decode(), data[5 + size + 2 :]))
    assert plan.qos == 1
    return made


def _wait_for(infos: list[paho.MQTTMessageInfo]) -> None:
    for info in infos:
        info.wait_for_publish(WAIT_S)
        assert info.is_published()


if __name__ == "__main__":
    main()
