"""Takes line protocol over HTTP as InfluxDB 2 does, and keeps nothing but proof of what came.

Its CPU is left out: both stacks of a comparison end in a sink that counts.
"""

from __future__ import annotations

import argparse
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import msgspec
import numpy as np

from bench.digest import DigestOfSeries
from madina.ready import ready_teller

__all__ = ["LineCounter", "SinkFacts", "main"]

# As both stacks write it: tags sorted by name, one field, milliseconds.
LINE: Final = re.compile(
    rb"^observation,device=([^, ]+),provider=[^, ]+,quantity=([^, ]+) value=([0-9.e+-]+) (\d+)$",
    re.MULTILINE,
)
US_PER_MS: Final = 1_000


class SinkFacts(msgspec.Struct, frozen=True):
    """What came.

    Attributes:
        unread: Lines that are none of ours.
    """

    rows: int
    unread: int


class LineCounter:
    """Counts lines and makes a digest of them."""

    def __init__(self) -> None:
        self.digest = DigestOfSeries()
        self.rows = 0
        self.unread = 0
        self._series: dict[tuple[bytes, bytes], int] = {}
        self._lock = threading.Lock()

    def add(self, body: bytes) -> None:
        """Take the lines of one request."""
        found = LINE.findall(body)
        with self._lock:
            self.rows += len(found)
            self.unread += len(body.splitlines()) - len(found)
            numbers = [self._number(device, quantity) for device, quantity, _, _ in found]
            self.digest.add(
                np.array(numbers, np.int32),
                np.array([int(each[3]) for each in found], np.int64) * US_PER_MS,
                np.array([float(each[2]) for each in found]),
            )

    def _number(self, device: bytes, quantity: bytes) -> int:
        key = (device, quantity)
        number = self._series.get(key)
        if number is None:
            number = self._series[key] = self.digest.name(device.decode(), quantity.decode())
        return number


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counter: LineCounter

    def do_POST(self) -> None:
        self.counter.add(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        if self.path == "/digest":
            answer = msgspec.json.encode(self.counter.digest.digest())
        else:
            answer = msgspec.json.encode(SinkFacts(self.counter.rows, self.counter.unread))
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - same
        """Say nothing."""


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ready-fd", type=int)
    given = parser.parse_args()
    handler = type("Handler", (_Handler,), {"counter": LineCounter()})
    with ThreadingHTTPServer(("127.0.0.1", given.port), handler) as server:
        ready_teller(given.ready_fd)()
        server.serve_forever()


if __name__ == "__main__":
    main()
