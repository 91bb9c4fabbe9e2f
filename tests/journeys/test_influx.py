"""`madina up` into an InfluxDB that a city has: also while that is away for a while."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Protocol

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(240)]

MESSAGES = 300


class Influxd(Protocol):
    """A database server of the test's own."""

    port: int

    def start(self) -> None: ...

    def kill(self) -> None: ...


def provisioned(folder: Path, url: str) -> str:
    """Make the database as a person does."""
    done = subprocess.run(
        [sys.executable, "-m", "madina", "store", "provision", "--data-dir", str(folder)],
        env={**os.environ, "MADINA_STORE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def troubled(platform: Platform) -> set[str]:
    reasons = httpx.get(platform.run.http + "/readyz").json()["reasons"]
    return {each["part"] for each in reasons}


def test_messages_wait_in_the_log_while_the_database_is_down_and_are_then_there_once(
    start: Callable[..., Platform], lone_influxd: Influxd, tmp_path: Path
) -> None:
    url = f"influxdb://127.0.0.1:{lone_influxd.port}/city?gzip=1"
    assert "database city" in provisioned(tmp_path / "data", url)
    platform = start(MADINA_STORE_URL=url, MADINA_UNKNOWN_DEVICES="accept")
    platform.publish(MESSAGES)
    platform.until(lambda: platform.ledger()["accepted"] == MESSAGES, "stored")
    lone_influxd.kill()
    platform.publish(MESSAGES, first=MESSAGES)
    platform.until(lambda: "store" in troubled(platform), "the trouble is told")
    lone_influxd.start()
    platform.until(lambda: platform.ledger()["accepted"] == 2 * MESSAGES, "caught up")
    assert set(platform.difference().values()) == {0}
    values = [value for _, value in platform.observations()]
    assert sorted(values) == [n / 10 for n in range(2 * MESSAGES)]
    looked = {each["name"]: each for each in platform.madina("doctor")["items"]}
    assert looked["influxdb"]["verdict"] == "ok"
    assert platform.interrupt() == 0
