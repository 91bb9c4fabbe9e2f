"""What `madina up` refuses: one line with the cause and the setting that mends it, status 2."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from madina.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

FREE = {"MADINA_HTTP_PORT": "0", "MADINA_MQTT_PORT": "0", "MADINA_NATS_PORT": "0"}
DEADLINE_S = 60


def refused(folder: Path, **environment: str) -> str:
    """Run `madina up` where it cannot; return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "madina", "up", "--data-dir", str(folder)],
        env={**os.environ, **FREE, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("madina: ")
    assert done.stderr.count("\n") == 1, f"more than one line: {done.stderr}"
    return done.stderr


@pytest.mark.parametrize("setting", ["MADINA_HTTP_PORT", "MADINA_MQTT_PORT", "MADINA_NATS_PORT"])
def test_a_taken_port(setting: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        words = refused(tmp_path, **{setting: str(port)})
    assert f"port {port} on 127.0.0.1 is in use: set {setting}" in words


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    words = refused(tmp_path / "file" / "data")
    assert "cannot be written" in words
    assert "MADINA_DATA_DIR" in words


def test_a_misspelt_setting(tmp_path: Path) -> None:
    assert "did you mean MADINA_HTTP_HOST?" in refused(tmp_path, MADINA_HTTP_HOTS="x")


def test_a_log_of_a_newer_version(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text('{"folder":1,"log":99}')
    assert "newer version of madina" in refused(tmp_path)


def test_a_second_one_on_the_same_folder(start: Callable[..., Platform]) -> None:
    platform = start()
    words = refused(platform.folder)
    assert f"in use by process {platform.process.pid}" in words
    assert "MADINA_DATA_DIR" in words
    assert platform.interrupt() == 0


def test_a_store_of_a_newer_version(start: Callable[..., Platform]) -> None:
    folder = stopped(start())
    with duckdb.connect(str(folder.duckdb)) as store:
        store.execute("update version set version = 99")
    words = refused(folder.path)
    assert "newer version" in words
    assert "MADINA_DATA_DIR" in words


def test_a_registry_of_a_newer_version(start: Callable[..., Platform]) -> None:
    folder = stopped(start())
    with sqlite3.connect(folder.registry) as registry:
        registry.execute("update alembic_version set version_num = 'v9999'")
    words = refused(folder.path)
    assert "newer version" in words
    assert "MADINA_DATA_DIR" in words


def stopped(platform: Platform) -> DataFolder:
    """Stop a platform; return its folder."""
    assert platform.interrupt() == 0
    return DataFolder(platform.folder)
