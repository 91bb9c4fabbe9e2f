"""Reads everything from a broker with aiomqtt and counts it: what the bridge is compared with."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

import aiomqtt

from madina.ready import ready_teller

__all__ = ["main"]

TOPIC = "madina/v1/#"


async def count(port: int, ready_fd: int | None) -> None:
    """Read until cancelled; answer each line of standard input with the count."""
    counted = 0

    def answer() -> None:
        if sys.stdin.buffer.readline():
            sys.stdout.buffer.write(b"%d\n" % counted)
            sys.stdout.buffer.flush()

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), answer)
    async with aiomqtt.Client("127.0.0.1", port, identifier="reader") as client:
        await client.subscribe(TOPIC, qos=1)
        ready_teller(ready_fd)()
        async for _ in client.messages:
            counted += 1


def main() -> None:
    """Run until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ready-fd", type=int)
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(count(given.port, given.ready_fd))


if __name__ == "__main__":
    main()
