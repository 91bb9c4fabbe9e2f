"""What a load run is to do, and when each message of it is due. Pure."""

from typing import Literal

import msgspec

from loadtest.packets import Version

__all__ = ["LoadPlan", "PlanError", "Schedule"]

DEFAULT_FIRST_MS = 1_772_600_000_000
# With 13 digits for every time, all messages have one length.
SMALLEST_MS = 1_000_000_000_000
LARGEST_MS = 7_226_582_400_000


class PlanError(ValueError):
    """A plan that cannot be run."""


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How many devices send how much, to whom, for how long.

    Attributes:
        connections: MQTT connections.
        in_flight: Messages without PUBACK that a connection may have (QoS 1).
        rate_per_s: Messages a second of all connections together, at fixed instants (open loop);
            0 only stays connected; None sends as fast as the window lets (closed loop).
        seconds: How long to send; None: until `messages` are sent.
        messages: How many to send in all, shared out evenly; None: no limit.
        devices_per_connection: Devices that take turns on a connection, as behind a gateway.
        observations: Measurements in a message, 1 to 6.
        first_device: Number of the first device; they count up from it.
        first_ms: Time of each device's first message, milliseconds since 1970.
        step_ms: How much later a device's next message says it is.
        drain_s: How long to wait for the last PUBACKs.
        connect_s: How long to wait until all are connected.
        dials_at_once: Connections that are being opened at any moment.
    """

    host: str = "127.0.0.1"
    port: int
    connections: int = 200
    in_flight: int = 20
    qos: Literal[0, 1] = 1
    version: Version = 4
    rate_per_s: float | None = None
    seconds: float | None = None
    messages: int | None = None
    devices_per_connection: int = 1
    observations: int = 2
    provider: str = "load"
    first_device: int = 0
    first_ms: int = DEFAULT_FIRST_MS
    step_ms: int = 1
    client_prefix: str = "load"
    keep_alive_s: int = 60
    user: str | None = None
    password: str | None = None
    drain_s: float = 60.0
    connect_s: float = 60.0
    dials_at_once: int = 64

    def checked(self) -> "LoadPlan":
        """Return the plan itself.

        Raises:
            PlanError: If it says nothing that can be done, or not when to stop.
        """
        positive = (self.connections, self.in_flight, self.devices_per_connection, self.step_ms)
        if min(positive) < 1 or self.in_flight > 65_535:  # noqa: PLR2004 - packet ids have 16 bits
            raise PlanError("connections, window and devices start at 1, a window ends at 65535")
        if not 1 <= self.observations <= 6:  # noqa: PLR2004 - see `loadtest.payloads`
            raise PlanError(f"{self.observations} observations in a message: 1 to 6")
        if not SMALLEST_MS <= self.first_ms <= LARGEST_MS:
            raise PlanError(f"{self.first_ms} ms is not between 2001 and 2199")
        if self.seconds is None and (self.messages is None or self.rate_per_s == 0):
            raise PlanError("say how many seconds or how many messages")
        return self


class Schedule:
    """When each message is due: the n-th of all is due `n / rate` after the start.

    Connections take turns, so a connection's messages are evenly spaced and no two connections
    send at the same instant.
    """

    def __init__(self, rate_per_s: float, connections: int) -> None:
        assert rate_per_s > 0
        self._rate = rate_per_s
        self._connections = connections
        self.step_s = connections / rate_per_s

    def due(self, elapsed_s: float) -> int:
        """Return how many messages of all are due this long after the start."""
        return int(elapsed_s * self._rate) + 1

    def due_of(self, connection: int, due: int) -> int:
        """Return how many of the messages that are due belong to a connection."""
        return max(0, (due - connection + self._connections - 1) // self._connections)

    def first_s(self, connection: int) -> float:
        """Return when the first message of a connection is due, seconds after the start."""
        return connection / self._rate

    def touched(self, before: int, due: int) -> range:
        """Return the connections that got messages between two counts of due messages.

        Numbers beyond the last connection stand for those from 0 on.
        """
        first = before % self._connections
        return range(first, first + min(due - before, self._connections))
