"""Real registers of devices: imported as a city does it, with the odd rows named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "registers"


class Commands:
    """Commands on a data folder where nothing runs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._environment = {**os.environ, "MADINA_DATA_DIR": str(folder)}

    def __call__(self, *arguments: str, status: int = 0) -> str:
        command = (sys.executable, "-m", "madina", *arguments)
        ended = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == status, ended.stderr
        return ended.stdout

    def plan(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        out = self("devices", "import", *arguments, "--json", status=status)
        return msgspec.json.decode(out, type=dict[str, Any])


@pytest.fixture
def madina(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "data")


@pytest.fixture
def data(pytestconfig: pytest.Config) -> Path:
    return Path(str(pytestconfig.getoption("--data")))


def test_the_counters_of_zurich_come_with_positions_periods_and_corrections(
    madina: Commands, data: Path, tmp_path: Path
) -> None:
    register = str(data / "zurich_counters_raw_sites.csv")
    mapped = ("--map", str(EXAMPLES / "zurich-counters.toml"))
    plan = madina.plan(register, *mapped)
    assert (plan["new"], plan["wrong"], plan["applied"]) == (139, 0, False)
    assert madina.plan(register, *mapped, "--apply")["applied"]
    again = madina.plan(register, *mapped, "--apply")
    assert (again["unchanged"], again["new"], again["changed"]) == (139, 0, 0)
    shown = msgspec.json.decode(madina("devices", "show", "zurich/2979", "--json"))
    assert (shown["name"], shown["status"]) == ("Binzmühlestrasse", "active")
    assert (shown["installed_on"], shown["retired_on"]) == ("2019-06-19", None)
    assert shown["tags"][0] == "VZS_BINZ"
    # Where the city's own list of stations in degrees has it, to within two metres or so.
    stations = (data / "zurich_bicycle_stations.csv").read_text(encoding="utf-8-sig")
    assert abs(shown["lat"] - _degrees(stations, "VZS_BINZ", "lat")) < 3e-5
    assert abs(shown["lon"] - _degrees(stations, "VZS_BINZ", "lon")) < 3e-5
    listed = madina("calibrations", "list", "--device", "zurich/7", "--json")
    (correction,) = msgspec.json.decode(listed)["items"]
    assert (correction["factor"], correction["quantity"]) == (1.22, "count")
    assert correction["valid_from"] == "2010-11-29T23:00:00.000000Z"
    # What is exported is what comes back.
    exported = tmp_path / "all.geojson"
    madina("devices", "export", str(exported))
    assert madina.plan(str(exported))["unchanged"] == 139


def test_the_station_with_lists_where_single_values_belong_is_named_and_left_out(
    madina: Commands, data: Path
) -> None:
    register = str(data / "ea_flood_stations.json")
    mapped = ("--map", str(EXAMPLES / "ea-flood-stations.toml"))
    plan = madina.plan(register, *mapped, "--apply", status=1)
    assert (plan["new"], plan["wrong"], plan["applied"]) == (521, 1, False)
    (odd,) = [row for row in plan["rows"] if row["verdict"] == "wrong"]
    assert odd["device"] == "environment-agency/E85123"
    assert "more than one value" in odd["words"] or "none of" in odd["words"]
    assert madina.plan(register, *mapped, "--apply", "--skip-wrong")["applied"]
    assert madina.plan(register, *mapped, "--skip-wrong")["unchanged"] == 521


def _degrees(stations: str, name: str, column: str) -> float:
    headings, *rows = (line.split(",") for line in stations.splitlines())
    at = next(index for index, each in enumerate(headings) if each.lower().startswith(column))
    row = next(row for row in rows if name in {cell.strip('"') for cell in row})
    return float(row[at].strip('"'))
