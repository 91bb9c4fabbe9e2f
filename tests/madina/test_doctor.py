"""Each topic of `madina doctor` finds what is wrong, and says what mends it."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from city.clock import US_PER_S, MachineClock, SimulatedClock
from madina.data_folder import DataFolder
from madina.doctor import certificates, clocks, exposure, influx, limits, permissions, versions
from madina.doctor.check import Check, Machine
from madina.settings import Settings
from store.influx import InfluxAddress, ServerLimits
from store.influx.connection import DATA, Connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Madina

DAY_US = 86_400 * US_PER_S
REQUEST = "openssl req -x509 -newkey rsa:2048 -nodes -days 40 -subj /CN=city"


@pytest.fixture
def machine(data_folder: Path) -> Callable[..., Machine]:
    def make(**given: Any) -> Machine:  # noqa: ANN401 - values of settings
        settings = Settings.model_validate({"data_dir": data_folder, **given})
        return Machine(settings, DataFolder(data_folder), None, MachineClock())

    return make


def verdicts(found: list[Check]) -> dict[str, str]:
    return {each.name: each.verdict for each in found}


def test_what_is_well_ends_with_status_0_and_what_is_not_with_1(
    madina: Madina, data_folder: Path
) -> None:
    done = madina("doctor", "--json")
    items = {each["name"]: each for each in done.json()["items"]}
    assert {"log server", "clock", "disk", "open files", "MQTT", "store"} <= items.keys()
    (data_folder / "admin.key").chmod(0o644)
    done = madina("doctor")
    assert done.status == 1
    assert f"chmod 600 {data_folder / 'admin.key'}" in done.out
    assert "to be mended: secrets" in done.err


def test_a_settings_file_with_a_password_is_a_secret(
    machine: Callable[..., Machine], data_folder: Path
) -> None:
    file = data_folder / "madina.toml"
    file.write_text('city = "Testville"\n')
    assert verdicts(permissions.look(machine()))["secrets"] == "ok"
    file.write_text('database_url = "postgresql+psycopg://a:b@c/d"\n')
    assert verdicts(permissions.look(machine()))["secrets"] == "error"


def test_a_clock_that_nobody_keeps_and_one_that_is_apart_are_told() -> None:
    assert (
        clocks.of_system(clocks.SystemClock(synchronised=True, largest_error_us=900)).verdict
        == "ok"
    )
    assert (
        clocks.of_system(clocks.SystemClock(synchronised=False, largest_error_us=0)).verdict
        == "warning"
    )
    assert clocks.of_system(None).verdict == "warning"
    now_us = 1_772_600_000 * US_PER_S
    assert clocks.of_log(now_us + 10, now_us, now_us + 20).verdict == "ok"
    behind = clocks.of_log(now_us - 3 * US_PER_S, now_us, now_us + 20)
    assert behind.verdict == "error"
    assert behind.words.startswith("3.0 s apart")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mqtt_host": "192.0.2.1"}, "secrets travel unencrypted"),
        ({"http_host": "192.0.2.1"}, "put a proxy with TLS"),
        ({"http_host": "::"}, "put a proxy with TLS"),
    ],
)
def test_what_is_open_beyond_this_machine_is_told(
    machine: Callable[..., Machine], given: dict[str, str], words: str
) -> None:
    found = exposure.look(machine(**given))
    assert [each.verdict for each in found].count("warning") == 1
    assert any(words in each.words for each in found)
    assert set(verdicts(exposure.look(machine())).values()) == {"ok"}


def test_more_connections_than_files_may_be_open_are_told(
    machine: Callable[..., Machine],
) -> None:
    assert limits.look(machine(mqtt_max_connections=10))[0].verdict == "ok"
    assert "LimitNOFILE" in limits.look(machine(mqtt_max_connections=1 << 40))[0].words


@pytest.mark.live
def test_a_certificate_is_told_before_it_ends(
    machine: Callable[..., Machine], tmp_path: Path
) -> None:
    certificate, key = tmp_path / "city.pem", tmp_path / "city.key"
    subprocess.run(
        [*REQUEST.split(), "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    told = subprocess.run(
        ["openssl", "x509", "-enddate", "-noout", "-in", certificate, "-dateopt", "iso_8601"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    end_us = certificates.ends_us(certificate)
    ours = machine(mqtts_port=8883, mqtts_certificate=certificate, mqtts_key=key)
    for days, verdict in ((39, "ok"), (29, "warning"), (0, "error")):
        clock = SimulatedClock(end_us - days * DAY_US)
        (found,) = certificates.look(Machine(ours.settings, ours.folder, None, clock))
        assert found.verdict == verdict
    assert found.words.startswith(f"it ended on {told.partition('=')[2][:10]}")
    (found,) = certificates.look(machine(mqtts_port=8883, mqtts_certificate=key, mqtts_key=key))
    assert found.verdict == "error"
    (found,) = certificates.look(machine(mqtts_port=8883))
    assert "set MADINA_MQTTS_CERTIFICATE" in found.words


@pytest.mark.live
def test_a_log_server_of_ones_own_is_asked_for_its_version(
    machine: Callable[..., Machine], nats_url: str, free_port: Callable[[], int]
) -> None:
    (found,) = versions.look(machine(nats_url=nats_url))
    assert found.verdict == "ok"
    assert "no gateway has made the stream yet" in found.words
    (found,) = versions.look(machine(nats_url=f"nats://127.0.0.1:{free_port()}"))
    assert found.verdict == "error"
    assert "correct MADINA_NATS_URL" in found.words


@pytest.mark.parametrize(
    ("values_per_tag", "series", "in_memory", "expected"),
    [
        (0, 900_000, False, ("ok", "ok")),
        (100_000, 900, False, ("warning", "ok")),
        (100_000, 50_000, False, ("error", "ok")),
        (0, 900, True, ("ok", "warning")),
        (0, 100_001, True, ("ok", "error")),
        (0, 900, None, ("ok", "warning")),
    ],
)
def test_an_influxdb_that_will_refuse_devices_is_told_of_before_it_does(
    values_per_tag: int, series: int, in_memory: bool | None, expected: tuple[str, str]
) -> None:
    found = influx.judged(ServerLimits("1.8.10", values_per_tag, series, in_memory))
    assert tuple(each.verdict for each in found) == expected
    assert "max-values-per-tag = 0" in found[0].words or found[0].verdict == "ok"
    assert 'index-version = "tsi1"' in found[1].words or found[1].verdict == "ok"


@pytest.mark.live
def test_an_influxdb_is_asked_for_its_limits(
    machine: Callable[..., Machine], new_database: Callable[[], InfluxAddress]
) -> None:
    address = new_database()
    place = address.url.removeprefix("http://")
    with contextlib.closing(Connection(address)) as connection:
        connection.write(DATA, b"observations,device=a pm10=1 1")
    found = influx.look(machine(store_url=f"influxdb://{place}/{address.database}"))
    assert [each.verdict for each in found] == ["ok", "ok"]
    assert "has 1 series" in found[0].words
    assert found[1].words == "its index is on disk"
    away = influx.look(machine(store_url="influxdb://127.0.0.1:9/city"))
    assert [each.verdict for each in away] == ["warning"]
    assert influx.look(machine()) == []
