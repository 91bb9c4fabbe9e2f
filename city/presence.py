"""What a device's network says of it: gone, or back. Kept with the batch that it was read in.

Only the last word on a device counts, whichever worker reads its shard.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

__all__ = ["PRESENCE", "Presence", "decode_presence", "encode_presence", "offline_of"]

# The name under which ingest keeps presence among what codecs keep (`store.interface.CodecRecord`).
PRESENCE: Final = "presence"


class Presence(msgspec.Struct, frozen=True):
    """The last word on one device.

    Attributes:
        offline_us: When it was said to be gone; 0: it is back.
    """

    provider: str
    device: str
    offline_us: int


_record = msgspec.json.Decoder(int)


def encode_presence(presence: Presence) -> tuple[str, bytes]:
    """Write key and value of a record."""
    return f"{presence.provider}/{presence.device}", msgspec.json.encode(presence.offline_us)


def decode_presence(key: str, value: bytes) -> Presence:
    """Read a record.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    provider, _, device = key.partition("/")
    return Presence(provider, device, _record.decode(value))


def offline_of(records: Iterable[tuple[str, bytes]]) -> dict[tuple[str, str], int]:
    """Return when devices (provider, id) went offline, of those that are, from their records."""
    said = (decode_presence(*record) for record in records)
    return {(each.provider, each.device): each.offline_us for each in said if each.offline_us}
