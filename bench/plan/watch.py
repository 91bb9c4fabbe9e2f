"""Looks at ingest while a load runs: how many messages it has applied at which instant."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final

import httpx

from loadtest.capacity.batches import Look, look_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["look_at", "watched"]

# Not in step with the tenth of a second between two batches.
LOOK_S: Final = 0.037
ANSWER_S: Final = 60.0


def look_at(http: str, client: httpx.Client | None = None) -> Look:
    """Ask once."""
    asked_s = time.monotonic()
    answer = (
        httpx.get(f"{http}/metrics", timeout=ANSWER_S, trust_env=False)
        if client is None
        else client.get(f"{http}/metrics")
    )
    # It looked somewhere between the question and the answer.
    return look_of(answer.raise_for_status().text, (asked_s + time.monotonic()) / 2)


@contextlib.contextmanager
def watched(http: str) -> Generator[Callable[[], list[Look]]]:
    """Look again and again while the block runs; what it yields returns what was seen."""
    found: list[Look] = []
    over = threading.Event()

    def watch() -> None:
        with httpx.Client(trust_env=False, timeout=ANSWER_S) as client:
            while not over.wait(LOOK_S):
                with contextlib.suppress(httpx.HTTPError):
                    found.append(look_at(http, client))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: list(found)
    finally:
        over.set()
        thread.join()
