"""What a gateway process tells about itself once a second, for pages and metrics.

Core NATS, never stored: who does not listen misses it, and the next one comes a second later.
"""

import enum

import msgspec

__all__ = [
    "GATEWAY_STATES",
    "BrokerState",
    "GatewayState",
    "LogState",
    "decode_state",
    "encode_state",
    "state_subject",
]

# Subscribe to this for the states of all gateways.
GATEWAY_STATES = "madina.gateway.*.state"


class LogState(enum.StrEnum):
    """How the log treats a gateway process."""

    READY = "ready"
    SLOW = "slow"
    FULL = "full"
    AWAY = "away"


class BrokerState(msgspec.Struct, frozen=True):
    """One broker that is bridged. Counts are since the start of the process.

    Attributes:
        name: Host and port.
        client: Client identifier of the bridge there.
        connected: Messages come: at least one topic filter is granted.
        reason: Why messages do not come, or not all, with what mends it; empty when all is well.
        warning: What else somebody should look at; empty when nothing.
        version: Of MQTT.
        session_present: The broker had kept the session when we connected last.
        connects: How often the broker let us in.
        messages: Taken; `redelivered`, `refused` and `too_long` are not among them.
        held: In flight now: taken and not acknowledged yet.
        redelivered: Came again while the first was held.
        refused: On topics that nobody asked for.
        too_long: Longer than the log takes; not acknowledged.
        requests: What ingest asked of devices and the broker was given; `requests_dropped`: not.
        last_us: When the last message came; 0: none yet.
    """

    name: str
    client: str
    connected: bool = False
    reason: str = ""
    warning: str = ""
    version: str = ""
    session_present: bool = False
    connects: int = 0
    messages: int = 0
    messages_per_s: float = 0.0
    held: int = 0
    redelivered: int = 0
    refused: int = 0
    too_long: int = 0
    requests: int = 0
    requests_dropped: int = 0
    last_us: int = 0


class GatewayState(msgspec.Struct, frozen=True):
    """One gateway process at one instant. Counts are since its start (its epoch).

    Attributes:
        name, epoch: As in the frames that it writes.
        time_us: When this was written.
        connections: MQTT connections now.
        connects: Connections accepted.
        messages, message_bytes: Taken from devices.
        messages_per_s: Over the last second.
        frames, resends: Sent to the log; of those, sent again.
        unacked_bytes, unacked_limit_bytes: Held until the log has them, and how much may be.
        waiting: Connections are not read, since too much is held or the disk reserve is used up.
        log: How the log does.
        reason: Words for people, empty when all is well.
        frame_latency_s: First message of the last confirmed frame to its confirmation.
        refused: How often something was refused, by reason.
        brokers: What a bridge tells of its brokers; None: devices connect here.
    """

    name: str
    epoch: int
    time_us: int
    connections: int = 0
    connects: int = 0
    messages: int = 0
    message_bytes: int = 0
    messages_per_s: float = 0.0
    frames: int = 0
    resends: int = 0
    unacked_bytes: int = 0
    unacked_limit_bytes: int = 0
    waiting: bool = False
    log: LogState = LogState.AWAY
    reason: str = ""
    frame_latency_s: float = 0.0
    refused: dict[str, int] = {}
    brokers: tuple[BrokerState, ...] | None = None


_state = msgspec.json.Decoder(GatewayState)


def state_subject(gateway: str) -> str:
    """Return the subject on which a gateway process tells its state."""
    return f"madina.gateway.{gateway}.state"


def encode_state(state: GatewayState) -> bytes:
    """Write a state as JSON."""
    return msgspec.json.encode(state)


def decode_state(data: bytes) -> GatewayState:
    """Read a state.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _state.decode(data)
