"""Limits of the system: every MQTT connection is an open file."""

import resource
from typing import Final

from madina.doctor.check import Check, Machine, ok, warning
from madina.settings import variable

__all__ = ["look"]

# Beside connections: sockets, log files, libraries, the store.
FILES_BESIDE: Final = 200


def look(machine: Machine) -> list[Check]:
    """Look at the limit of open files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = machine.settings.mqtt_max_connections + FILES_BESIDE
    name = "open files"
    if most == resource.RLIM_INFINITY:
        return [ok(name, "no limit")]
    if most >= needed:
        return [ok(name, f"up to {most}")]
    words = f"a process may open {most}, and {variable('mqtt_max_connections')} needs {needed}"
    mend = "raise the limit (ulimit -n; systemd: LimitNOFILE), or lower the setting"
    return [warning(name, words, mend)]
