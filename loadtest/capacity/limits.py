"""Where an installation as it is today ends, in devices of one city, and what changes. Pure."""

from typing import Final

import msgspec

from loadtest.capacity.ask import Ask
from loadtest.capacity.calibration import MICROS, Calibration
from loadtest.capacity.needs import PROCESS_CONNECTIONS

__all__ = ["Limit", "limits_of"]

# As settings allow; an ingest worker applies one shard or more.
SHARDS_MOST: Final = 1_024
GIB: Final = 2**30
WORKER_BYTES: Final = 16 * GIB
# Cited: see the sources of the plan.
INFLUX_SERIES: Final = 10_000_000
INFLUX_FIELDS_PER_S: Final = 750_000
CLUSTER_CONNECTIONS: Final = 200_000_000
STREAM_BYTES_PER_S: Final = 50_000_000


class Limit(msgspec.Struct, frozen=True):
    """One limit.

    Attributes:
        what: That is full.
        devices: Of one city, at the asked interval and peak, when it is.
        change: What is done there.
        source: Where the figure comes from.
        works: Whether going beyond works today.
    """

    what: str
    devices: float
    change: str
    source: str
    works: bool = False


def limits_of(ask: Ask, calibration: Calibration, bytes_a_device: float) -> list[Limit]:
    """Return the limits that are met one after the other as a city grows."""
    cost = calibration.codecs[ask.format]

    def full(us: float) -> float:
        return _devices(ask, MICROS * ask.utilisation / us)

    one_writer = full(cost.ingest_us + cost.store_us)
    found = [
        Limit("one gateway process, devices with a connection each",
              full(calibration.own_connection.us_a_message),
              "more gateway processes, on one port or behind a TCP balancer", "measured",
              works=True),
        Limit("connections of one gateway process, one each", float(PROCESS_CONNECTIONS),
              "more gateway processes: each keeps its own connections", "endpoint", works=True),
        Limit("one node that writes DuckDB", one_writer,
              "InfluxDB as the store, and ingest workers that share the shards", "measured",
              works=True),
        Limit("memory of one ingest worker of 16 GiB", WORKER_BYTES / bytes_a_device,
              "more workers: each knows only the devices of its shards", "measured", works=True),
        Limit("series of one InfluxDB 1.x", INFLUX_SERIES,
              "a database for each group of shards; above it, files sorted by place and hour in"
              " which a device is a column and no series", "influx-sizing"),
        Limit("fields a second of one InfluxDB 1.x",
              _devices(ask, INFLUX_FIELDS_PER_S / cost.observations),
              "a database for each group of shards", "influx-sizing"),
        Limit("bytes a second of one stream of the log, three copies",
              _devices(ask, STREAM_BYTES_PER_S / cost.wire_bytes),
              "a stream for each group of shards: their names hold the shard already", "stream"),
        Limit("shards of one installation, one ingest worker each", one_writer * SHARDS_MOST,
              "two installations that divide the city by district: cells that share nothing",
              "measured"),
        Limit("connections of the largest published cluster", float(CLUSTER_CONNECTIONS),
              "concentrators at the edge: no flat cluster of that size is known", "hivemq"),
    ]  # fmt: skip
    return sorted(found, key=lambda limit: limit.devices)


def _devices(ask: Ask, peak_per_s: float) -> float:
    return peak_per_s / ask.peak * ask.interval_s
