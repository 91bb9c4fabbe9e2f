"""Servers beside a platform that it has not started: whose process listens on a local port."""

import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.bridge.broker import parse_brokers
from madina.settings import Settings

__all__ = ["LocalServers", "listening_pid"]

# The state of a socket that listens (Linux, Documentation/networking/proc_net_tcp).
LISTENS: Final = "0A"
LOCAL, STATE, INODE = 1, 3, 9
SOCKET: Final = re.compile(r"socket:\[(\d+)\]")
INFLUX: Final = "influxdb"


class LocalServers:
    """The bridged broker and the store's server, where they run on this machine."""

    def __init__(self, settings: Settings) -> None:
        self._ports: dict[str, int] = {}
        for broker in parse_brokers(settings.bridge_urls)[:1]:
            if _is_local(broker.host):
                self._ports["broker"] = broker.port
        store = urlsplit(settings.store_url or "")
        if store.scheme == INFLUX and store.port and _is_local(store.hostname or ""):
            self._ports["store"] = store.port
        self._known: dict[str, int] = {}

    def pids(self) -> dict[str, int]:
        """Return process ids by name, without those that do not run now."""
        for name, port in self._ports.items():
            pid = self._known.get(name)
            if pid is None or not Path(f"/proc/{pid}/fd").exists():
                found = listening_pid(port)
                if found is None:
                    self._known.pop(name, None)
                else:
                    self._known[name] = found
        return dict(self._known)


def listening_pid(port: int) -> int | None:
    """Return whose process listens on a TCP port; None where nobody does whom we may look at."""
    inodes = {inode for inode, local in _listening() if local == port}
    for files in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for each in files.iterdir():
                found = SOCKET.fullmatch(str(each.readlink()))
                if found is not None and found[1] in inodes:
                    return int(files.parent.name)
    return None


def _listening() -> Iterator[tuple[str, int]]:
    """Yield inode and port of every socket that listens."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[STATE] == LISTENS:
                    yield fields[INODE], int(fields[LOCAL].rpartition(":")[2], 16)


def _is_local(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
