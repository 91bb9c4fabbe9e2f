"""`store provision` on 2.x and 3.x: against a server that keeps what the documentation says.

Source: InfluxDB 2.7 documentation, "InfluxDB v2 API": GET, POST and PATCH `/api/v2/buckets`, GET,
POST and DELETE `/api/v2/tasks`, and the documents of errors.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from store.errors import StoreBusyError
from store.influx import InfluxAddress
from store.influx.buckets import provision_buckets
from store.influx.flux_tasks import task_script

DAY_S = 86_400
ORG_ID = "0c5a1f4d2b3e6a79"


class Documented:
    """What a server of 2.x keeps: buckets and tasks by id."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, dict[str, Any]]] = {"buckets": {}, "tasks": {}}
        self.forbids = False

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, object]:
        if self.forbids:
            return 403, {"code": "forbidden", "message": "insufficient permissions for write"}
        url = urlsplit(path)
        kind, at = [*url.path.removeprefix("/api/v2/").split("/"), ""][:2]
        if kind == "orgs":
            return 200, {"orgs": [{"id": ORG_ID, "name": "town"}]}
        if method == "GET":
            (name,) = parse_qs(url.query)["name"]
            return 200, {kind: [each for each in self.kept[kind].values() if each["name"] == name]}
        return self._change(method, kind, at, body)

    def _change(self, method: str, kind: str, at: str, body: dict[str, Any]) -> tuple[int, object]:
        if method == "DELETE":
            del self.kept[kind][at]
            return 204, None
        made = at or f"{len(self.kept[kind]) + 1:016x}"
        return (200 if at else 201), self._keep(kind, made, body)

    def _keep(self, kind: str, at: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "tasks":
            # The server takes a task's name from its script.
            body["name"] = body["flux"].split('name: "', 1)[1].split('"', 1)[0]
        self.kept[kind][at] = {"id": at, "orgID": ORG_ID, **body}
        return self.kept[kind][at]


@pytest.fixture
def documented() -> Documented:
    return Documented()


@pytest.fixture
def address(documented: Documented) -> Iterator[InfluxAddress]:
    """Serve it; return where."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body: dict[str, Any] = msgspec.json.decode(self.rfile.read(length) or b"{}")
            status, document = documented.answer(self.command, self.path, body)
            said = b"" if document is None else msgspec.json.encode(document)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - as its base calls them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield InfluxAddress(url, "city", version=2, org="town", token="of-a-test")  # noqa: S106
        server.shutdown()
        thread.join()


def kept_s(documented: Documented) -> dict[str, list[int]]:
    return {
        each["name"]: [rule["everySeconds"] for rule in each["retentionRules"]]
        for each in documented.kept["buckets"].values()
    }


def test_buckets_are_made_once(documented: Documented, address: InfluxAddress) -> None:
    assert provision_buckets(address) == ["bucket city, for ever", "bucket city/books, for ever"]
    assert kept_s(documented) == {"city": [], "city/books": []}
    assert provision_buckets(address) == []


def test_where_observations_expire_a_task_keeps_their_hours(
    documented: Documented, address: InfluxAddress
) -> None:
    provision_buckets(address)
    done = provision_buckets(address, keep_days=30)
    assert done == [
        "bucket city, now 30 days",
        "bucket city/hours, for ever",
        "task madina_hours city: hourly count, mean, min, max into city/hours, for ever",
    ]
    assert kept_s(documented) == {"city": [30 * DAY_S], "city/books": [], "city/hours": []}
    (task,) = documented.kept["tasks"].values()
    assert (task["flux"], task["status"]) == (task_script("city", "town"), "active")
    assert provision_buckets(address, keep_days=30) == []


def test_a_task_of_an_older_madina_is_made_anew_and_ended_where_nothing_expires(
    documented: Documented, address: InfluxAddress
) -> None:
    provision_buckets(address, keep_days=30)
    (task,) = documented.kept["tasks"].values()
    task["flux"] = 'option task = {name: "madina_hours city", every: 1h}'
    (done,) = provision_buckets(address, keep_days=30)
    assert done.startswith("task madina_hours city: hourly")
    assert provision_buckets(address) == [
        "bucket city, now for ever",
        "task madina_hours city ended",
    ]
    assert documented.kept["tasks"] == {}
    assert "city/hours" in kept_s(documented), "what it has made stays"


def test_version_3_has_no_tasks(documented: Documented, address: InfluxAddress) -> None:
    third = msgspec.structs.replace(address, version=3)
    assert provision_buckets(third, keep_days=30) == [
        "bucket city, 30 days",
        "bucket city/books, for ever",
    ]
    assert documented.kept["tasks"] == {}


def test_what_the_server_forbids_is_told_in_its_words(
    documented: Documented, address: InfluxAddress
) -> None:
    documented.forbids = True
    with pytest.raises(StoreBusyError) as busy:
        provision_buckets(address)
    assert "insufficient permissions" in busy.value.cause


def test_names_in_a_script_stay_strings() -> None:
    script = task_script('a "b" \\ ${c}', "town")
    assert 'from(bucket: "a \\"b\\" \\\\ \\${c}")' in script
    assert "r._field !~ /^(end|flag|metadata|place|received)$/" in script
    for name in ("count", "mean", "min", "max"):
        assert f'_field: "{name}_" + r._field' in script
