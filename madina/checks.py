"""The checks of `madina doctor`: each looks at one thing, and says in words what it found."""

import re
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, Literal

import msgspec

from madina.api import Api, api
from madina.data_folder import DataFolder
from madina.errors import CommandError, SetupError
from madina.settings import Settings, variable
from madina.supervisor.nats_server import log_limit_bytes, nats_server_path
from madina.supervisor.ports import free_port

__all__ = ["Check", "checks"]

Verdict = Literal["ok", "warning", "error"]

# Pinned consumers and their pins in headers.
NATS_LEAST: Final = (2, 11)
NATS_TIMEOUT_S: Final = 10
# Beside connections: sockets, log files, libraries, the store.
FILES_BESIDE: Final = 200
PORTS: Final = ("http_port", "mqtt_port", "mqtts_port", "nats_port")


class Check(msgspec.Struct, frozen=True):
    """What one check found.

    Attributes:
        words: For people; of an error or a warning with what mends it.
    """

    name: str
    verdict: Verdict
    words: str


def checks(settings: Settings) -> Iterator[Check]:
    """Look at everything, one after the other; a data folder that is not there is not made."""
    folder = DataFolder(settings.data_dir)
    runs = folder.path.is_dir() and folder.running() is not None
    yield _checked("log server", _nats_server)
    yield _checked("data folder", partial(_data_folder, folder))
    yield _checked("disk", partial(_disk, folder, settings))
    yield _open_files(settings)
    if not runs:
        for field in PORTS:
            yield _checked(variable(field), partial(_port, settings, field))
    if folder.path.is_dir():
        yield from _platform(folder)


def _checked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", look())
    except (SetupError, CommandError) as error:
        return Check(name, "error", str(error))


def _nats_server() -> str:
    path = nats_server_path()
    command = [str(path), "--version"]
    said = subprocess.run(  # noqa: S603 - the server of our own wheel
        command, capture_output=True, text=True, timeout=NATS_TIMEOUT_S, check=False
    ).stdout.strip()
    version = re.search(r"(\d+)\.(\d+)\.\d+", said)
    if version is None or (int(version[1]), int(version[2])) < NATS_LEAST:
        raise SetupError(f"{path} says {said!r}, and 2.11 is needed", "install madina again")
    return said


def _data_folder(folder: DataFolder) -> str:
    if not folder.path.is_dir():
        return f"{folder.path} will be made by `madina up`"
    folder.make()
    return str(folder.path)


def _disk(folder: DataFolder, settings: Settings) -> str:
    there = next(path for path in (folder.path, *folder.path.parents) if path.is_dir())
    free_bytes = shutil.disk_usage(there).free
    if folder.path.is_dir() and settings.nats_url is None:
        limit_bytes = log_limit_bytes(folder, settings)
        return f"{free_bytes >> 20} MiB free; the log takes at most {limit_bytes >> 20} MiB"
    return f"{free_bytes >> 20} MiB free"


def _open_files(settings: Settings) -> Check:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.mqtt_max_connections + FILES_BESIDE
    name = "open files"
    if most != resource.RLIM_INFINITY and most < needed:
        words = (
            f"a process may open {most}, and {variable('mqtt_max_connections')} needs {needed}:"
            " raise the limit (ulimit -n), or lower the setting"
        )
        return Check(name, "warning", words)
    return Check(name, "ok", "no limit" if most == resource.RLIM_INFINITY else f"up to {most}")


def _port(settings: Settings, field: str) -> str:
    port: int | None = getattr(settings, field)
    if port is None or (field == "nats_port" and settings.nats_url is not None):
        return "not used"
    host = {"http_port": settings.http_host, "nats_port": "127.0.0.1"}.get(
        field, settings.mqtt_host
    )
    free_port(host, port, field)
    return f"{host} port {port} is free" if port else f"a free port of {host}"


def _platform(folder: DataFolder) -> Iterator[Check]:
    """Ask the platform about itself; without one, see whether store and registry open."""
    try:
        with api(folder.path) as platform:
            yield Check("store", "ok", "store and registry answer")
            if platform.runs:
                yield from _reasons(platform)
                yield _ledger(platform)
    except (SetupError, CommandError) as error:
        yield Check("store", "error", str(error))


def _reasons(platform: Api) -> Iterator[Check]:
    """Say what the platform itself finds wrong: the same as `/readyz`."""
    reasons = msgspec.convert(platform.get("/v1/status")["reasons"], list[dict[str, str]])
    for each in reasons:
        verdict: Verdict = "error" if each["level"] == "error" else "warning"
        yield Check(each["part"], verdict, each["words"])
    if not reasons:
        yield Check("platform", "ok", "runs, and messages get through")


def _ledger(platform: Api) -> Check:
    difference = msgspec.convert(platform.get("/v1/ledger")["difference"], dict[str, int])
    if any(difference.values()):
        return Check("ledger", "error", f"does not add up: {difference}; please report it")
    return Check("ledger", "ok", "adds up")
