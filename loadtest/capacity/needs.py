"""What one installation needs for its devices: arithmetic over the unit costs of a calibration.

Every figure is for one city, at one level: each device with a connection of its own, all behind
concentrators, or only a sample of the readings sent up. Pure.
"""

import math
from typing import Final, Literal

import msgspec

from loadtest.capacity.ask import Ask
from loadtest.capacity.calibration import MICROS, Calibration

__all__ = ["LEVELS", "PROCESS_CONNECTIONS", "Level", "Needs", "needs_of", "summed"]

Level = Literal["direct", "edge", "sampled"]
LEVELS: Final[tuple[Level, ...]] = ("direct", "edge", "sampled")
DAY_S: Final = 86_400
YEAR_S: Final = 365 * DAY_S
HOUR_S: Final = 3_600
MONTH_S: Final = YEAR_S / 12
BITS: Final = 8
GB: Final = 1e9
SEGMENT_BYTES: Final = 1_400
# Bytes around topic and payload: MQTT's fixed header, topic length and packet id, and its PUBACK.
MQTT_BYTES: Final = 11
# IPv4 and TCP headers with timestamps of a segment and of the acknowledgement that answers it.
TCP_BYTES: Final = 2 * 52
# A TLS 1.3 record around a segment, each way.
TLS_BYTES: Final = 2 * 22
# A published value between cities: ids, period, value, completeness, revision, hash.
ROW_BYTES: Final = 64
# Keep-alive of a connection, as gateways offer it by default; a PINGREQ and its answer.
KEEP_ALIVE_S: Final = 300.0
# That one gateway process was measured with (`make bench BENCH=endpoint`): nobody knows of more.
PROCESS_CONNECTIONS: Final = 15_000


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes. Cores, processes and machines are of the peak, bytes a year of the mean.

    Attributes:
        messages_per_s: In the mean; `peak_per_s` in the busiest second.
        connections: Of devices or concentrators.
        broker_cores: Only where a broker that the city has stands in front (a bridge).
        store_cores: Of the database's own writing, at one copy.
        gateways: Processes, by work or by connections, whichever are more.
        ingest_workers: Processes; each of both kinds is one core at most.
        memory_bytes: Of connections, and of what ingest knows of each device.
        log_bytes: Disk of the log, all copies.
        raw_bytes: Observations kept for `raw_days`, all copies.
        rollup_bytes_a_year: Published values, all copies.
        in_bits_per_s: At the peak, with headers of MQTT, TLS and TCP.
        out_bits_per_s: Between cities, in the mean.
    """

    level: str
    devices: float
    messages_per_s: float
    peak_per_s: float
    connections: float
    gateway_cores: float
    broker_cores: float
    log_cores: float
    ingest_cores: float
    store_cores: float
    gateways: float
    ingest_workers: float
    memory_bytes: float
    log_bytes_per_s: float
    log_bytes: float
    observations_per_s: float
    raw_bytes: float
    rollup_bytes_a_year: float
    in_bits_per_s: float
    out_bits_per_s: float
    kilowatts: float
    cost_a_month: float | None

    @property
    def cores(self) -> float:
        """All cores but the broker's."""
        return self.gateway_cores + self.log_cores + self.ingest_cores + self.store_cores


class _Rates(msgspec.Struct, frozen=True):
    """Messages a second of a city and who carries them."""

    mean: float
    peak: float
    connections: float


def needs_of(ask: Ask, calibration: Calibration, level: Level, bytes_a_device: float) -> Needs:
    """Return what one city needs.

    Args:
        ask: Checked.
        calibration: What a message costs.
        level: How devices reach the city.
        bytes_a_device: Memory of ingest for each device.
    """
    mean = ask.devices_a_city / ask.interval_s / (ask.sample if level == "sampled" else 1)
    connections = ask.devices_a_city / (1 if level == "direct" else ask.behind)
    rates = _Rates(mean, mean * ask.peak, connections)
    used: dict[str, float] = {
        "devices": ask.devices_a_city,
        "messages_per_s": rates.mean,
        "peak_per_s": rates.peak,
        "connections": rates.connections,
        **_work(ask, calibration, rates, own=level == "direct"),
        **_space(ask, calibration, rates, bytes_a_device),
        **_traffic(ask, calibration, rates, own=level == "direct"),
    }
    return _priced(ask, Needs(level=level, kilowatts=0.0, cost_a_month=None, **used))


def _work(ask: Ask, calibration: Calibration, rates: _Rates, *, own: bool) -> dict[str, float]:
    """Return cores and processes: what grows with messages, and what each process has anyway."""
    cost, broker = calibration.codecs[ask.format], calibration.broker
    gateway_us = cost.gateway_us
    if own:
        # One message a read, whatever the format: what a read adds comes on top.
        more = calibration.own_connection.us_a_message - calibration.gateway.us_a_message
        gateway_us += max(0.0, more)

    def cores(us: float) -> float:
        return rates.peak * us / MICROS / ask.utilisation

    gateway = cores(gateway_us) + rates.connections / KEEP_ALIVE_S * gateway_us / MICROS
    ingest, store = cores(cost.ingest_us), cores(cost.store_us)
    by_connections = math.ceil(rates.connections / PROCESS_CONNECTIONS)
    gateways = max(1, math.ceil(gateway), by_connections)
    workers = max(1, math.ceil(ingest + store))
    return {
        "gateway_cores": gateway + gateways * calibration.gateway.fixed_cores,
        "broker_cores": 0.0 if broker is None else cores(broker.us_a_message),
        "log_cores": (cores(cost.log_us) + calibration.log.fixed_cores) * ask.replicas,
        "ingest_cores": ingest + workers * calibration.node.fixed_cores,
        "store_cores": store * ask.replicas,
        "gateways": gateways,
        "ingest_workers": workers,
    }


def _space(
    ask: Ask, calibration: Calibration, rates: _Rates, bytes_a_device: float
) -> dict[str, float]:
    """Return memory and disks, all copies."""
    cost = calibration.codecs[ask.format]
    logged = rates.mean * cost.wire_bytes
    observations = rates.mean * cost.observations
    kept = observations * calibration.stored_bytes * ask.raw_days * DAY_S
    of_connections = rates.connections * calibration.connection_bytes
    return {
        "memory_bytes": of_connections + ask.devices_a_city * bytes_a_device,
        "log_bytes": logged * ask.log_hours * HOUR_S * ask.replicas,
        "observations_per_s": observations,
        "raw_bytes": kept * ask.replicas,
        "rollup_bytes_a_year": _exchanged(ask) * YEAR_S * ask.replicas,
    }


def _traffic(ask: Ask, calibration: Calibration, rates: _Rates, *, own: bool) -> dict[str, float]:
    """Return what goes over networks."""
    wire_bytes = calibration.codecs[ask.format].wire_bytes
    return {
        "log_bytes_per_s": rates.peak * wire_bytes,
        "in_bits_per_s": rates.peak * _on_the_wire(wire_bytes, own=own) * BITS,
        "out_bits_per_s": _exchanged(ask) * BITS,
    }


def summed(of: Needs, cities: int) -> Needs:
    """Return what that many cities of one size need together: each its own."""
    whole = msgspec.structs.asdict(of)
    return Needs(
        level=of.level,
        cost_a_month=None if of.cost_a_month is None else of.cost_a_month * cities,
        **{
            name: value * cities
            for name, value in whole.items()
            if name not in {"level", "cost_a_month"}
        },
    )


def _exchanged(ask: Ask) -> float:
    """Return bytes a second of hourly published values of a city."""
    return ask.zones * ask.indicators * ROW_BYTES / HOUR_S


def _on_the_wire(wire_bytes: float, *, own: bool) -> float:
    """Return bytes of a message with its headers; a concentrator's messages share segments."""
    around, each = TCP_BYTES + TLS_BYTES, wire_bytes + MQTT_BYTES
    return each + (around if own else around * each / SEGMENT_BYTES)


def _priced(ask: Ask, bare: Needs) -> Needs:
    """Return it with power, and with costs where prices were given."""
    kilowatts, prices = bare.cores * ask.watts_a_core / 1_000, ask.prices
    cost = None
    if prices.given:
        disks_gb = (bare.log_bytes + bare.raw_bytes + bare.rollup_bytes_a_year) / GB
        cost = (
            bare.cores * prices.core_month
            + disks_gb * prices.gb_month
            + bare.out_bits_per_s / BITS * MONTH_S / GB * prices.gb_out
            + kilowatts * MONTH_S / HOUR_S * prices.kwh
        )
    return msgspec.structs.replace(bare, kilowatts=kilowatts, cost_a_month=cost)
