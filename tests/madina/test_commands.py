"""Commands where nothing runs: they answer over the store and the registry themselves."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from madina.data_folder import DataFolder

if TYPE_CHECKING:
    from conftest import Madina


def test_users_are_made_with_a_secret_that_is_shown_once(madina: Madina) -> None:
    made = madina("users", "add", "acme")
    assert made.status == 0, made.err
    assert "Keep the secret: nobody can ask for it again." in made.out
    listed = madina("users", "list", "--json").json()
    (user,) = listed["items"]
    assert (user["name"], user["provider"], user["disabled"]) == ("acme", "acme", False)
    assert "secret" not in user


def test_a_user_is_locked_out_let_in_renewed_and_removed(madina: Madina) -> None:
    first = madina("users", "add", "acme/meter-7", "--provider", "acme", "--json").json()
    assert madina("users", "disable", "acme/meter-7", "--json").json()["disabled"] is True
    assert madina("users", "enable", "acme/meter-7", "--json").json()["disabled"] is False
    second = madina("users", "renew", "acme/meter-7", "--json").json()
    assert second["secret"] != first["secret"]
    assert madina("users", "remove", "acme/meter-7").status == 0
    assert madina("users", "list", "--json").json()["items"] == []


def test_keys_are_made_listed_and_revoked(madina: Madina) -> None:
    made = madina("keys", "add", "the map", "--json").json()
    (listed,) = madina("keys", "list", "--json").json()["items"]
    assert listed == {name: made[name] for name in listed}
    assert madina("keys", "revoke", made["id"]).status == 0
    again = madina("keys", "revoke", made["id"])
    assert again.status == 1
    assert "there is no key" in again.err


def test_providers_come_with_a_user(madina: Madina) -> None:
    made = madina("providers", "add", "waste", "--title", "Waste department", "--json").json()
    assert (made["user"], made["title"]) == ("waste", "Waste department")
    assert made["secret"]
    assert "Waste department" in madina("providers", "list").out


def test_devices_are_added_changed_and_listed(madina: Madina) -> None:
    added = madina("devices", "add", "waste/bin-1", "--kind", "waste", "--lat", "1.5", "--lon", "2")
    assert added.status == 0, added.err
    assert "madina devices accept" in added.err
    madina("devices", "add", "waste/bin-2", "--kind", "waste", "--interval", "900")
    changed = madina("devices", "change", "waste/bin-1", "--status", "retired", "--json").json()
    assert (changed["status"], changed["lat"], changed["kind"]) == ("retired", 1.5, "waste")

    listed = madina("devices", "list", "--json").json()["items"]
    assert [each["device"] for each in listed] == ["waste/bin-1", "waste/bin-2"]
    active = madina("devices", "list", "--status", "active").out.splitlines()
    assert [line.split()[0] for line in active] == ["device", "waste/bin-2"]
    assert madina("devices", "list", "--limit", "1", "--json").json()["items"] == listed[:1]
    assert madina("devices", "show", "bin-2", "--json").json()["expected_interval_s"] == 900


def test_a_device_is_replaced_and_both_are_listed(madina: Madina) -> None:
    madina("devices", "add", "waste/bin-1")
    at = ("--at", "2026-03-04T05:06:07Z")
    made = madina("devices", "replace", "waste/bin-1", "eui-2", *at, "--json").json()["items"]
    assert [each["hardware"] for each in made] == ["waste/bin-1", "waste/eui-2"]
    listed = madina("devices", "hardware", "waste/bin-1").out.splitlines()
    assert [line.split()[1] for line in listed] == ["hardware", "waste/bin-1", "waste/eui-2"]
    again = madina("devices", "replace", "waste/bin-1", "eui-2", *at)
    assert again.status == 1
    assert "stands there already" in again.err


def test_maintenance_is_added_listed_and_removed(madina: Madina) -> None:
    madina("devices", "add", "waste/bin-1")
    words = ("waste/bin-1", "--from", "2026-03-04T05:06:07Z", "--note", "new lid")
    made = madina("maintenance", "add", *words, "--json").json()
    assert (made["device"], made["until"], made["note"]) == ("waste/bin-1", None, "new lid")
    assert "new lid" in madina("maintenance", "list", "--device", "waste/bin-1").out
    assert madina("maintenance", "remove", str(made["id"])).status == 0
    assert madina("maintenance", "list", "--json").json()["items"] == []


def test_more_devices_than_a_page_are_all_listed(madina: Madina, data_folder: Path) -> None:
    file = data_folder.parent / "devices.csv"
    rows = "".join(f"acme,meter-{n:04},water\n" for n in range(450))
    file.write_text("provider,id,kind\n" + rows, encoding="utf-8")
    assert madina("devices", "import", str(file), "--apply", "--json").json()["new"] == 450
    assert len(madina("devices", "list", "--json").json()["items"]) == 450
    assert len(madina("devices", "list", "--limit", "201", "--json").json()["items"]) == 201


def test_devices_come_back_from_an_export_as_they_were(madina: Madina, data_folder: Path) -> None:
    madina("devices", "add", "acme/a", "--name", "A, the first", "--lat", "1.25", "--lon", "-3")
    madina("devices", "add", "acme/b", "--name", "Süd; second", "--interval", "60")
    madina("devices", "change", "acme/b", "--status", "retired")
    before = madina("devices", "list", "--json").json()
    file = data_folder.parent / "out.csv"
    assert madina("devices", "export", str(file)).status == 0
    again = madina("devices", "import", str(file), "--apply", "--json").json()
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2)
    assert madina("devices", "list", "--json").json() == before


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("id,kind\nm,water\n", "has no column 'provider'"),
        ("provider,id,colour\na,m,red\n", "'colour'"),
        ("provider,id,lat\na,m,north\n", "lat: 'north' is no number"),
        ("provider,id,status\na,m,asleep\n", "asleep"),
        ("", "has no rows"),
    ],
)
def test_a_file_of_devices_that_cannot_be_read_changes_nothing(
    rows: str, words: str, madina: Madina, data_folder: Path
) -> None:
    file = data_folder.parent / "devices.csv"
    file.write_text(rows, encoding="utf-8")
    ended = madina("devices", "import", str(file), "--apply")
    assert ended.status == 1
    assert words in ended.err + ended.out
    assert ended.err.count("\n") == 1
    assert madina("devices", "list", "--json").json()["items"] == []


def test_routes_are_added_switched_and_removed(madina: Madina) -> None:
    options = '{"a": 1}'
    arguments = ("routes", "add", "zigbee", "zigbee2mqtt/+", "native", "--provider", "acme")
    made = madina(*arguments, "--options", options, "--level", "2", "--json").json()
    assert (made["options"], made["levels"]) == ({"a": 1}, [2])
    assert madina("routes", "disable", "zigbee", "--json").json()["enabled"] is False
    assert madina("routes", "enable", "zigbee", "--json").json()["enabled"] is True
    assert madina("routes", "show", "zigbee", "--json").json()["pattern"] == "zigbee2mqtt/+"
    assert madina("routes", "remove", "zigbee").status == 0
    assert [each["name"] for each in madina("routes", "list", "--json").json()["items"]] == [
        "native"
    ]


def test_options_that_are_no_json_are_refused(madina: Madina) -> None:
    ended = madina("routes", "add", "a", "a/+", "native", "--options", "{")
    assert ended.status == 1
    assert "--options" in ended.err


def test_the_ledger_of_a_new_folder_is_empty_and_closes(madina: Madina) -> None:
    ended = madina("ledger", "--json")
    assert ended.json()["difference"] == {"messages": 0, "observations": 0}
    assert "nothing runs here" in ended.err


def test_a_ledger_that_does_not_close_is_a_failure(madina: Madina, data_folder: Path) -> None:
    assert madina("ledger").status == 0
    with duckdb.connect(str(DataFolder(data_folder).duckdb)) as store:
        names = [row[0] for row in store.execute("describe ledger").fetchall()]
        row = [{"received": 3, "accepted": 2, "route": "native"}.get(name, 0) for name in names]
        store.execute(f"insert into ledger values ({', '.join('?' * len(row))})", row)  # noqa: S608
    ended = madina("ledger")
    assert ended.status == 1
    assert "does not add up: 1 messages and 0 observations" in ended.err


@pytest.mark.parametrize("command", ["replay", "drop"])
def test_what_needs_the_log_says_so(command: str, madina: Madina) -> None:
    ended = madina("quarantine", command, "--reason", "unknown_device")
    assert ended.status == 1
    assert ended.err == "madina: this needs the log, which does not run: start `madina up` first\n"


def test_a_selection_of_everything_is_nobodys_intention(madina: Madina) -> None:
    assert "nothing says which entries" in madina("quarantine", "replay").err


@pytest.mark.parametrize(
    "arguments",
    [
        ("quarantine", "show", "1-2-3"),
        ("devices", "show", "nobody/none"),
        ("routes", "show", "?# nowhere"),
        ("users", "disable", "nobody"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(arguments: tuple[str, ...], madina: Madina) -> None:
    ended = madina(*arguments)
    assert ended.status == 1
    assert ended.err.startswith("madina: there is no ")
    assert ended.err.count("\n") == 1


def test_a_folder_that_is_not_there_is_not_made(madina: Madina, tmp_path: Path) -> None:
    ended = madina("ledger", "--data-dir", str(tmp_path / "misspelt"))
    assert ended.status == 2
    assert "there is no data folder" in ended.err
    assert not (tmp_path / "misspelt").exists()


def test_doctor_finds_nothing_wrong_where_nothing_is(
    madina: Madina, monkeypatch: pytest.MonkeyPatch
) -> None:
    for port in ("HTTP", "MQTT", "NATS"):
        monkeypatch.setenv(f"MADINA_{port}_PORT", "0")
    found = {each["name"]: each for each in madina("doctor", "--json").json()["items"]}
    assert {"log server", "data folder", "disk", "open files", "store"} <= set(found)
    assert "error" not in {each["verdict"] for each in found.values()}


def test_doctor_names_what_has_to_be_mended(
    madina: Madina, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for port in ("HTTP", "NATS"):
        monkeypatch.setenv(f"MADINA_{port}_PORT", "0")
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("MADINA_MQTT_PORT", str(server.getsockname()[1]))
        ended = madina("doctor", "--data-dir", str(tmp_path / "none"))
    assert ended.status == 1
    assert ended.err == "madina: to be mended: MADINA_MQTT_PORT\n"
    assert "set MADINA_MQTT_PORT to another port" in ended.out
    assert not (tmp_path / "none").exists()
