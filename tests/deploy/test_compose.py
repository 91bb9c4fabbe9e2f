"""What the compose files run in containers runs here: its commands, its variables, its files.

The images are not built, and nothing of the container's walls is tested.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conftest import Servers

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(240)]

VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")
NATS_SERVER = Path(sys.executable).parent / "nats-server"
OURS = (sys.executable, "-m", "madina")
FILES = ("compose.yaml",)
INFLUXDB = (*FILES, "compose.influxdb.yaml")
READING = b'{"obs":[{"q":"temperature","v":21.5,"u":"Cel"}]}'


class Composed:
    """The services of some files, one over the other, as processes of this machine.

    Attributes:
        passwords: What `make-env` has written.
        services: As the files have them.
    """

    def __init__(
        self, deploy: Path, folder: Path, places: Mapping[str, str], files: Sequence[str] = FILES
    ) -> None:
        subprocess.run([deploy / "compose" / "make-env", folder], check=True)
        lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
        self.passwords = dict(line.split("=", 1) for line in lines)
        self.services: dict[str, Any] = {}
        for file in files:
            text = (deploy / "compose" / file).read_text(encoding="utf-8")
            for name, service in yaml.safe_load(text)["services"].items():
                self.services[name] = self.services.get(name, {}) | service
        self._deploy = deploy
        self._folder = folder
        # Names and ports of containers, and what they are here.
        self._places = places

    def environment(self, name: str) -> dict[str, str]:
        given: dict[str, str] = self.services[name].get("environment", {})
        found = {key: self._here(VARIABLE.sub(self._value, value)) for key, value in given.items()}
        if "MADINA_DATA_DIR" in found:
            found["MADINA_DATA_DIR"] = str(self._folder / name)
        if "NATS_STORE" in found:
            found["NATS_STORE"] = str(self._folder / name)
        return found

    def command(self, name: str) -> list[str]:
        volumes: list[str] = self.services[name].get("volumes", [])
        files = {
            inside: str((self._deploy / "compose" / outside).resolve())
            for outside, inside, *_ in (each.split(":") for each in volumes)
            if outside.startswith(".")
        }
        words: list[str] = self.services[name]["command"]
        return [files.get(word, word) for word in words]

    def _value(self, found: re.Match[str]) -> str:
        return self.passwords.get(found[1], found[2] or "")

    def _here(self, value: str) -> str:
        for there, here in self._places.items():
            value = value.replace(there, here)
        return value


def test_passwords_are_made_once_and_stand_nowhere_else(deploy: Path, tmp_path: Path) -> None:
    composed = Composed(deploy, tmp_path, {})
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    secrets = [value for key, value in composed.passwords.items() if key[-3:] in {"ORD", "KEY"}]
    assert len({*secrets}) == 4
    assert all(len(secret) == 64 for secret in secrets)
    again = subprocess.run([deploy / "compose" / "make-env", tmp_path], check=False)
    assert again.returncode == 1
    for file in INFLUXDB:
        text = (deploy / "compose" / file).read_text(encoding="utf-8")
        assert not re.search(r"(?i)(password|key): (?!\$\{)", text)


class Running:
    """The services as they run here.

    Attributes:
        api: Address of the API.
        mqtt: Port by gateway.
    """

    def __init__(
        self, composed: Composed, folder: Path, servers: Servers, ports: dict[str, int]
    ) -> None:
        self.servers = servers
        self.api = f"http://127.0.0.1:{ports['api']}"
        self.mqtt = {name: port for name, port in ports.items() if name.startswith("gateway")}
        self._composed = composed
        self._folder = folder
        self._key = composed.passwords["MADINA_ADMIN_KEY"]

    def start_log(self, port: int) -> None:
        (given,) = [word for word in self._composed.command("nats") if word.endswith(".conf")]
        config = self._folder / "nats.conf"
        single = Path(given).read_text(encoding="utf-8")
        config.write_text(re.sub(r"listen: .*", f"listen: 127.0.0.1:{port}", single))
        command = [
            str(config) if word == given else word for word in self._composed.command("nats")
        ]
        environment = os.environ | self._composed.environment("nats")
        self.servers.start("nats", [NATS_SERVER, *command], environment)

    def start_influxdb(self, port: int, rpc: int) -> None:
        """Start the server with the image's variables, and do what the image does at first."""
        folder = self._folder / "influxdb"
        environment = self._composed.environment("influxdb") | {
            "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{rpc}",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{port}",
            "INFLUXDB_META_DIR": f"{folder}/meta",
            "INFLUXDB_DATA_DIR": f"{folder}/data",
            "INFLUXDB_DATA_WAL_DIR": f"{folder}/wal",
        }
        user, password = (environment.pop(f"INFLUXDB_ADMIN_{of}") for of in ("USER", "PASSWORD"))
        self.servers.start("influxd", ["influxd", "-config", "/dev/null"], os.environ | environment)
        made = {"q": f"CREATE USER {user} WITH PASSWORD '{password}' WITH ALL PRIVILEGES"}
        address = f"http://127.0.0.1:{port}/query"
        self.servers.until(lambda: _answers(address, made), "InfluxDB")

    def provision(self) -> None:
        """Run the container that makes the database, and ends."""
        command = [*OURS, *self._composed.command("provision")]
        environment = os.environ | self._composed.environment("provision")
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert b"database madina" in done.stdout, done.stderr.decode()

    def start(self, name: str, database: str, **ports: str) -> None:
        environment = self._composed.environment(name)
        password = self._composed.passwords["POSTGRES_PASSWORD"]
        assert f":{password}@postgres:5432/madina" in environment["MADINA_DATABASE_URL"]
        environment |= {"MADINA_DATABASE_URL": database, **ports}
        command = [*OURS, *self._composed.command(name)]
        self.servers.start(name, command, os.environ | environment)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.api}/readyz").is_success
        except httpx.TransportError:
            return False

    def madina(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON of our own commands
        asked = os.environ | {
            "MADINA_API_URL": self.api,
            "MADINA_ADMIN_KEY": self._key,
            "MADINA_DATA_DIR": str(self._folder / "nowhere"),
        }
        command = [*OURS, *arguments, "--json"]
        done = subprocess.run(command, env=asked, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return msgspec.json.decode(done.stdout)

    def published(self, gateway: str, *user: str) -> bool:
        topic = ["-p", str(self.mqtt[gateway]), "-q", "1", "-t", f"madina/v1/acme/{gateway}/up"]
        command = ["mosquitto_pub", *topic, *user, "-s"]
        return not subprocess.run(command, input=READING, check=False).returncode

    def values(self) -> list[float]:
        answer = httpx.get(f"{self.api}/v1/observations/latest").content
        return [each["value"] for each in msgspec.json.decode(answer)["items"]]


def _answers(address: str, asked: dict[str, str]) -> bool:
    try:
        return httpx.post(address, params=asked).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(params=[FILES, INFLUXDB], ids=["duckdb", "influxdb"])
def running(
    request: pytest.FixtureRequest,
    deploy: Path,
    tmp_path: Path,
    servers: Servers,
    free_port: Callable[[], int],
    postgresql_url: Callable[[], str],
) -> Running:
    nats, influxdb = free_port(), free_port()
    ports = {name: free_port() for name in ("api", "gateway-0", "gateway-1")}
    everywhere = "0.0.0.0"  # noqa: S104 - of the container
    places = {
        "@nats:4222": f"@127.0.0.1:{nats}",
        "@influxdb:8086": f"@127.0.0.1:{influxdb}",
        everywhere: "127.0.0.1",
    }
    files: tuple[str, ...] = request.param
    running = Running(Composed(deploy, tmp_path, places, files), tmp_path, servers, ports)
    running.start_log(nats)
    database, api = postgresql_url(), {"MADINA_HTTP_PORT": str(ports["api"])}
    if files == INFLUXDB:
        running.start_influxdb(influxdb, free_port())
        running.provision()
        running.start("ingest", database)
        running.start("services", database, **api)
    else:
        running.start("node", database, **api)
    for name, port in running.mqtt.items():
        running.start(name, database, MADINA_MQTT_PORT=str(port))
    servers.until(running.ready, "the roles are ready")
    return running


def test_a_message_gets_from_mqtt_to_the_api_through_roles_on_their_own(running: Running) -> None:
    secret = running.madina("providers", "add", "acme")["secret"]
    for gateway in running.mqtt:
        running.madina("devices", "add", f"acme/{gateway}")
        running.servers.until(
            lambda gateway=gateway: running.published(gateway, "-u", "acme", "-P", secret),
            "the gateway knows the user",
        )
        assert not running.published(gateway), "nobody is anonymous here"
    running.servers.until(lambda: running.values() == [21.5, 21.5], "both are stored")
    ledger = running.madina("ledger")
    assert ledger["messages"]["accepted"] == 2
    assert set(ledger["difference"].values()) == {0}
