"""Messages over HTTP on the whole platform: the page's examples, and a death before the answer."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

PAGE = Path(__file__).parents[2] / "docs" / "http-uplink.md"
# Long, so that it is told from everything else that waits.
MESSAGE = (
    b" " * 30_000
    + b'{"obs": [{"q": "temperature", "v": 21.5, "u": "Cel", "t": "2026-03-04T10:15:00Z"}]}'
)
SEND_S = 30
ESTABLISHED = "01"


def test_the_examples_of_the_page_are_taken_and_counted(
    start: Callable[..., Platform], executed: Callable[[Path, Platform], None]
) -> None:
    executed(PAGE, start())


def test_a_death_between_the_log_and_the_answer_counts_nothing_twice(
    start: Callable[..., Platform],
) -> None:
    platform = start(MADINA_UNKNOWN_DEVICES="accept")
    key = (platform.folder / "admin.key").read_text().strip()

    def send() -> int:
        try:
            answer = httpx.post(
                f"{platform.run.http}/v1/ingest/native/acme/meter-7",
                content=MESSAGE,
                headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
                timeout=SEND_S,
            )
        except (httpx.TransportError, AssertionError):
            return 0
        return answer.status_code

    log, node = _process(platform, "nats-server"), _process(platform, "node")
    os.kill(log.pid, signal.SIGSTOP)
    answers: list[int] = []
    sending = threading.Thread(target=lambda: answers.append(send()))
    sending.start()
    # What was written into the connection outlives who wrote it.
    platform.until(lambda: _waits_for_log(log), "the frame is on its way")
    node.kill()
    os.kill(log.pid, signal.SIGCONT)
    sending.join(SEND_S)
    assert answers == [0], "nobody was told that the message arrived"
    platform.until(lambda: send() == 202, "it is sent again until it is taken")
    platform.until(lambda: platform.ledger()["pending"] == 0, "everything is decided")
    ledger = platform.ledger()
    assert (ledger["accepted"], ledger["received"]) == (1, 1 + ledger["duplicate"])
    assert ledger["duplicate"] == 1, "the first one had reached the log"
    assert platform.difference() == {"messages": 0, "observations": 0}
    assert len(platform.observations()) == 1


def _process(platform: Platform, name: str) -> psutil.Process:
    (found,) = [
        each
        for each in psutil.Process(platform.process.pid).children()
        if any(part.endswith(name) for part in each.cmdline())
    ]
    return found


def _waits_for_log(log: psutil.Process) -> bool:
    """Say whether bytes that hold the message wait where the log would read them."""
    ports = {each.laddr.port for each in log.net_connections() if each.status == "LISTEN"}
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = (line.split() for line in lines)
    return any(
        int(local.rpartition(":")[2], 16) in ports
        and int(queues.partition(":")[2], 16) > len(MESSAGE)
        for _, local, _, state, queues, *_ in fields
        if state == ESTABLISHED
    )
