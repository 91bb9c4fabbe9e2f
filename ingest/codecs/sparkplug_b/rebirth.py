"""The command that makes an edge node tell again what it has.

Source: formats.md section 7 (rebirth request).
"""

from typing import Final

from city.requests import Request
from ingest.codecs.sparkplug_b.topic import NamedBy

__all__ = ["rebirth_request"]

NAME: Final = b"Node Control/Rebirth"
# Metric: name (1), datatype (4) Boolean, boolean value (14) true.
METRIC: Final = b"\x0a" + bytes([len(NAME)]) + NAME + b"\x20\x0b\x70\x01"


def rebirth_request(bridge: str, named: NamedBy, now_us: int) -> Request:
    """Return the request to an edge node.

    Args:
        bridge: Client identifier of who carries it there.
        named: The topic of a message of it.
        now_us: When it is asked.
    """
    payload = b"\x08" + _varint(now_us // 1_000) + b"\x12" + bytes([len(METRIC)]) + METRIC
    return Request(bridge, f"spBv1.0/{named.group}/NCMD/{named.edge}", payload)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number >= 0x80:  # noqa: PLR2004 - the bit that says that more follows
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
