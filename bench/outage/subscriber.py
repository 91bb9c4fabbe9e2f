"""The textbook subscriber: paho reads from Mosquitto and writes to InfluxDB with its own client.

Twice. `documented` is the example of paho's README (subscribe in `on_connect`, work in
`on_message`, `loop_forever`) and that of influxdb-python's (`write_points` with its defaults, three
tries); its subscription has QoS 1, which the README leaves at 0. `careful` uses everything that
the two document against loss: a session that the broker keeps, acknowledgement by hand after
the write, a client that tries until it succeeds (`retries=0`), and it goes on behind a message
that it cannot read. Every message is written at once: batches in memory could only lose more.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Literal

import paho.mqtt.client as paho
from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError, InfluxDBServerError
from paho.mqtt.enums import CallbackAPIVersion

__all__ = ["TOPIC", "Kind", "careful", "documented", "main", "to_points"]

TOPIC = "madina/v1/+/+/up"
AGAIN_S = 0.5
Kind = Literal["documented", "careful"]


def to_points(topic: str, payload: bytes | bytearray) -> list[dict[str, object]]:
    """Return the one point of a native message.

    Raises:
        ValueError: It is no JSON, or not of that form.
        KeyError: A member is missing.
    """
    _, _, provider, device, _ = topic.split("/")
    message = json.loads(payload)  # noqa: TID251 - as such programs are written
    return [
        {
            "measurement": "observations",
            "tags": {"device": device, "provider": provider},
            "time": message["t"],
            "fields": {each["q"]: float(each["v"]) for each in message["obs"]},
        }
    ]


def documented(_client: paho.Client, database: InfluxDBClient, message: paho.MQTTMessage) -> None:
    """Write a message; what is raised ends the program, as it does with the example."""
    database.write_points(to_points(message.topic, message.payload), time_precision="ms")


def careful(client: paho.Client, database: InfluxDBClient, message: paho.MQTTMessage) -> None:
    """Write a message, however long that takes, and only then acknowledge it."""
    try:
        points = to_points(message.topic, message.payload)
    except (ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"{message.topic}: {error}\n")
    else:
        while not _written(database, points):
            time.sleep(AGAIN_S)
    client.ack(message.mid, message.qos)


def _written(database: InfluxDBClient, points: list[dict[str, object]]) -> bool:
    try:
        return database.write_points(points, time_precision="ms")
    except (InfluxDBClientError, InfluxDBServerError) as error:
        sys.stderr.write(f"{error}\n")
        return False


def _subscribe(client: paho.Client, *_: object) -> None:
    client.subscribe(TOPIC, qos=1)


def main() -> None:
    """Run until killed, or until something is raised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("documented", "careful"))
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--influx-port", type=int, required=True)
    parser.add_argument("--database", required=True)
    given = parser.parse_args()
    host = "127.0.0.1"
    if given.kind == "careful":
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id="subscriber",
            clean_session=False,
            manual_ack=True,
        )
        database = InfluxDBClient(host, given.influx_port, database=given.database, retries=0)
        client.on_message = careful
    else:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        database = InfluxDBClient(host, given.influx_port, database=given.database)
        client.on_message = documented
    client.user_data_set(database)
    client.on_connect = _subscribe
    client.connect(host, given.broker_port)
    client.loop_forever()


if __name__ == "__main__":
    main()
