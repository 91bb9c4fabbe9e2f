"""The members of a scenario file; their schema is made from these structs."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

__all__ = [
    "Budgets",
    "Burst",
    "ClockRule",
    "Duration",
    "Expected",
    "Fault",
    "FleetRule",
    "Habits",
    "Hold",
    "Outage",
    "Phase",
    "Ramp",
    "Reading",
    "Scenario",
    "Server",
    "Steps",
    "expected_of",
    "seconds_of",
]

UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_DURATION: Final = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"

Duration = (
    Annotated[str, Meta(pattern=_DURATION, description="a number and ms, s, m, h or d")]
    | Annotated[float, Meta(ge=0, description="seconds")]
)
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,30}$")]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Factor = Annotated[float, Meta(ge=0)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member that nobody knows is refused: a misspelt one must not be silently ignored."""


class Ramp(_Strict, frozen=True, tag_field="kind", tag="ramp"):
    """The rate goes evenly from where it is to another factor."""

    seconds: Duration
    to: Factor


class Hold(_Strict, frozen=True, tag_field="kind", tag="hold"):
    """The rate stays: a step, or a soak where it is long."""

    seconds: Duration
    at: Factor | None = None


class Burst(_Strict, frozen=True, tag_field="kind", tag="burst"):
    """Another rate for a while; afterwards the one from before."""

    seconds: Duration
    at: Factor


class Steps(_Strict, frozen=True, tag_field="kind", tag="steps"):
    """One rate after the other, each `times` the one before: finds the largest that holds."""

    seconds: Duration
    start: Factor = 1.0
    times: Annotated[float, Meta(gt=1)] = 1.5
    steps: Annotated[int, Meta(ge=1, le=50)] = 8


Phase = Ramp | Hold | Burst | Steps


class Habits(_Strict, frozen=True):
    """What a fleet's devices do that they should not. Shares of devices, or of messages.

    Attributes:
        duplicates: Of messages: the one before is sent once more instead of a new one.
        malformed: Of messages: cut off in the middle.
        wrong_unit: Of devices: its first quantity comes in a unit that is none of it.
        other_unit: Of devices: units that can be converted (`[degF]` for `Cel`).
        stuck: Of devices: one reading for ever.
        dead: Of devices: the battery ends at some moment of the run.
        missing: Of messages: never sent.
        skew: The largest difference of a device's clock.
        drift_per_day: How far sensors drift in a day at most, as a share of the quantity's swing.
    """

    duplicates: Share = 0.0
    malformed: Share = 0.0
    wrong_unit: Share = 0.0
    other_unit: Share = 0.0
    stuck: Share = 0.0
    dead: Share = 0.0
    missing: Share = 0.0
    skew: Duration = 0.0
    drift_per_day: Share = 0.0


class Outage(_Strict, frozen=True):
    """Connections are cut; what falls due meanwhile is sent late, with its own times.

    Attributes:
        at: Since the start.
        lasts: Until they may come back; 0 is a reconnect storm.
        share: Of the fleet's connections.
    """

    at: Duration
    lasts: Duration = 0.0
    share: Share = 1.0


class Expected(_Strict, frozen=True):
    """What a fault may do to a run; checked when the run is over.

    Nobody can tell which of several faults lost a message: what a run may lose is the sum of them.

    Attributes:
        lost: Messages with PUBACK that are not there. Only what acknowledges before it stores, such
            as a broker that is not ours, has a reason to lose any.
        difference: Of the ledger.
        catch_up: From the end of the fault, or from a kill, until no more waits than a second
            brings; unset: only told.
    """

    lost: Annotated[int, Meta(ge=0)] = 0
    difference: Annotated[int, Meta(ge=0)] = 0
    catch_up: Duration | None = None


class Fault(_Strict, frozen=True):
    """Something around a platform is hurt.

    Attributes:
        at: Since the start.
        do: `kill`: SIGKILL; its supervisor starts it again. `freeze`: SIGSTOP, then SIGCONT.
            `fill-disk`: no byte is left on the data folder's disk for a while; it has to be a small
            one. `cut`: a network link is down, or all connections through a proxy are cut off and
            refused. `delay`: every piece through a proxy comes `by` later. `refuse`: a proxy
            answers HTTP with 503.
        part: Of a kill or freeze. `gateway`: all of them. `node`: ingest, store and API. `bridge`:
            to brokers. `broker`, `store`: the bridged broker or the store's server, where they run
            on this machine; who has started them starts them again.
        link: Of a cut: a network interface of this machine, such as one end of a veth pair whose
            other end is in a network namespace.
        proxy: HOST:PORT at which a `madina load proxy` is told what to do.
        by: Of a delay.
        lasts: Of all but a kill.
    """

    at: Duration
    do: Literal["kill", "freeze", "fill-disk", "cut", "delay", "refuse"]
    part: Literal["gateway", "log", "node", "bridge", "broker", "store"] | None = None
    link: Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]{1,15}$")] | None = None
    proxy: Annotated[str, Meta(pattern=r"^[^ :]+:[0-9]{1,5}$")] | None = None
    by: Duration = 0.0
    lasts: Duration = 0.0
    expect: Expected = Expected()

    @property
    def name(self) -> str:
        """For people."""
        of = self.part or self.link or self.proxy
        return f"{self.do} of {of}" if of else self.do


class FleetRule(_Strict, frozen=True):
    """Devices of one kind.

    Attributes:
        every: Between the messages of a device, at factor 1.
        mode: `connection`: one a device. `multiplexed`: a connection carries many, as a network
            server's does. `virtual`: the same, of devices that nobody registers.
        connections: Of the two latter; unset: one for 1,000, or for 100,000 virtual ones; 8 at
            least.
        together: All devices send within so long, once each `every`, as meters on the quarter hour.
        in_flight: Messages without PUBACK that a connection may have.
    """

    name: Name
    devices: Annotated[int, Meta(ge=1, le=100_000_000)]
    every: Duration
    kind: Literal["air", "noise", "traffic", "parking", "waste", "water", "light", "bus"] = "air"
    mode: Literal["connection", "multiplexed", "virtual"] = "connection"
    connections: Count | None = None
    provider: Name = "load"
    format: Literal["native", "senml-json", "chirpstack-v3", "influx"] = "native"
    qos: Literal[0, 1, 2] = 1
    mqtt: Literal["3.1.1", "5.0"] = "3.1.1"
    in_flight: Annotated[int, Meta(ge=1, le=65_535)] = 20
    together: Duration | None = None
    habits: Habits = Habits()
    outages: list[Outage] = []


class ClockRule(_Strict, frozen=True):
    """What time the devices say it is.

    Attributes:
        start: Civil date and time of the first message (`2026-03-29T00:00`); unset: now.
        speed: So many seconds of theirs pass in one of ours; a day in a minute is 1440.
        timezone: Where their days begin.
        festival: Civil dates on which the city is out in the streets.
    """

    start: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d$")] | None = None
    speed: Annotated[float, Meta(gt=0)] = 1.0
    timezone: str = "UTC"
    festival: list[Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]] = []


class Server(_Strict, frozen=True):
    """How devices connect, beyond what the command line says.

    Attributes:
        tls: With TLS, to the port for that.
        ca: PEM file of who signed the server's certificate.
        user, password: `{device}` or the connection's number may stand in them as `{connection}`.
        keep_alive: 0 turns it off.
        sources: Loopback addresses to come from: each has 28,000 ports of its own.
        dials_per_second: New connections a second, of all processes together.
    """

    tls: bool = False
    ca: str | None = None
    user: str | None = None
    password: str | None = None
    keep_alive: Duration = 60.0
    sources: Annotated[int, Meta(ge=1, le=250)] = 1
    dials_per_second: Annotated[float, Meta(gt=0)] = 1_500.0


class Reading(_Strict, frozen=True):
    """What is read from the platform while it is under load.

    Attributes:
        devices: So many are watched: how old is the newest that can be asked for, how long until
            it can be.
        every: How often each is asked for.
        dashboards: Clients that ask for the page's figures each second.
    """

    devices: Annotated[int, Meta(ge=0, le=200)] = 8
    every: Duration = 0.5
    dashboards: Annotated[int, Meta(ge=0, le=200)] = 0


class Budgets(_Strict, frozen=True):
    """What a run must keep; what is unset is only told.

    More lost messages than the faults together may cost always fail a run.

    Attributes:
        sent: Share of what was due that was sent.
        lag_p99: How late the generator itself may be; beyond it no latency is reported.
    """

    puback_p99: Duration | None = None
    puback_max: Duration | None = None
    visible_p99: Duration | None = None
    freshness_p99: Duration | None = None
    catch_up: Duration | None = None
    sent: Share = 0.999
    lag_p99: Duration = 0.1


class Scenario(_Strict, frozen=True, kw_only=True):
    """One load test.

    Attributes:
        processes: Of the generator; unset: one for 20,000 connections or 20,000 messages a second.
        faults: What is done to the platform meanwhile, and what may come of it.
        checked: Devices whose every stored value is read back; unset: 200, or all with `--exact`.
        drain: How long the last PUBACKs and the ledger are waited for.
    """

    name: Name
    title: str = ""
    seed: int = 1
    clock: ClockRule = ClockRule()
    server: Server = Server()
    processes: Annotated[int, Meta(ge=1, le=64)] | None = None
    fleets: Annotated[list[FleetRule], Meta(min_length=1)]
    phases: Annotated[list[Phase], Meta(min_length=1)]
    reading: Reading = Reading()
    faults: list[Fault] = []
    checked: Annotated[int, Meta(ge=0)] = 200
    budgets: Budgets = Budgets()
    drain: Duration = 60.0


def expected_of(faults: Iterable[Fault]) -> Expected:
    """Return what faults may cost together; how soon each is caught up with is left unset."""
    each = [fault.expect for fault in faults]
    return Expected(
        lost=sum(expect.lost for expect in each),
        difference=sum(expect.difference for expect in each),
    )


def seconds_of(duration: Duration) -> float:
    """Return a duration in seconds."""
    if not isinstance(duration, str):
        return float(duration)
    digits = duration.rstrip("msdh")
    return float(digits) * UNIT_S[duration[len(digits) :]]
