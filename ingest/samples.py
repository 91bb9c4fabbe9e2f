"""Reads parked messages for people, by the routes as they are now; stores and remembers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from city.quantities import quantity_of
from city.samples import Sample, SampledValue
from ingest.apply.decide import decode_message
from ingest.apply.entries import is_whole, message_of
from ingest.apply.routing import Router
from ingest.codecs.seam import MessageError
from ingest.guesses import guessed_kind, guessed_time_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ingest.codecs.seam import Codec, CodedObservation
    from registry.facts import Route
    from store.interface import QuarantineEntry

__all__ = ["SampleReader"]

CUT = "only its first 64 KiB are kept: it cannot be read"


class SampleReader:
    """Says what messages would be; safe to use from any thread."""

    def __init__(self, codecs: Mapping[str, Codec], timezone: str) -> None:
        """Take codecs by name, and the zone of times without one."""
        self._codecs = codecs
        self._timezone = timezone

    def read(self, routes: Iterable[Route], entries: Iterable[QuarantineEntry]) -> list[Sample]:
        """Return what each message says.

        A format that needs what came before (Sparkplug's births) is read without it.
        """
        router = Router(routes, self._codecs, self._timezone)
        return [_sample(router, entry) for entry in entries]

    def kind(self, quantities: Iterable[str]) -> str:
        """Return what a device with these quantities seems to be for; empty where nobody knows."""
        return guessed_kind(quantities)


def _sample(router: Router, entry: QuarantineEntry) -> Sample:
    lane = router.lane(entry.topic)
    if lane is None or not is_whole(entry):
        return Sample(fault="no route speaks of its topic" if lane is None else CUT)
    unit = guessed_time_unit(entry.payload, entry.received_us)
    try:
        decoded = decode_message(message_of(entry, 0, 0), lane, again=True)
    except MessageError as error:
        return Sample(time_unit=unit, fault=error.words)
    return Sample(tuple(map(_value, decoded.observations)), unit)


def _value(sent: CodedObservation) -> SampledValue:
    known = quantity_of(sent.quantity)
    unit = sent.unit or (known.unit if known is not None else None)
    return SampledValue(sent.device, sent.quantity, unit, sent.value, sent.time_us)
