"""What a load run did, for people, benches and verdicts."""

import msgspec

from loadtest.latency import LatencySummary
from loadtest.plan import LoadPlan

__all__ = ["LoadProgress", "LoadReport"]


class LoadProgress(msgspec.Struct, frozen=True):
    """How far a run is.

    Attributes:
        elapsed_s: Since the first message was due.
        waiting: Messages that are due and not acknowledged (QoS 1) or not sent (QoS 0).
    """

    elapsed_s: float
    connected: int
    sent: int
    acked: int
    resent: int
    waiting: int


class LoadReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a plan.

    Attributes:
        plan: Without its password.
        seconds: From the first message's due time to the last PUBACK (QoS 1) or write (QoS 0).
        cpu_s: CPU of this process over that time, user and system.
        connect_seconds: How long connecting all of them took.
        bytes_a_connection: How much this process grew by connecting, a connection.
        scheduled: Messages that were due; None where there was no schedule.
        sent: Messages, each counted once however often it was sent.
        acked: Messages that got their PUBACK; each other one is in `unacked` or was refused.
        resent: Packets with the DUP flag.
        refused: Messages whose PUBACK said no (MQTT 5.0).
        lost_connections: How often a connection ended that was not told to.
        unexpected_acks: PUBACKs of messages that were not in flight.
        latency: From when a message was due (without a schedule: sent) until its PUBACK.
        service: From when it was last sent until its PUBACK; the difference is what a closed
            loop hides.
        sent_by_connection: Messages with the numbers 0 to this were sent.
        unacked: By connection: the numbers of messages that were sent and have no PUBACK.
        refusals: By connection: the numbers of refused messages, the first thousand of each.
        last_refusal: Words of the last refusal or disconnect by the server; may be empty.
    """

    plan: LoadPlan
    seconds: float
    cpu_s: float
    connect_seconds: float
    bytes_a_connection: int
    scheduled: int | None
    sent: int
    acked: int
    resent: int
    refused: int
    lost_connections: int
    unexpected_acks: int
    latency: LatencySummary
    service: LatencySummary
    sent_by_connection: list[int]
    unacked: dict[int, list[int]]
    refusals: dict[int, list[int]] = {}
    last_refusal: str = ""

    @property
    def rate_per_s(self) -> float:
        """Messages a second: acknowledged ones for QoS 1, sent ones for QoS 0."""
        done = self.acked if self.plan.qos else self.sent
        return done / self.seconds if self.seconds else 0.0

    @property
    def cpu_us(self) -> float:
        """CPU of the generator, microseconds a message."""
        done = self.acked if self.plan.qos else self.sent
        return self.cpu_s * 1e6 / done if done else 0.0
