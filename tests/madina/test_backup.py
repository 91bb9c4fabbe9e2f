"""Backups of a folder where nothing runs: nothing is replaced, and nothing damaged is believed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import msgspec
import pytest

from city.clock import MachineClock
from madina.data_folder import DataFolder
from madina.opening import opened
from madina.settings import Settings
from registry.records import DeviceDraft

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Madina


@pytest.fixture(params=["city.tar", "city"])
def backup(
    request: pytest.FixtureRequest, madina: Madina, data_folder: Path, tmp_path: Path
) -> Path:
    """Return a backup of a city with one device, whose data folder is gone since."""
    settings = Settings.model_validate({"data_dir": data_folder})
    with opened(settings, MachineClock()) as found:
        found.registry.devices.create("a test", DeviceDraft("acme", "meter-7"))
    (data_folder / "installation").write_text("this city\n")
    path = tmp_path / str(request.param)
    assert madina("backup", str(path)).status == 0
    shutil.rmtree(data_folder)
    return path


def test_a_restored_folder_has_what_was_registered_and_says_who_did_it(
    backup: Path, madina: Madina, data_folder: Path
) -> None:
    done = madina("restore", str(backup))
    assert done.status == 0, done.err
    assert "difference" in done.out
    assert "are not in it" in done.out
    assert [each["id"] for each in madina("devices", "list", "--json").json()["items"]] == [
        "meter-7"
    ]
    # Brokers keep messages under names that are made of it.
    assert DataFolder(data_folder).installation() == "this city"
    assert DataFolder(data_folder).installation_file.stat().st_mode & 0o777 == 0o600


def test_nothing_is_replaced(backup: Path, madina: Madina, data_folder: Path) -> None:
    assert madina("restore", str(backup)).status == 0
    again = madina("backup", str(backup))
    assert again.status == 1
    assert f"{backup} is there already" in again.err
    again = madina("restore", str(backup))
    assert again.status == 2
    assert f"{data_folder / 'madina.duckdb'} is there already" in again.err


def test_a_damaged_backup_is_refused_and_leaves_nothing(
    backup: Path, madina: Madina, data_folder: Path
) -> None:
    part = backup / "registry.sqlite" if backup.is_dir() else backup
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    done = madina("restore", str(backup))
    assert done.status == 1
    assert "is not what was written" in done.err
    left = {each.name for each in data_folder.iterdir()} - {"logs", "lock", "format.json"}
    assert left == set()


def test_half_a_backup_is_none(backup: Path, madina: Madina) -> None:
    if backup.is_dir():
        (backup / "manifest.json").unlink()
    else:
        backup.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    done = madina("restore", str(backup))
    assert done.status == 1
    assert str(backup) in done.err
    assert "defect" not in done.err


def test_a_restore_that_was_cut_off_is_begun_again(
    backup: Path, madina: Madina, data_folder: Path
) -> None:
    (data_folder / "restoring").mkdir(parents=True)
    (data_folder / "restoring" / "madina.duckdb").write_bytes(b"half")
    (data_folder / "registry.sqlite").write_bytes(b"moved already")
    assert madina("restore", str(backup)).status == 0
    assert madina("devices", "list").status == 0


def test_a_backup_of_another_time_zone_or_of_a_newer_madina_is_refused(
    backup: Path, madina: Madina, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("MADINA_TIMEZONE", "Europe/Madrid")
        done = madina("restore", str(backup))
    assert done.status == 2
    assert "set MADINA_TIMEZONE=UTC" in done.err
    if backup.is_dir():
        path = backup / "manifest.json"
        manifest = msgspec.json.decode(path.read_bytes())
        path.write_bytes(msgspec.json.encode(manifest | {"format": 2, "madina": "9.9"}))
        done = madina("restore", str(backup))
        assert "newer madina (9.9, format 2)" in done.err


def test_an_interrupted_backup_leaves_nothing(
    madina: Madina, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(Settings.model_validate({"data_dir": data_folder}), MachineClock()):
        pass
    folder = tmp_path / "backups"
    folder.mkdir()

    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("madina.backup.making.read_copied", interrupted)
    assert madina("backup", str(folder / "city.tar")).status == 130
    assert [*folder.iterdir()] == []
    assert not (data_folder / "copies").exists()


@pytest.mark.live
def test_a_registry_in_postgresql_is_backed_up_by_its_own_tools(
    madina: Madina,
    data_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgresql_url: Callable[[], str],
) -> None:
    dump, backup, url = tmp_path / "registry.dump", tmp_path / "city", postgresql_url()
    monkeypatch.setenv("MADINA_DATABASE_URL", url)
    assert madina("devices", "add", "acme/meter-7").status == 0
    assert not madina("backup", str(backup), "--json").json()["parts"]["registry"]
    server = [each.replace("+psycopg", "") for each in (url, postgresql_url())]
    subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", server[0]], check=True)
    shutil.rmtree(data_folder)

    subprocess.run(["pg_restore", f"--dbname={server[1]}", dump], check=True)
    monkeypatch.setenv("MADINA_DATABASE_URL", server[1])
    assert madina("restore", str(backup)).status == 0
    (device,) = madina("devices", "list", "--json").json()["items"]
    assert device["id"] == "meter-7"
