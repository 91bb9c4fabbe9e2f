"""Published numbers leave by commands, and are checked where nothing else is."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from city.clock import MachineClock
from madina.opening import opened
from madina.settings import load_settings
from registry.records import DeviceDraft
from store.interface import OBSERVATION_SCHEMA, Batch, Mark, Series

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Madina

ID = "air.aqi.us.pm25"
DAY = "2026-03-10"
# 2026-03-10 00:00 UTC.
DAY_US = 1_773_100_800_000_000
HOUR_US = 3_600_000_000
NOTHING = OBSERVATION_SCHEMA.empty_table()


@pytest.fixture
def published(madina: Madina, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Madina:
    """Return commands on a folder where a day of 20 ug/m3 was published."""
    monkeypatch.setenv("MADINA_TIMEZONE", "Etc/UTC")
    with opened(load_settings(data_folder).settings, MachineClock()) as found:
        draft = DeviceDraft("acme", "air-1", kind="air", expected_interval_s=3_600.0)
        found.registry.devices.create("a test", draft)
        members = [
            {"series": 0, "time_us": at, "value": 20.0, "flag": 1, "received_us": at}
            for at in range(DAY_US, DAY_US + 24 * HOUR_US, HOUR_US)
        ]
        rows = pa.Table.from_pylist(members, schema=OBSERVATION_SCHEMA)
        series = [Series(0, "acme", "air-1", "pm2_5", "ug/m3", "number")]
        found.store.write(Batch([Mark(0, 0, 1)], [], [], [], rows, NOTHING, series=series))
    ended = madina("indicators", "compute", ID, "--from", DAY)
    assert ended.status == 0, ended.err
    return madina


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".zip"])
def test_values_are_exported_in_the_format_of_the_name(
    published: Madina, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"values{suffix}"
    ended = published("indicators", "export", ID, str(file))
    assert ended.status == 0, ended.err
    assert ended.out == f"{file.stat().st_size} bytes in {file}\n"


def test_a_name_without_a_format_and_a_folder_that_is_not_there_are_refused(
    published: Madina, tmp_path: Path
) -> None:
    ended = published("indicators", "export", ID, str(tmp_path / "values.pdf"))
    assert ended.status == 1
    assert "end it with .csv, .parquet, .zip" in ended.err
    ended = published("indicators", "export", ID, str(tmp_path / "nowhere" / "values.csv"))
    assert ended.status == 1
    assert "cannot be written" in ended.err


def test_a_proof_is_verified_without_any_platform(
    published: Madina, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "proof.zip"
    ended = published("indicators", "prove", ID, str(file), "--area", "city", "--period", DAY)
    assert ended.status == 0, ended.err
    monkeypatch.setenv("MADINA_DATA_DIR", str(tmp_path / "nowhere"))
    found = published("indicators", "verify", str(file), "--json").json()
    assert found["holds"] is True
    assert {"definition", "inputs", "figure"} <= {each["what"] for each in found["checks"]}
    assert "holds" in published("indicators", "verify", str(file)).out


def test_a_proof_that_was_changed_ends_with_an_error(published: Madina, tmp_path: Path) -> None:
    file, wrong = tmp_path / "proof.zip", tmp_path / "wrong.zip"
    published("indicators", "prove", ID, str(file), "--area", "city", "--period", DAY)
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(wrong, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(b",20,", b",21,"))
    ended = published("indicators", "verify", str(wrong))
    assert ended.status == 1
    assert "does not hold: file observations.csv" in ended.err
    ended = published("indicators", "verify", __file__)
    assert ended.status == 1
    assert "is no proof of a figure" in ended.err


def test_two_figures_are_compared(published: Madina) -> None:
    asked = ("indicators", "compare", ID, "--area", "city", "--period", DAY)
    told = published(*asked, "--with-area", "device:acme/air-1").out
    assert "change" in told
    assert published(*asked, "--json").json()["comparable"] is True
    published("indicators", "compute", "air.aqi.us.overall", "--from", DAY)
    told = published(*asked, "--with-indicator", "air.aqi.us.overall").out
    assert "These do not compare" in told
    assert "formula.name" in told
