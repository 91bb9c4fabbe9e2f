"""A load run on a running platform: its devices registered, and every message accounted for.

Also against any other MQTT server, whose word for it is then all that there is.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from typing import Final

import msgspec
import uvloop

from city.instants import text_us, to_text
from city.ledger import Balance
from loadtest.generator import LoadError, generate
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan, PlanError
from loadtest.report import LoadProgress, LoadReport
from loadtest.verdict import Findings, Verdict, judge, reconcile
from madina.api import Api
from madina.errors import CommandError
from madina.mqtt_user import own_user
from madina.settings import Settings

__all__ = ["LoadOutcome", "balance", "run_load", "run_reconciled", "settle"]

# Devices in one call of the API.
REGISTERED_AT_ONCE: Final = 10_000
# The API's own limit of a page: a run has millions of values.
VALUES_AT_ONCE: Final = 10_000
# What was acknowledged is on the log; ingest may be behind by what the log holds.
SETTLED_S: Final = 300.0
LOOK_S: Final = 0.2
US_PER_MS: Final = 1_000


class LoadOutcome(msgspec.Struct, frozen=True):
    """What a run did and what became of it.

    Attributes:
        verdict: By the ledger's sums; None where no platform of ours was asked.
        findings: By every stored value; None where nobody wanted that.
    """

    report: LoadReport
    verdict: Verdict | None = None
    findings: Findings | None = None

    @property
    def holds(self) -> bool:
        """Whether everything that was acknowledged is there, once."""
        if self.verdict is None:
            return self.report.acked == self.report.sent or not self.report.plan.qos
        return self.verdict.holds and (self.findings is None or self.findings.holds)


class _Value(msgspec.Struct, frozen=True):
    time: str
    value: float


class _Values(msgspec.Struct, frozen=True):
    items: list[_Value]
    next: str | None


class _Counts(msgspec.Struct, frozen=True):
    """The members of `GET /v1/ledger` that a verdict needs."""

    messages: dict[str, int]
    observations: dict[str, int]


def run_load(plan: LoadPlan) -> LoadOutcome:
    """Carry out a plan, and believe its server.

    Raises:
        CommandError: If the plan makes no sense or its connections did not open.
    """
    return LoadOutcome(_carried_out(plan))


def run_reconciled(api: Api, settings: Settings, plan: LoadPlan, *, exact: bool) -> LoadOutcome:
    """Carry out a plan on a running platform and ask it what became of every message.

    Args:
        api: Of the platform.
        settings: Whether devices need a user.
        plan: What to do; its provider's devices are registered.
        exact: Read back every stored value, rather than compare sums only.

    Raises:
        CommandError: If the plan makes no sense, its connections did not open or the API refuses.
    """
    _register(api, plan)
    before = balance(api, plan.provider)
    user = own_user(api, settings, plan.provider, f"load-{plan.provider}")
    if user is not None:
        plan = msgspec.structs.replace(plan, user=user.name, password=user.secret)
    report = _carried_out(plan)
    settle(api)
    verdict = judge(report, before, balance(api, plan.provider))
    findings = reconcile(report, _Observations(api, plan.first_ms)) if exact else None
    return LoadOutcome(report, verdict, findings)


class _Observations:
    """`loadtest.verdict.StoredReader` over the API."""

    def __init__(self, api: Api, first_ms: int) -> None:
        self._api = api
        self._since = to_text(first_ms * US_PER_MS)

    def stored(self, device: str, quantity: str) -> Iterator[tuple[int, float]]:
        """Return what is stored of a series since the run's first time."""
        cursor: object = None
        while True:
            asked = {"device": device, "quantity": quantity, "from": self._since}
            answer = self._api.get(
                "/v1/observations", {**asked, "limit": VALUES_AT_ONCE, "cursor": cursor}
            )
            page = msgspec.convert(answer, _Values)
            yield from ((text_us(item.time) // US_PER_MS, item.value) for item in page.items)
            cursor = page.next
            if cursor is None:
                return


def _carried_out(plan: LoadPlan) -> LoadReport:
    try:
        return uvloop.run(_until_interrupted(plan))
    except (PlanError, LoadError) as error:
        raise CommandError(str(error)) from error


async def _until_interrupted(plan: LoadPlan) -> LoadReport:
    """Let Ctrl-C end the sending early, not the report."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    return await generate(plan, progress=_show, stop=stop)


def _register(api: Api, plan: LoadPlan) -> None:
    fleet = Fleet(plan)
    count = plan.connections * plan.devices_per_connection
    numbers = range(plan.first_device, plan.first_device + count)
    for start in range(0, count, REGISTERED_AT_ONCE):
        items = [
            {"provider": plan.provider, "id": fleet.device_name(number), "kind": "load"}
            for number in numbers[start : start + REGISTERED_AT_ONCE]
        ]
        api.send("PUT", "/v1/devices", {"items": items})


def settle(api: Api) -> None:
    """Wait until nothing is pending on the log, also through a restart of the platform.

    Raises:
        CommandError: Something still is after minutes.
    """
    give_up_s = time.monotonic() + SETTLED_S
    while (cause := _unsettled(api)) is not None:
        if time.monotonic() > give_up_s:
            raise CommandError(f"{cause}, for {SETTLED_S:g} s by now")
        time.sleep(LOOK_S)


def _unsettled(api: Api) -> str | None:
    """Return why the ledger cannot be compared yet; None where it can."""
    try:
        pending = balance(api, None).messages.pending
    except CommandError as error:
        return str(error)
    return f"{pending} messages wait on the log" if pending else None


def balance(api: Api, provider: str | None) -> Balance:
    """Return a provider's balance; None: of everything.

    Raises:
        CommandError: The API refuses, in its words.
    """
    counts = msgspec.convert(api.get("/v1/ledger", {"provider": provider}), _Counts)
    members = {"messages": counts.messages, "observations": counts.observations}
    return msgspec.convert(members, Balance)


def _show(progress: LoadProgress) -> None:
    line = (
        f"{progress.elapsed_s:6.1f} s  {progress.connected} connected  {progress.sent} sent"
        f"  {progress.acked} acknowledged  {progress.waiting} waiting  {progress.resent} resent"
    )
    again = sys.stderr.isatty()
    print(line.ljust(100) if again else line, end="\r" if again else "\n", file=sys.stderr)
