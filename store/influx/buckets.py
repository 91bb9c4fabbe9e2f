"""Makes the two buckets of 2.x and 3.x, by the client library of InfluxDB.

Written to the documentation of 2.7 (`/api/v2/buckets`); no server of 2.x or 3.x was at hand, so
nothing here has met one.
"""

from typing import Any, Final, cast

from influxdb_client import InfluxDBClient  # pyright: ignore[reportPrivateImportUsage]
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from store.errors import StoreBusyError
from store.influx.address import BOOKS, InfluxAddress

__all__ = ["provision_buckets"]

SECONDS_PER_DAY: Final = 86_400
TIMEOUT_MS: Final = 30_000
RETRY_AFTER_S: Final = 1.0


def provision_buckets(address: InfluxAddress, *, keep_days: int | None = None) -> list[str]:
    """Make the buckets that are missing; return what was done.

    Args:
        address: A server of version 2 or 3.
        keep_days: How long observations are kept; None for ever.

    Raises:
        StoreBusyError: The server does not answer, or forbids it.
    """
    client: Any = InfluxDBClient(
        url=address.url, token=address.token, org=address.org, timeout=TIMEOUT_MS
    )
    done: list[str] = []
    try:
        api = client.buckets_api()
        for name, days in ((address.database, keep_days), (f"{address.database}/{BOOKS}", None)):
            if api.find_bucket_by_name(name) is None:
                rules = [] if days is None else [_expire(days)]
                api.create_bucket(bucket_name=name, org=address.org, retention_rules=rules)
                done.append(f"bucket {name}")
    except (ApiException, HTTPError) as error:
        cause = getattr(cast("Any", error), "message", None) or str(error)
        raise StoreBusyError(
            store=address.name, cause=str(cause), retry_after_s=RETRY_AFTER_S
        ) from error
    finally:
        client.close()
    return done


def _expire(days: int) -> dict[str, Any]:
    return {"type": "expire", "everySeconds": days * SECONDS_PER_DAY}
