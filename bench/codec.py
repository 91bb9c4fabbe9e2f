"""MQTT codec: PUBLISH packets as a connection reads them, against `mqtt5` on the same bytes (G16).

Ours reads 20 packets a read in bulk and makes the PUBACKs along the way; `mqtt5` (Rust) reads them
one by one and makes none. MQTT 5.0, since `mqtt5` has no 3.1.1; ours in 3.1.1 is printed beside.
"""

from __future__ import annotations

import random
import time
import zlib
from typing import TYPE_CHECKING

import mqtt5

from bench.pairs import Sample, measure_pairs
from bench.progress import say
from bench.result import BenchFailed, BenchResult, Goal
from fuzz.oracle import Oracle, disagreement
from gateway.mqtt.decode import measure as measure_packet
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import Publish
from gateway.mqtt.publishes import Batch, PublishReader
from gateway.mqtt.reasons import Level

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["measure"]

CONNECTIONS = 200
A_READ = 20
MICROS = 1e6
# Processor seconds of one side's run for one QoS, where nobody says otherwise.
RUN_S = 2.0
FUZZED = 1_000_000
MAX_PACKET = 262_144
# G16: times the cost of `mqtt5`.
MOST_QOS_0, MOST_QOS_1 = 1.15, 1.35


def measure(seconds: float | None) -> BenchResult:
    """Measure both sides in turn, then compare what they make of damaged packets."""
    run_s = seconds or RUN_S
    streams = {qos: _reads(Level.V5, qos) for qos in (0, 1)}
    expected = {qos: _digest(_by_ours(reads, Level.V5)) for qos, reads in streams.items()}

    def ours() -> Sample:
        return _sample("madina", lambda qos: _by_ours(streams[qos], Level.V5), expected, run_s)

    def theirs() -> Sample:
        return _sample("mqtt5", lambda qos: _by_theirs(streams[qos]), expected, run_s)

    paired = measure_pairs(ours, theirs)
    ratio, ratio_0 = paired.ratio(), paired.ratio("qos0")
    old = _reads(Level.V3, 1)
    fuzzed = _compare(FUZZED if seconds is None else int(FUZZED * min(1.0, seconds / RUN_S) / 10))
    return BenchResult(
        bench="codec",
        unit="us a packet",
        value=paired.cost(),
        baseline=paired.baseline(),
        ratio=ratio,
        samples=paired.samples,
        goals=[
            _goal("G16 QoS 0", 1 / ratio_0, MOST_QOS_0, noisy=paired.noisy),
            _goal("G16 QoS 1", 1 / ratio, MOST_QOS_1, noisy=paired.noisy),
        ],
        extra={
            "control": paired.control,
            "noisy": paired.noisy,
            "qos0": paired.median_of("qos0"),
            "qos0_baseline": paired.median_of("qos0", paired.theirs),
            "ratio_qos0": ratio_0,
            "version_3": _cost(lambda: _by_ours(old, Level.V3), run_s),
            "one_a_read": _cost(lambda: _by_ours(_singly(old), Level.V3), run_s),
            "fuzzed_packets": fuzzed,
        },
    )


def _reads(level: Level, qos: int) -> list[bytes]:
    """Return one read of each connection: native JSON, about 140 bytes a message."""
    rng = random.Random(1)
    reads: list[bytes] = []
    for connection in range(CONNECTIONS):
        topic = b"madina/v1/bench/device-%d/up" % connection
        packets: list[bytes] = []
        for number in range(A_READ):
            values = rng.uniform(5, 25), rng.uniform(20, 90)
            payload = (
                b'{"id":"%d","t":"2026-11-24T10:%02d:%02dZ","m":['
                b'{"q":"temperature","v":%.2f,"u":"Cel"},{"q":"humidity","v":%.1f,"u":"%%"}]}'
            ) % (number, number, rng.randrange(60), *values)
            identifier = qos and connection * A_READ + number + 1
            packets.append(encode(Publish(topic, payload, qos, identifier), level))
        reads.append(b"".join(packets))
    return reads


def _singly(reads: list[bytes]) -> list[bytes]:
    """Return the first packet of each read, as often as there are packets."""
    return [read[: measure_packet(read, 0, Level.V3)[1]] for read in reads] * A_READ


def _by_ours(reads: list[bytes], level: Level) -> list[Batch]:
    readers = [PublishReader(level, MAX_PACKET) for _ in range(CONNECTIONS)]
    batches: list[Batch] = []
    for index, data in enumerate(reads):
        batch = Batch()
        readers[index % CONNECTIONS].read(data, 0, batch)
        batches.append(batch)
    return batches


def _by_theirs(reads: list[bytes]) -> list[list[mqtt5.Packet]]:
    read = mqtt5.read
    found: list[list[mqtt5.Packet]] = []
    for data in reads:
        view, at, size = memoryview(data), 0, len(data)
        packets: list[mqtt5.Packet] = []
        while at < size:
            packet, used = read(view[at:])
            packets.append(packet)
            at += used
        found.append(packets)
    return found


def _digest(found: list[Batch] | list[list[mqtt5.Packet]]) -> int:
    """Return a checksum of every topic, payload and identifier, in order."""
    total = 0
    for each in found:
        if isinstance(each, Batch):
            columns = zip(each.topics, each.payloads, each.acknowledgements, strict=True)
            parts = [(topic, payload, ack[2:]) for topic, payload, ack in columns]
        else:
            parts = [_fields(packet) for packet in each]
        for part in parts:
            total = zlib.crc32(b"\0".join(part), total)
    return total


def _fields(packet: mqtt5.Packet) -> tuple[bytes, bytes, bytes]:
    assert isinstance(packet, mqtt5.PublishPacket)
    identifier = packet.packet_id
    return (
        packet.topic.encode(),
        packet.payload,
        b"" if identifier is None else identifier.to_bytes(2, "big"),
    )


def _sample(
    side: str,
    read: Callable[[int], list[Batch] | list[list[mqtt5.Packet]]],
    expected: dict[int, int],
    run_s: float,
) -> Sample:
    for qos, digest in expected.items():
        if _digest(read(qos)) != digest:
            raise BenchFailed(f"{side} reads other messages of QoS {qos}")
    packets = CONNECTIONS * A_READ
    return Sample(
        side,
        _cost(lambda: read(1), run_s),
        packets,
        {"qos0": _cost(lambda: read(0), run_s)},
    )


def _cost(read: Callable[[], object], run_s: float) -> float:
    """Return microseconds a packet, over rounds of so many processor seconds in all."""
    rounds, start_s = 0, time.process_time()
    while (used_s := time.process_time() - start_s) < run_s:
        read()
        rounds += 1
    return used_s / (rounds * CONNECTIONS * A_READ) * MICROS


def _compare(count: int) -> int:
    """Compare how both read damaged packets.

    Raises:
        BenchFailed: At the first disagreement.
    """
    say(f"{count:,} damaged packets, read both ways")
    oracle, rng = Oracle(), random.Random(1)
    for _ in range(count):
        words = disagreement(oracle.make(rng))
        if words:
            raise BenchFailed(f"the two codecs disagree: {words}")
    return count


def _goal(name: str, cost: float, most: float, *, noisy: bool) -> Goal:
    return Goal(name, cost, f"<= {most} times mqtt5's cost", cost <= most and not noisy)
