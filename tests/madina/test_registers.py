"""Registers of devices as files: read, planned, applied, given back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madina.registers.swiss import from_lv95

if TYPE_CHECKING:
    from conftest import Madina

CSV = """provider,id,kind,name,lat,lon,installed_on,population,tags
acme,a,air,Äussere Gasse,47.5,8.5,2026-03-04,120,x;y
acme,b,,,,,,,
"""
WRONG = """provider,id,kind,lat,lon,place,installed_on
acme,good,air,47.5,8.5,,
acme,comma,air,"47,5",8.5,,
acme,far,air,147.5,8.5,,
acme,half,air,47.5,,,
acme,nowhere,air,,,the-moon,
acme,when,air,,,,04.03.2026
acme,good,air,47.5,8.5,,
,none,air,,,,
acme,short
acme,Bad Kind,A!,,,,
"""


def verdicts(plan: dict[str, Any]) -> dict[str, str]:
    return {row["row"]: row["words"] for row in plan["rows"] if row["verdict"] == "wrong"}


def test_a_plan_changes_nothing_and_applying_it_twice_changes_nothing_more(
    madina: Madina, tmp_path: Path
) -> None:
    file = tmp_path / "devices.csv"
    file.write_text("\ufeff" + CSV, encoding="utf-8")
    shown = madina("devices", "import", str(file))
    assert shown.status == 0, shown.err
    assert "2 new" in shown.out
    assert "--apply" in shown.out
    assert madina("devices", "list", "--json").json()["items"] == []
    assert madina("devices", "import", str(file), "--apply").status == 0
    device = madina("devices", "show", "acme/a", "--json").json()
    assert (device["name"], device["tags"]) == ("Äussere Gasse", ["x", "y"])
    assert (device["population"], device["installed_on"]) == (120, "2026-03-04")
    again = madina("devices", "import", str(file), "--apply", "--json").json()
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2)
    file.write_text("provider,id,kind\nacme,a,noise\n", encoding="utf-8")
    plan = madina("devices", "import", str(file), "--apply", "--json").json()
    assert [(row["verdict"], row["fields"]) for row in plan["rows"]] == [("changed", ["kind"])]
    kept = madina("devices", "show", "acme/a", "--json").json()
    assert (kept["kind"], kept["name"], kept["lat"]) == ("noise", "Äussere Gasse", 47.5)


def test_every_wrong_row_is_named_with_its_reason_and_nothing_is_done(
    madina: Madina, tmp_path: Path
) -> None:
    file = tmp_path / "devices.csv"
    file.write_text(WRONG, encoding="utf-8")
    refused = madina("devices", "import", str(file), "--apply", "--json")
    assert refused.status == 1
    plan = msgspec.json.decode(refused.out)
    assert (plan["new"], plan["wrong"], plan["applied"]) == (1, 9, False)
    words = verdicts(plan)
    for row, part in (
        ("line 3", "lat: '47,5' is no number: write it with a point"),
        ("line 4", "lat: 147.5 is not between -90 and 90"),
        ("line 5", "latitude and longitude go together"),
        ("line 6", "place: nobody has registered 'the-moon'"),
        ("line 7", "installed_on: '04.03.2026' is no day"),
        ("line 8", "the same device as line 2"),
        ("line 9", "provider missing"),
        ("line 10", "another number of cells than headings"),
        ("line 11", "id: 'Bad Kind' is no device id"),
    ):
        assert part in words[row], row
    assert madina("devices", "list", "--json").json()["items"] == []
    assert madina("devices", "import", str(file), "--apply", "--skip-wrong").status == 0
    assert len(madina("devices", "list", "--json").json()["items"]) == 1


@pytest.mark.parametrize("suffix", [".csv", ".geojson", ".xlsx"])
def test_what_is_exported_comes_back_as_it_was(
    madina: Madina, data_folder: Path, tmp_path: Path, suffix: str
) -> None:
    source = tmp_path / "devices.csv"
    source.write_text(CSV, encoding="utf-8")
    madina("devices", "import", str(source), "--apply")
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    assert madina("devices", "export", str(first)).status == 0
    plan = madina("devices", "import", str(first), "--json").json()
    assert (plan["unchanged"], plan["changed"], plan["wrong"]) == (2, 0, 0)
    for file in data_folder.glob("registry*"):
        file.unlink()
    assert madina("devices", "import", str(first), "--apply", "--json").json()["new"] == 2
    madina("devices", "export", str(second))
    if suffix != ".xlsx":
        # A workbook holds when it was saved.
        assert first.read_bytes() == second.read_bytes()


def test_a_workbook_of_a_city_is_read_whatever_its_cells_are(
    madina: Madina, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (
        ("Nr", "Ort", "Länge", "Breite", "Zustand"),
        (7, "Bahnhof", 8.5, 47.25, "in Betrieb"),
        (8.0, None, None, None, "abgebaut"),
        (9, "Markt", None, None, "??"),
        (None, None, None, None, None),
    ):
        sheet.append(row)
    file, mapping = tmp_path / "sensors.xlsx", tmp_path / "map.toml"
    book.save(file)
    mapping.write_text(
        '[constants]\nprovider = "acme"\n'
        '[columns]\nid = "Nr"\naddress = "Ort"\nlon = "Länge"\nlat = "Breite"\nstatus = "Zustand"\n'
        '[values.status]\n"in Betrieb" = "active"\nabgebaut = "retired"\n',
        encoding="utf-8",
    )
    planned = madina(
        "devices", "import", str(file), "--map", str(mapping), "--skip-wrong", "--json"
    )
    plan = planned.json()
    assert [(each["device"], each["verdict"]) for each in plan["rows"]] == [
        ("acme/7", "new"),
        ("acme/8", "new"),
        ("acme/9", "wrong"),
    ]
    assert "is none of in Betrieb, abgebaut" in verdicts(plan)["row 4"]


def test_a_column_that_nobody_knows_is_refused_and_not_lost_in_silence(
    madina: Madina, tmp_path: Path
) -> None:
    file = tmp_path / "devices.csv"
    file.write_text("provider,id,latitude\nacme,a,47.5\n", encoding="utf-8")
    refused = madina("devices", "import", str(file))
    assert refused.status == 1
    assert "'latitude', which is none of provider, id" in refused.err


def test_positions_on_the_swiss_map_are_those_of_the_survey() -> None:
    # The example of swisstopo's paper: 46 2' 38.86", 8 43' 49.80".
    lat, lon = from_lv95(2_700_000, 1_100_000)
    assert lat == pytest.approx(46 + 2 / 60 + 38.86 / 3600, abs=3e-6)
    assert lon == pytest.approx(8 + 43 / 60 + 49.80 / 3600, abs=3e-6)


@pytest.mark.property
@given(st.floats(allow_nan=True, allow_infinity=True), st.floats())
def test_numbers_that_are_no_position_in_switzerland_are_refused(east: float, north: float) -> None:
    try:
        lat, lon = from_lv95(east, north)
    except ValueError:
        return
    assert 44 < lat < 49
    assert 4 < lon < 12
