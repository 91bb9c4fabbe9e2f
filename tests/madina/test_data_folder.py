"""The data folder: one holder at a time, secrets for the owner only, versions respected."""

import os
import stat
from pathlib import Path

import pytest

from madina.data_folder import DataFolder, RunFile
from madina.errors import SetupError


def run_file() -> RunFile:
    return RunFile(os.getpid(), "http://h:1", "mqtt://h:2", None, "nats://h:3", {"node": 7})


def test_a_folder_has_one_holder_and_the_second_is_told_who(tmp_path: Path) -> None:
    with (
        DataFolder(tmp_path).held(),
        pytest.raises(SetupError, match=f"in use by process {os.getpid()}.*MADINA_DATA_DIR"),
        DataFolder(tmp_path).held(),
    ):
        pass
    with DataFolder(tmp_path).held():
        pass


def test_what_runs_is_known_only_while_the_folder_is_held(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.running() is None
    with folder.held():
        assert folder.running() is None
        folder.write_run_file(run_file())
        assert DataFolder(tmp_path).running() == run_file()
    assert folder.running() is None


def test_a_run_file_that_a_crash_left_says_nothing(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.write_run_file(run_file())
    assert folder.running() is None


def test_secrets_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    key = folder.admin_key()
    assert len(key) >= 40
    assert DataFolder(tmp_path).admin_key() == key
    folder.write_run_file(run_file())
    for name in ("admin.key", "run.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(SetupError, match=r"cannot be written.*MADINA_DATA_DIR"),
        DataFolder(tmp_path / "file" / "data").held(),
    ):
        pass


def test_a_folder_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    newer = '{"folder":1,"log":99}'
    (tmp_path / "format.json").write_text(newer)
    with pytest.raises(SetupError, match="newer version of madina"), DataFolder(tmp_path).held():
        pass
    assert (tmp_path / "format.json").read_text() == newer


def test_the_number_of_shards_stays_as_it_is(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with folder.held():
        folder.keep_shards(16)
    with folder.held():
        folder.keep_shards(16)
        with pytest.raises(SetupError, match="has 16 shards, MADINA_SHARDS says 8"):
            folder.keep_shards(8)


def test_a_format_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text("{")
    with (
        pytest.raises(SetupError, match=r"format\.json cannot be read"),
        DataFolder(tmp_path).held(),
    ):
        pass
