"""What the parts of a rig tell each other: an order, how far a worker is, what became of it."""

import msgspec

from loadtest.scenario.model import Scenario
from loadtest.timing import TimingsRecord

__all__ = ["FleetResult", "Login", "Order", "WorkerProgress", "WorkerResult", "exhausted_words"]


class Login(msgspec.Struct, frozen=True):
    """What the devices of a provider log in with."""

    user: str
    password: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What one process is to do.

    Attributes:
        worker: Of `workers` on all machines together: it has the connections whose number is
            this one modulo them.
        now_ms: When the first message is due, milliseconds since 1970, for what devices say.
        stems: By fleet: what the ids of its devices begin with.
        logins: By provider.
        interval_s: Length of the report's intervals.
    """

    scenario: Scenario
    host: str
    port: int
    worker: int
    workers: int
    now_ms: int
    stems: dict[str, str]
    logins: dict[str, Login] = {}
    interval_s: float = 1.0


class WorkerProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a process is; all but the first and the last are sums since the start.

    Attributes:
        waiting: Messages that are due and not done.
        lag_s: How late it was itself, at most, since it last told.
    """

    elapsed_s: float
    connected: int
    due: int
    sent: int
    acked: int
    resent: int
    waiting: int
    lost_connections: int
    cpu_s: float
    lag_s: float


class FleetResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages of a fleet's connections in a process.

    Attributes:
        due: Messages of the fleet that were due in all processes together.
        scheduled: Those of them that are this process's and stand for a message.
        sent, acked, refused: Messages, each counted once.
        resent: Packets with the DUP flag.
        next: By connection of this process, in order: its messages below this number were sent.
        open: By number of a connection in the fleet: messages of it without PUBACK.
        refusals: The same of messages that were refused.
        latency: From when a message was due until its PUBACK (QoS 0: until it was written).
        service: The same messages from when each was really sent: what a closed loop reports.
        late: Messages of connections that were cut off on purpose when they were due.
    """

    fleet: str
    due: int
    scheduled: int
    sent: int
    acked: int
    refused: int
    resent: int
    lost_connections: int
    unexpected_acks: int
    late: int
    next: list[int]
    open: dict[int, list[int]]
    refusals: dict[int, list[int]]
    latency: TimingsRecord
    service: TimingsRecord
    last_refusal: str = ""


class WorkerResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order.

    Attributes:
        seconds: From the first message's due time to the last PUBACK.
        cpu_s: Of the process in that time.
        bytes_a_connection: How much the process grew by connecting, a connection.
        lag: How late the process itself was with what was due.
        exhausted: What the machine had none left of, and how often.
        stopped_at_s: When it was told to stop early; None: it was not.
    """

    worker: int
    seconds: float
    cpu_s: float
    connect_s: float
    connections: int
    bytes_a_connection: int
    dial_failures: int
    exhausted: dict[str, int]
    lag: TimingsRecord
    fleets: list[FleetResult]
    stopped_at_s: float | None = None


def exhausted_words(results: list[WorkerResult]) -> list[str]:
    """Return what the machine had none left of, for people."""
    return sorted({words for result in results for words in result.exhausted})
