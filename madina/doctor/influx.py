"""An InfluxDB of a city: whether its own limits will let all devices in."""

import contextlib
from typing import Final

from madina.doctor.check import Check, Machine, error, ok, warning
from madina.errors import SetupError
from madina.opening import INFLUX, influx_store
from store.errors import StoreBusyError
from store.influx import ServerLimits

__all__ = ["judged", "look"]

NAME: Final = "influxdb"
# An index in memory takes about a gigabyte for so many devices.
MEMORY_SERIES: Final = 100_000
TAG_MEND: Final = "set max-values-per-tag = 0 in [data] of influxdb.conf and restart influxd"
INDEX_MEND: Final = (
    'set index-version = "tsi1" in [data] of influxdb.conf, stop influxd,'
    " run `influx_inspect buildtsi -datadir ... -waldir ...`, and start it"
)


def look(machine: Machine) -> list[Check]:
    """Ask the server for its limits, where MADINA_STORE_URL names one of version 1."""
    if not (machine.settings.store_url or "").startswith(f"{INFLUX}:"):
        return []
    try:
        with contextlib.closing(influx_store(machine.settings)) as store:
            limits = store.server_limits()
    except SetupError as reason:
        return [Check(NAME, "error", str(reason))]
    except StoreBusyError as busy:
        mend = f"see that the server runs and its user is an administrator, or: {TAG_MEND}"
        return [warning(NAME, f"its limits cannot be seen ({busy.cause})", mend)]
    return [] if limits is None else judged(limits)


def judged(limits: ServerLimits) -> list[Check]:
    """Say what is wrong with a server's limits."""
    return [_tags(limits), _index(limits)]


def _tags(limits: ServerLimits) -> Check:
    most = limits.values_per_tag
    words = f"InfluxDB {limits.version} has {limits.series:,} series"
    if not most:
        return ok(NAME, f"{words}, and takes any number of devices")
    words = f"{words}, and refuses the {most + 1:,}th device"
    return (error if limits.series * 2 >= most else warning)(NAME, words, TAG_MEND)


def _index(limits: ServerLimits) -> Check:
    if limits.in_memory is None:
        return warning(NAME, "it does not say where its index is", f"see to it: {INDEX_MEND}")
    if not limits.in_memory:
        return ok(NAME, "its index is on disk")
    words = f"its index is in memory, with {limits.series:,} series"
    return (error if limits.series > MEMORY_SERIES else warning)(NAME, words, INDEX_MEND)
