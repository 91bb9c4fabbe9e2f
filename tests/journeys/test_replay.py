"""`madina replay`: recorded data through the real platform, every row accounted for."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey]

MAPPING = """
provider = "test-air"
title = "Recorded air"
format = "csv"
missing = ["NA"]
values = [{ column = "pm", quantity = "pm2_5", unit = "mg/m3" }]
[device]
id = "{station}"
kind = "air"
interval = "step"
[time]
text = "{time}"
format = "yyyy-MM-dd HH:mm"
zone = "Asia/Shanghai"
[register]
files = "places*"
key = "{id}"
lat = "{lat}"
lon = "{lon}"
"""
# Before 2010 and far ahead: the rules about clocks would change both.
ROWS = """station,time,pm
north,1999-12-31 23:00,0.01
north,2000-01-01 00:00,0.02
north,2000-01-01 00:00,0.02
north,2000-01-01 00:00,0.03
south,2098-01-01 00:00,0.04
south,2098-01-01 01:00,NA
south,yesterday,0.05
"""
PLACES = "id,lat,lon\nnorth,39.9,116.4\n"
LISTS = """
provider = "test-lists"
format = "ndjson"
values = [{ column = "v", quantity = "level", unit = "m" }]
device.id = "{d}"
time.text = "{t}"
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "air.toml").write_text(MAPPING)
    (tmp_path / "air.csv").write_text(ROWS)
    (tmp_path / "places.csv").write_text(PLACES)
    (tmp_path / "lists.toml").write_text(LISTS)
    (tmp_path / "lists.ndjson").write_text(
        '{"d":"a","t":"2026-01-01T00:00:00Z","v":[1,2]}\n{"d":"a","t":"2026-01-01T00:15:00Z","v":3}\n'
    )
    return tmp_path


@pytest.mark.timeout(200)
def test_every_row_is_accounted_for_and_a_repetition_changes_nothing(
    start: Callable[..., Platform], files: Path
) -> None:
    platform = start(MADINA_MQTT_ANONYMOUS="never")
    given = (str(files / "air.csv"), str(files / "places.csv"), "--map", str(files / "air.toml"))
    first = platform.madina("replay", *given)
    assert (first["rows"], first["sent"], first["acknowledged"]) == (7, 5, 5)
    assert first["skipped_rows"] == {"no_value": 1, "bad_time": 1}
    assert first["missing"] == {"pm": 1}
    assert (first["accepted"], first["duplicate"], first["quarantined"]) == (4, 1, 0)
    assert first["difference"] == first["ledger_difference"] == 0
    assert first["observations"] == {"decoded": 5, "stored": 4, "duplicate": 1, "rejected": 0}
    assert (first["devices"], first["registered"], first["without_position"]) == (2, 2, 1)

    again = platform.madina("replay", *given)
    assert (again["accepted"], again["duplicate"], again["registered"]) == (0, 5, 0)

    stored = _json(platform, "/v1/observations?device=test-air/north")["items"]
    assert [(each["time"], each["value"]) for each in stored] == [
        ("1999-12-31T15:00:00.000000Z", 10.0),
        ("1999-12-31T16:00:00.000000Z", 20.0),
        ("1999-12-31T16:00:00.000000Z", 30.0),
    ]
    assert stored[2]["metadata"]["notes"] == ["conflict"]
    ahead = _json(platform, "/v1/observations?device=test-air/south")["items"]
    assert [each["time"] for each in ahead] == ["2097-12-31T16:00:00.000000Z"]
    north = platform.madina("devices", "show", "test-air/north")
    assert (north["kind"], north["expected_interval_s"]) == ("air", 3_600)
    assert (north["lat"], north["lon"]) == (39.9, 116.4)
    assert _json(platform, "/v1/providers/test-air")["title"] == "Recorded air"
    (route,) = [r for r in platform.madina("routes", "list")["items"] if r["recorded"]]
    assert (route["name"], route["pattern"]) == ("replay-test-air", "madina/v1/test-air/+/up")


@pytest.mark.timeout(200)
def test_odd_values_are_kept_with_their_reason_and_people_s_changes_stay(
    start: Callable[..., Platform], files: Path
) -> None:
    platform = start()
    given = (str(files / "lists.ndjson"), "--map", str(files / "lists.toml"))
    first = platform.madina("replay", *given)
    assert (first["accepted"], first["rejected_by"]) == (2, {"nested_array": 1})
    platform.madina("devices", "change", "test-lists/a", "--district", "old-town")

    again = platform.madina("replay", *given)
    assert (again["accepted"], again["duplicate"]) == (0, 2)
    assert again["observations"]["rejected"] == 0
    assert platform.madina("devices", "show", "test-lists/a")["district"] == "old-town"

    platform.madina("devices", "change", "test-lists/a", "--status", "retired")
    third = platform.madina("replay", *given, "--limit", "1")
    assert (third["sent"], third["quarantined_by"]) == (1, {"unknown_device": 1})
    assert third["difference"] == 0

    nothing = _replay(platform, str(files / "air.csv"), "--map", str(files / "lists.toml"))
    _, words = nothing.communicate(timeout=60)
    assert nothing.returncode == 1
    assert b"there is nothing to send in 8 rows: 8 bad_row" in words


@pytest.mark.timeout(200)
def test_recorded_speed_and_an_early_end(start: Callable[..., Platform], files: Path) -> None:
    platform = start()
    given = (str(files / "air.csv"), "--map", str(files / "air.toml"), "--json")
    # An hour in half a second; then a century.
    slow = _replay(platform, *given, "--speed", "7200")
    platform.until(lambda: platform.ledger()["accepted"] >= 3, "two hours are played")
    slow.send_signal(signal.SIGINT)
    said, words = slow.communicate(timeout=60)
    assert slow.returncode == 1, words.decode()
    outcome = msgspec.json.decode(said, type=dict[str, Any])
    assert (outcome["sent"], outcome["finished"], outcome["words"]) == (4, False, [])
    assert (outcome["difference"], outcome["accepted"], outcome["duplicate"]) == (0, 3, 1)
    assert outcome["seconds"] > 0.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("air.csv", "--map", "none.toml"), "none.toml cannot be read: No such file"),
        (("none.csv", "--map", "air.toml"), "there is no file none.csv"),
        (("places.csv", "--map", "air.toml"), "hold no readings: places.csv"),
        (("air.csv", "--map", "air.csv"), "the mapping air.csv"),
        (("air.csv", "--map", "air.toml", "--speed", "0"), "--speed 0 gets nowhere"),
        (("air.csv", "--map", "air.toml"), "start `madina up` first"),
    ],
)
def test_what_cannot_be_played_is_named(
    files: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "madina", "replay", *arguments, "--data-dir", "data"],
        cwd=files,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def _replay(platform: Platform, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*platform.program, "replay", *arguments],
        env=platform.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _json(platform: Platform, path: str) -> dict[str, Any]:
    answer = httpx.get(platform.run.http + path)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=dict[str, Any])
