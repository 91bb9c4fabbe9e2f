"""Routes as ingest sees them."""

import msgspec
from sqlalchemy import RowMapping, select

from registry.facts import Route
from registry.tables import RouteRow

__all__ = ["ROUTES", "route_fact"]

ROUTES = select(
    RouteRow.name,
    RouteRow.pattern,
    RouteRow.codec,
    RouteRow.provider,
    RouteRow.recorded,
    RouteRow.timezone,
    RouteRow.revision,
    RouteRow.enabled,
    RouteRow.removed,
    RouteRow.options,
)


def route_fact(row: RowMapping) -> Route:
    """Return the route of a row of `ROUTES`."""
    fields = dict(row)
    enabled = not fields.pop("removed") and fields["enabled"]
    options = msgspec.json.encode(fields["options"]).decode()
    return msgspec.convert({**fields, "enabled": enabled, "options": options}, Route)
