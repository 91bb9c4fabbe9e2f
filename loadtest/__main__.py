"""`python -m loadtest`: a plan as JSON on standard input, its report as JSON on standard output.

A generator in a process of its own is how benches keep its CPU apart from what they measure. It
says `connected` on standard error, and sends once there is a second line, or nothing more, to read.
"""

import asyncio
import sys

import msgspec

from loadtest.generator import run
from loadtest.plan import LoadPlan

__all__ = ["main"]


def main() -> None:
    """Carry out one plan."""
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=LoadPlan)
    sys.stdout.buffer.write(msgspec.json.encode(run(plan, connected=_wait_for_word)) + b"\n")


async def _wait_for_word() -> None:
    sys.stderr.write("connected\n")
    sys.stderr.flush()
    await asyncio.to_thread(sys.stdin.buffer.readline)


if __name__ == "__main__":
    main()
