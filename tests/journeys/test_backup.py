"""A backup under load, a disaster, and a restore: what was acknowledged before is there, once."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

ACCEPT = {"MADINA_UNKNOWN_DEVICES": "accept"}
AT_ONCE = 500


def kill_all(platform: Platform) -> None:
    pids = [*platform.run.children.values()]
    platform.process.kill()
    platform.process.wait()
    platform.until_dead(*pids)


def run(platform: Platform, *arguments: str, folder: Path | None = None) -> Any:  # noqa: ANN401
    """Run a command on a data folder where nothing runs; return its JSON."""
    environment = platform.environment | {"MADINA_DATA_DIR": str(folder or platform.folder)}
    done = subprocess.run(
        [*platform.program, *arguments, "--json"],
        env=environment,
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr.decode()
    return msgspec.json.decode(done.stdout)


class Publishing:
    """Messages, one after the other, for as long as a test wants."""

    def __init__(self, platform: Platform) -> None:
        self.acknowledged = 0
        self._platform = platform
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._publish)
        self._thread.start()

    def _publish(self) -> None:
        while not self._enough.is_set():
            self._platform.publish(AT_ONCE, first=self.acknowledged)
            self.acknowledged += AT_ONCE

    def end(self) -> None:
        self._enough.set()
        self._thread.join()


def test_a_backup_under_load_is_restored_elsewhere_and_counts_nothing_twice(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start(**ACCEPT)
    publishing = Publishing(platform)
    platform.until(lambda: publishing.acknowledged >= 2_000, "messages are acknowledged")
    before = publishing.acknowledged
    archive = tmp_path / "city.tar"
    made = platform.madina("backup", str(archive))
    assert archive.stat().st_mode & 0o777 == 0o600
    publishing.end()
    assert publishing.acknowledged > before, "it was not under load"
    kill_all(platform)

    elsewhere = tmp_path / "elsewhere"
    restored = run(platform, "restore", str(archive), folder=elsewhere)
    messages = restored["balance"]["messages"]
    assert messages["accepted"] == made["parts"]["applied"] + made["parts"]["messages"]
    assert before <= messages["accepted"] <= publishing.acknowledged

    again = start(folder="elsewhere", **ACCEPT)
    assert again.ledger() == {**messages, "pending": 0}
    again.publish(publishing.acknowledged)
    again.until(lambda: again.ledger()["pending"] == 0, "all of it is applied")
    ledger = again.ledger()
    assert ledger["accepted"] == publishing.acknowledged
    assert ledger["duplicate"] == messages["accepted"]
    assert set(again.difference().values()) == {0}


def test_what_only_the_log_has_is_in_a_backup_and_in_a_restore_beside_the_log(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start(**ACCEPT)
    platform.publish(100)
    platform.until(lambda: platform.ledger()["accepted"] == 100, "the first are applied")
    early = tmp_path / "early"
    platform.madina("backup", str(early))
    os.kill(platform.run.children["node"], signal.SIGSTOP)
    platform.publish(50, first=100)
    kill_all(platform)

    late = run(platform, "backup", str(tmp_path / "late.tar"))
    assert late["parts"]["messages"] == 50
    elsewhere = tmp_path / "elsewhere"
    restored = run(platform, "restore", str(tmp_path / "late.tar"), folder=elsewhere)
    assert restored["balance"]["messages"]["accepted"] == 150
    assert not restored["log_kept"]

    # The store is lost and the log is not: it has what the early backup has not.
    for path in platform.folder.glob("madina.duckdb*"):
        path.unlink()
    (platform.folder / "registry.sqlite").unlink()
    restored = run(platform, "restore", str(early))
    assert restored["balance"]["messages"]["accepted"] == 100
    assert restored["log_kept"]
    again = start(**ACCEPT)
    again.until(lambda: again.ledger()["pending"] == 0, "the log is applied")
    assert again.ledger()["accepted"] == again.ledger()["received"] == 150
    assert set(again.difference().values()) == {0}
