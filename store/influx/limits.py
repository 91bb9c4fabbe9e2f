"""What a server of 1.x says of its own limits, so that a city hears of them before they are met.

Source: InfluxDB 1.8 documentation, "Configuration settings" (`[data]`): `max-values-per-tag`,
`index-version`; the answers of SHOW DIAGNOSTICS and SHOW STATS as 1.6.7 gives them.
"""

from pathlib import Path
from typing import Final

import msgspec

from store.influx.connection import DATA, Answer, Connection

__all__ = ["ServerLimits", "server_limits"]

ON_DISK: Final = "tsi1"


class ServerLimits(msgspec.Struct, frozen=True):
    """Limits and how near they are.

    Attributes:
        values_per_tag: Devices that the server takes; 0 for any number.
        series: Of the database; each device has one, and a few more.
        in_memory: Whether the index is held in memory; None where the server does not tell.
    """

    version: str
    values_per_tag: int
    series: int
    in_memory: bool | None


def server_limits(connection: Connection) -> ServerLimits:
    """Ask a server of version 1.

    Raises:
        StoreBusyError: It does not answer, or shows them to administrators only.
    """
    diagnostics, databases, shards = connection.ask_all(
        DATA, ["SHOW DIAGNOSTICS", "SHOW STATS FOR 'database'", "SHOW STATS FOR 'shard'"]
    )
    settings = {answer.name: row for answer in diagnostics for row in answer.rows()}
    name = connection.address.database
    return ServerLimits(
        version=str(settings.get("build", {}).get("Version", "unknown")),
        values_per_tag=int(settings.get("config-data", {}).get("max-values-per-tag", 0)),
        series=sum(
            row["numSeries"]
            for answer in databases
            if answer.tags.get("database") == name
            for row in answer.rows()
        ),
        in_memory=_in_memory([each for each in shards if each.tags.get("database") == name]),
    )


def _in_memory(shards: list[Answer]) -> bool | None:
    """Say whether the newest index is in memory: 1.7 and later tell, before them its folder."""
    if not shards:
        return None
    newest = max(shards, key=lambda each: int(each.tags.get("id", 0))).tags
    if "indexType" in newest:
        return newest["indexType"] != ON_DISK
    folder = Path(newest.get("path", ""))
    try:
        return not (folder / "index").is_dir() if folder.is_dir() else None
    except OSError:
        return None
