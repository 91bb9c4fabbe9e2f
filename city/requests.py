"""What ingest asks of a device, on `madina.requests`: whoever bridges it may carry it there.

A message of core NATS, never stored: an answer that does not come is asked for again.
"""

import msgspec

__all__ = ["Request", "decode_request", "encode_request"]


class Request(msgspec.Struct, frozen=True, array_like=True):
    """A message for a device, to be published with QoS 0 and not retained.

    Attributes:
        topic: Where, on the broker that its messages come from.
    """

    topic: str
    payload: bytes


_request = msgspec.msgpack.Decoder(Request)


def encode_request(request: Request) -> bytes:
    """Write one request."""
    return msgspec.msgpack.encode(request)


def decode_request(data: bytes) -> Request:
    """Read one request.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _request.decode(data)
