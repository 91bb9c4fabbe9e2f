"""What ingest asks of a device, on `madina.requests`: the bridge to its broker carries it there.

A message of core NATS, never stored: an answer that does not come is asked for again.
"""

import msgspec

__all__ = ["Request", "decode_request", "encode_request"]


class Request(msgspec.Struct, frozen=True, array_like=True):
    """A message for a device, to be published with QoS 0 and not retained.

    Attributes:
        bridge: MQTT client identifier of the bridge at the broker that its messages come from.
        topic: Where, on that broker.
    """

    bridge: str
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
