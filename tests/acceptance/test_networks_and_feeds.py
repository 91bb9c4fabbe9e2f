"""LoRaWAN logs, flood measures and parking feeds: messages and documents with odd corners."""

from __future__ import annotations

import base64
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

if TYPE_CHECKING:
    from conftest import Acceptance

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

LOGS = {
    "d1d1e80000000033": "lorawan_chirpstack_v3_station.ndjson",
    "d1d1e80000000032": "lorawan_chirpstack_v3_door.ndjson",
}
STALE_BEFORE = "2026-02-02"
SECOND = timedelta(seconds=1)


def lines(platform: Acceptance, name: str) -> list[dict[str, Any]]:
    text = platform.path(name).read_bytes()
    return [msgspec.json.decode(line, type=dict[str, Any]) for line in text.splitlines()]


def items(platform: Acceptance, name: str) -> list[dict[str, Any]]:
    return msgspec.json.decode(platform.path(name).read_bytes(), type=dict[str, Any])["items"]


def heard(uplink: dict[str, Any]) -> datetime:
    """Return when the first gateway that has a clock heard a frame, else when it was published."""
    times = [each["time"] for each in uplink["rxInfo"] if each.get("time")]
    return min(map(datetime.fromisoformat, times or [uplink["_date"]]))


def test_campusiot_one_frame_came_twice_and_is_a_duplicate(platform: Acceptance) -> None:
    outcome = platform.replayed("campusiot")
    assert (outcome.rows, outcome.sent, outcome.quarantined) == (1_500, 1_500, 0)
    assert (outcome.accepted, outcome.duplicate) == (1_499, 1)
    door = platform.observations("campusiot/d1d1e80000000032", "will_listen")
    twice = [each for each in door if (each.metadata or {})["f_cnt"] == 11_641]
    assert [each.time for each in twice] == ["2023-09-05T03:24:05.892000Z"]
    counts = sorted((each.metadata or {})["f_cnt"] for each in door)
    assert (counts[0], counts[-1]) == (11_066, 12_212)
    assert counts[-1] - counts[0] + 1 - len({*counts}) == 187, "frames that never arrived"


@pytest.mark.parametrize(("device", "missing"), [("32", 187), ("33", None)])
def test_campusiot_frames_that_never_arrived_show_in_the_completeness(
    platform: Acceptance, device: str, missing: int | None
) -> None:
    platform.replayed("campusiot")
    name = f"d1d1e800000000{device}"
    log = [each for each in lines(platform, LOGS[name]) if each["_topic"] == "application/rx"]
    counts = {each["fCnt"] for each in log}
    gone = max(counts) - min(counts) + 1 - len(counts)
    times = sorted(map(heard, log))
    first, last = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (times[0], times[-1] + SECOND))
    asked = {"device": f"campusiot/{name}", "from": first, "to": last}
    found = platform.get("/v1/device-completeness", **asked)
    assert missing in {None, gone}
    assert found["frames"] == {
        "received": len(counts),
        "missing": gone,
        "restarts": 0,
        "delivery": len(counts) / (len(counts) + gone),
    }
    slots = found["slots"]
    assert slots["interval_s"] == 600
    assert 0 < slots["used"] < slots["expected"]


@pytest.mark.parametrize(("device", "name"), LOGS.items())
def test_campusiot_every_measure_of_every_frame(
    platform: Acceptance, device: str, name: str
) -> None:
    platform.replayed("campusiot")
    log = lines(platform, name)
    uplinks = {each["fCnt"]: each for each in reversed(log) if each["_topic"] == "application/rx"}
    units = {"temperature": "Cel", "pressure": "hPa", "battery": "V", "light": None}
    for sent, unit in units.items():
        quantity = "battery_voltage" if sent == "battery" else sent
        found = platform.observations(f"campusiot/{device}", quantity)
        wanted = {heard(e): e["object"][sent] for e in uplinks.values() if sent in e["object"]}
        assert {datetime.fromisoformat(each.time): each.value for each in found} == wanted
        assert {each.unit for each in found} == {unit}
    margins = platform.observations(f"campusiot/{device}", "link_margin")
    reports = [each for each in log if each["_topic"] == "application/status"]
    assert [each.value for each in margins] == [each["margin"] for each in reports]
    # `batteryLevel` is 0 beside `batteryLevelUnavailable`: no measurement.
    assert platform.observations(f"campusiot/{device}", "battery_level") == []
    for each in platform.observations(f"campusiot/{device}", "temperature"):
        metadata = each.metadata or {}
        receptions = uplinks[metadata["f_cnt"]]["rxInfo"]
        assert metadata["gateways"] == len({reception["gatewayID"] for reception in receptions})
        assert metadata["snr_db"] == max(reception["loRaSNR"] for reception in receptions)


def test_flood_readings_stale_listed_and_missing_ones(platform: Acceptance) -> None:
    outcome = platform.replayed("ea-flood")
    measures = items(platform, "ea_flood_level_measures.json")
    silent = [at for at, each in enumerate(measures, 1) if "latestReading" not in each]
    assert (len(measures), len(silent)) == (676, 133)
    assert outcome.skipped_rows == {"no_value": 133}
    assert [each["row"] for each in outcome.skipped] == silent
    assert outcome.rejected_by == {"nested_array": 1}
    (odd,) = platform.get("/v1/quarantine", state="partial", provider="ea-flood")["items"]
    assert odd["device"] == "1674TH-level-stage-i-15_min-mASD"
    assert b"[-53.16,0.84]" in base64.b64decode(odd["payload"])

    stale = odd_values = 0
    for each in measures:
        reading = each.get("latestReading")
        found = platform.observations(f"ea-flood/{each['notation']}")
        if reading is None or isinstance(reading["value"], list):
            assert found == []
            continue
        (stored,) = found
        scale = 0.001 if each["unitName"] == "mm" else 1
        assert stored.value == pytest.approx(reading["value"] * scale)
        assert (stored.quantity, stored.unit) == ("level", "m")
        assert datetime.fromisoformat(stored.time) == datetime.fromisoformat(reading["dateTime"])
        stale += stored.time < STALE_BEFORE
        odd_values += stored.value == -27.646
    assert (stale, odd_values) == (25, 1)


def test_flood_devices_have_the_positions_of_their_stations(platform: Acceptance) -> None:
    outcome = platform.replayed("ea-flood")
    stations = {each["notation"]: each for each in items(platform, "ea_flood_stations.json")}
    measures = items(platform, "ea_flood_level_measures.json")
    placed = {
        each["notation"]: (at["lat"], at["long"])
        for each in measures
        if (at := stations.get(each["stationReference"])) and isinstance(at["lat"], float)
    }
    devices = platform.devices("ea-flood")
    assert len(devices) == outcome.devices == 676, "also those that have never reported"
    assert {n: (d["lat"], d["lon"]) for n, d in devices.items() if d["lat"] is not None} == placed
    assert outcome.without_position == 676 - len(placed)
    nowhere = {e["stationReference"] for e in measures} - {*stations}
    assert len(nowhere) == 22
    assert [fault.split("-")[0] for fault in outcome.faults] == ["E85123"]
    assert devices["4067-level-stage-i-Unspecified-mASD"]["expected_interval_s"] is None
    assert Counter(d["expected_interval_s"] for d in devices.values()) == {
        900: 674,
        300: 1,
        None: 1,
    }


def thresholds_of(station: dict[str, Any]) -> dict[str, float]:
    """Return the levels of a station by band; those that are no numbers are not there."""
    if isinstance(station.get("stageScale", ""), str):
        return {}
    scale: dict[str, Any] = station["stageScale"]
    given = {
        "Alert": scale.get("typicalRangeHigh"),
        "Flood": scale.get("maxOnRecord", {}).get("value"),
    }
    return {band: float(at) for band, at in given.items() if isinstance(at, int | float)}


def test_flood_bands_by_the_thresholds_of_the_stations(platform: Acceptance) -> None:
    platform.replayed("ea-flood")
    stations = {each["notation"]: each for each in items(platform, "ea_flood_stations.json")}
    wanted: dict[str, str | None] = {}
    for each in items(platform, "ea_flood_level_measures.json"):
        reading = each.get("latestReading", {})
        if not isinstance(reading.get("value"), int | float) or each.get("period") != 900:
            continue
        if not reading["dateTime"].startswith("2026-02-02T23:30"):
            continue
        thresholds = thresholds_of(stations.get(each["stationReference"], {}))
        level = reading["value"] * (0.001 if each["unitName"] == "mm" else 1)
        area = f"device:ea-flood/{each['notation']}"
        wanted[area] = "Below" if thresholds else None
        for band, at in thresholds.items():
            wanted[area] = band if level >= at else wanted[area]
    window = {"from": "2026-02-02T23:30:00Z", "to": "2026-02-02T23:35:00Z", "grain": "5min"}
    path = "/v1/indicators/flood.band"
    for some in range(0, len(wanted), 200):
        areas = [*wanted][some : some + 200]
        platform.send("POST", f"{path}/compute", {**window, "area": areas})
    page = platform.get(f"{path}/values", area="device:*", limit="5000", **window)
    assert page["next"] is None
    found = {row["area"]: row for row in page["values"]}
    assert {area: found[area]["band"] for area in wanted} == wanted
    for area, band in wanted.items():
        assert found[area]["reason"] == (None if band else "not_applicable")
    assert {"Below", "Alert", None} <= {*wanted.values()}, Counter(wanted.values())


class Expected:
    """First values at their times, other values, the same again: in the order of the files."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        seen: dict[tuple[str, str, str], set[int]] = {}
        self.repeated = self.repeated_records = 0
        for record in records:
            new = 0
            for column in ("free", "total"):
                values = seen.setdefault((record["id"], record["timestamp"], column), set())
                new += record[column] not in values
                values.add(record[column])
            self.repeated += 2 - new
            self.repeated_records += not new
        self.first = len(seen)
        self.others = sum(len(values) - 1 for values in seen.values())


def test_parking_a_stuck_clock_shows_as_conflicts_and_no_data_is_no_measurement(
    platform: Acceptance,
) -> None:
    outcome = platform.replayed("parking")
    basel = lines(platform, "parking_basel_snapshots.ndjson")
    zurich = lines(platform, "parking_zurich_stuck_clock_snapshots.ndjson")
    records = [
        record for snapshot in [*basel, *zurich] for record in snapshot["data"]["parkings"].values()
    ]
    sent = [record for record in records if record["status"] != "nodata"]
    assert (outcome.rows, len(records) - len(sent)) == (3_072, 96)
    assert outcome.skipped_rows == {"no_data": 96}

    expected = Expected(sent)
    assert outcome.observations == {
        "decoded": 2 * len(sent),
        "stored": expected.first + expected.others,
        "duplicate": expected.repeated,
        "rejected": 0,
    }
    assert outcome.duplicate == expected.repeated_records
    assert outcome.accepted == len(sent) - expected.repeated_records

    conflicts = closed = 0
    stuck: set[str] = set()
    for device in platform.devices("parkendd"):
        found = platform.observations(f"parkendd/{device}")
        conflicts += sum(each.is_conflict for each in found)
        closed += sum(
            (each.metadata or {})["status"] == "closed"
            for each in found
            if each.quantity == "free_spaces"
        )
        if device.startswith("zuerich"):
            stuck |= {each.time for each in found}
    assert conflicts == expected.others > 100
    assert stuck == {"2025-12-06T01:33:34.000000Z"}
    # A closed car park of the snapshot that repeats its feed time is a duplicate.
    assert 0 <= sum(record["status"] == "closed" for record in records) - closed <= 16


def test_parking_basel_counts_more_free_spaces_than_there_are(platform: Acceptance) -> None:
    platform.replayed("parking")
    snapshots = lines(platform, "parking_basel_snapshots.ndjson")
    records = [each for snapshot in snapshots for each in snapshot["data"]["parkings"].values()]
    assert sum(each["free"] > each["total"] for each in records) == 296
    wanted = {
        (each["id"], datetime.fromisoformat(each["timestamp"]).replace(tzinfo=UTC))
        for each in records
        if each["free"] > each["total"]
    }
    more = {
        (device, datetime.fromisoformat(free.time))
        for device in {each["id"] for each in records}
        for free, total in zip(
            *(
                [e for e in platform.observations(f"parkendd/{device}", q) if not e.is_conflict]
                for q in ("free_spaces", "total_spaces")
            ),
            strict=True,
        )
        if float(free.value) > float(total.value)
    }
    assert more == wanted
