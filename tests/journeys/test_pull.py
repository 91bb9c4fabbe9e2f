"""`madina pull tts`: uplinks that The Things Stack kept fill a gap, and none is double.

The server here answers as the storage does, by its documentation: a stream of JSON objects, one a
line; `after`, `before`, `limit`, `order`; an API key as bearer.
Source: The Things Stack, "Storage Integration", "Retrieve Messages" and its API reference.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from city.instants import text_us
from madina.pull.stored_uplinks import PullError, StoredUplinks, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

KEY = "NNSXS.ABC"
PATH = "/api/v3/as/applications/waste/packages/storage/uplink_message"


def uplink(number: int, second: int | None = None) -> dict[str, Any]:
    """Return a stored uplink of one of two bins."""
    at = f"2026-03-04T10:{number // 60:02d}:{(number if second is None else second) % 60:02d}"
    return {
        "end_device_ids": {
            "device_id": f"bin-{number % 2}",
            "application_ids": {"application_id": "waste"},
            "dev_eui": f"70B3D57ED004000{number % 2}",
        },
        "received_at": f"{at}.868680{number % 1000:03d}Z",
        "uplink_message": {
            "session_key_id": "AXPoziFRvbcEguvZQoCCZw==",
            "f_port": 2,
            "f_cnt": number,
            "decoded_payload": {"fill_level": number % 100},
            "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -97, "snr": 8.2}],
            "received_at": f"{at}.657000Z",
        },
    }


class Storage:
    """What is kept, and what goes wrong meanwhile.

    Attributes:
        answers: Statuses that come before the next good answer, with how long to wait.
        broken: Times that a stream breaks off in its middle.
    """

    def __init__(self, kept: list[dict[str, Any]]) -> None:
        self.kept = kept
        self.answers: list[tuple[int, str]] = []
        self.broken = 0
        self.asked: list[dict[str, str]] = []

    def lines(self, asked: dict[str, str]) -> Iterator[bytes]:
        after, before = text_us(asked["after"]), text_us(asked["before"])
        assert asked["order"] == "received_at"
        found = [each for each in self.kept if after <= text_us(each["received_at"]) < before]
        for each in sorted(found, key=lambda each: each["received_at"])[: int(asked["limit"])]:
            if self.broken:
                self.broken -= 1
                yield json.dumps({"error": {"code": 14, "message": "try again"}}).encode()
                return
            yield json.dumps({"result": each}).encode()


@contextlib.contextmanager
def serving(storage: Storage) -> Generator[str]:
    """Serve on a free port of this machine; return the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if self.headers["Authorization"] != f"Bearer {KEY}":
                self._end(403)
            elif parts.path != PATH:
                self._end(404)
            elif storage.answers:
                status, wait = storage.answers.pop(0)
                self._end(status, wait)
            else:
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                storage.asked.append(asked)
                assert self.headers["Accept"] == "text/event-stream"
                self._end(200, body=b"\n\n".join(storage.lines(asked)))

        def _end(self, status: int, wait: str = "", body: bytes = b"{}") -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(body)))
            if wait:
                self.send_header("Retry-After", wait)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


FROM_US = text_us("2026-03-04T00:00:00Z")
TO_US = text_us("2026-03-05T00:00:00Z")


def pulled(
    storage: Storage, page: int = 1_000, application: str = "waste", key: str = KEY
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what is read, and what was said meanwhile."""
    said: list[str] = []
    with serving(storage) as server:
        wanted = Wanted(server, application, key, FROM_US, TO_US, page)
        uplinks = StoredUplinks(wanted, said.append, lambda _: None)
        found = [msgspec.json.decode(each.data) for some in uplinks.pages() for each in some]
    return found, said


@pytest.mark.parametrize("page", [7, 30, 1_000])
def test_everything_is_read_once_however_long_the_pages_are(page: int) -> None:
    # Some of one microsecond, told apart by nanoseconds only.
    kept = [uplink(number) for number in range(20)] + [uplink(20 + n, 30) for n in range(5)]
    found, said = pulled(Storage(kept), page)
    assert found == sorted(kept, key=lambda each: each["received_at"])
    assert said == []


def test_a_server_that_is_busy_or_breaks_off_is_asked_again() -> None:
    storage = Storage([uplink(number) for number in range(3)])
    storage.answers = [(429, "7"), (503, "")]
    storage.broken = 1
    found, said = pulled(storage)
    assert len(found) == 3
    assert [each.partition(": ")[2].rpartition(":")[0] for each in said[2:]] == ["try again"]
    assert said[0].endswith("answers 429: waiting 7 s")
    assert len(storage.asked) == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("waste", "another"), "RIGHT_APPLICATION_TRAFFIC_READ"),
        (("other", KEY), "Storage Integration switched on"),
    ],
)
def test_what_the_server_refuses_is_said_with_what_mends_it(
    wrong: tuple[str, str], words: str
) -> None:
    with pytest.raises(PullError, match=words) as refused:
        pulled(Storage([]), 10, *wrong)
    assert KEY not in str(refused.value)


def test_a_server_that_stays_away_is_given_up() -> None:
    storage = Storage([])
    storage.answers = [(502, "")] * 100
    with pytest.raises(PullError, match="8 times in a row"):
        pulled(storage)


def test_what_is_no_uplink_is_shown() -> None:
    with pytest.raises(PullError, match="no stored uplink"):
        pulled(Storage([{"received_at": "2026-03-04T10:00:00Z"}]))


def publish(platform: Platform, kept: list[dict[str, Any]]) -> None:
    """Publish uplinks as the server's MQTT integration does."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="tts")
    client.connect("127.0.0.1", platform.mqtt_port)
    client.loop_start()
    for each in kept:
        topic = f"v3/waste@city/devices/{each['end_device_ids']['device_id']}/up"
        client.publish(topic, json.dumps(each), qos=1).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def test_a_gap_is_filled_and_what_had_come_is_not_doubled(start: Callable[..., Platform]) -> None:
    platform = start(MADINA_UNKNOWN_DEVICES="accept", MADINA_TTS_KEY=KEY)
    platform.madina("routes", "add", "tts", "v3/+/devices/+/up", "tts-v3", "--provider", "waste")
    kept = [uplink(number) for number in range(150)]
    # The platform was away for the middle, beyond what is remembered of the last messages.
    came = kept[:30] + kept[130:]
    publish(platform, came)
    platform.until(lambda: platform.ledger()["accepted"] == len(came), "what came is stored")
    storage = Storage(kept)
    with serving(storage) as server:
        asked = ("--server", server, "--route", "tts", "--from", "2026-03-04T00:00:00Z")
        filled = platform.madina("pull", "tts", "waste", *asked, "--to", "2026-03-05T00:00:00Z")
        again = platform.madina("pull", "tts", "waste", *asked)
        no_route = [*platform.program, "pull", "tts", "waste", *asked[:2], "--route", "native"]
        refused = subprocess.run(
            no_route, env=platform.environment, capture_output=True, text=True, check=False
        )
    assert (filled["read"], filled["sent"], filled["finished"]) == (150, 150, True)
    assert (filled["accepted"], filled["duplicate"], filled["quarantined"]) == (100, 50, 0)
    assert (again["accepted"], again["duplicate"]) == (0, 150)
    assert refused.returncode == 1
    assert "reads native, not tts-v3" in refused.stderr
    ledger = platform.madina("ledger")
    assert ledger["observations"]["stored"] == 150
    assert set(ledger["difference"].values()) == {0}


def test_an_early_end_tells_how_far_it_came(start: Callable[..., Platform]) -> None:
    platform = start(MADINA_UNKNOWN_DEVICES="accept", MADINA_TTS_KEY=KEY)
    platform.madina("routes", "add", "tts", "http/tts/#", "tts-v3", "--provider", "waste")
    storage = Storage([uplink(number) for number in range(3)])
    # It wants to be asked again in five minutes: nobody waits so long.
    storage.answers = [(429, "300")]
    with serving(storage) as server:
        asked = ("--server", server, "--route", "tts", "--from", "2026-03-04T00:00:00Z")
        with subprocess.Popen(
            [*platform.program, "pull", "tts", "waste", *asked],
            env=platform.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as pulling:  # fmt: skip
            assert pulling.stderr is not None
            assert "answers 429: waiting 300 s" in pulling.stderr.readline()
            pulling.send_signal(signal.SIGINT)
            told = pulling.communicate(timeout=60)[0]
        assert pulling.returncode == 1
        assert "ended early: go on with --from 2026-03-04T00:00:00.000000Z" in told
    assert platform.interrupt() == 0
    for words, server in (
        ("start `madina up` first", "https://eu1.cloud.example"),
        ("would be told the key in clear", "http://eu1.cloud.example"),
    ):
        refused = subprocess.run(
            [*platform.program, "pull", "tts", "waste", "--server", server, "--route", "tts"],
            env=platform.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert refused.returncode == 1
        assert words in refused.stderr
