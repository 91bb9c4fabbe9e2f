"""What a plan rests on besides the calibration: each figure with where it was published. Pure."""

from typing import Final

import msgspec

from loadtest.capacity.ask import Ask
from loadtest.capacity.calibration import Calibration
from loadtest.capacity.needs import (
    KEEP_ALIVE_S,
    MQTT_BYTES,
    PROCESS_CONNECTIONS,
    ROW_BYTES,
    TCP_BYTES,
    TLS_BYTES,
)

__all__ = ["SOURCES", "Assumption", "assumptions"]

SOURCES: Final[dict[str, str]] = {
    "influx-sizing": "InfluxDB 1.x documentation, Hardware sizing guidelines: one node up to"
    " 750,000 fields a second and 10 million series",
    "stream": "assumed 50 MB a second; 150,000 messages a second of a replicated stream are the"
    " figure of its maintainers (nats-io/nats-server issue 8612), and a frame holds hundreds",
    "hivemq": "hivemq.com/benchmark-200-million: 200 million connections, 1 million messages a"
    " second",
    "emqx": "EMQX 5.0 at 100 million connections (emqx.com blog, 2022): 5 million a machine of 64"
    " cores, 24 kB a connection",
    "thingsboard": "ThingsBoard, performance of 1 million devices on AWS (thingsboard.io): 560"
    " messages a second for each busy core",
    "measured": "measured by `madina load calibrate` on the machine named above",
    "growth": "measured by `make bench BENCH=growth` at 1,000,000 devices",
    "endpoint": "measured by `make bench BENCH=endpoint`, the most it opens; more are not known",
    "asked": "an option of the command",
    "rfc": "MQTT 3.1.1 sections 2 and 3.3, RFC 9293, RFC 8446",
    "assumed": "assumed; nobody measured it here",
}


class Assumption(msgspec.Struct, frozen=True):
    """One figure that the plan rests on."""

    name: str
    value: str
    source: str


def assumptions(ask: Ask, calibration: Calibration, bytes_a_device: float) -> list[Assumption]:
    """Return everything that was put in, in the order in which it is used."""
    cost = calibration.codecs[ask.format]
    broker = calibration.broker
    message = f"{cost.wire_bytes:.0f} bytes of topic and payload, {cost.observations:.2g} values"
    store = f"{cost.store_us:.2f} us a message, {calibration.stored_bytes:.2f} bytes a value"
    own = f"{calibration.own_connection.us_a_message:.2f} us a message"
    passed = "none" if broker is None else f"{broker.name}: {broker.us_a_message:.1f} us a message"
    headers = (
        f"{MQTT_BYTES} bytes of MQTT, {TCP_BYTES} of TCP/IP and {TLS_BYTES} of TLS for a segment"
        " and its answer; concentrators fill segments of 1,400 bytes"
    )
    figures = [
        ("peak over mean", f"{ask.peak:g}", "asked"),
        ("cores in use at the peak", f"{ask.utilisation:.0%}", "asked"),
        ("copies of log and store", f"{ask.replicas}", "asked"),
        (f"a message of format {ask.format}", message, "measured"),
        ("gateway, multiplexed", f"{cost.gateway_us:.2f} us a message", "measured"),
        ("gateway, a connection each", own, "measured"),
        ("log", f"{cost.log_us:.2f} us a message", "measured"),
        ("ingest", f"{cost.ingest_us:.2f} us a message", "measured"),
        ("store (DuckDB)", store, "measured"),
        ("a broker in front", passed, "measured"),
        ("a connection", f"{calibration.connection_bytes:,} bytes of the gateway", "measured"),
        ("a gateway process", f"{PROCESS_CONNECTIONS:,} connections", "endpoint"),
        ("a device", f"{bytes_a_device:.0f} bytes of ingest", "growth"),
        ("headers", headers, "rfc"),
        ("keep-alive", f"a PINGREQ of each connection every {KEEP_ALIVE_S:.0f} s", "assumed"),
        ("a published value", f"{ROW_BYTES} bytes an hour, zone and indicator", "assumed"),
        ("power", f"{ask.watts_a_core:g} W a core", "asked"),
    ]
    return [Assumption(name, value, SOURCES[source]) for name, value, source in figures]
