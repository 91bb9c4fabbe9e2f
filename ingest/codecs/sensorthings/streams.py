"""Which datastream an observation belongs to, and what the route says it is.

Source: OGC 18-088 (SensorThings 1.1), section on MQTT; FROST-Server's tests; formats.md section 15.
"""

import re
from typing import Any, Final

import msgspec

from city.reasons import MessageReason
from ingest.codecs.members import members_of
from ingest.codecs.profile import Profile
from ingest.codecs.seam import MessageError
from ingest.codecs.streams import Meant

__all__ = ["SensorThingsOptions", "meant_by"]

# `v1.1/Datastreams(42)/Observations`; an id is a number, a UUID or quoted text (`''` is a quote).
STREAM: Final = re.compile(
    r"(?:^|/)v1\.[01]/(?:Multi)?Datastreams\((?:'((?:[^']|'')*)'|([\w-]+))\)/Observations(?:\?.*)?",
    re.ASCII | re.DOTALL,
)
LINKS: Final = ("Datastream", "MultiDatastream")
ID: Final = "@iot.id"


class SensorThingsOptions(Profile, frozen=True):
    """Options of a route for SensorThings.

    Attributes:
        datastreams: Id of a datastream to what it is; of a MultiDatastream an array of these, in
            the order of its observed properties.
    """

    datastreams: dict[str, Meant | list[Meant]] = msgspec.field(
        default_factory=dict[str, Meant | list[Meant]]
    )

    def __post_init__(self) -> None:
        """Refuse what would spoil every message in silence."""
        super().__post_init__()
        for name, meant in self.datastreams.items():
            several = meant if isinstance(meant, list) else [meant]
            if not several or any(each.device is None for each in several):
                raise ValueError(f"`datastreams`: {name!r} has no `device`")
            if len({each.device for each in several}) > 1:
                raise ValueError(f"`datastreams`: {name!r} has more than one device")


def meant_by(topic: str, sent: dict[str, Any], options: SensorThingsOptions) -> Meant | list[Meant]:
    """Return what the datastream of an observation is.

    Raises:
        MessageError: `missing_field` where nobody names it, `unknown_datastream` where the route
            does not know it.
    """
    name = _named(topic, sent)
    if name is None:
        words = "neither the topic nor `Datastream` names the datastream"
        raise MessageError(MessageReason.MISSING_FIELD, words)
    meant = options.datastreams.get(name)
    if meant is None:
        words = f"the datastream {name[:64]!r} is none of `datastreams` of the route"
        raise MessageError(MessageReason.UNKNOWN_DATASTREAM, words)
    return meant


def _named(topic: str, sent: dict[str, Any]) -> str | None:
    match = STREAM.search(topic)
    if match is not None:
        return match[2] if match[1] is None else match[1].replace("''", "'")
    for link in LINKS:
        name = members_of(sent.get(link)).get(ID)
        if isinstance(name, int | str) and not isinstance(name, bool):
            return str(name)
    return None
