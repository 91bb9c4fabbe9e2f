"""The log goes away and comes back while services go on answering."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from city.clock import MachineClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import City, Parts

pytestmark = pytest.mark.live


class Log:
    """A nats-server that a test stops and starts again on the same folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"nats://127.0.0.1:{port}"
        self._configuration = folder / "log.conf"
        self._configuration.write_text(
            f'host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: "{folder}/log" }}\n'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [Path(sys.executable).parent / "nats-server", "-c", self._configuration],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None


@pytest.fixture
def log(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Log]:
    log = Log(tmp_path, free_port())
    yield log
    log.stop()


def answers(city: City) -> bool:
    return city.api.get("/v1/ledger").status_code == 200


def test_services_start_before_the_log_and_outlive_it(
    parts: Parts,
    serve: Callable[[Parts], City],
    make_stream: Callable[[str], None],
    log: Log,
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    city = serve((msgspec.structs.replace(parts[0], nats_url=log.url), parts[1]))
    assert not answers(city)
    assert city.api.get("/v1/devices").status_code == 200
    log.start()
    eventually(lambda: "no gateway has made it yet" in city.api.get("/readyz").text)
    make_stream(log.url)
    eventually(lambda: answers(city))
    city.log_messages(3)
    log.stop()
    eventually(lambda: not answers(city))
    assert city.api.get("/v1/status").json()["ledger"] is None
    log.start()
    eventually(lambda: answers(city))
    assert city.api.get("/v1/ledger").json()["messages"]["received"] == 3


def test_what_was_registered_while_the_log_was_away_is_told_when_it_is_back(
    parts: Parts,
    serve: Callable[[Parts], City],
    make_stream: Callable[[str], None],
    log: Log,
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    city = serve((msgspec.structs.replace(parts[0], nats_url=log.url), parts[1]))
    made = city.admin.post("/v1/devices", json={"provider": "acme", "id": "a"})
    assert made.status_code == 201
    refused = city.admin.post("/v1/devices/accept", json={"devices": ["acme/b"]})
    assert refused.status_code == 503
    assert refused.json()["type"] == "urn:madina:problem:log_away"
    log.start()
    eventually(lambda: "no gateway has made it yet" in city.api.get("/readyz").text)
    make_stream(log.url)
    eventually(lambda: answers(city))
    eventually(lambda: city.subjects() == city.parts.shards)


class StoppedClock:
    """A clock that fails as long as a test wants it to."""

    def __init__(self) -> None:
        self.fails = False
        self._clock = MachineClock()

    def now_us(self) -> int:
        if self.fails:
            raise ArithmeticError("no time")
        return self._clock.now_us()


def test_a_defect_beside_the_requests_shows_in_health_and_heals(
    parts: Parts,
    serve: Callable[[Parts], City],
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    clock = StoppedClock()
    city = serve((msgspec.structs.replace(parts[0], clock=clock), parts[1]))
    assert city.api.get("/healthz").status_code == 200
    clock.fails = True
    eventually(lambda: city.api.get("/healthz").status_code == 503)
    assert "ArithmeticError" in city.api.get("/healthz").json()["words"]
    defect = city.api.get("/v1/status")
    assert (defect.status_code, defect.json()["type"]) == (500, "urn:madina:problem:internal")
    clock.fails = False
    # The server has closed the connection of the request that failed.
    eventually(lambda: httpx.get(f"{city.address}/healthz").status_code == 200)
    assert httpx.get(f"{city.address}/v1/status").status_code == 200
