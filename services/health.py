"""Whether the platform is well, and what is wrong in words: one judgement for pages and probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from city.gateway_state import LogState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.gateway_state import GatewayState
    from services.running import Services

__all__ = ["Part", "Reason", "reasons_of"]

Part = Literal["gateway", "bridge", "log", "ingest", "store", "ledger", "registry", "services"]

FULL_WORDS = "the log is full: devices wait, nothing is dropped"


class Reason(msgspec.Struct, frozen=True):
    """Something that is not well; `error` means not ready."""

    part: Part
    level: Literal["error", "warning"]
    words: str


def reasons_of(services: Services) -> list[Reason]:
    """Return everything that is not well; nothing where all is."""
    return [
        *_of_log(services),
        *_of_gateways(services),
        *_of_bridges(services),
        *_of_ingest(services),
        *_of_services(services),
    ]


def _of_log(services: Services) -> Iterator[Reason]:
    if services.view.away:
        yield Reason("log", "error", services.view.away)
    elif services.view.state == "full":
        yield Reason("log", "error", FULL_WORDS)


def _of_gateways(services: Services) -> Iterator[Reason]:
    gateways = [each.state for each in services.view.gateways() if each.state.brokers is None]
    if not gateways and not services.view.away:
        yield Reason("gateway", "error", "no gateway has told its state for 5 seconds")
    for state in gateways:
        yield from _of_way_to_log("gateway", state)


def _of_bridges(services: Services) -> Iterator[Reason]:
    bridges = [each.state for each in services.view.gateways() if each.state.brokers is not None]
    if services.parts.bridged and not bridges and not services.view.away:
        yield Reason("bridge", "error", "no bridge has told its state for 5 seconds")
    for state in bridges:
        yield from _of_way_to_log("bridge", state)
        for broker in state.brokers or ():
            if broker.reason:
                yield Reason("bridge", "error", f"{broker.name}: {broker.reason}")
            if broker.warning:
                yield Reason("bridge", "warning", f"{broker.name}: {broker.warning}")


def _of_way_to_log(part: Part, state: GatewayState) -> Iterator[Reason]:
    if state.reason:
        level = "warning" if state.log is LogState.SLOW and not state.waiting else "error"
        yield Reason(part, level, f"{state.name}: {state.reason}")


def _of_ingest(services: Services) -> Iterator[Reason]:
    look = services.ingest()
    if look.log_words:
        yield Reason("ingest", "error", look.log_words)
    elif not look.started:
        yield Reason("ingest", "error", "it has not started yet")
    elif look.owned == 0 and _pending(services):
        # A shard is owned from its first message on: an empty log needs no owner.
        yield Reason("ingest", "error", "it owns no shard yet")
    if look.store_words:
        yield Reason("store", "error", look.store_words)


def _pending(services: Services) -> int:
    balance = services.state.balance
    return 0 if balance is None else balance.messages.pending


def _of_services(services: Services) -> Iterator[Reason]:
    if services.failed:
        yield Reason("services", "error", services.failed)
    state = services.state
    if (words := state.trouble("store")) and not services.ingest().store_words:
        yield Reason("store", "error", words)
    if words := state.trouble("registry"):
        yield Reason("registry", "error", words)
    balance = state.balance
    if balance is not None and (balance.difference.messages or balance.difference.observations):
        words = (
            f"the ledger does not close: {balance.difference.messages} messages,"
            f" {balance.difference.observations} observations"
        )
        yield Reason("ledger", "warning", words)
