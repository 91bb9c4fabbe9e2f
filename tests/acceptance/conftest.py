"""One running platform for each store, and every data set replayed on it once, as its users do.

Collected only with `--data FOLDER`. What is expected is worked out from the files by the tests
themselves; nothing of the product computes it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from madina.data_folder import DataFolder
from store.influx import InfluxAddress

EXAMPLES = Path(__file__).parents[2] / "examples" / "replay"
OURS = (sys.executable, "-m", "madina")
START_S, STOP_S, REPLAY_S = 90, 60, 240
PAGE = 10_000

DATA_SETS: dict[str, tuple[str, ...]] = {
    "beijing": ("beijing_dongsi_hourly.csv",),
    "openaq": ("openaq_three_cities_hourly.csv",),
    "noise": ("noise_laeq_1min.csv", "noise_laeq_1s_4h.csv"),
    "zurich-counters": (
        "zurich_bicycle_daily.csv",
        "zurich_pedestrian_daily.csv",
        "zurich_bicycle_stations.csv",
        "zurich_pedestrian_stations.csv",
    ),
    "campusiot": ("lorawan_chirpstack_v3_station.ndjson", "lorawan_chirpstack_v3_door.ndjson"),
    "ea-flood": ("ea_flood_level_measures.json", "ea_flood_stations.json"),
    "parking": ("parking_basel_snapshots.ndjson", "parking_zurich_stuck_clock_snapshots.ndjson"),
    "litter-bins": ("edinburgh_litter_bin_collections.csv",),
    "water-meters": ("water_meter_hourly_alicante.csv",),
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return None if config.getoption("--data") is not None else True


def store_settings(store: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """Return what tells a platform to use a store; the store's server runs meanwhile."""
    if store == "duckdb":
        return {}
    address: InfluxAddress = request.getfixturevalue("new_database")()
    return {"MADINA_STORE_URL": f"{address.url.replace('http', 'influxdb', 1)}/{address.database}"}


class Observation(msgspec.Struct, frozen=True):
    """The members of an observation that tests look at; `time` is as the API writes it."""

    quantity: str
    value: float | int | bool | str
    unit: str | None
    time: str
    end: str | None
    flag: int
    metadata: dict[str, Any] | None = None

    @property
    def is_conflict(self) -> bool:
        return "conflict" in (self.metadata or {}).get("notes", ())


class _Page(msgspec.Struct):
    items: list[Observation]
    next: str | None


class Outcome(msgspec.Struct, frozen=True):
    """The members of a replay's report that tests look at."""

    rows: int
    skipped_rows: dict[str, int]
    skipped_values: dict[str, int]
    skipped: list[dict[str, Any]]
    missing: dict[str, int]
    devices: int
    without_position: int
    faults: list[str]
    sent: int
    received: int
    accepted: int
    quarantined: int
    duplicate: int
    difference: int
    ledger_difference: int
    observations: dict[str, int]
    quarantined_by: dict[str, int]
    rejected_by: dict[str, int]


class Acceptance:
    """A running platform and the data that it is given."""

    def __init__(self, data: Path, folder: Path, settings: dict[str, str]) -> None:
        self.data = data
        self._environment = {
            **{name: value for name, value in os.environ.items() if name[:7] != "MADINA_"},
            "MADINA_DATA_DIR": str(folder / "data"),
            "MADINA_HTTP_PORT": "0",
            "MADINA_MQTT_PORT": "0",
            "MADINA_NATS_PORT": "0",
            **settings,
        }
        self._folder = folder
        # One for all: a client reads the machine's certificates when it is made.
        self._client = httpx.Client(timeout=60, trust_env=False)
        self._replayed: dict[str, Outcome] = {}
        self._said = folder / "up.out"
        with self._said.open("wb") as output:
            self._process = subprocess.Popen(
                [*OURS, "up"], env=self._environment, stdout=output, stderr=subprocess.STDOUT
            )

    def wait_until_up(self) -> None:
        end_s = time.monotonic() + START_S
        while "Ctrl-C stops" not in self._said.read_text(encoding="utf-8"):
            assert self._process.poll() is None, self._said.read_text(encoding="utf-8")
            assert time.monotonic() < end_s, f"not up after {START_S} s"
            time.sleep(0.05)

    def stop(self) -> None:
        self._client.close()
        self._process.send_signal(signal.SIGINT)
        try:
            assert self._process.wait(STOP_S) == 0
        finally:
            self._process.kill()

    def path(self, name: str) -> Path:
        return self.data / name

    def replayed(self, data_set: str) -> Outcome:
        """Return the report of a data set's first replay, which happens when it is asked for."""
        if data_set not in self._replayed:
            self._replayed[data_set] = self.replay(data_set)
        return self._replayed[data_set]

    def replay(self, data_set: str) -> Outcome:
        """Replay a data set; it has to reconcile."""
        files = [str(self.path(name)) for name in DATA_SETS[data_set]]
        mapping = str(EXAMPLES / f"{data_set}.toml")
        done = subprocess.run(
            [*OURS, "replay", *files, "--map", mapping, "--json"],
            env=self._environment,
            capture_output=True,
            check=False,
            timeout=REPLAY_S,
        )
        assert done.returncode == 0, f"{done.stdout.decode()[-3_000:]}{done.stderr.decode()}"
        outcome = msgspec.json.decode(done.stdout, type=Outcome)
        assert outcome.difference == outcome.ledger_difference == 0
        assert outcome.rows == outcome.sent + sum(outcome.skipped_rows.values())
        assert outcome.sent == outcome.accepted + outcome.quarantined + outcome.duplicate
        return outcome

    # Answers of the API: tests look at their members, so the type is left open.
    def get(self, path: str, **parameters: str) -> Any:  # noqa: ANN401
        return msgspec.json.decode(self._ask(path, parameters))

    def exact(self, path: str, **parameters: str) -> Any:  # noqa: ANN401
        """Ask with the admin key: figures of single meters are nothing for the public."""
        return self._with_key("GET", path, parameters)

    def send(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401
        """Change something with the admin key; return what the API says about it."""
        return self._with_key(method, path, {}, msgspec.json.encode(body))

    def _with_key(
        self, method: str, path: str, parameters: Mapping[str, str], content: bytes | None = None
    ) -> Any:  # noqa: ANN401
        folder = DataFolder(self._folder / "data")
        run = folder.running()
        assert run is not None, "the platform does not run"
        answer = self._client.request(
            method,
            run.http + path,
            params=parameters,
            content=content,
            headers={
                "Authorization": f"Bearer {folder.admin_key()}",
                "Content-Type": "application/json",
            },
        )
        assert answer.is_success, answer.text
        return msgspec.json.decode(answer.content)

    def observations(self, device: str, quantity: str | None = None) -> list[Observation]:
        """Return everything that is stored of a device, by time."""
        found: list[Observation] = []
        asked = {"device": device, "limit": str(PAGE)}
        if quantity is not None:
            asked["quantity"] = quantity
        while True:
            page = msgspec.json.decode(self._ask("/v1/observations", asked), type=_Page)
            found += page.items
            if page.next is None:
                return found
            asked["cursor"] = page.next

    def computed(
        self, indicator: str, area: str, first: str, last: str, grain: str = "day"
    ) -> list[dict[str, Any]]:
        """Have an indicator computed by the clock of its place; return what is published then."""
        path = f"/v1/indicators/{indicator}"
        body = {"area": [area], "from": first, "to": last, "grain": grain}
        self.send("POST", f"{path}/compute", {**body, "cause": "device_metadata"})
        found: list[dict[str, Any]] = []
        asked = {"area": area, "from": first, "to": last, "grain": grain, "limit": "5000"}
        while True:
            page = self.exact(f"{path}/values", **asked)
            found += page["values"]
            if page["next"] is None:
                return found
            asked["cursor"] = page["next"]

    def devices(self, provider: str) -> dict[str, dict[str, Any]]:
        """Return the registered devices of a provider by id."""
        found: dict[str, dict[str, Any]] = {}
        asked = {"provider": provider, "limit": "200"}
        while True:
            page = self.get("/v1/devices", **asked)
            found |= {each["id"]: each for each in page["items"]}
            if page["next"] is None:
                return found
            asked["cursor"] = page["next"]

    def _ask(self, path: str, parameters: dict[str, str]) -> bytes:
        run = DataFolder(self._folder / "data").running()
        assert run is not None, "the platform does not run"
        answer = self._client.get(run.http + path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.content


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "platform" in metafunc.fixturenames:
        stores = str(metafunc.config.getoption("--stores")).split(",")
        metafunc.parametrize("platform", stores, indirect=True, scope="session")


@pytest.fixture(scope="session")
def platform(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Acceptance]:
    """Start a platform on a store; all tests of that store share it and what was replayed."""
    folder = tmp_path_factory.mktemp(str(request.param))
    data = Path(str(request.config.getoption("--data"))).resolve()
    found = Acceptance(data, folder, store_settings(str(request.param), request))
    try:
        found.wait_until_up()
        yield found
    finally:
        found.stop()
