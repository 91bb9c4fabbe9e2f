"""Messages over HTTP: what reaches the log, who may send what, and a log that stands still."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import json
import os
import signal
import socket
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from city.frame import Door
from services.bodies import BODY_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from conftest import City

    from city.frame import Frame

    ReadFrames = Callable[[str], Coroutine[None, None, list[Frame]]]

pytestmark = pytest.mark.live

ANSWER_S = 60.0
JSON = {"Content-Type": "application/json"}
TWO = [{"n": 1}, {"n": 2}]


@pytest.fixture
def routed(city: City) -> City:
    """Return a city with routes of two providers."""
    for name, pattern, codec, provider in (
        ("boxes", "http/boxes", "mapping", "acme"),
        ("sentilo", "sentilo/#", "sentilo", "acme"),
        ("others", "http/others", "mapping", "other"),
        ("senml", "http/senml", "senml-json", "acme"),
    ):
        body = {"name": name, "pattern": pattern, "codec": codec, "provider": provider}
        assert city.admin.post("/v1/routes", json=body).status_code == 201
    return city


def logged(city: City, frames_on_log: ReadFrames) -> list[tuple[bytes, bytes]]:
    frames = asyncio.run(frames_on_log(city.parts.nats_url))
    return [pair for each in frames for pair in zip(each.topics, each.payloads, strict=True)]


def key_for(city: City, **scope: str) -> str:
    made = city.admin.post("/v1/keys", json={"name": "a webhook", **scope})
    assert made.status_code == 201, made.text
    return made.json()["key"]


def test_every_form_is_taken_apart_and_counted_as_it_came(
    routed: City, frames_on_log: ReadFrames
) -> None:
    post = routed.admin.post
    lines = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    packed = JSON | {"Content-Encoding": "gzip"}
    answers = [
        post("/v1/ingest/boxes", content=b'{"n": 0}', headers=JSON),
        post("/v1/ingest/boxes", content=b'[{"n":1}, {"n" :2}]', headers=JSON),
        post("/v1/ingest/boxes", content=b'{"n":3}\r\n\n{"n":4}\n', headers=lines),
        post("/v1/ingest/boxes", content=gzip.compress(b'[{"n":5}]'), headers=packed),
        post("/v1/ingest/senml", content=b'[{"n":"a"},{"n":"b"}]', headers=JSON),
        post("/v1/ingest/sentilo/data/parks/soil-1", content=b"{}", headers=JSON),
        post("/v1/ingest/sentilo?k=KEY&i=lamp-1", content=b"t|21", headers={}),
    ]
    assert [each.status_code for each in answers] == [202] * 7, [each.text for each in answers]
    assert [each.json()["messages"] for each in answers] == [1, 2, 2, 1, 1, 1, 1]
    found = logged(routed, frames_on_log)
    boxes = [payload for topic, payload in found if topic == b"http/boxes"]
    assert boxes == [b'{"n": 0}', b'{"n":1}', b'{"n" :2}', b'{"n":3}', b'{"n":4}', b'{"n":5}']
    assert {topic for topic, _ in found} == {
        b"http/boxes",
        b"http/senml",
        b"sentilo/data/parks/soil-1",
        b"sentilo/KEY/lamp-1/attrs",
    }
    frames = asyncio.run(frames_on_log(routed.parts.nats_url))
    assert {(each.door, each.gateway) for each in frames} == {(Door.HTTP, "http-test")}
    kinds = {extra.content_type for each in frames for extra in each.extras}
    assert kinds == {"application/json", "application/x-ndjson"}
    ledger = routed.api.get("/v1/ledger").json()
    assert (ledger["messages"]["received"], ledger["messages"]["pending"]) == (9, 9)
    assert ledger["difference"] == {"messages": 0, "observations": 0}


def test_a_key_sends_where_it_may_and_does_nothing_else(routed: City) -> None:
    post = routed.api.post
    by_route = {"Authorization": f"Bearer {key_for(routed, route='boxes')}"}
    by_provider = {"Authorization": f"Bearer {key_for(routed, provider='acme')}"}
    native = "/v1/ingest/native/{}/meter-7"
    asked: list[tuple[dict[str, str], str, int]] = [
        (by_route, "/v1/ingest/boxes", 202),
        (by_route, "/v1/ingest/sentilo", 403),
        (by_provider, "/v1/ingest/sentilo", 202),
        (by_provider, "/v1/ingest/others", 403),
        (by_provider, native.format("acme"), 202),
        (by_provider, native.format("other"), 403),
        ({"Authorization": "Bearer none"}, "/v1/ingest/boxes", 401),
        ({}, "/v1/ingest/boxes", 401),
        # Nobody learns without a key which routes there are.
        ({}, "/v1/ingest/nothing", 401),
    ]
    found = [post(path, content=b"{}", headers=JSON | key).status_code for key, path, _ in asked]
    assert found == [status for _, _, status in asked]
    for key in (by_route, by_provider):
        refused = post("/v1/devices", json={"provider": "acme", "id": "x"}, headers=key)
        assert (refused.status_code, refused.json()["type"]) == (
            403,
            "urn:madina:problem:key_sends_only",
        )


def test_a_signature_of_the_body_as_sent_opens_its_route(routed: City) -> None:
    key = key_for(routed, route="boxes").encode()
    body = gzip.compress(b'{"n": 1}')
    signed = hmac.new(key, body, hashlib.sha256).hexdigest()
    headers = JSON | {"Content-Encoding": "gzip", "X-Hub-Signature-256": f"sha256={signed}"}
    post = routed.api.post
    assert post("/v1/ingest/boxes", content=body, headers=headers).status_code == 202
    assert post("/v1/ingest/senml", content=body, headers=headers).status_code == 401
    assert post("/v1/ingest/boxes", content=body + b" ", headers=headers).status_code == 401
    # Nothing that is kept could sign.
    (kept,) = routed.admin.get("/v1/keys").json()["items"]
    assert "key" not in kept


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        ("nothing", b"{}", JSON, 404, "not_found"),
        ("boxes/further", b"{}", JSON, 400, "bad_topic"),
        ("sentilo/a%2B", b"{}", JSON, 400, "bad_topic"),
        ("native/acme", b"{}", JSON, 400, "bad_topic"),
        ("boxes", b"x" * (BODY_MAX_BYTES + 1), JSON, 413, "too_large"),
        ("boxes", b"x" * 200_001, JSON, 413, "too_large"),
        ("boxes", gzip.compress(b" " * (9 << 20)), JSON | {"Content-Encoding": "gzip"}, 413,
         "too_large"),
        ("boxes", b"{}", JSON | {"Content-Encoding": "gzip"}, 400, "bad_encoding"),
        ("boxes", b"{}", JSON | {"Content-Encoding": "br"}, 415, "unsupported_type"),
        ("boxes", b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415,
         "unsupported_type"),
        ("boxes", b"{}", {"Content-Type": "application/json; charset=latin-1"}, 415,
         "unsupported_type"),
        ("boxes", b" \n", JSON, 422, "no_message"),
        ("boxes", b"[]", JSON, 422, "no_message"),
        ("boxes", b'[{"n":1},', JSON, 422, "not_json"),
        ("boxes", gzip.compress(b"[" * (8 << 20)), JSON | {"Content-Encoding": "gzip"}, 422,
         "json_depth"),
        ("boxes", gzip.compress(b"[" + b"1," * (4 << 20)), JSON | {"Content-Encoding": "gzip"}, 413,
         "too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_in_words_and_nothing_of_it_is_kept(  # noqa: PLR0913, PLR0917 - one case a line
    routed: City,
    frames_on_log: ReadFrames,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    refused = routed.admin.post(f"/v1/ingest/{path}", content=body, headers=headers)
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (status, f"urn:madina:problem:{code}")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert problem["detail"]
    assert problem["mend"]
    assert logged(routed, frames_on_log) == []


@pytest.mark.parametrize("length", [BODY_MAX_BYTES + 1, 100 << 20])
def test_who_asks_before_sending_too_much_is_refused_before_sending_it(
    routed: City, length: int
) -> None:
    host, _, port = routed.address.removeprefix("http://").rpartition(":")
    key = key_for(routed, route="boxes")
    head = (
        "POST /v1/ingest/boxes HTTP/1.1\r\nHost: madina\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {length}\r\n"
        "Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=ANSWER_S) as connection:
        connection.sendall(head.encode())
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


# So few that no machine is too slow to send more.
@pytest.mark.parametrize("http_ingest_rate", [2.0])
def test_who_sends_too_often_is_told_when_to_come_again(routed: City) -> None:
    key = {"Authorization": f"Bearer {key_for(routed, route='boxes')}"}
    answers = [
        routed.api.post("/v1/ingest/boxes", content=b"", headers=JSON | key) for _ in range(160)
    ]
    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert refused[0].headers["Content-Type"] == "application/problem+json"
    assert refused[0].json()["type"] == "urn:madina:problem:too_many_requests"
    # Others are not held back by it.
    assert routed.admin.post("/v1/ingest/boxes", content=b"{}", headers=JSON).status_code == 202


def test_a_log_that_stands_still_takes_a_message_once_however_often_it_is_sent(
    routed: City, frames_on_log: ReadFrames
) -> None:
    port = int(routed.parts.nats_url.rpartition(":")[2])
    (server,) = [
        each
        for each in psutil.Process().children()
        if any(held.laddr.port == port for held in each.net_connections() if held.laddr)
    ]
    body = json.dumps(TWO).encode()

    def send() -> httpx.Response:
        return routed.admin.post("/v1/ingest/boxes", content=body, headers=JSON)

    os.kill(server.pid, signal.SIGSTOP)
    try:
        refused = send()
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:madina:problem:log_away")
    assert refused.headers["Retry-After"]
    assert send().status_code == 202
    # Once more is another request: its sender was told that the log has the one before.
    assert len(logged(routed, frames_on_log)) == 2
    assert send().status_code == 202
    assert len(logged(routed, frames_on_log)) == 4
