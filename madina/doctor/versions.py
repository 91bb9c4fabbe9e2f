"""The log server: pinned consumers need nats-server 2.11, and older ones ignore them in silence."""

import re
import subprocess
from typing import Final

from madina.doctor.check import Check, Machine, checked
from madina.doctor.log_server import ask_log
from madina.errors import SetupError
from madina.supervisor.nats_server import nats_server_path

__all__ = ["look"]

NATS_LEAST: Final = (2, 11)
TIMEOUT_S: Final = 10
VERSION: Final = re.compile(r"(\d+)\.(\d+)\.\d+")


def look(machine: Machine) -> list[Check]:
    """Look at the server that we bring, or at the one that the settings name."""
    url = machine.settings.nats_url
    return [checked("log server", _own if url is None else lambda: _named(url))]


def _own() -> str:
    path = nats_server_path()
    said = subprocess.run(  # noqa: S603 - the server of our own wheel
        [str(path), "--version"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    ).stdout.strip()
    _check(said, str(path), "install madina again")
    return said


def _named(url: str) -> str:
    said = ask_log(url)
    _check(said.version, "the server at MADINA_NATS_URL", "upgrade it")
    return f"nats-server {said.version} at MADINA_NATS_URL, {said.replicas_words}"


def _check(said: str, who: str, mend: str) -> None:
    version = VERSION.search(said)
    if version is None or (int(version[1]), int(version[2])) < NATS_LEAST:
        raise SetupError(f"{who} says {said!r}, and 2.11 is needed", mend)
