"""What a person asks of the quarantine: the detail of REPLAY and DROP records on the log.

The request travels through every shard's log, so it takes effect at the same place of the log
whoever applies it; a shard resolves its own entries only.
"""

import msgspec

__all__ = ["ReplayRequest", "decode_request", "encode_request"]


class ReplayRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which held entries; every member narrows it.

    Attributes:
        ids: Entries by id; None: all that the other members select.
        reason: Reason code of city.reasons.MessageReason.
        provider, device, route: As in the entry.
    """

    ids: tuple[str, ...] | None = None
    reason: str | None = None
    provider: str | None = None
    device: str | None = None
    route: str | None = None


_request = msgspec.json.Decoder(ReplayRequest)


def encode_request(request: ReplayRequest) -> str:
    """Write a request as JSON text."""
    return msgspec.json.encode(request).decode()


def decode_request(detail: str) -> ReplayRequest:
    """Read a request.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _request.decode(detail)
