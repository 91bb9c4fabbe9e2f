"""What both generations of ChirpStack share: topics, events, a location that was worked out.

Source: formats.md sections 5 and 6.
"""

from typing import Any, Final

import msgspec

from city.reasons import MessageReason
from ingest.codecs.measures import Measures
from ingest.codecs.members import members_of
from ingest.codecs.seam import MessageError

__all__ = ["EVENTS", "Named", "event_of", "location", "named_by"]

EVENTS: Final = frozenset(
    {"up", "join", "ack", "txack", "log", "status", "location", "integration", "error"}
)
# `rx` is what the third generation once called `up`.
OLD_NAMES: Final = {"rx": "up"}


class Named(msgspec.Struct, frozen=True):
    """What a topic says.

    Attributes:
        device: The level with the EUI, as it stands; None where the topic has none.
        event: One of `EVENTS`; None where the topic has none.
    """

    device: str | None
    event: str | None


def named_by(topic: str) -> Named:
    """Read `.../application/{id}/device/{EUI}/event/{event}`; parts may be missing."""
    levels = topic.split("/")
    device = next(
        (
            levels[at + 3]
            for at in range(len(levels) - 3)
            if levels[at] == "application" and levels[at + 2] == "device"
        ),
        None,
    )
    return Named(device, event_of(levels[-1]) if _ends_with_event(levels) else None)


def event_of(name: str) -> str | None:
    """Return the event that a level or a path of levels ends with; None where it is none."""
    last = name.rpartition("/")[2]
    event = OLD_NAMES.get(last, last)
    return event if event in EVENTS else None


def _ends_with_event(levels: list[str]) -> bool:
    # A topic of somebody else's choice may well end with `log` or `status`.
    return bool({"event", "application"} & set(levels[-2:-1])) or levels[-3:-2] == ["device"]


def location(sent: dict[str, Any]) -> Measures:
    """Return the place that the network worked out for a device.

    Raises:
        MessageError: `missing_field`.
    """
    place = members_of(sent.get("location"))
    if not place:
        raise MessageError(MessageReason.MISSING_FIELD, "`location` is missing or no object")
    measures = Measures()
    for name, unit in (("latitude", "deg"), ("longitude", "deg"), ("altitude", "m")):
        # A coordinate of 0 is left out; an altitude that is left out may be unknown.
        missing = None if name == "altitude" else 0
        measures.add(name, name, place.get(name, missing), unit)
    return measures
