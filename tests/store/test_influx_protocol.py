"""What is written comes back whatever it holds, and what servers say is understood."""
# ruff: noqa: S608 - statements are put together from our names and written literals

from __future__ import annotations

import contextlib
import gzip
import secrets
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from store.errors import StoreBusyError
from store.influx import InfluxAddress
from store.influx.connection import DATA, Connection, DeniedError, RefusedError
from store.influx.line_protocol import literal, tag, tag_text, tag_value, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    NewDatabase = Callable[[], InfluxAddress]

pytestmark = pytest.mark.live

TOKEN = secrets.token_hex(16)
# Any text that can be sent at all: JSON and MQTT have no lone surrogates.
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@pytest.fixture(scope="module")
def connection(new_database: NewDatabase) -> Iterator[Connection]:
    with contextlib.closing(Connection(new_database())) as connection:
        yield connection


@given(name=TEXT.filter(bool), said=TEXT)
@example_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_tags_and_texts_come_back_from_the_server_as_they_were(
    connection: Connection, name: str, said: str
) -> None:
    at_ns = secrets.randbits(60)
    connection.write(DATA, f"said,name={tag(name)} text={text(said)} {at_ns}".encode())
    where = f'"name" = {literal(tag_value(name))}'
    answers = connection.ask(
        DATA, f'SELECT "text" FROM said WHERE {where} AND time = {at_ns} GROUP BY "name"'
    )
    assert [tag_text(answer.tags["name"]) for answer in answers] == [name]
    assert [row["text"] for row in answers[0].rows()] == [said]


@pytest.mark.parametrize("compressed", [False, True])
def test_writes_may_be_compressed(new_database: NewDatabase, *, compressed: bool) -> None:
    address = msgspec.structs.replace(new_database(), gzip=compressed)
    lines = "\n".join(f"many,of=them value={at}i {at}" for at in range(1_000))
    with contextlib.closing(Connection(address)) as connection:
        connection.write(DATA, lines.encode())
        assert connection.rows(DATA, "SELECT count(value) FROM many")[0]["count"] == 1_000


class Answering:
    """A server that gives one answer, as the documentation shows it, and keeps what was asked."""

    def __init__(self) -> None:
        self.status, self.document, self.headers = 204, b"", dict[str, str]()
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append((self.path, dict(self.headers), body))
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.document)))
                self.end_headers()
                self.wfile.write(outer.document)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = InfluxAddress(
            f"http://127.0.0.1:{self.server.server_port}", "city", version=2, org="town",
            token=TOKEN,
        )  # fmt: skip


@pytest.fixture
def answering() -> Iterator[Answering]:
    answering = Answering()
    thread = threading.Thread(target=answering.server.serve_forever)
    thread.start()
    yield answering
    answering.server.shutdown()
    thread.join()
    answering.server.server_close()


# InfluxDB 2.7 documentation, "InfluxDB v2 API", POST /api/v2/write, and 3 Core, "Troubleshoot
# writes": a status and the document beside it.
REFUSALS = [
    (400, {"code": "invalid", "message": "partial write error (2 written): unable to parse 'x'"}),
    (413, {"code": "request too large", "message": "points in batch is too large"}),
    (422, {"code": "unprocessable entity", "message": "points beyond retention policy dropped=1"}),
    (400, {"error": "partial write of line protocol occurred", "data": [{"line_number": 2}]}),
]  # fmt: skip
WAITS = [
    (404, {"code": "not found", "message": 'bucket "city" not found'}),
    (429, {"code": "too many requests", "message": "limit of writes reached"}),
    (500, {"code": "internal error", "message": "unexpected error"}),
    (503, {"code": "unavailable", "message": "service unavailable"}),
]


@pytest.mark.parametrize(("status", "document"), REFUSALS)
def test_what_a_server_of_version_2_or_3_refuses_is_told_in_its_words(
    answering: Answering, status: int, document: dict[str, str]
) -> None:
    answering.status, answering.document = status, msgspec.json.encode(document)
    with contextlib.closing(Connection(answering.address)) as connection:
        with pytest.raises(RefusedError) as refused:
            connection.write(DATA, b"a b=1 1")
        assert refused.value.words == document.get("message", document.get("error"))


@pytest.mark.parametrize(("status", "document"), WAITS)
def test_what_it_cannot_do_now_waits(
    answering: Answering, status: int, document: dict[str, str]
) -> None:
    answering.status, answering.document = status, msgspec.json.encode(document)
    answering.headers = {"Retry-After": "7"} if status in {429, 503} else {}
    with contextlib.closing(Connection(answering.address)) as connection:
        with pytest.raises(StoreBusyError) as busy:
            connection.write(DATA, b"a b=1 1")
        assert busy.value.cause == document["message"]
        assert busy.value.retry_after_s == (7.0 if answering.headers else 0.2)


def test_buckets_are_named_and_the_token_goes_nowhere_but_to_the_server(
    answering: Answering,
) -> None:
    address = msgspec.structs.replace(answering.address, gzip=True)
    lines = b"\n".join(b"a b=%d %d" % (at, at) for at in range(500))
    with contextlib.closing(Connection(address)) as connection:
        connection.write("books", lines)
        path, headers, body = answering.asked[0]
        assert path == "/api/v2/write?org=town&bucket=city%2Fbooks&precision=ns"
        assert headers["Authorization"] == f"Token {TOKEN}"
        assert gzip.decompress(body) == lines
        answering.status, answering.document = 401, b'{"code":"unauthorized","message":"no"}'
        with pytest.raises(DeniedError) as denied:
            connection.write(DATA, b"a b=1 1")
    assert TOKEN not in f"{denied.value} {denied.value!r} {address} {address!r} {address.name}"


class Exported(msgspec.Struct):
    """A series as VictoriaMetrics exports it; times in milliseconds."""

    metric: dict[str, str]
    values: list[float]
    timestamps: list[int]


@pytest.fixture
def victoria(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[InfluxAddress]:
    """Start a VictoriaMetrics, which takes `/api/v2/write`; return its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = [f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={tmp_path}/victoria"]
    with subprocess.Popen(
        ["victoria-metrics", *options, "-retentionPeriod=100y"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        transport = httpx.HTTPTransport(retries=10)
        with httpx.Client(transport=transport) as client:
            client.get(f"{url}/health").raise_for_status()
        yield InfluxAddress(url, "city", version=2, org="town", token=TOKEN)
        server.kill()


@pytest.mark.parametrize("compressed", [False, True])
def test_a_server_that_is_not_ours_takes_what_is_written_by_the_api_of_version_2(
    victoria: InfluxAddress, *, compressed: bool
) -> None:
    lines = "\n".join(
        f"observations,device={tag(f'a b,{at}')} pm10={at}.5 {(1_772_600_000 + at) * 10**9}"
        for at in range(100)
    )
    address = msgspec.structs.replace(victoria, gzip=compressed)
    with contextlib.closing(Connection(address)) as connection:
        connection.write(DATA, lines.encode())
    # Its own way to read: lines of JSON.
    asked = {"match[]": '{__name__="observations_pm10"}'}
    httpx.get(f"{address.url}/internal/force_flush").raise_for_status()
    exported = httpx.get(f"{address.url}/api/v1/export", params=asked).text.splitlines()
    found = sorted(
        (each.metric["device"], each.values, each.timestamps)
        for each in (msgspec.json.decode(line, type=Exported) for line in exported)
    )
    assert found == sorted(
        (f"a b,{at}", [at + 0.5], [(1_772_600_000 + at) * 1_000]) for at in range(100)
    )
