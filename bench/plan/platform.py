"""`madina up` as it comes, in a folder of its own, its store on a disk that can stand still."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bench.cpu import cpu_s
from bench.frozen_disk import disk_of
from bench.mortal import Part
from bench.plan.watch import look_at
from bench.processes import until
from bench.result import BenchFailed
from madina.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Generator

    from loadtest.capacity.batches import Look
    from madina.data_folder import RunFile

__all__ = ["Platform", "running_platform"]

START_S: Final = 90.0
SETTLE_S: Final = 300.0
PORTS: Final = {f"MADINA_{name}_PORT": "0" for name in ("HTTP", "MQTT", "NATS")}


class Platform:
    """A platform that runs.

    Attributes:
        disk: Where its store lies.
        run: Its addresses and processes.
        mqtt_port: Where devices connect.
    """

    def __init__(self, run: RunFile, disk: Path, up: Part) -> None:
        self.run = run
        self.disk = disk
        self.mqtt_port = urlsplit(run.mqtt).port or 0
        self._up = up

    def look(self) -> Look:
        """Return what ingest has done since the start.

        Raises:
            BenchFailed: The platform has ended.
        """
        if not self._up.runs:
            raise BenchFailed(f"madina up has ended: {self._up.last_words()}")
        return look_at(self.run.http)

    def settle(self, messages: int) -> None:
        """Wait until so many messages are applied."""
        until(
            lambda: self.look().messages >= messages,
            f"{messages:,} messages to be applied, {self.look().messages:,} are",
            patience_s=SETTLE_S,
        )

    def used_s(self) -> dict[str, float]:
        """Return the processor seconds of gateway, log and node since their start."""
        found = {"gateway": 0.0, "log": 0.0, "node": 0.0}
        for name, pid in self.run.children.items():
            part = "log" if name.startswith("nats") else name.partition("-")[0]
            found[part] += cpu_s(pid)
        return found


@contextlib.contextmanager
def running_platform() -> Generator[Platform]:
    """Run it for the length of a block; all of it is gone at the end.

    Raises:
        BenchFailed: It does not start, or no disk can be made here (root may).
    """
    with (
        tempfile.TemporaryDirectory(prefix="madina-bench-") as name,
        disk_of(Path(name)) as disk,
    ):
        folder = Path(name)
        data = folder / "data"
        ours = {key: value for key, value in os.environ.items() if not key.startswith("MADINA_")}
        settings = {
            "MADINA_DATA_DIR": str(data),
            "MADINA_STORE_URL": f"duckdb:///{disk / 'store.duckdb'}",
            "MADINA_UNKNOWN_DEVICES": "accept",
            "MADINA_MQTT_CONNECT_RATE": "100000",
        }
        command = [sys.executable, "-m", "madina", "up"]
        up = Part("up", command, {**ours, **PORTS, **settings}, folder)
        up.start()
        try:
            yield Platform(_up(DataFolder(data), up), disk, up)
        finally:
            up.stop()


def _up(folder: DataFolder, up: Part) -> RunFile:
    until(lambda: "Ctrl-C stops" in up.last_words() or not up.runs, "madina up", patience_s=START_S)
    run = folder.running()
    if run is None:
        raise BenchFailed(up.last_words())
    return run
