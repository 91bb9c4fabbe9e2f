"""What ingest writes: one batch, and all that it can bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from store.remembered import CodecRecord, RecentKey

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

__all__ = [
    "ORIGIN_SHARDS",
    "Batch",
    "GatewayCount",
    "Kind",
    "LedgerRow",
    "Mark",
    "QuarantineEntry",
    "ReceivedRow",
    "Resolution",
    "Series",
    "origin_of",
]

Kind = Literal["number", "bool", "text"]

# Shards that an origin can name; `MADINA_SHARDS` has the same limit.
ORIGIN_SHARDS: Final = 1_024


def origin_of(shard: int, sequence: int) -> int:
    """Return one number for a frame on the log, of its shard and its log sequence."""
    return sequence * ORIGIN_SHARDS + shard


class Series(msgspec.Struct, frozen=True):
    """One device and quantity. `series` numbers are dense, given by ingest, and never reused.

    Attributes:
        unit: UCUM code of every stored value; None where nobody knows it.
        kind: Type of every stored value.
    """

    series: int
    provider: str
    device: str
    quantity: str
    unit: str | None
    kind: Kind


class Mark(msgspec.Struct, frozen=True):
    """How far a shard is applied.

    Attributes:
        previous: Log sequence that the writer believes to be the mark now; 0 for none. A store
            that holds another one refuses the batch (`FencedError`): somebody else owns the shard.
        sequence: Log sequence of the last frame in this batch.
    """

    shard: int
    previous: int
    sequence: int


class GatewayCount(msgspec.Struct, frozen=True):
    """Messages applied of one gateway process and shard, by the gateway's own running count."""

    gateway: str
    epoch: int
    shard: int
    count: int


class ReceivedRow(msgspec.Struct, frozen=True):
    """Messages received in a minute, from frame headers (counted by the gateways)."""

    shard: int
    minute_us: int
    received: int


class LedgerRow(msgspec.Struct, frozen=True):
    """Sums to add for a shard, minute, provider and route. A replay adds negative ones.

    Attributes:
        minute_us: Start of the minute of the frame's receive time.
        stored: Observations stored, conflicts included.
        conflict: How many of `stored` were conflicts.
    """

    shard: int
    minute_us: int
    provider: str
    route: str
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    decoded: int = 0
    stored: int = 0
    duplicate_observations: int = 0
    rejected: int = 0
    conflict: int = 0


class QuarantineEntry(msgspec.Struct, frozen=True):
    """A message that was not accepted whole, with its bytes and the rule's words.

    Attributes:
        id: `{shard}-{log sequence}-{index}`: the same message has the same id whoever writes it.
        state: `held` waits for a person; `partial` was accepted, some observations were rejected;
            `replayed` and `dropped` are done, and stay readable.
        payload: At most 64 KiB; `length` and `sha256` are of the whole.
        reasons: Partial entries: reason and quantity of each rejected observation.
        resolved_us: When a replay or a drop last changed the state; 0 for never.
    """

    id: str
    shard: int
    received_us: int
    minute_us: int
    topic: str
    provider: str
    device: str
    route: str
    codec: str
    client: str
    flags: int
    reason: str
    words: str
    payload: bytes
    length: int
    sha256: str
    content_type: str = ""
    state: Literal["held", "partial", "replayed", "dropped"] = "held"
    reasons: tuple[tuple[str, str], ...] = ()
    resolved_us: int = 0


class Resolution(msgspec.Struct, frozen=True):
    """A quarantine entry that changes its state in this batch."""

    id: str
    state: Literal["replayed", "dropped", "partial", "held"]
    reason: str = ""
    words: str = ""
    resolved_us: int = 0


class Batch(msgspec.Struct, frozen=True):
    """Everything that one stretch of the log changes.

    Attributes:
        observations, conflicts: Of `OBSERVATION_SCHEMA`; conflicts are kept beside the first value.
        origins, conflict_origins: The frame of each of their rows (n,), see `origin_of`; None for
            the frame of the first mark. A store without transactions needs them to tell what a
            writer that died had begun from what was committed.
        request: Of a batch that leaves the mark: log sequence of the frame that asks for it, or of
            the next one where nobody does. Beyond the mark.
    """

    marks: list[Mark]
    counts: list[GatewayCount]
    received: list[ReceivedRow]
    ledger: list[LedgerRow]
    observations: pa.Table
    conflicts: pa.Table
    series: list[Series] = []
    quarantine: list[QuarantineEntry] = []
    resolutions: list[Resolution] = []
    recent: list[RecentKey] = []
    codec_records: list[CodecRecord] = []
    origins: npt.NDArray[np.int64] | None = None
    conflict_origins: npt.NDArray[np.int64] | None = None
    request: int = 0
