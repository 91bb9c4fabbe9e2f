"""Store and registry are opened where settings say, or one line says why not."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
import psycopg
import pytest

from city.clock import MachineClock
from madina.errors import SetupError
from madina.opening import influx_store, opened
from madina.settings import Settings
from registry.errors import InvalidFactError
from registry.records import RouteDraft
from store.duckdb.store import DuckDBStore
from store.errors import StoreBusyError


class Server(Protocol):
    """An InfluxDB server of the whole run."""

    port: int


def settings(folder: Path, **given: str) -> Settings:
    return Settings.model_validate({"data_dir": folder, **given})


def refused(chosen: Settings) -> str:
    with pytest.raises(SetupError) as error, opened(chosen, MachineClock()):
        pass
    words = str(error.value)
    assert "\n" not in words
    return words


def test_both_are_made_in_the_data_folder(data_folder: Path) -> None:
    with opened(settings(data_folder), MachineClock()) as found:
        assert found.store.marks() == {}
        assert [route.name for route in found.registry.routes.all()] == ["native"]
    assert {"madina.duckdb", "registry.sqlite"} <= {each.name for each in data_folder.iterdir()}


def test_both_are_made_elsewhere_where_settings_say_so(data_folder: Path, tmp_path: Path) -> None:
    store, database = f"duckdb://{tmp_path}/city%20one.duckdb", f"sqlite:///{tmp_path}/city.sqlite"
    with opened(settings(data_folder, store_url=store, database_url=database), MachineClock()):
        pass
    assert (tmp_path / "city one.duckdb").exists()
    assert (tmp_path / "city.sqlite").exists()
    assert not (data_folder / "madina.duckdb").exists()


def test_a_store_that_is_open_elsewhere_is_named_with_its_process(data_folder: Path) -> None:
    store = DuckDBStore(data_folder / "madina.duckdb")
    try:
        words = refused(settings(data_folder))
    finally:
        store.close()
    assert f"in use by process {os.getpid()}, and DuckDB admits one process" in words
    assert "MADINA_STORE_URL" in words


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("store_url", "postgresql://host/city", "write duckdb:///path/to/file"),
        ("store_url", "influxdb://host:8086", "write influxdb://user:password@host:8086/database"),
        (
            "store_url",
            "influxdb://host/city?version=2&org=a",
            "needs a token in MADINA_STORE_TOKEN",
        ),
        ("store_url", "influxdb://host/city?gzipped=1", "nobody knows its option 'gzipped'"),
        ("store_url", "duckdb://host/city.duckdb", "write duckdb:///path/to/file"),
        ("store_url", "duckdb:///none/there/city.duckdb", "(No such file or directory)"),
        ("database_url", "sqlite:////none/there/city.sqlite", "unable to open database file"),
        ("database_url", "oracle9i://x", "cannot be opened"),
        ("database_url", "no address", "cannot be opened"),
    ],
)
def test_a_place_that_cannot_be_opened_is_named(
    setting: str, value: str, words: str, data_folder: Path
) -> None:
    told = refused(settings(data_folder, **{setting: value}))
    assert words in told
    assert f"MADINA_{setting.upper()}" in told


def test_a_password_is_not_repeated(data_folder: Path) -> None:
    url = "mysql+none://city:secret@host/madina"
    assert "secret" not in refused(settings(data_folder, database_url=url))


def test_a_registry_that_is_no_database_is_named(data_folder: Path) -> None:
    (data_folder / "registry.sqlite").write_text("not a database" * 100)
    assert "file is not a database" in refused(settings(data_folder))


@pytest.mark.live
def test_a_database_server_is_opened_and_its_troubles_are_told_with_what_mends_them(
    data_folder: Path,
    postgresql: str,
    postgresql_url: Callable[[], str],
    free_port: Callable[[], int],
) -> None:
    url = postgresql_url()
    with opened(settings(data_folder, database_url=url), MachineClock()) as found:
        assert [route.name for route in found.registry.routes.all()] == ["native"]
    assert not (data_folder / "registry.sqlite").exists()

    away = f"postgresql+psycopg://madina:secret@127.0.0.1:{free_port()}/city"
    wrong = url.replace(":only-for-tests@", ":secret@")
    missing = url.rpartition("/")[0] + "/nowhere"
    for address, words in (
        (away, "start the database server, or correct MADINA_DATABASE_URL"),
        (wrong, "set the user's password in the server, or correct MADINA_DATABASE_URL"),
        (missing, "create it (`createdb`, `createuser`), or correct MADINA_DATABASE_URL"),
    ):
        told = refused(settings(data_folder, database_url=address))
        assert words in told
        assert "secret" not in told

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    told = refused(settings(data_folder, database_url=url))
    assert "written by a newer version of madina (version 9999" in told
    assert "MADINA_DATABASE_URL to another database" in told


def test_a_route_whose_options_cannot_be_followed_is_refused_when_it_is_saved(
    data_folder: Path,
) -> None:
    mapping = {
        "mapping": "bays",
        "input": "json",
        "match": {"topic": "bays/+bay"},
        "device": "{bay}",
        "values": [{"quantity": "occupied", "path": "/status", "unitt": "1"}],
    }
    wrong = RouteDraft("bays", "bays/+", "mapping", "city", options=mapping)
    mended = {**mapping, "values": [{"quantity": "occupied", "path": "/status"}]}
    with opened(settings(data_folder), MachineClock()) as found:
        routes = found.registry.routes
        with pytest.raises(InvalidFactError, match=r"options: .*`unitt`.*\$\.values\[0\]"):
            routes.create("ada", wrong)
        with pytest.raises(InvalidFactError, match="`ask_rebirt` is none of ask_rebirth"):
            routes.create("ada", RouteDraft("p", "a/#", "sparkplug-b", options={"ask_rebirt": 1}))
        routes.create("ada", msgspec.structs.replace(wrong, options=mended))
        with pytest.raises(InvalidFactError, match="options"):
            routes.change("ada", "bays", {"options": mapping})
        assert routes.get("bays").options == mended


@pytest.mark.live
def test_an_influxdb_is_opened_once_it_is_provisioned_and_waited_for_while_it_is_away(
    data_folder: Path, influxd: Server, free_port: Callable[[], int]
) -> None:
    chosen = settings(data_folder, store_url=f"influxdb://127.0.0.1:{influxd.port}/opened")
    assert "has no database opened: make it: `madina store provision`" in refused(chosen)
    store = influx_store(chosen)
    assert store.provision(30) == [
        "database opened", "retention policy books, for ever",
        "retention policy autogen, 30 days, 168 hours a file",
        "continuous query madina_hours: hourly count, mean, min, max into hours, for ever",
    ]  # fmt: skip
    assert store.provision(30) == []
    assert store.provision(None) == [
        "retention policy autogen, for ever, 8,736 hours a file",
        "continuous query madina_hours ended",
    ]  # fmt: skip
    assert store.provision(None) == []
    assert len(store.provision(30)) == 2
    store.close()
    with opened(chosen, MachineClock()) as found:
        assert found.store.marks() == {}
    away = settings(data_folder, store_url=f"influxdb://u:secret@127.0.0.1:{free_port()}/city")
    with opened(away, MachineClock()) as found, pytest.raises(StoreBusyError) as busy:
        found.store.marks()
    assert "secret" not in str(busy.value)
