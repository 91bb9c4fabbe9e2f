"""What every test may ask for: hypothesis profiles and real servers on free ports."""

import contextlib
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile(
    "gate", max_examples=200, derandomize=True, print_blob=True, deadline=None
)
settings.register_profile("search", max_examples=20_000, deadline=None)
settings.load_profile("quick")

NATS_SERVER = Path(sys.executable).parent / "nats-server"
START_S = 20


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"{process.args!r} ended with status {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail(f"{process.args!r} does not answer on port {port}")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that finds a port nobody listens on.

    Below those that the system gives to outgoing connections: one of these could take it between
    now and the start of the server it is for.
    """

    def find() -> int:
        while True:
            port = random.randrange(10_000, 32_000)
            with contextlib.suppress(OSError), socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
                return port

    return find


@pytest.fixture
def nats_url(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """Start a nats-server with JetStream of this test's own; return its address."""
    port = free_port()
    configuration = tmp_path / "nats.conf"
    configuration.write_text(
        f"host: 127.0.0.1\nport: {port}\nmax_payload: 2MB\n"
        f'jetstream {{ store_dir: "{tmp_path}/nats", sync_interval: 100ms }}\n'
    )
    with subprocess.Popen(
        [NATS_SERVER, "-c", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        wait_for_port(port, server)
        yield f"nats://127.0.0.1:{port}"
        server.kill()
