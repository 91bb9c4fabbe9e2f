"""Sparkplug's topics: `spBv1.0/{group}/{type}/{edge node}[/{device}]`.

Source: formats.md section 7.
"""

from typing import Final

import msgspec

from city.identity import joined_id
from city.reasons import MessageReason
from ingest.codecs.seam import MessageError

__all__ = ["NamedBy", "named_by"]

NAMESPACE: Final = "spBv1.0"
STATE: Final = "STATE"
NODE_TYPES: Final = frozenset({"NBIRTH", "NDEATH", "NDATA", "NCMD"})
DEVICE_TYPES: Final = frozenset({"DBIRTH", "DDEATH", "DDATA", "DCMD"})
NODE_LEVELS: Final = 4


class NamedBy(msgspec.Struct, frozen=True):
    """What a topic says.

    Attributes:
        kind: Type of the message; `STATE` for a host's.
        group, edge: As sent.
        node: Id of the edge node; empty for a host.
        device: Id of what the message is about: the node, or one of its devices.
    """

    kind: str
    group: str = ""
    edge: str = ""
    node: str = ""
    device: str = ""


def named_by(topic: str) -> NamedBy:
    """Read a topic.

    Raises:
        MessageError: `sparkplug_topic` or `bad_device_id`.
    """
    levels = topic.split("/")
    if STATE in levels[:2]:
        return NamedBy(STATE)
    kind = levels[2] if len(levels) >= NODE_LEVELS and levels[0] == NAMESPACE else ""
    wanted = NODE_LEVELS + (kind in DEVICE_TYPES)
    if kind not in NODE_TYPES | DEVICE_TYPES or len(levels) != wanted:
        words = f"{topic!r} is not {NAMESPACE}/group/type/edge node, with a device for D types"
        raise MessageError(MessageReason.SPARKPLUG_TOPIC, words)
    names = [levels[1], *levels[3:]]
    node, device = joined_id(names[:2]), joined_id(names)
    if node is None or device is None:
        raise MessageError(MessageReason.BAD_DEVICE_ID, f"no device can be named by {topic!r}")
    return NamedBy(kind, levels[1], levels[3], node, device)
