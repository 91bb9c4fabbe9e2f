"""What tests of the page look at: the built files behind a small server, in a real browser."""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "services" / "pages" / "static"
RECORDED = Path(__file__).with_name("status.json")
CARDS = Path(__file__).with_name("cards.json")
# Beside the rest of the suite Chromium is many times slower than on a quiet machine.
PATIENCE_MS = 45_000
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}


class RecordedPlatform:
    """Serves the built page, a recorded status whose time goes on, and live events.

    Attributes:
        status: What the next question is answered with; tests spoil it.
        code: HTTP status of that answer.
        cards: What the question for published values is answered with.
        asked: How often the status was asked for.
        watched: Paths with queries at which live events were asked for.
        stopping: Set where streams have to end.
        live: Events to send to whoever listens, as (event, data).
    """

    def __init__(self, port: int) -> None:
        self.status: dict[str, Any] = msgspec.json.decode(RECORDED.read_bytes())
        self.code = 200
        self.cards: dict[str, Any] = msgspec.json.decode(CARDS.read_bytes())
        self.asked = 0
        self.watched: list[str] = []
        self.live: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._began = datetime.fromisoformat(self.status["time"])
        self._port = port
        self.stopping = threading.Event()
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Return where the page is."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Listen on the port."""
        self.stopping.clear()
        self._server = _Server(self._port, self)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self) -> bytes:
        """Return the status, one second later than the one before."""
        self.asked += 1
        now = self._began + timedelta(seconds=self.asked - 1)
        return msgspec.json.encode({**self.status, "time": now.isoformat().replace("+00:00", "Z")})


class _Server(ThreadingHTTPServer):
    """A server whose requests know the platform."""

    daemon_threads = True

    def __init__(self, port: int, platform: RecordedPlatform) -> None:
        self.platform = platform
        super().__init__(("127.0.0.1", port), _Request)


class _Request(BaseHTTPRequestHandler):
    """One request of the browser."""

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        platform = self.server.platform
        path = urlsplit(self.path).path
        if path == "/v1/status":
            self._send(platform.code, "application/json", platform.answer())
        elif path == "/v1/cards":
            self._send(200, "application/json", msgspec.json.encode(platform.cards))
        elif path == "/v1/live":
            platform.watched.append(self.path)
            self._stream(platform)
        else:
            self._file(STATIC / (path.lstrip("/") or "index.html"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing of requests."""

    def _file(self, path: Path) -> None:
        if path.is_file():
            self._send(200, TYPES[path.suffix], path.read_bytes())
        else:
            self._send(404, "text/plain", b"")

    def _send(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def _stream(self, platform: RecordedPlatform) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            while not platform.stopping.is_set():
                with contextlib.suppress(queue.Empty):
                    event, data = platform.live.get(timeout=0.05)
                    self.wfile.write(b"event: %s\ndata: %s\n\n" % (event.encode(), data))
                self.wfile.flush()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def built() -> Path:
    """Return the folder of the built page."""
    assert (STATIC / "index.html").is_file(), "the page is not built: make pages"
    return STATIC


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser; it ends with the module, since its event loop would disturb others."""
    executable = shutil.which("chromium")
    assert executable is not None, "needs Debian's chromium: scripts/debian-packages chromium"
    with sync_playwright() as playwright:
        # The sandbox needs rights that containers do not have; only our own page is opened.
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        expect.set_options(timeout=PATIENCE_MS)
        yield started
        started.close()


@pytest.fixture
def platform(built: Path, free_port: Callable[[], int]) -> Iterator[RecordedPlatform]:
    """Serve the page and a recorded status on a free port."""
    served = RecordedPlatform(free_port())
    served.start()
    yield served
    served.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Open a window for people who want nothing to move."""
    opened = browser.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce", locale="en-GB"
    )
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Open an empty tab."""
    return context.new_page()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """Return what the browser complains about, as it comes."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def shown(page: Page, platform: RecordedPlatform) -> Page:
    """Open the page and wait for its verdict."""
    page.goto(platform.url)
    page.wait_for_selector(".verdict:not(.asking)")
    return page


@pytest.fixture
def keep_picture(page: Page, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that keeps a picture of the whole page with the test's other files."""

    def keep(name: str) -> Path:
        path = tmp_path / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return keep
