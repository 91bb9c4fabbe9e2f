"""A server that takes publishes and keeps nothing: `python -m bench.mqtt_sink PORT`.

It acknowledges at once and sums up what came, so that a generator's messages are verified without
a broker's cost. A line on standard input asks for the sums, as JSON.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final, cast
from zlib import crc32

import msgspec
import uvloop

__all__ = ["Sums", "main"]

CONNECT, PUBLISH, PINGREQ = 1, 3, 12
ACCEPTED: Final = b"\x20\x02\x00\x00"
PONG: Final = b"\xd0\x00"
PUBACK: Final = b"\x40\x02"
CONTINUED: Final = 0x80
BACKLOG: Final = 4_096


class Sums(msgspec.Struct):
    """What came.

    Attributes:
        checks: Sum of the CRC-32 of topic, then payload, of every message; in any order.
    """

    messages: int = 0
    checks: int = 0


class _Taker(asyncio.Protocol):
    """One connection, MQTT 3.1.1."""

    __slots__ = ("_rest", "_sums", "_transport")

    def __init__(self, sums: Sums) -> None:
        self._sums = sums
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        # Uvloop's are none of asyncio's class, but do what it says.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take all whole packets. See `asyncio.Protocol`."""
        data = self._rest + data
        at, answers = 0, list[bytes]()
        while (span := _span(data, at)) is not None:
            start, end = span
            kind = data[at] >> 4
            if kind == PUBLISH:
                self._publish(data, at, start, end, answers)
            elif kind in {CONNECT, PINGREQ}:
                answers.append(ACCEPTED if kind == CONNECT else PONG)
            at = end
        self._rest = data[at:]
        if answers:
            self._transport.write(b"".join(answers))

    def _publish(self, data: bytes, at: int, start: int, end: int, answers: list[bytes]) -> None:
        topic_end = start + 2 + (data[start] << 8 | data[start + 1])
        payload = topic_end
        if data[at] & 6:
            payload += 2
            answers.append(PUBACK + data[topic_end:payload])
        self._sums.messages += 1
        self._sums.checks += crc32(data[payload:end], crc32(data[start + 2 : topic_end]))


def main() -> None:
    """Serve until standard input ends."""
    uvloop.run(_serve(int(sys.argv[1])))


async def _serve(port: int) -> None:
    sums = Sums()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: _Taker(sums), "127.0.0.1", port, backlog=BACKLOG):
        while await asyncio.to_thread(sys.stdin.buffer.readline):
            sys.stdout.buffer.write(msgspec.json.encode(sums) + b"\n")
            sys.stdout.buffer.flush()


def _span(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the body of a packet starts and ends; None where it is not whole."""
    length = shift = 0
    for start in range(at + 1, len(data)):
        length |= (data[start] & ~CONTINUED) << shift
        shift += 7
        if data[start] < CONTINUED:
            end = start + 1 + length
            return (start + 1, end) if end <= len(data) else None
    return None


if __name__ == "__main__":
    main()
