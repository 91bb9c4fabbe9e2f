"""Whose process listens: servers that `madina up` has not started, where they run here."""

import os
import socket
from pathlib import Path

import pytest

from madina.load_servers import LocalServers, listening_pid
from madina.settings import load_settings


def servers(monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: str) -> dict[str, int]:
    for name, value in settings.items():
        monkeypatch.setenv(f"MADINA_{name.upper()}", value)
    return LocalServers(load_settings(folder).settings).pids()


def test_the_process_that_listens_on_a_port_is_found_and_only_that() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listening_pid(port) == os.getpid()
        with socket.create_connection(("127.0.0.1", port)) as client:
            # It has a port, and does not listen.
            assert listening_pid(client.getsockname()[1]) is None
    assert listening_pid(port) is None


def test_broker_and_store_are_found_by_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as two,
    ):
        found = servers(
            monkeypatch,
            tmp_path,
            store_url=f"influxdb://127.0.0.1:{one.getsockname()[1]}/city",
            bridge_urls=f"mqtt://[::1]:{two.getsockname()[1]}?topic=a",
        )
    assert found == {"store": os.getpid(), "broker": os.getpid()}


@pytest.mark.parametrize(
    ("store", "bridge"),
    [
        ("duckdb:///somewhere.duckdb", "mqtt://10.0.0.7?topic=a"),
        ("influxdb://influx.example:8086/city", "mqtt://broker.example?topic=a"),
        # Nobody listens there.
        ("influxdb://localhost:1/city", "mqtt://localhost:1?topic=a"),
    ],
)
def test_what_runs_elsewhere_or_not_at_all_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: str, bridge: str
) -> None:
    assert servers(monkeypatch, tmp_path, store_url=store, bridge_urls=bridge) == {}
