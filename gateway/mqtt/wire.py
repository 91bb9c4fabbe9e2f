"""What a connection and the server that owns its socket know of each other.

The server feeds bytes (`Connection.received`), tells the end (`Connection.ended`) and ticks once a
second (`Endpoint.tick`); the connection writes, closes and pauses through a `Wire`.
"""

from typing import Literal, Protocol

import msgspec

__all__ = ["LONGEST_CONNECT_BYTES", "SHORTEST_MAX_PACKET", "ConnectionSettings", "Peer", "Wire"]

# A CONNECT comes from somebody whom nobody knows yet: it gets less room than a message.
LONGEST_CONNECT_BYTES = 65_536
# Below it the short packets of the protocol itself would not fit.
SHORTEST_MAX_PACKET = 256


class Wire(Protocol):
    """The way back to a device; an asyncio transport is one."""

    def write(self, data: bytes) -> None:
        """Send bytes, later if need be."""
        ...

    def close(self) -> None:
        """Send what was written and close; `Connection.ended` follows."""
        ...

    def pause_reading(self) -> None:
        """Feed nothing until `resume_reading`."""
        ...

    def resume_reading(self) -> None:
        """Feed again."""
        ...

    def read_rest(self) -> None:
        """Feed at once what has arrived and was not fed yet, if it may be fed."""
        ...


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end, as far as the socket tells.

    Attributes:
        address: For logs, e.g. `192.0.2.7:50123`; behind a believed proxy the device's own.
        near: The peer is this machine and no proxy stands between (`gateway.grants.Login`).
        certificate: Common name of a client certificate that our authority signed; None: none.
    """

    address: str
    near: bool = False
    certificate: str | None = None


class ConnectionSettings(msgspec.Struct, frozen=True):
    """Limits and manners of all connections of a process.

    Attributes:
        max_packet: Longest packet, fixed header included, bytes.
        connect_timeout_s: From the connection to a complete CONNECT.
        unacked_bytes: What one connection may have waiting for the log before it has to pause.
        receive_maximum: QoS 1 and 2 messages that an MQTT 5 device may have unacknowledged.
        topic_alias_maximum: Aliases that an MQTT 5 device may use.
        session_expiry_s: How long a session is kept after its connection, at most.
        max_kept_sessions: Sessions without a connection; the one that left first gives way.
        subscribe: What SUBSCRIBE gets: a refusal, or a grant followed by silence.
    """

    max_packet: int = 262_144
    connect_timeout_s: float = 10.0
    unacked_bytes: int = 1 << 20
    receive_maximum: int = 4_096
    topic_alias_maximum: int = 16
    session_expiry_s: int = 3_600
    max_kept_sessions: int = 50_000
    subscribe: Literal["refuse", "ignore"] = "refuse"

    def __post_init__(self) -> None:
        assert self.max_packet >= SHORTEST_MAX_PACKET, "packets of the protocol itself must fit"
