"""Values leave as files of any length, and a figure leaves with what proves it."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from indicators.package import PackageError, Packing, check_files, read_file
from indicators.proof import check_proof
from registry.records import DeviceDraft, PlaceDraft
from services.api import exports
from store.interface import Batch, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import City

pytestmark = pytest.mark.live

AQI = "/v1/indicators/air.aqi.us.pm25"
PM = Series(0, "acme", "air-1", "pm2_5", "ug/m3", "number")
# 2026-03-10 00:00 in Madrid.
DAY_US = 1_773_097_200_000_000
HOUR_US = 3_600_000_000
DAY = "2026-03-10"


@pytest.fixture
def published(city: City, idle: Batch, rows: Callable[..., pa.Table]) -> City:
    """Return a city that published a day of 18 hours at 20 ug/m3."""
    city.registry.places.create("a test", PlaceDraft("center", district="old"))
    draft = DeviceDraft("acme", "air-1", kind="air", place="center", expected_interval_s=3_600.0)
    city.registry.devices.create("a test", draft)
    values = [(DAY_US + hour * HOUR_US, 20.0) for hour in range(18)]
    city.apply(msgspec.structs.replace(idle, observations=rows(*values), series=[PM]))
    for name in ("pm25", "overall"):
        compute(city, f"/v1/indicators/air.aqi.us.{name}")
    return city


@pytest.fixture
def late(published: City, idle: Batch, rows: Callable[..., pa.Table]) -> Callable[[], None]:
    """Return a function that stores six hours more."""
    values = [(DAY_US + hour * HOUR_US, 80.0) for hour in range(18, 24)]
    return lambda: published.apply(msgspec.structs.replace(idle, observations=rows(*values)))


def compute(city: City, path: str = AQI) -> None:
    body = {"from": DAY, "to": DAY, "cause": "late_data"}
    assert city.admin.post(f"{path}/compute", json=body).status_code == 200


def exported(city: City, **asked: str) -> bytes:
    answer = city.api.get(f"{AQI}/export", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.content


def proof(city: City, path: str = AQI, **asked: str) -> bytes:
    answer = city.api.get(
        f"{path}/figure/proof", params={"area": "place:center", "period": DAY, **asked}
    )
    assert answer.status_code == 200, answer.text
    return answer.content


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def changed(content: bytes, path: str, old: bytes, new: bytes, *, hidden: bool) -> bytes:
    """Return a package with a file changed; hidden: its hash with it."""
    before, to = opened(content), io.BytesIO()
    files = {each: before.read(each) for each in before.namelist()}
    assert old in files[path]
    files[path] = files[path].replace(old, new, 1)
    described: Any = msgspec.json.decode(files.pop("datapackage.json"))
    if hidden:
        packing = Packing(to)
        for name, data in files.items():
            packing.add(name, data)
        packing.finish()
        return to.getvalue()
    with zipfile.ZipFile(to, "w") as after:
        for name, data in files.items():
            after.writestr(name, data)
        after.writestr("datapackage.json", msgspec.json.encode(described))
    return to.getvalue()


def test_every_value_is_in_a_csv_whatever_the_size_of_pages(
    published: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = exported(published)
    read = list(csv.DictReader(io.StringIO(whole.decode())))
    assert [each["area"] for each in read] == [
        "city", "device:acme/air-1", "district:old", "place:center",
    ]  # fmt: skip
    assert read[0]["value"] == "71"
    assert (read[0]["unit"], read[0]["marks"]) == ("1", "few_sites")
    last = max(each["computed_at"] for each in read)
    as_of = exported(published, asOf=last)
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 1)
    assert exported(published, asOf=last) == as_of == whole


def test_an_export_of_an_instant_is_the_same_bytes_after_a_restatement(
    published: City, late: Callable[[], None]
) -> None:
    archived = exported(published, format="package")
    created: Any = msgspec.json.decode(opened(archived).read("datapackage.json"))
    late()
    compute(published)
    assert exported(published, format="package", asOf=created["created"]) == archived
    history = exported(published, includeHistory="true").decode().splitlines()
    assert len(history) == 1 + 2 * 4


def test_parquet_holds_the_same_values(published: City) -> None:
    table = parquet.read_table(pa.BufferReader(exported(published, format="parquet")))
    assert table.column("value").to_pylist() == [71.0] * 4
    assert table.column("n_used").to_pylist() == [18] * 4


def test_a_package_holds_definitions_units_and_hashes(published: City) -> None:
    package = opened(exported(published, format="package", area="city"))
    assert all(holds for _, holds in check_files(package))
    described: Any = msgspec.json.decode(package.read("datapackage.json"))
    values, definition = described["resources"]
    assert [each["name"] for each in values["schema"]["fields"]][:3] == [
        "indicator", "version", "unit",
    ]  # fmt: skip
    assert definition["contract"] == definition["hash"].removeprefix("sha256:")
    told = published.api.get(AQI).json()["versions"][0]["hash"]
    assert definition["contract"] == told


def test_an_empty_export_is_a_whole_file(published: City) -> None:
    asked = {"from": "2001-01-01", "to": "2001-01-02"}
    assert exported(published, **asked).decode().count("\r\n") == 1
    content = exported(published, format="parquet", **asked)
    assert parquet.read_table(pa.BufferReader(content)).num_rows == 0
    assert all(
        holds for _, holds in check_files(opened(exported(published, format="package", **asked)))
    )


def test_a_figure_keeps_its_address_when_it_is_restated(
    published: City, late: Callable[[], None]
) -> None:
    asked = {"area": "city", "period": DAY}
    first = published.api.get(f"{AQI}/figure", params=asked).json()
    late()
    compute(published)
    latest = published.api.get(f"{AQI}/figure", params=asked).json()
    assert (latest["revision"], latest["value"] != first["value"]) == (2, True)
    assert published.api.get(first["url"]).json() == first


@pytest.mark.parametrize("area", ["place:center", "device:acme/air-1", "district:old", "city"])
@pytest.mark.parametrize("name", ["pm25", "overall"])
def test_a_proof_computes_the_figure_again_from_itself(
    published: City, area: str, name: str
) -> None:
    content = proof(published, f"/v1/indicators/air.aqi.us.{name}", area=area)
    checks = check_proof(opened(content))
    assert [each for each in checks if not each.holds] == []
    asked = {"area": area, "period": DAY}
    told = published.api.get(f"/v1/indicators/air.aqi.us.{name}/explain", params=asked).json()
    said = {each.what: each.words for each in checks}
    assert said["inputs"] == f"hash {told['inputs_hash']}"
    assert said["definition"] == f"sha256 {told['hash']}"
    assert content == proof(published, f"/v1/indicators/air.aqi.us.{name}", area=area)


@pytest.mark.parametrize(
    ("path", "old", "new", "hidden", "wrong"),
    [
        ("observations.csv", b",20,", b",21,", False, "file observations.csv"),
        ("observations.csv", b",20,", b",21,", True, "inputs"),
        ("figure.json", b'"n_used": 18', b'"n_used": 19', True, "figure"),
        ("contracts/air.aqi.us.pm25-2024.1.0.json", b"Good", b"Bad!", True, "definition"),
    ],
)
def test_a_proof_that_was_changed_does_not_hold(
    published: City, path: str, old: bytes, new: bytes, hidden: bool, wrong: str
) -> None:
    content = changed(proof(published), path, old, new, hidden=hidden)
    assert wrong in [each.what for each in check_proof(opened(content)) if not each.holds]


@pytest.mark.parametrize("path", ["figure.json", "observations.csv"])
def test_what_is_no_proof_is_refused_in_words(published: City, path: str) -> None:
    figure = opened(proof(published)).read(path)
    broken = changed(proof(published), path, figure, b"{", hidden=True)
    with pytest.raises(PackageError, match="cannot be"):
        check_proof(opened(broken))
    with pytest.raises(PackageError, match="missing"):
        read_file(opened(broken), "nothing.csv")


def test_a_figure_that_today_s_observations_do_not_give_is_not_proved(
    published: City, late: Callable[[], None]
) -> None:
    late()
    asked = {"area": "place:center", "period": DAY}
    refused = published.api.get(f"{AQI}/figure/proof", params=asked)
    assert (refused.status_code, refused.json()["type"]) == (
        409, "urn:madina:problem:figure_changed",
    )  # fmt: skip
    assert "is 71 (75% complete, 18 of 24)" in refused.json()["detail"]
    assert "(100% complete, 24 of 24)" in refused.json()["detail"]
    compute(published)
    assert all(each.holds for each in check_proof(opened(proof(published))))
    old = published.api.get(f"{AQI}/figure/proof", params={**asked, "revision": 1})
    assert old.status_code == 409


@pytest.mark.parametrize(
    ("path", "asked", "status", "words"),
    [
        ("export", {"format": "pdf"}, 422, "format"),
        ("export", {"area": "place:nowhere"}, 422, "no device stands in"),
        ("export", {"from": "2026-03-11", "to": DAY}, 422, "before it begins"),
        ("figure", {"area": "city", "period": "2026-03-12"}, 404, "never published"),
        ("figure", {"area": "place:*", "period": DAY}, 422, "one area"),
        ("figure/proof", {"area": "city", "period": DAY, "revision": "9"}, 404, "in revision 9"),
    ],
)
def test_what_cannot_leave_is_told_why(
    published: City, path: str, asked: dict[str, str], status: int, words: str
) -> None:
    answer = published.api.get(f"{AQI}/{path}", params=asked)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
