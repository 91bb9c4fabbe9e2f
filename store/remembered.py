"""What ingest keeps in the store to decide later messages by; written with the batch it is of."""

import msgspec

__all__ = ["CodecRecord", "RecentKey"]


class RecentKey(msgspec.Struct, frozen=True):
    """Fingerprint of a message that had no time of its own (id, or payload): its last 64 count.

    Attributes:
        key: Unsigned, 64 bits.
        origin: Of its frame; see `store.interface.origin_of`. Not read back.
    """

    provider: str
    device: str
    key: int
    received_us: int
    origin: int = 0


class CodecRecord(msgspec.Struct, frozen=True):
    """What a codec has to know of messages before; the last one of a key counts."""

    codec: str
    key: str
    value: bytes
