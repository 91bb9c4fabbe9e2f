"""An InfluxDB 1.x of a bench's own, and what of a load is in it: by message, and as a digest."""

from __future__ import annotations

import contextlib
import io
import shutil
import socket
from typing import TYPE_CHECKING, Final

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from bench.digest import DigestOfSeries
from bench.processes import Program, free_port, program, until
from bench.result import BenchFailed
from bench.verdict import SEQUENCE_BITS, Verdict, compare
from store.influx import InfluxAddress
from store.influx.connection import DATA, Connection
from store.influx.provision import provision

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from bench.digest import Digest
    from bench.verdict import Keys
    from loadtest.plan import LoadPlan
    from loadtest.report import LoadReport

__all__ = [
    "DATABASE",
    "configured",
    "count_of_rows",
    "digest_of_points",
    "digest_of_rows",
    "judge_points",
    "prepared",
    "running_influxd",
]

# As docs/store.md advises, and nothing of it depends on this machine.
CONFIGURATION: Final = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
  max-values-per-tag = 0
  max-series-per-database = 0
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
"""
DATABASE: Final = "bench"
TIMEOUT_S: Final = 300.0
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz/-"
# Columns of a point that are no quantity.
ABOUT: Final = frozenset({"name", "tags", "time", "device", "provider", "place", "received"})
US_PER_MS: Final = 1_000


def configured(folder: Path, port: int, rpc: int) -> list[str | Path]:
    """Write a configuration into a folder of its own and return the command.

    Raises:
        BenchFailed: There is no influxd.
    """
    found = shutil.which("influxd")
    if found is None:
        raise BenchFailed("there is no influxd: scripts/debian-packages influxdb")
    path = folder / "influxdb.conf"
    text = CONFIGURATION.format(folder=folder / "influxdb", port=port, rpc=rpc)
    path.write_text(text, encoding="utf-8")
    return [found, "-config", path]


def prepared(port: int) -> InfluxAddress | None:
    """Make the database; None where nobody listens yet."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        address = InfluxAddress(f"http://127.0.0.1:{port}", DATABASE)
        with contextlib.closing(Connection(address)) as connection:
            provision(connection)
        return address
    return None


@contextlib.contextmanager
def running_influxd(folder: Path) -> Generator[tuple[Program, InfluxAddress]]:
    """Run a server with an empty database in it."""
    port = free_port()
    with program("influxd", configured(folder, port, free_port()), folder, port=port) as server:
        until(lambda: prepared(port) is not None, "influxd to answer", server)
        yield server, InfluxAddress(f"http://127.0.0.1:{port}", DATABASE)


def digest_of_points(address: InfluxAddress, provider: str) -> Digest:
    """Return what points with quantities as fields come to, as madina writes them."""
    points = _table(address, "observations", provider)
    digest = DigestOfSeries()
    for quantity in [name for name in points.column_names if name not in ABOUT]:
        _add(digest, points.filter(pc.is_valid(points.column(quantity))), quantity, quantity)
    return digest.digest()


def count_of_rows(address: InfluxAddress) -> int:
    """Return how many points with a tag for the quantity there are."""
    with contextlib.closing(Connection(address)) as connection:
        rows = connection.rows(DATA, 'SELECT count("value") FROM "observation"')
    return rows[0]["count"] if rows else 0


def digest_of_rows(address: InfluxAddress, provider: str) -> Digest:
    """Return what points with a tag for the quantity come to, as the textbook has it."""
    points = _table(address, "observation", provider)
    digest = DigestOfSeries()
    if points.num_rows:
        for quantity in pc.unique(points.column("quantity")).to_pylist():
            of = pc.equal(points.column("quantity"), quantity)
            _add(digest, points.filter(of), quantity, "value")
    return digest.digest()


def _add(digest: DigestOfSeries, points: pa.Table, quantity: str, column: str) -> None:
    """Add the values of one quantity, by device."""
    devices, indices = np.unique(points.column("device").to_numpy(), return_inverse=True)
    numbers = np.array([digest.name(str(device), quantity) for device in devices], np.int32)
    digest.add(
        numbers[indices],
        points.column("time").to_numpy() * US_PER_MS,
        points.column(column).to_numpy().astype(np.float64),
    )


def judge_points(address: InfluxAddress, reports: Iterable[LoadReport]) -> Verdict:
    """Compare what a database holds with what was sent to it by one provider."""
    reports = list(reports)
    return compare(*_stored(address, reports[0].plan), reports)


def _stored(address: InfluxAddress, plan: LoadPlan) -> tuple[Keys, int]:
    """Return messages with all of their observations, and how many observations are too many."""
    points = _table(address, "observations", plan.provider)
    if not points.num_rows:
        return np.empty(0, np.int64), 0
    quantities = [name for name in points.column_names if name not in ABOUT]
    numbers = pc.utf8_ltrim(points.column("device"), LETTERS).cast(pa.int64()).to_numpy()
    sequence = (points.column("time").to_numpy() - plan.first_ms) // plan.step_ms
    filled = np.zeros(points.num_rows, np.int64)
    for name in quantities:
        filled += pc.is_valid(points.column(name)).to_numpy()
    keys = (numbers << SEQUENCE_BITS) + sequence
    whole = keys[filled == plan.observations]
    conflicts = _table(address, "conflicts", plan.provider).num_rows
    return whole, len(whole) - len(np.unique(whole)) + conflicts


def _table(address: InfluxAddress, measurement: str, provider: str) -> pa.Table:
    """Return every point of a measurement, times in milliseconds."""
    answer = httpx.post(
        f"{address.url}/query",
        params={"db": address.database, "epoch": "ms", "chunked": "true"},
        data={"q": f"SELECT * FROM {measurement} WHERE provider = '{provider}'"},  # noqa: S608
        headers={"Accept": "application/csv"},
        timeout=TIMEOUT_S,
        trust_env=False,
    ).raise_for_status()
    lines = answer.content
    header = lines.split(b"\n", 1)[0] + b"\n"
    # Each chunk brings its header again.
    rows = header + lines.replace(header, b"")
    return csv.read_csv(io.BytesIO(rows)) if lines.strip() else pa.table({})
