"""A scenario on a running platform: devices registered, load sent, every message accounted for.

Also against any other MQTT server, whose word for it is then all that there is.
"""

import time
from collections.abc import Iterator
from typing import Final

import msgspec
import uvloop

from city.clock import MachineClock
from city.instants import text_us, to_text
from city.ledger import Balance
from link.nats_link import first_cause
from loadtest.outcome.account import FleetRecord, account_of, fleet_records, tally_of
from loadtest.outcome.faults import FaultOutcome, caught_up
from loadtest.outcome.judge import bottlenecks, budget_checks, complaints_of, phase_figures
from loadtest.outcome.read_back import StoredValue, checked_devices, read_back
from loadtest.outcome.run import LoadRun, Window, fleet_outcomes
from loadtest.outcome.tally import account_from
from loadtest.rig.crew import CrewError, worker_count
from loadtest.rig.fleet_load import fleet_format
from loadtest.rig.machine import revision, this_machine
from loadtest.rig.order import Order
from loadtest.scenario.curve import Span, curve_of, spans_of
from loadtest.scenario.model import Scenario, seconds_of
from loadtest.stream.content import FleetContent
from loadtest.stream.formats import Format
from loadtest.stream.numbering import sizes_of
from loadtest.timing import merged
from madina.api import Api
from madina.errors import CommandError
from madina.load import balance, settle
from madina.load_faults import refuse_unknown_parts
from madina.load_fleet import logins, register
from madina.load_watch import LoadTarget, Sending, Watched
from madina.settings import Settings

__all__ = ["Platform", "Shard", "carry_out"]

US_PER_MS: Final = 1_000
VALUES_AT_ONCE: Final = 10_000
LOOK_S: Final = 0.5
BRIDGE_PAUSE_S: Final = 35.0
# A report draws this many intervals at most.
INTERVALS: Final = 600
NO_FAULTS: Final = (
    "the scenario has faults: they are done to a `madina up` on this machine,"
    " without --host and without --shard"
)
BASE_36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class Shard(msgspec.Struct, frozen=True):
    """Which part of a scenario this machine does: `number` of `of`, the first is 0."""

    number: int = 0
    of: int = 1


class Platform(msgspec.Struct, frozen=True):
    """Our own platform, asked before and after.

    Attributes:
        through: Load goes to a broker that it bridges.
    """

    api: Api
    settings: Settings
    through: bool = False


class _Value(msgspec.Struct, frozen=True):
    quantity: str
    time: str
    value: object
    received_at: str


class _Values(msgspec.Struct, frozen=True):
    items: list[_Value]
    next: str | None


class _Plan(msgspec.Struct, frozen=True):
    """A scenario made ready.

    Attributes:
        orders: Of each process of this machine.
        forms: The encoder of each fleet.
    """

    scenario: Scenario
    orders: list[Order]
    forms: list[Format]
    spans: list[Span]
    windows: list[Window]
    shard: Shard


def carry_out(
    scenario: Scenario, target: LoadTarget, platform: Platform | None, shard: Shard, *, exact: bool
) -> LoadRun:
    """Carry out a scenario and account for its messages.

    Args:
        scenario: What to do.
        target: Whom the load goes to.
        platform: Ours; None: the target is somebody else's, and believed.
        shard: Which part of it is done here.
        exact: Read back every stored value of every device.

    Raises:
        CommandError: Connections did not open, or the API refuses.
    """
    if scenario.faults and (platform is None or shard.of > 1):
        raise CommandError(NO_FAULTS)
    refuse_unknown_parts(scenario.faults, target.pids)
    plan = _prepared(scenario, target, shard)
    before = None
    if platform is not None:
        for rule, form in zip(scenario.fleets, plan.forms, strict=True):
            register(platform.api, platform.settings, rule, form)
        # A broker in between has users of its own: the scenario names them.
        known = {} if platform.through else logins(platform.api, platform.settings, scenario)
        orders = [msgspec.structs.replace(order, logins=known) for order in plan.orders]
        plan = msgspec.structs.replace(plan, orders=orders)
        before = _balance(platform.api, scenario)
    try:
        watched = uvloop.run(Sending(plan.orders, target).run())
    except (CrewError, ExceptionGroup) as error:
        # Sending and faults go on side by side: what ends one of them comes in a group.
        cause = first_cause(error)
        if isinstance(cause, CrewError | CommandError):
            raise CommandError(str(cause)) from error
        raise
    run = _record(plan, target, watched)
    if platform is not None and before is not None:
        run = _accounted(plan, run, watched, platform, before, exact=exact)
    return _judged(run, watched)


def _prepared(scenario: Scenario, target: LoadTarget, shard: Shard) -> _Plan:
    spans = spans_of(scenario.phases)
    connections = sum(
        sizes_of(rule.devices, rule.mode, rule.connections).connections for rule in scenario.fleets
    )
    highest = max((max(span.first, span.last) for span in spans), default=1.0)
    rate = sum(rule.devices / seconds_of(rule.every) for rule in scenario.fleets) * highest
    processes = scenario.processes or worker_count(connections // shard.of, rate / shard.of)
    now_us = MachineClock().now_us()
    # Values at times of long ago are stored once: a second run needs devices of its own.
    tag = f"-{_base_36(now_us // 1_000_000)}" if scenario.clock.start else ""
    orders = [
        Order(
            scenario=scenario,
            host=target.host,
            port=target.port,
            worker=shard.number * processes + number,
            workers=shard.of * processes,
            now_ms=now_us // US_PER_MS,
            stems={rule.name: rule.name + tag for rule in scenario.fleets},
            interval_s=max(1.0, spans[-1].end_s / INTERVALS),
        )
        for number in range(processes)
    ]
    forms = [
        fleet_format(rule, FleetContent(rule, scenario, orders[0].now_ms), rule.name + tag)
        for rule in scenario.fleets
    ]
    windows = [
        Window(f"outage of {rule.name}", seconds_of(each.at), _end_s(each.at, each.lasts))
        for rule in scenario.fleets
        for each in rule.outages
    ]
    return _Plan(scenario, orders, forms, spans, windows, shard)


def _record(plan: _Plan, target: LoadTarget, watched: Watched) -> LoadRun:
    results = watched.results
    fleets = [fleet for result in results for fleet in result.fleets]
    lag = merged(result.lag for result in results)
    stopped_s = max((each.stopped_at_s or 0.0 for each in results), default=0.0)
    spans = [span for span in plan.spans if not stopped_s or span.start_s < stopped_s]
    return LoadRun(
        scenario=_without_secrets(plan.scenario),
        target=f"{target.host}:{target.port}",
        shard=f"{plan.shard.number}/{plan.shard.of}",
        started_at=to_text(watched.started_us),
        revision=revision(),
        machine=this_machine(),
        spans=spans,
        windows=plan.windows + [_fault_window(each) for each in watched.faults.values()],
        faults=watched.faults,
        backlog=watched.backlog,
        processes=len(results),
        connections=sum(result.connections for result in results),
        connect_s=max(result.connect_s for result in results),
        bytes_a_connection=_mean_bytes(watched),
        dial_failures=sum(result.dial_failures for result in results),
        seconds=max(result.seconds for result in results),
        cpu_s=sum(result.cpu_s for result in results),
        interval_s=plan.orders[0].interval_s,
        fleets=fleet_outcomes(plan.scenario, fleets),
        lag=lag,
        history=watched.history,
        parts=watched.parts,
        disk_bytes=watched.disk_bytes,
        stolen=watched.stolen,
        bottleneck=bottlenecks(results, lag, watched.stolen, plan.scenario.budgets),
        phases=[],
        reading=watched.reading,
    )


def _accounted(
    plan: _Plan,
    run: LoadRun,
    watched: Watched,
    platform: Platform,
    before: Balance,
    *,
    exact: bool,
) -> LoadRun:
    records = fleet_records(
        plan.scenario, plan.orders, [result.fleets for result in watched.results]
    )
    after = _settled(plan, records, platform, before)
    catch_up_s = time.monotonic() - watched.ended_s
    tally = tally_of(records, before, after)
    # Where several machines send, the ledger has what all of them sent: `merge` compares.
    account = account_from(tally) if plan.shard.of == 1 else None
    devices = checked_devices(records, plan.forms, None if exact else plan.scenario.checked)
    findings = read_back(
        devices,
        _Stored(platform.api),
        plan.spans,
        run.windows,
        watched.started_us // US_PER_MS,
    )
    rate = run.total("scheduled") / max(1.0, plan.spans[-1].end_s)
    settled_s = watched.lasted_s + catch_up_s
    return msgspec.structs.replace(
        run,
        account=account,
        tally=tally,
        findings=findings,
        catch_up_s=catch_up_s,
        faults=caught_up(run.faults, run.backlog, rate, settled_s),
    )


def _settled(
    plan: _Plan, records: list[FleetRecord], platform: Platform, before: Balance
) -> Balance:
    """Wait until nothing is on its way, and return the balance.

    Behind a broker nobody knows what it still has: what is missing may come for as long as anything
    does, and for the longest pause that a bridge makes before it connects again.
    """
    api = platform.api
    settle(api)
    after = _balance(api, plan.scenario)
    quiet_from_s = time.monotonic()
    while platform.through and account_of(records, before, after).lost:
        if time.monotonic() - quiet_from_s > BRIDGE_PAUSE_S:
            break
        time.sleep(LOOK_S)
        settle(api)
        earlier, after = after, _balance(api, plan.scenario)
        if after.messages.received > earlier.messages.received:
            quiet_from_s = time.monotonic()
    return after


def _judged(run: LoadRun, watched: Watched) -> LoadRun:
    curves = [curve_of(rule, run.scenario) for rule in run.scenario.fleets]
    run = msgspec.structs.replace(run, phases=phase_figures(run.spans, curves, run.latency, run))
    run = msgspec.structs.replace(run, budgets=budget_checks(run, run.scenario.budgets))
    complaints = complaints_of(run)
    if watched.connected < run.connections:
        complaints.append(f"only {watched.connected} of {run.connections} connections opened")
    return msgspec.structs.replace(run, complaints=complaints)


class _Stored:
    """`loadtest.outcome.read_back.ValueReader` over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def stored(self, device: str, from_ms: int) -> Iterator[StoredValue]:
        """Return everything stored of a device from a time on."""
        asked = {"device": device, "from": to_text(from_ms * US_PER_MS), "limit": VALUES_AT_ONCE}
        cursor: object = None
        while True:
            page = msgspec.convert(
                self._api.get("/v1/observations", {**asked, "cursor": cursor}), _Values
            )
            for item in page.items:
                if isinstance(item.value, int | float):
                    time_ms = text_us(item.time) // US_PER_MS
                    received_ms = text_us(item.received_at) // US_PER_MS
                    yield StoredValue(item.quantity, time_ms, float(item.value), received_ms)
            cursor = page.next
            if cursor is None:
                return


def _balance(api: Api, scenario: Scenario) -> Balance:
    """Return what the providers of a scenario have together, and what waits in all."""
    total = balance(api, None)
    providers = dict.fromkeys(rule.provider for rule in scenario.fleets)
    each = [balance(api, provider) for provider in providers]
    messages = msgspec.structs.replace(
        total.messages,
        **{
            name: sum(getattr(one.messages, name) for one in each)
            for name in ("accepted", "quarantined", "duplicate")
        },
    )
    return msgspec.structs.replace(total, messages=messages)


def _without_secrets(scenario: Scenario) -> Scenario:
    server = msgspec.structs.replace(scenario.server, password=None)
    return msgspec.structs.replace(scenario, server=server)


def _mean_bytes(watched: Watched) -> int:
    connections = sum(each.connections for each in watched.results)
    total = sum(each.connections * each.bytes_a_connection for each in watched.results)
    return total // max(1, connections)


def _fault_window(fault: FaultOutcome) -> Window:
    away = "" if fault.away_s is None else f", away for {fault.away_s:.1f} s"
    lasted_s = fault.ended_s - fault.at_s or fault.away_s or 0.0
    return Window(
        fault.name + away,
        fault.at_s,
        _end_s(fault.at_s, lasted_s),
        instant=fault.ended_s == fault.at_s,
    )


def _end_s(at: float | str, lasts: float | str) -> float:
    # What a storm brings about lasts longer than the storm.
    return seconds_of(at) + max(seconds_of(lasts), 5.0)


def _base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = BASE_36[digit] + digits
    return digits
