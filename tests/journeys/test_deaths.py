"""Whoever is killed: nothing stays behind, and what dies alone is started again."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

MESSAGES = 100


def test_no_child_outlives_a_killed_supervisor(start: Callable[..., Platform]) -> None:
    platform = start()
    children = platform.run.children
    assert {"nats", "node", "gateway-0"} <= set(children)
    platform.process.kill()
    platform.process.wait()
    platform.until_dead(*children.values())


@pytest.mark.parametrize("victim", ["gateway-0", "node", "nats"])
def test_a_killed_child_is_started_again_and_nothing_is_lost(
    victim: str, start: Callable[..., Platform]
) -> None:
    platform = start(MADINA_UNKNOWN_DEVICES="accept")
    platform.publish(MESSAGES)
    os.kill(platform.run.children[victim], signal.SIGKILL)
    platform.until(lambda: f"{victim} serves again" in platform.said, f"{victim} serves again")
    assert f"{victim} ended (SIGKILL); starts again in 0.5 s" in platform.said
    platform.publish(MESSAGES, first=MESSAGES)
    platform.until(
        lambda: platform.ledger()["accepted"] == 2 * MESSAGES, "both halves are accepted"
    )
    assert platform.ledger()["pending"] == 0
    assert platform.difference() == {"messages": 0, "observations": 0}
    assert platform.interrupt() == 0
