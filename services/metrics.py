"""The platform's numbers for Prometheus, taken from what is kept beside the requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from city.clock import US_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from city.gateway_state import BrokerState
    from services.running import Services

__all__ = ["metrics_text"]

BROKER_LABELS: Final = ("gateway", "broker", "client")
BROKER_FAMILIES: Final = {
    GaugeMetricFamily: {
        "connected": "1 while messages come",
        "troubled": "1 while not all is well",
        "held": "messages taken, not acknowledged yet",
        "last_message_seconds": "Unix time of the last message",
    },
    CounterMetricFamily: {
        "messages": "messages taken",
        "connects": "connections that it let in",
        "redelivered": "messages that came again while held",
        "refused": "messages on topics that nobody asked for",
        "too_long": "messages that the log cannot take, not acknowledged",
        "requests": "requests to devices that it was given",
        "requests_dropped": "requests to devices that it was not given",
    },
}


def metrics_text(services: Services) -> bytes:
    """Return every number in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_Collector(services))
    return generate_latest(registry)


DEVICE_STATES = (
    "registered",
    "active",
    "pending",
    "reporting",
    "late",
    "silent",
    "never_seen",
)


class _Collector:
    """One scrape."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        yield from self._ledger()
        yield from self._log()
        yield from self._gateways()
        yield from self._brokers()
        yield from self._ingest()
        yield from self._city()

    def _ledger(self) -> Iterator[Metric]:
        balance = self._services.state.balance
        if balance is None:
            return
        messages, observations = balance.messages, balance.observations
        of_messages = {name: getattr(messages, name) for name in messages.__struct_fields__}
        of_seen = {name: getattr(observations, name) for name in observations.__struct_fields__}
        yield _gauges("madina_ledger_messages", "messages by what became of them", of_messages)
        yield _gauges("madina_ledger_observations", "observations, likewise", of_seen)
        difference = {
            "messages": balance.difference.messages,
            "observations": balance.difference.observations,
        }
        yield _gauges("madina_ledger_difference", "what does not add up: 0", difference)

    def _log(self) -> Iterator[Metric]:
        view = self._services.view
        yield _gauge("madina_log_up", "1 while the log answers", float(not view.away))
        if view.size is not None:
            yield _gauge("madina_log_messages", "frames on the log", view.size.messages)
            yield _gauge("madina_log_bytes", "size of the log", view.size.bytes)
            yield _gauge("madina_log_max_bytes", "its limit; -1: none", view.size.max_bytes)

    def _gateways(self) -> Iterator[Metric]:
        states = [each.state for each in self._services.view.gateways()]
        for name, words, field in (
            ("madina_gateway_connections", "MQTT connections", "connections"),
            ("madina_gateway_unacked_bytes", "held until the log has them", "unacked_bytes"),
            ("madina_gateway_waiting", "1 while connections are not read", "waiting"),
            ("madina_gateway_frame_latency_seconds", "to confirmation", "frame_latency_s"),
        ):
            family = GaugeMetricFamily(name, words, labels=["gateway"])
            for state in states:
                family.add_metric([state.name], float(getattr(state, field)))
            yield family
        for name, words, field in (
            ("madina_gateway_messages", "messages from devices", "messages"),
            ("madina_gateway_message_bytes", "bytes of them", "message_bytes"),
            ("madina_gateway_connects", "connections accepted", "connects"),
            ("madina_gateway_frames", "frames sent to the log", "frames"),
            ("madina_gateway_resends", "frames sent again", "resends"),
        ):
            counter = CounterMetricFamily(name, words, labels=["gateway"])
            for state in states:
                counter.add_metric([state.name], float(getattr(state, field)))
            yield counter
        refused = CounterMetricFamily(
            "madina_gateway_refused", "by reason", labels=["gateway", "reason"]
        )
        for state in states:
            for reason, count in state.refused.items():
                refused.add_metric([state.name, reason], count)
        yield refused

    def _brokers(self) -> Iterator[Metric]:
        found = [
            ([each.state.name, broker.name, broker.client], _broker_values(broker))
            for each in self._services.view.gateways()
            for broker in each.state.brokers or ()
        ]
        for kind, families in BROKER_FAMILIES.items():
            for field, words in families.items():
                family = kind(f"madina_broker_{field}", words, labels=BROKER_LABELS)
                for labels, values in found:
                    family.add_metric(labels, values[field])
                yield family

    def _ingest(self) -> Iterator[Metric]:
        look = self._services.ingest()
        yield _gauge("madina_ingest_messages_per_second", "applied", look.messages_per_s)
        yield _gauge("madina_ingest_observations_per_second", "stored", look.observations_per_s)
        yield _gauge("madina_ingest_work_seconds", "decoding of the last batch", look.work_s)
        yield _gauge("madina_ingest_commit_seconds", "its commit", look.commit_s)
        yield _gauge("madina_ingest_waiting_frames", "read and not applied", look.waiting_frames)
        yield _gauge("madina_ingest_owned_shards", "shards that it owns", look.owned)
        for name, words, value in (
            ("madina_ingest_batches", "batches committed", look.batches),
            ("madina_ingest_messages", "messages applied", look.messages),
            ("madina_ingest_committed_seconds", "commits of all batches", look.committed_s),
            ("madina_ingest_worked_cpu_seconds", "decoding, of its thread", look.worked_cpu_s),
            ("madina_ingest_committed_cpu_seconds", "commits, likewise", look.committed_cpu_s),
        ):
            counter = CounterMetricFamily(name, words)
            counter.add_metric([], value)
            yield counter

    def _city(self) -> Iterator[Metric]:
        services, look = self._services, self._services.state.fleet_look
        devices = {name: getattr(look, name) for name in DEVICE_STATES}
        yield _gauges("madina_devices", "devices by state", devices)
        held = services.state.held.by_reason
        yield _gauges("madina_quarantine_held", "held messages by reason", held, label="reason")
        yield _gauge("madina_live_watchers", "open streams", services.state.feed.watchers)
        refused = CounterMetricFamily("madina_requests_refused", "too many waited")
        refused.add_metric([], services.threads.refused)
        yield refused


def _broker_values(broker: BrokerState) -> dict[str, float]:
    derived = {
        "troubled": float(bool(broker.reason)),
        "last_message_seconds": broker.last_us / US_PER_S,
    }
    fields = {name for families in BROKER_FAMILIES.values() for name in families}
    return derived | {name: float(getattr(broker, name)) for name in fields - derived.keys()}


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)


def _gauges(name: str, words: str, values: Mapping[str, float], label: str = "state") -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
