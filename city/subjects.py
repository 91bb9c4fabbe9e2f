"""Names on the NATS log: one stream, one subject a shard, gateway and gateway epoch.

The epoch is in the subject so that the last message of each subject tells how much every gateway
process that ever lived has put on the log (the ledger's `received`).
"""

import re
import zlib

__all__ = [
    "ACCESS_BUCKET",
    "LIVE_SUBJECT",
    "REQUEST_SUBJECT",
    "STREAM",
    "STREAM_SUBJECTS",
    "consumer_name",
    "frame_subject",
    "gateway_token",
    "shard_filter",
    "shard_of",
]

STREAM = "MADINA"
STREAM_SUBJECTS = "madina.log.>"
LIVE_SUBJECT = "madina.live"
REQUEST_SUBJECT = "madina.requests"
ACCESS_BUCKET = "madina_access"

NATIVE_PREFIX = b"madina/v1/"
SPARKPLUG_PREFIX = b"spBv1.0/"


def frame_subject(shard: int, gateway: str, epoch: int) -> str:
    """Return the subject on which a gateway process appends frames of a shard."""
    return f"madina.log.{shard}.{gateway}.{epoch}"


def shard_filter(shard: int) -> str:
    """Return the filter that selects every frame of a shard."""
    return f"madina.log.{shard}.>"


def consumer_name(shard: int) -> str:
    """Return the durable consumer of a shard."""
    return f"shard-{shard}"


def gateway_token(name: str) -> str:
    """Return a name that is one NATS token: letters, digits, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name) or "gateway"


def shard_of(topic: bytes, shards: int) -> int:
    """Return the shard of a topic.

    Levels 3 and 4 of native topics, group and edge node of Sparkplug's (its messages mean nothing
    without those before), otherwise the whole topic.

    CRC-32 because every process, version and language agrees on it; it spreads, it does not guard.
    """
    if topic.startswith(NATIVE_PREFIX):
        topic = b"/".join(topic.split(b"/", 4)[2:4])
    elif topic.startswith(SPARKPLUG_PREFIX):
        topic = b"/".join(topic.split(b"/", 4)[1:4:2])
    return zlib.crc32(topic) % shards
