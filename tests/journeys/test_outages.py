"""Outages of what is around the platform: a full disk, a cut network, a broker and a database."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pytest

from madina.supervisor.nats_server import nats_server_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(400)]

READY = Path(__file__).parents[2] / "loadtest" / "scenario" / "ready"
LINK = "madina-cut"
HERE, THERE = "10.199.7.1", "10.199.7.2"


class Influxd(Protocol):
    """A database server of the test's own."""

    port: int


def as_root(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()} (needs root)"


def carried_out(platform: Platform, scenario: str, folder: Path, *options: str) -> Any:  # noqa: ANN401
    """Run a ready scenario, and return what it told; nothing may be wrong."""
    more = ("--out", folder, "--json", "--exact", *options)
    done = subprocess.run(
        [*platform.program, "load", "run", scenario, *more],
        env=platform.environment, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.stdout, f"{done.stderr.decode()}\n{platform.said}{platform.logs()}"
    told = msgspec.json.decode(done.stdout)
    assert (done.returncode, told["complaints"]) == (0, []), f"{platform.said}{platform.logs()}"
    assert told["account"]["lost"] == told["account"]["difference"] == told["findings"]["lost"] == 0
    return told


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 512 MiB, in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    as_root("mount", "-t", "tmpfs", "-o", "size=512m", "none", disk)
    (disk / "data").mkdir()
    yield disk / "data"
    as_root("umount", "--lazy", disk)


def test_a_disk_that_was_full_is_only_a_wait(
    small_disk: Path, start: Callable[..., Platform], tmp_path: Path
) -> None:
    # What the platform says is not on that disk, as with a service manager.
    (tmp_path / "data").symlink_to(small_disk)
    platform = start(MADINA_DISK_RESERVE=str(16 << 20))
    told = carried_out(platform, "disk-full", tmp_path)
    (fault,) = told["faults"]
    assert 5 <= fault["ended_s"] - fault["at_s"] < 15
    # Devices waited for as long as the disk was full, and were told nothing that is not true.
    assert told["latency"]["max_ms"] > 4_000
    assert not (small_disk / "load-ballast").exists()


@pytest.fixture
def far_log(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """Run a log in a network namespace of its own behind a link; return its address."""
    space, port = f"madina-{os.getpid()}", free_port()
    as_root("ip", "netns", "add", space)
    try:
        as_root("ip", "link", "add", LINK, "type", "veth", "peer", "name", "far", "netns", space)
        as_root("ip", "addr", "add", f"{HERE}/30", "dev", LINK)
        as_root("ip", "link", "set", LINK, "up")
        inside = ("ip", "netns", "exec", space)
        as_root(*inside, "ip", "addr", "add", f"{THERE}/30", "dev", "far")
        as_root(*inside, "ip", "link", "set", "far", "up")
        configuration = tmp_path / "nats.conf"
        configuration.write_text(
            f"host: {THERE}\nport: {port}\nmax_payload: 2MB\n"
            f'jetstream {{ store_dir: "{tmp_path}/nats", sync_interval: "100ms" }}\n'
        )
        command = [*inside, nats_server_path(), "-c", configuration]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
            yield f"nats://{THERE}:{port}"
            server.kill()
    finally:
        as_root("ip", "netns", "del", space)


def test_a_network_that_is_cut_between_parts_is_only_a_wait(
    far_log: str, start: Callable[..., Platform], tmp_path: Path
) -> None:
    told = carried_out(start(MADINA_NATS_URL=far_log), "link-cut", tmp_path)
    assert told["latency"]["max_ms"] > 4_000


@pytest.fixture
def broker(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[int]:
    """Run a broker that keeps what its subscribers have not got, as docs/bridges.md advises."""
    port = free_port()
    configuration = tmp_path / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}"
        "max_queued_messages 0\nmax_inflight_messages 1000\n"
    )
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with subprocess.Popen([program, "-c", configuration], stderr=subprocess.DEVNULL) as server:
        yield port
        server.kill()


def test_a_broker_and_a_database_that_go_away_cost_nothing(
    broker: int, lone_influxd: Influxd, start: Callable[..., Platform], tmp_path: Path
) -> None:
    url = f"influxdb://127.0.0.1:{lone_influxd.port}/city"
    environment = {**os.environ, "MADINA_STORE_URL": url}
    provision = [sys.executable, "-m", "madina", "store", "provision", "--data-dir"]
    subprocess.run([*provision, tmp_path / "data"], env=environment, check=True)
    platform = start(
        MADINA_STORE_URL=url, MADINA_BRIDGE_URLS=f"mqtt://127.0.0.1:{broker}?topic=madina/%23"
    )
    through = ("--through", f"127.0.0.1:{broker}")
    frozen = carried_out(platform, "broker-frozen", tmp_path, *through)
    assert frozen["latency"]["max_ms"] > 4_000
    # Devices have their PUBACK from the broker: nobody of them has noticed.
    stalled = carried_out(platform, "store-frozen", tmp_path, *through)
    assert stalled["latency"]["max_ms"] < 4_000
    killed = carried_out(platform, "bridge-killed", tmp_path, *through)
    assert killed["faults"][0]["away_s"] > 0


@pytest.fixture
def proxied(lone_influxd: Influxd, free_port: Callable[[], int]) -> Iterator[tuple[int, int]]:
    """Run a proxy in front of a database; return its port, and where it is told what to do."""
    port, control = free_port(), free_port()
    command = [
        sys.executable, "-m", "madina", "load", "proxy", f"127.0.0.1:{lone_influxd.port}",
        "--listen", str(port), "--control", str(control),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE) as proxy:
        assert proxy.stdout is not None
        assert proxy.stdout.readline() == (
            f"127.0.0.1:{port} passes on to 127.0.0.1:{lone_influxd.port}\n".encode()
        )
        yield port, control
        proxy.send_signal(signal.SIGINT)
        assert proxy.wait(20) == 0


def test_a_database_that_is_slow_and_one_that_refuses_cost_nothing(
    proxied: tuple[int, int], start: Callable[..., Platform], tmp_path: Path
) -> None:
    port, control = proxied
    url = f"influxdb://127.0.0.1:{port}/city"
    environment = {**os.environ, "MADINA_STORE_URL": url}
    provision = [sys.executable, "-m", "madina", "store", "provision", "--data-dir"]
    subprocess.run([*provision, tmp_path / "data"], env=environment, check=True)
    platform = start(MADINA_STORE_URL=url)
    for name in ("store-slow", "store-refuses"):
        scenario = tmp_path / f"{name}.yaml"
        ready = READY / f"{name}.yaml"
        scenario.write_text(ready.read_text().replace("18087", str(control)))
        told = carried_out(platform, str(scenario), tmp_path)
        # Devices have their PUBACK from the log: none of them has noticed.
        assert told["latency"]["max_ms"] < 4_000
        assert told["visible"]["max_ms"] > 1_500


@pytest.fixture
def kept_broker(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[int]:
    """Run a Mosquitto as docs/bridges.md advises, and start it again whenever it has ended."""
    port, over = free_port(), threading.Event()
    store = tmp_path / "mosquitto"
    store.mkdir()
    user = "user root\n" if os.geteuid() == 0 else ""
    configuration = tmp_path / "kept.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}"
        f"persistence true\npersistence_location {store}/\n"
        "max_queued_messages 0\nmax_inflight_messages 1000\n"
        "autosave_on_changes true\nautosave_interval 1000\nset_tcp_nodelay true\n"
    )
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"

    def keep() -> None:
        while not over.is_set():
            with subprocess.Popen([program, "-c", configuration], stderr=subprocess.DEVNULL) as one:
                while one.poll() is None and not over.wait(0.1):
                    pass
                one.kill()

    keeper = threading.Thread(target=keep)
    keeper.start()
    yield port
    over.set()
    keeper.join()


def test_a_broker_that_is_killed_loses_no_more_than_the_scenario_says(
    kept_broker: int, start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start(MADINA_BRIDGE_URLS=f"mqtt://127.0.0.1:{kept_broker}?topic=madina/%23")
    command = [*platform.program, "load", "run", "broker-killed", "--out", tmp_path, "--json"]
    done = subprocess.run(
        [*command, "--exact", "--through", f"127.0.0.1:{kept_broker}"],
        env=platform.environment, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.stdout, f"{done.stderr.decode()}\n{platform.said}{platform.logs()}"
    told = msgspec.json.decode(done.stdout)
    assert (done.returncode, told["complaints"]) == (0, []), f"{platform.said}{platform.logs()}"
    account, found = told["account"], told["findings"]
    # What the broker has lost is counted; what reached the platform is there once, as it was sent.
    assert account["lost"] <= found["messages_lost"] <= 200
    assert account["difference"] == account["doubled"] == found["doubled"] == found["changed"] == 0
    assert account["accepted"] > 3_500
    assert 0 < told["faults"][0]["away_s"] < 20
