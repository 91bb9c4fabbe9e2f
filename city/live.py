"""What ingest tells on `madina.live` once observations are stored: for pages, never for accounts.

One message holds the observations of one commit, or a part of them; core NATS, never stored. Under
load ingest may leave some out: who needs every observation asks the store.
"""

import msgspec

__all__ = ["LIVE_OBSERVATIONS_MAX", "LiveObservation", "decode_live", "encode_live"]

# In one message: about 100 KB, far below the log server's limit.
LIVE_OBSERVATIONS_MAX = 500


class LiveObservation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stored observation.

    Attributes:
        kind: Of the device; empty where nobody said.
        unit: UCUM code; None where nobody knows it.
        metadata: JSON text, as stored.
    """

    provider: str
    device: str
    quantity: str
    value: float | int | bool | str
    time_us: int
    received_us: int
    flag: int
    unit: str | None = None
    end_us: int | None = None
    kind: str = ""
    metadata: str | None = None


_observations = msgspec.json.Decoder(list[LiveObservation])


def encode_live(observations: list[LiveObservation]) -> bytes:
    """Write one message: a JSON array."""
    assert len(observations) <= LIVE_OBSERVATIONS_MAX, "a live message is bounded"
    return msgspec.json.encode(observations)


def decode_live(data: bytes) -> list[LiveObservation]:
    """Read one message.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _observations.decode(data)
