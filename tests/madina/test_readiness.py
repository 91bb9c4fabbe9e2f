"""Readiness: waited for, and explained where it does not come."""

import http.server
import threading
from collections.abc import Callable, Iterator

import pytest

from madina.supervisor.readiness import why_not_ready

AWAY = b'{"ready":false,"reasons":[{"part":"log","level":"error","words":"the log is away"}]}'
READY = b'{"ready":true,"reasons":[]}'
PATIENCE_S = 30


class Platform:
    """Something that answers `/readyz`, one answer after the other; the last one for good."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        left = [*answers]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/readyz"
                status, body = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - same
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def answering() -> Iterator[Callable[..., str]]:
    """Return a function that starts a platform with some answers; it returns the address."""
    begun: list[Platform] = []

    def begin(*answers: tuple[int, bytes]) -> str:
        begun.append(Platform(*answers))
        return begun[-1].url

    yield begin
    for each in begun:
        each.server.shutdown()
        each.server.server_close()


async def test_it_waits_until_messages_get_through(answering: Callable[..., str]) -> None:
    url = answering((503, AWAY), (503, b"no JSON"), (200, READY))
    assert await why_not_ready(url, PATIENCE_S) == ""


@pytest.mark.parametrize(
    ("body", "words"), [(AWAY, "the log is away"), (b'{"reasons":[]}', "gives no reason")]
)
async def test_it_says_why_not(body: bytes, words: str, answering: Callable[..., str]) -> None:
    assert words in await why_not_ready(answering((503, body)), timeout_s=0.5)


async def test_nobody_there(free_port: Callable[[], int]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert url in await why_not_ready(url, timeout_s=0.5)
