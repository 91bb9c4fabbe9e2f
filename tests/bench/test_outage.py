"""The outage bench counts what is lost: its door, the stacks that it hurts, its verdict."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, cast

import msgspec
import paho.mqtt.client as paho
import pytest
from influxdb.exceptions import InfluxDBServerError
from paho.mqtt.enums import CallbackAPIVersion

from bench.outage import subscriber
from bench.outage.comparison import Outcomes, judged, table
from bench.outage.door import open_door
from bench.outage.one_run import Outcome, run_outage
from bench.outage.outages import OUTAGES
from bench.outage.sides import SIDES

if TYPE_CHECKING:
    from collections.abc import Generator

    from influxdb import InfluxDBClient

    from bench.outage.sides import SideName

TOPIC = "madina/v1/load/d0000007/up"
PAYLOAD = b'{"t":1772600000123,"obs":[{"q":"pm2_5","v":35,"u":"ug/m3"},{"q":"no2","v":1.5}]}'
POINT = {
    "measurement": "observations",
    "tags": {"device": "d0000007", "provider": "load"},
    "time": 1_772_600_000_123,
    "fields": {"pm2_5": 35.0, "no2": 1.5},
}


class Database:
    """Refuses so many writes, then takes them."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.points: list[dict[str, object]] = []

    def write_points(self, points: list[dict[str, object]], time_precision: str) -> bool:
        assert time_precision == "ms"
        if self.refusals:
            self.refusals -= 1
            raise InfluxDBServerError("no space left on device")
        self.points += points
        return True


class Acknowledged:
    """A client that remembers what it was told to acknowledge."""

    def __init__(self) -> None:
        self.mids: list[int] = []

    def ack(self, mid: int, qos: int) -> None:
        assert qos == 1
        self.mids.append(mid)


def message(payload: bytes) -> paho.MQTTMessage:
    made = paho.MQTTMessage(mid=7, topic=TOPIC.encode())
    made.payload, made.qos = payload, 1
    return made


def carefully(payload: bytes, database: Database) -> list[int]:
    """Return what was acknowledged."""
    client = Acknowledged()
    subscriber.careful(
        cast("paho.Client", client), cast("InfluxDBClient", database), message(payload)
    )
    return client.mids


def documented(payload: bytes, database: Database) -> None:
    subscriber.documented(
        paho.Client(CallbackAPIVersion.VERSION2),
        cast("InfluxDBClient", database),
        message(payload),
    )


def test_the_example_of_the_documentation_writes_and_ends_where_something_is_raised() -> None:
    database = Database()
    documented(PAYLOAD, database)
    assert database.points == [POINT]
    with pytest.raises(ValueError, match="Unterminated"):
        documented(PAYLOAD[:40] + b":", database)
    with pytest.raises(InfluxDBServerError):
        documented(PAYLOAD, Database(refusals=1))


def test_the_careful_one_acknowledges_after_the_write_and_goes_on_behind_poison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscriber, "AGAIN_S", 0.0)
    database = Database(refusals=3)
    assert carefully(PAYLOAD, database) == [7]
    assert database.points == [POINT]
    for poison in (b"", b"[]", b"{}", PAYLOAD[:-9]):
        assert carefully(poison, database) == [7]
    assert database.points == [POINT]


@pytest.fixture
def echo() -> Generator[int]:
    """Serve what says everything back."""

    def answer(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=say_back, args=(connection,), daemon=True).start()

    def say_back(connection: socket.socket) -> None:
        with connection:
            while read := connection.recv(1_000):
                connection.sendall(read)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def test_a_door_passes_bytes_cuts_when_shut_and_lets_in_again(echo: int) -> None:
    with open_door(echo) as door:
        with socket.create_connection(("127.0.0.1", door.port), 5) as first:
            first.sendall(b"one")
            assert first.recv(10) == b"one"
            door.shut()
            with pytest.raises(ConnectionError):
                _ = first.recv(10) or _raise()
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.1", door.port), 5)
        door.open()
        with socket.create_connection(("127.0.0.1", door.port), 5) as second:
            second.sendall(b"two")
            assert second.recv(10) == b"two"


def _raise() -> bytes:
    """An end in order is a cut as well."""
    raise ConnectionError


def outcomes(**lost: int) -> Outcomes:
    return {
        outage: {side: Outcome(side, outage, 100, lost.get(side, 0), 0, 0, 0, 0) for side in SIDES}
        for outage in OUTAGES
    }


def missed(found: Outcomes) -> list[str]:
    return [goal.id for goal in judged(found).goals if not goal.met]


def test_what_ours_loses_or_doubles_is_the_value_and_a_missed_goal() -> None:
    well = outcomes(textbook=5)
    assert (judged(well).value, missed(well)) == (0, [])
    well["poison"]["madina"] = msgspec.structs.replace(well["poison"]["madina"], doubled=2)
    assert (judged(well).value, missed(well)) == (2, ["poison"])
    lost = outcomes(madina=1, textbook=5)
    assert (judged(lost).value, missed(lost)) == (len(OUTAGES), [*OUTAGES])


def test_a_textbook_stack_that_loses_nothing_proves_nothing() -> None:
    assert missed(outcomes()) == ["control"]


def test_what_devices_still_hold_is_told_of_ours() -> None:
    found = outcomes(textbook=5)
    side = found["disk-full"]
    side["madina"] = msgspec.structs.replace(side["madina"], waiting=3)
    assert missed(found) == ["waiting"]


def test_the_table_has_a_row_an_outage_and_a_column_a_side() -> None:
    head, rule, *rows = table(outcomes(textbook=5))
    assert head == "| lost of acknowledged | madina | textbook | careful |"
    assert rule == "| --- | --- | --- | --- |"
    assert len(rows) == len(OUTAGES) == 6
    assert rows[0] == "| store killed, back later | 0 of 100 | 5 of 100 | 0 of 100 |"


@pytest.mark.live
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("side", "outage", "loses"),
    [
        ("madina", "poison", False),
        ("textbook", "poison", True),
        ("careful", "ingest-killed", False),
        ("madina", "disk-full", False),
    ],
)
def test_a_side_goes_through_an_outage(side: SideName, outage: str, *, loses: bool) -> None:
    outcome = run_outage(side, outage, 3.0)
    assert outcome.acked >= 750
    assert (outcome.lost > 0) is loses
    assert (outcome.doubled, outcome.strange, outcome.waiting, outcome.difference) == (0, 0, 0, 0)
