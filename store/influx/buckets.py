"""Makes the buckets of 2.x and 3.x and the roll-ups of 2.x, by the client library of InfluxDB.

Written to the documentation of 2.7 (`/api/v2/buckets`, `/api/v2/tasks`); no server of 2.x or 3.x
was at hand, so nothing here has met one.
"""

from typing import Any, Final, cast

from influxdb_client import InfluxDBClient  # pyright: ignore[reportPrivateImportUsage]
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from store.errors import StoreBusyError
from store.influx.address import BOOKS, InfluxAddress
from store.influx.flux_tasks import set_task
from store.influx.rollups import HOURS

__all__ = ["provision_buckets"]

SECONDS_PER_DAY: Final = 86_400
TIMEOUT_MS: Final = 30_000
RETRY_AFTER_S: Final = 1.0
# The version that has tasks; 3.x has none.
HAS_TASKS: Final = 2


def provision_buckets(address: InfluxAddress, *, keep_days: int | None = None) -> list[str]:
    """Make the buckets that are missing, set how long they keep; return what was done.

    Where observations expire, hourly roll-ups of them stay, on a server of version 2.

    Args:
        address: A server of version 2 or 3.
        keep_days: How long observations are kept; None for ever.

    Raises:
        StoreBusyError: The server does not answer, or forbids it.
    """
    client: Any = InfluxDBClient(
        url=address.url, token=address.token, org=address.org, timeout=TIMEOUT_MS
    )
    try:
        return _provision(client, address, keep_days)
    except (ApiException, HTTPError) as error:
        cause = getattr(cast("Any", error), "message", None) or str(error)
        raise StoreBusyError(
            store=address.name, cause=str(cause), retry_after_s=RETRY_AFTER_S
        ) from error
    finally:
        client.close()


def _provision(client: Any, address: InfluxAddress, keep_days: int | None) -> list[str]:  # noqa: ANN401 - the client's
    database, buckets = address.database, client.buckets_api()
    rolls_up = address.version == HAS_TASKS and keep_days is not None
    wanted = {database: keep_days, f"{database}/{BOOKS}": None}
    if rolls_up:
        wanted[f"{database}/{HOURS}"] = None
    done: list[str] = []
    for name, days in wanted.items():
        done += _set_bucket(buckets, name, address.org, days)
    if address.version == HAS_TASKS:
        done += set_task(client.tasks_api(), database, address.org, wanted=rolls_up)
    return done


def _set_bucket(buckets: Any, name: str, org: str, days: int | None) -> list[str]:  # noqa: ANN401 - the client's
    """Make a bucket, or change how long it keeps."""
    rules = [] if days is None else [{"type": "expire", "everySeconds": days * SECONDS_PER_DAY}]
    kept = "for ever" if days is None else f"{days} days"
    found = buckets.find_bucket_by_name(name)
    if found is None:
        buckets.create_bucket(bucket_name=name, org=org, retention_rules=rules)
        return [f"bucket {name}, {kept}"]
    seconds = [rule.every_seconds for rule in found.retention_rules if rule.every_seconds]
    if seconds == [rule["everySeconds"] for rule in rules]:
        return []
    found.retention_rules = rules
    buckets.update_bucket(found)
    return [f"bucket {name}, now {kept}"]
