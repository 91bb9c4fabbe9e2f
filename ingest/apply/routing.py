"""Topic to lane: which codec reads a message, and for which provider.

The most specific pattern wins: level by level a name goes before `+`, and `+` before `#`; of equal
ones the first name. Topics `madina/v1/{provider}/{device}/raw/{format}` need no route: their last
level names the codec, or the mapping of a route (formats.md section 0.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from city.topics import filter_matches, specificity
from ingest.codecs.mapping.document import mapping_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ingest.codecs.seam import Codec
    from registry.facts import Route

__all__ = ["IGNORE", "NATIVE", "Lane", "Router"]

NATIVE: Final = "native"
MAPPING: Final = "mapping"
# Messages are counted and nothing is stored.
IGNORE: Final = "ignore"
RAW_ROUTE: Final = "raw"
STATUS_ROUTE: Final = "status"
OWN_PREFIX: Final = ["madina", "v1"]
# madina / v1 / provider / device / up
OWN_LEVELS: Final = 5
RAW_LEVELS: Final = 6
# A provider's name that is ours: indicators leave under it.
RESERVED: Final = "indicators"
REMEMBERED_TOPICS: Final = 65_536
# Short names of formats in topics of our own.
SHORT_NAMES: Final = {"senml": "senml-json"}

_options = msgspec.json.Decoder(dict[str, Any])


class Lane(msgspec.Struct, frozen=True):
    """How messages of one topic are read.

    Attributes:
        route: Name for ledger and quarantine.
        codec: Name of the codec.
        reader: The codec; None where nobody has it, or where messages are ignored.
        recorded: Times are believed as they are.
    """

    route: str
    codec: str
    provider: str
    timezone: str
    reader: Codec | None = None
    recorded: bool = False
    options: dict[str, Any] = {}


class Router:
    """Decides by routes; remembers the topics it has seen."""

    def __init__(self, routes: Iterable[Route], codecs: Mapping[str, Codec], timezone: str) -> None:
        """Take enabled routes, codecs by name, and the zone of times without one."""
        routes = list(routes)
        self._routes = sorted(routes, key=lambda route: (specificity(route.pattern), route.name))
        self._mappings = {
            mapping_name(route.options): route for route in routes if route.codec == MAPPING
        }
        self._codecs = codecs
        self._timezone = timezone
        self._lanes: dict[str, Lane | None] = {}

    def lane(self, topic: str) -> Lane | None:
        """Return how to read a topic; None where no route speaks of it."""
        if topic in self._lanes:
            return self._lanes[topic]
        if len(self._lanes) >= REMEMBERED_TOPICS:
            self._lanes.clear()
        lane = self._lanes[topic] = self._find(topic)
        return lane

    def _find(self, topic: str) -> Lane | None:
        levels = topic.split("/")
        own = levels[:2] == OWN_PREFIX and len(levels) >= OWN_LEVELS
        if own and levels[2] == RESERVED:
            return None
        name = topic.encode()
        for route in self._routes:
            provider = route.provider or (levels[2] if own else "")
            if provider and filter_matches(route.pattern.encode(), name):
                return self._routed(route, provider)
        return self._unrouted(levels) if own else None

    def _routed(self, route: Route, provider: str) -> Lane:
        return Lane(
            route=route.name,
            codec=route.codec,
            provider=provider,
            timezone=route.timezone or self._timezone,
            reader=self._codecs.get(route.codec),
            recorded=route.recorded,
            options=_options.decode(route.options),
        )

    def _unrouted(self, levels: list[str]) -> Lane | None:
        provider, kind = levels[2], levels[4]
        if kind == RAW_ROUTE and len(levels) == RAW_LEVELS:
            codec = SHORT_NAMES.get(levels[5], levels[5])
            if codec in self._mappings:
                return self._routed(self._mappings[codec], provider)
            return Lane(RAW_ROUTE, codec, provider, self._timezone, self._codecs.get(codec))
        if kind == STATUS_ROUTE and len(levels) == OWN_LEVELS:
            return Lane(STATUS_ROUTE, IGNORE, provider, self._timezone)
        return None
