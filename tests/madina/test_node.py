"""The node as a process: its halves alone, its orderly end, and its last words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from city.subjects import STREAM

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.live

START_S = 60
STOP_S = 30
NOWHERE = "nats://127.0.0.1:1"


class Role:
    """A role that runs, and what it has said."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        reading, writing = os.pipe()
        self.log = folder.with_name(f"{name}.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "madina", name, "--ready-fd", str(writing)],
                env={**os.environ, "MADINA_DATA_DIR": str(folder), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(writing,),
            )
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            self.served = told.readline() == b"ready\n"

    @property
    def last_words(self) -> str:
        return self.log.read_text(encoding="utf-8").splitlines()[-1]

    def ended(self) -> int:
        return self.process.wait(STOP_S)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.ended()


@pytest.fixture
def begin(data_folder: Path, free_port: Callable[[], int]) -> Callable[..., Role]:
    """Return a function that starts a role and waits until it serves or has ended."""

    def start(name: str, **environment: str) -> Role:
        return Role(name, data_folder, {"MADINA_HTTP_PORT": str(free_port()), **environment})

    return start


def reasons(port: int) -> set[str]:
    answer = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
    assert answer.status_code == 503
    return {each["part"] for each in answer.json()["reasons"]}


def test_a_node_answers_before_there_is_a_log_and_ends_cleanly(
    begin: Callable[..., Role], free_port: Callable[[], int]
) -> None:
    port = free_port()
    node = begin("node", MADINA_HTTP_PORT=str(port), MADINA_NATS_URL=NOWHERE)
    assert node.served, node.last_words
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    assert {"log", "ingest"} <= reasons(port)
    assert node.stop() == 0


def test_services_alone_say_that_ingest_is_not_theirs(
    begin: Callable[..., Role], free_port: Callable[[], int]
) -> None:
    port = free_port()
    services = begin("services", MADINA_HTTP_PORT=str(port), MADINA_NATS_URL=NOWHERE)
    assert services.served, services.last_words
    assert "ingest" in reasons(port)
    assert services.stop() == 0


def test_ingest_alone_opens_no_port(
    begin: Callable[..., Role], free_port: Callable[[], int]
) -> None:
    port = free_port()
    ingest = begin("ingest", MADINA_HTTP_PORT=str(port), MADINA_NATS_URL=NOWHERE)
    assert ingest.served, ingest.last_words
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
    assert ingest.stop() == 0


def test_a_node_without_a_log_address_says_what_to_set(begin: Callable[..., Role]) -> None:
    node = begin("node")
    assert (node.served, node.ended()) == (False, 2)
    assert "set MADINA_NATS_URL" in node.last_words


async def test_ingest_that_fails_ends_the_node_with_its_reason(
    begin: Callable[..., Role], nats_url: str
) -> None:
    client = Client()
    await client.connect(nats_url)
    stream = StreamConfig(name=STREAM, subjects=["madina.log.>"], allow_direct=False)
    await JetStreamContext(client).add_stream(stream)  # pyright: ignore[reportUnknownMemberType]
    await client.close()
    node = begin("node", MADINA_NATS_URL=nats_url)
    assert node.served, node.last_words
    assert node.ended() == 2
    assert "allows no direct reads" in node.last_words


def test_a_signal_while_it_starts_ends_it(begin: Callable[..., Role], data_folder: Path) -> None:
    node = subprocess.Popen(
        [sys.executable, "-m", "madina", "ingest"],
        env={**os.environ, "MADINA_DATA_DIR": str(data_folder), "MADINA_NATS_URL": NOWHERE},
        stderr=subprocess.DEVNULL,
    )
    end_s = time.monotonic() + START_S
    while not (data_folder / "madina.duckdb").exists() and time.monotonic() < end_s:
        time.sleep(0.01)
    node.send_signal(signal.SIGTERM)
    assert node.wait(STOP_S) in {0, -signal.SIGTERM}
