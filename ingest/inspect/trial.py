"""Reads samples by a route as ingest would, and says what it comes to. Stores nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

from city.clock import US_PER_S
from city.frame import Door
from city.quantities import quantity_of
from city.samples import SampledValue
from ingest.apply.decide import decode_message
from ingest.apply.rules import SettledUnit, kind_of, settle_unit
from ingest.apply.stretch import Message
from ingest.codecs.seam import MessageError
from ingest.guesses import guessed_kind
from ingest.inspect.findings import Candidate, FoundDevice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.apply.routing import Lane
    from ingest.codecs.seam import CodedObservation
    from ingest.inspect.findings import Heard

__all__ = ["Trial", "tried"]

# Fewer gaps than this tell nothing of how often a device reports.
GAPS_MIN: Final = 2


class _Device:
    def __init__(self) -> None:
        self.messages = 0
        self.quantities: dict[str, None] = {}
        self.received_us: list[int] = []

    @property
    def interval_s(self) -> float | None:
        times = sorted(set(self.received_us))
        gaps = [after - before for before, after in pairwise(times)]
        if len(gaps) < GAPS_MIN:
            return None
        return max(float(round(median(gaps) / US_PER_S)), 1.0)


class Trial(msgspec.Struct, frozen=True):
    """What messages come to.

    Attributes:
        read: Messages that were read whole; `observed`: those with observations.
        values: Of the first that had some, then one of each other quantity.
        faults: Words to how many messages.
        with_unit: Quantities that came with a unit.
    """

    read: int
    observed: int
    values: list[SampledValue]
    devices: list[FoundDevice]
    faults: dict[str, int]
    with_unit: frozenset[str] = frozenset()

    def candidate(self, codec: str, of: int) -> Candidate:
        """Return it as one of several."""
        return Candidate(codec, self.observed, of, self.values, next(iter(self.faults), ""))


def tried(lane: Lane, messages: Sequence[Heard]) -> Trial:
    """Read messages in order; a format with memory is read without what came before."""
    faults: Counter[str] = Counter()
    devices: defaultdict[str, _Device] = defaultdict(_Device)
    values: dict[str, SampledValue] = {}
    with_unit: set[str] = set()
    read = observed = 0
    for index, heard in enumerate(messages):
        try:
            decoded = decode_message(_message(index, heard), lane, again=True)
        except MessageError as error:
            faults[str(error)] += 1
            continue
        wrong = [str(each.words) for each in decoded.rejected]
        wrong += filter(None, map(_misfit, decoded.observations))
        faults.update(dict.fromkeys(wrong, 1))
        read += not wrong
        observed += bool(decoded.observations)
        for each in decoded.observations:
            values.setdefault(each.quantity, _value(each))
            if each.unit is not None:
                with_unit.add(each.quantity)
            devices[each.device].quantities[each.quantity] = None
        for name in {each.device for each in decoded.observations}:
            devices[name].messages += 1
            devices[name].received_us.append(heard.received_us)
    found = [
        FoundDevice(
            lane.provider,
            name,
            guessed_kind(device.quantities),
            device.messages,
            [*device.quantities],
            device.interval_s,
        )
        for name, device in sorted(devices.items())
    ]
    return Trial(read, observed, [*values.values()], found, dict(faults), frozenset(with_unit))


def _message(index: int, heard: Heard) -> Message:
    return Message(
        place=index,
        id="inspected",
        origin=0,
        shard=0,
        minute_us=0,
        topic=heard.topic,
        payload=heard.payload,
        flags=0,
        received_us=heard.received_us,
        client="",
        content_type=heard.content_type,
        door=Door.SERVICES,
    )


def _misfit(sent: CodedObservation) -> str:
    """Say why an observation could not be stored."""
    readable = "unit_raw" not in sent.metadata
    kind = kind_of(sent.value)
    settled = settle_unit(sent.quantity, kind, sent.unit, known=None, readable=readable)
    if isinstance(settled, SettledUnit):
        return ""
    unit = sent.metadata.get("unit_raw", sent.unit)
    return f"{settled.value}: {sent.quantity} in {unit!r}"


def _value(sent: CodedObservation) -> SampledValue:
    known = quantity_of(sent.quantity)
    unit = sent.unit or (known.unit if known is not None else None)
    return SampledValue(sent.device, sent.quantity, unit, sent.value, sent.time_us)
