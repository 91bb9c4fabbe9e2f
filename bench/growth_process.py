"""One ingest worker with so many devices, in a process of its own: what they cost in it.

Prints JSON: bytes a device, and microseconds of CPU a message once every device is known.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

if __name__ == "__main__":
    # Python put this folder first.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.cpu import rss_bytes
from bench.null_store import NullStore
from city.frame import Door, Frame, Run, encode_frame
from ingest.applier import Applier, ApplierSettings
from ingest.codecs.catalogue import find_codecs
from ingest.seams import LoggedFrame
from registry.facts import Changes, Device, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.interface import Batch

__all__ = ["GrowthFacts", "devices_and_cost"]

PROVIDER: Final = "city"
# An EUI, as most devices of a city are called.
ID: Final = "70b3d57ed{:07x}"
PAGE: Final = 10_000
FRAME: Final = 400
FRAMES_AT_ONCE: Final = 10
BEGAN_US: Final = 1_790_000_000_000_000
ROUND_US: Final = 900_000_000
QUANTITIES: Final = ("temperature", "humidity")
SEED: Final = 7


class GrowthFacts(msgspec.Struct, frozen=True):
    """What so many devices came to.

    Attributes:
        bytes_a_device: Growth of the process by registry, series, duplicates and topics, a device.
        cpu_us: Microseconds a message of known devices.
        stored: Observations that were stored; two a message.
    """

    devices: int
    bytes_a_device: float
    cpu_us: float
    stored: int


class _City:
    """`ingest.seams.RegistrySource` with so many devices, told in pages."""

    def __init__(self, devices: int) -> None:
        self._devices = devices

    def changes(self, since: int) -> Changes:
        """Return a page of devices; the route with the first one."""
        last = min(since + PAGE, self._devices)
        route = Route(
            "native", "madina/v1/+/+/up", "native", None, recorded=False, timezone=None, revision=1
        )
        return Changes(
            revision=last,
            newest=self._devices,
            devices=tuple(map(_device, range(since, last))),
            routes=() if since else (route,),
        )

    def accept(self, devices: list[tuple[str, str]]) -> int:
        """Refuse: all are known."""
        raise AssertionError(devices)


class _Sink(NullStore):
    """A store that keeps nothing of devices: what grows is ingest's."""

    stored = 0

    def write(self, batch: Batch) -> None:
        """Count a batch. See `Store.write`."""
        self.stored += batch.observations.num_rows


def devices_and_cost(devices: int, messages: int) -> GrowthFacts:
    """Return what a worker costs that knows so many devices and has heard each of them.

    Args:
        devices: All of one provider, two quantities each.
        messages: How many to time then, of devices evenly over the city.
    """
    sink = _Sink()
    applier = Applier(sink, _City(devices), ApplierSettings(), find_codecs())
    frames = _frames(range(min(devices, FRAME)), 1, 0)
    # What any worker needs, whatever the city: libraries, first blocks.
    Applier(_Sink(), _City(FRAME), ApplierSettings(), find_codecs()).apply(list(frames))
    gc.collect()
    before = rss_bytes(os.getpid())
    sequence = _heard(applier, range(devices), 0, 0)
    gc.collect()
    grown = rss_bytes(os.getpid()) - before
    step = max(devices // messages, 1)
    some = list(range(0, devices, step))
    # Nobody sends in the order in which devices were registered.
    random.Random(SEED).shuffle(some)
    cpu_s, rounds, sent = 0.0, 0, 0
    while sent < messages:
        rounds += 1
        began_s = time.process_time()
        making_s, sequence = _timed(applier, some, rounds, sequence)
        cpu_s += time.process_time() - began_s - making_s
        sent += len(some)
    return GrowthFacts(devices, grown / devices, cpu_s / sent * 1e6, sink.stored)


def _heard(applier: Applier, devices: range, turn: int, sequence: int) -> int:
    for frames in _batches(devices, turn, sequence):
        sequence = frames[-1].sequence
        applier.apply(frames)
    return sequence


def _timed(applier: Applier, devices: list[int], turn: int, sequence: int) -> tuple[float, int]:
    """Apply a message of each; return how long it took to make them, and the last sequence."""
    making_s, began_s = 0.0, time.process_time()
    for frames in _batches(devices, turn, sequence):
        making_s += time.process_time() - began_s
        sequence = frames[-1].sequence
        applier.apply(frames)
        began_s = time.process_time()
    return making_s, sequence


def _batches(devices: range | list[int], turn: int, sequence: int) -> Iterator[list[LoggedFrame]]:
    batch: list[LoggedFrame] = []
    for frame in _frames(devices, turn, sequence):
        batch.append(frame)
        if len(batch) == FRAMES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _frames(devices: range | list[int], turn: int, sequence: int) -> Iterator[LoggedFrame]:
    at_us = BEGAN_US + turn * ROUND_US
    for start in range(0, len(devices), FRAME):
        some = devices[start : start + FRAME]
        frame = Frame(
            door=Door.ENDPOINT,
            shard=0,
            gateway="growth",
            epoch=1 + turn,
            count_before=start,
            received_us=at_us,
            topics=[f"madina/v1/{PROVIDER}/{ID.format(each)}/up".encode() for each in some],
            payloads=[_payload(each, at_us) for each in some],
            flags=b"\x01" * len(some),
            runs=[Run(b"growth", at_us, len(some))],
            controls=(),
        )
        sequence += 1
        yield LoggedFrame(0, sequence, encode_frame(frame), at_us)


def _payload(device: int, at_us: int) -> bytes:
    readings = [{"q": each, "v": device % 100 / 4} for each in QUANTITIES]
    return msgspec.json.encode({"t": at_us // 1_000, "obs": readings})


def _device(number: int) -> Device:
    name = ID.format(number)
    return Device(PROVIDER, name, "air", name, "active", 900.0, None, None, None, number + 1)


if __name__ == "__main__":
    found = devices_and_cost(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
