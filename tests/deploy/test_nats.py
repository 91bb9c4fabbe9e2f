"""The log on servers of one's own: one, or three of which one may fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Servers

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(240)]

NATS_SERVER = Path(sys.executable).parent / "nats-server"
OURS = (sys.executable, "-m", "madina")
PASSWORD = "only-for-tests"  # noqa: S105
NODES = (1, 2, 3)


class Roles:
    """A gateway and a node, alone, on a log of one's own."""

    def __init__(self, folder: Path, servers: Servers, nats_url: str, ports: list[int]) -> None:
        self._http, self._mqtt = ports
        self._environment = os.environ | {
            "MADINA_DATA_DIR": str(folder / "data"),
            "MADINA_NATS_URL": nats_url,
            "MADINA_LOG_REPLICAS": "3",
            "MADINA_HTTP_PORT": str(self._http),
            "MADINA_MQTT_PORT": str(self._mqtt),
            "MADINA_UNKNOWN_DEVICES": "accept",
        }
        for name in ("node", "gateway"):
            servers.start(name, [*OURS, name], self._environment)

    def ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self._http}/readyz").is_success
        except httpx.TransportError:
            return False

    def publish(self, numbers: range) -> None:
        lines = "".join(
            f'{{"t":{1_790_000_000_000 + n},"obs":[{{"q":"temperature","v":{n},"u":"Cel"}}]}}\n'
            for n in numbers
        )
        command = ["mosquitto_pub", "-p", str(self._mqtt), "-q", "1", "-l"]
        topic = ["-t", "madina/v1/acme/meter-7/up"]
        subprocess.run([*command, *topic], input=lines.encode(), check=True, timeout=60)

    def accepted(self) -> int:
        answer = httpx.get(f"http://127.0.0.1:{self._http}/v1/ledger")
        return msgspec.json.decode(answer.content)["messages"]["accepted"] if answer else 0

    def doctor(self) -> str:
        done = subprocess.run(
            [*OURS, "doctor", "--json"], env=self._environment, capture_output=True, check=False
        )
        items = msgspec.json.decode(done.stdout)["items"]
        return next(each["words"] for each in items if each["name"] == "log server")


def test_one_of_three_servers_fails_and_messages_get_through(
    deploy: Path, tmp_path: Path, servers: Servers, free_port: Callable[[], int]
) -> None:
    ports = {number: (free_port(), free_port()) for number in NODES}
    routes = {
        f"NATS_ROUTE_{number}": f"nats-route://cluster:{PASSWORD}@127.0.0.1:{cluster}"
        for number, (_, cluster) in ports.items()
    }
    processes: dict[int, subprocess.Popen[bytes]] = {}
    for number, (client, cluster) in ports.items():
        environment = os.environ | routes
        environment |= {
            "NATS_NAME": f"log-{number}",
            "NATS_LISTEN": f"127.0.0.1:{client}",
            "NATS_CLUSTER_LISTEN": f"127.0.0.1:{cluster}",
            "NATS_STORE": str(tmp_path / f"store-{number}"),
            "NATS_PASSWORD": PASSWORD,
            "NATS_CLUSTER_PASSWORD": PASSWORD,
        }
        command = [NATS_SERVER, "-c", deploy / "nats" / "cluster.conf"]
        processes[number] = servers.start(f"log-{number}", command, environment)
    url = ",".join(f"nats://madina:{PASSWORD}@127.0.0.1:{client}" for client, _ in ports.values())
    roles = Roles(tmp_path, servers, url, [free_port(), free_port()])
    servers.until(roles.ready, "the roles are ready")
    assert "each message is kept by 3" in roles.doctor()
    roles.publish(range(200))
    processes[1].kill()
    roles.publish(range(200, 400))
    servers.until(lambda: roles.ready() and roles.accepted() == 400, "all of it is applied")
