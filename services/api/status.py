"""`GET /v1/status`: everything that the page shows, from what is kept beside the requests."""

from fastapi import APIRouter, Request, Response

from city.clock import US_PER_S
from city.gateway_state import BrokerState, LogState
from city.instants import to_text
from city.live import LiveObservation
from services.api.health import ReasonDocument, reason_documents
from services.api.ledger import BalanceDocument, balance_document
from services.asking import Document, answer, text_or_none
from services.authority import Running
from services.fleet import SilentDevice
from services.log_view import HeardGateway
from services.problems import PROBLEMS

__all__ = [
    "BrokerDocument",
    "DevicesDocument",
    "GatewayDocument",
    "HeldDocument",
    "HeldEntry",
    "KindDocument",
    "LagDocument",
    "LogDocument",
    "RatesDocument",
    "SilentDocument",
    "StatusDocument",
    "ValueDocument",
    "read_status",
    "router",
]

router = APIRouter(tags=["status"], responses=PROBLEMS)


class RatesDocument(Document):
    """Over the last seconds."""

    received_per_s: float
    applied_per_s: float
    observations_per_s: float


class LagDocument(Document):
    """How far behind each stage is; null where nobody knows."""

    gateway_s: float | None
    log_s: float
    store_s: float
    pending: int | None


class DevicesDocument(Document):
    """How many devices there are; active ones by state.

    `late` and `silent`: nothing came for 1.5 and for 3 expected intervals.
    """

    registered: int
    active: int
    pending: int
    reporting: int
    late: int
    silent: int
    never_seen: int


class SilentDocument(Document):
    """A silent device; `last` is null for one that was never heard."""

    device: str
    kind: str
    name: str
    last: str | None
    expected_interval_s: float
    silent_s: float


class ValueDocument(Document):
    """The newest value of a series."""

    device: str
    name: str
    quantity: str
    value: float | int | bool | str
    unit: str | None
    time: str
    flag: int


class KindDocument(Document):
    """A kind of devices: how many are active, and the newest of their values."""

    kind: str
    devices: int
    values: list[ValueDocument]


class HeldEntry(Document):
    """A message that waits in quarantine."""

    id: str
    received_at: str
    device: str
    topic: str
    route: str
    reason: str
    words: str


class HeldDocument(Document):
    """What waits in quarantine: how many by reason, and the newest."""

    held: int
    by_reason: dict[str, int]
    entries: list[HeldEntry]


class GatewayDocument(Document):
    """A gateway process that told its state in the last seconds."""

    name: str
    epoch: int
    age_s: float
    connections: int
    messages_per_s: float
    unacked_bytes: int
    unacked_limit_bytes: int
    waiting: bool
    log: LogState
    reason: str


class BrokerDocument(Document):
    """A broker that is bridged; `last` is null where no message came yet."""

    name: str
    gateway: str
    client: str
    connected: bool
    reason: str
    warning: str
    version: str
    session_present: bool
    messages: int
    messages_per_s: float
    held: int
    last: str | None


class LogDocument(Document):
    """How full the log is; null where it does not answer."""

    state: str
    messages: int | None
    bytes: int | None
    max_bytes: int | None


class StatusDocument(Document):
    """Everything that the page shows."""

    time: str
    city: str
    timezone: str
    version: str
    ready: bool
    reasons: list[ReasonDocument]
    rates: RatesDocument
    lag: LagDocument
    ledger: BalanceDocument | None
    devices: DevicesDocument
    silent: list[SilentDocument]
    latest: list[KindDocument]
    quarantine: HeldDocument
    gateways: list[GatewayDocument]
    brokers: list[BrokerDocument]
    log: LogDocument


@router.get("/v1/status", response_model=StatusDocument)
async def read_status(request: Request, running: Running) -> Response:
    """Return everything that the page shows; the ledger is about a second old."""
    parts, state = running.parts, running.state
    ready, reasons = reason_documents(running)
    document = StatusDocument(
        time=to_text(parts.clock.now_us()),
        city=parts.city,
        timezone=parts.timezone,
        version=parts.version,
        ready=ready,
        reasons=reasons,
        rates=_rates(running),
        lag=_lag(running),
        ledger=None if state.balance is None else balance_document(state.balance),
        devices=DevicesDocument.model_validate(
            {name: getattr(state.fleet_look, name) for name in DevicesDocument.model_fields}
        ),
        silent=[_silent(each) for each in state.fleet_look.longest],
        latest=_latest(running),
        quarantine=_held(running),
        gateways=[_gateway(running, each) for each in running.view.gateways()],
        brokers=[
            _broker(each.state.name, broker)
            for each in running.view.gateways()
            for broker in each.state.brokers or ()
        ],
        log=_log(running),
    )
    return answer(request, document)


def _rates(running: Running) -> RatesDocument:
    look = running.ingest()
    return RatesDocument(
        received_per_s=sum(each.state.messages_per_s for each in running.view.gateways()),
        applied_per_s=look.messages_per_s,
        observations_per_s=look.observations_per_s,
    )


def _lag(running: Running) -> LagDocument:
    look, balance = running.ingest(), running.state.balance
    waiting_us = running.parts.clock.now_us() - look.oldest_us if look.oldest_us else 0
    latencies = [each.state.frame_latency_s for each in running.view.gateways()]
    return LagDocument(
        gateway_s=max(latencies, default=None),
        log_s=max(waiting_us, 0) / US_PER_S,
        store_s=look.work_s + look.commit_s,
        pending=None if balance is None else balance.messages.pending,
    )


def _silent(each: SilentDevice) -> SilentDocument:
    device = each.device
    return SilentDocument(
        device=f"{device.provider}/{device.id}",
        kind=device.kind,
        name=device.name,
        last=text_or_none(each.last_us),
        expected_interval_s=device.expected_interval_s or 0.0,
        silent_s=each.silent_us / US_PER_S,
    )


def _latest(running: Running) -> list[KindDocument]:
    kinds = running.state.fleet_look.kinds
    found = [
        KindDocument(
            kind=kind,
            devices=kinds.get(kind, 0),
            values=[shown for seen in values if (shown := _value(running, kind, seen))],
        )
        for kind, values in running.state.newest.items()
    ]
    return [each for each in found if each.values]


def _value(running: Running, kind: str, seen: LiveObservation) -> ValueDocument | None:
    """Write a value; None where its device is of another kind by now."""
    device = running.state.fleet.get((seen.provider, seen.device))
    if device is not None and device.kind != kind:
        return None
    return ValueDocument(
        device=f"{seen.provider}/{seen.device}",
        name="" if device is None else device.name,
        quantity=seen.quantity,
        value=seen.value,
        unit=seen.unit,
        time=to_text(seen.time_us),
        flag=seen.flag,
    )


def _held(running: Running) -> HeldDocument:
    held = running.state.held
    return HeldDocument(
        held=sum(held.by_reason.values()),
        by_reason=held.by_reason,
        entries=[
            HeldEntry(
                id=entry.id,
                received_at=to_text(entry.received_us),
                device=f"{entry.provider}/{entry.device}" if entry.device else "",
                topic=entry.topic,
                route=entry.route,
                reason=entry.reason,
                words=entry.words,
            )
            for entry in held.newest
        ],
    )


def _gateway(running: Running, heard: HeardGateway) -> GatewayDocument:
    state = heard.state
    names = GatewayDocument.model_fields.keys() - {"age_s"}
    members = {name: getattr(state, name) for name in names}
    return GatewayDocument(**members, age_s=running.view.age_s(heard))


def _broker(gateway: str, broker: BrokerState) -> BrokerDocument:
    names = BrokerDocument.model_fields.keys() - {"gateway", "last"}
    members = {name: getattr(broker, name) for name in names}
    return BrokerDocument(**members, gateway=gateway, last=text_or_none(broker.last_us or None))


def _log(running: Running) -> LogDocument:
    size = running.view.size
    return LogDocument(
        state=running.view.state,
        messages=None if size is None else size.messages,
        bytes=None if size is None else size.bytes,
        max_bytes=None if size is None else size.max_bytes,
    )
