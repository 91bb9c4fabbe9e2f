"""Metrics of a message, brought to measurements by what their births told of them.

Source: formats.md section 7.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from city.flags import Flag
from city.instants import InstantError, from_millis
from city.reasons import MessageReason, ObservationReason
from city.units import ucum
from ingest.codecs.flatten import ELEMENTS_MAX
from ingest.codecs.measures import Measure, Measures
from ingest.codecs.profile import Profile
from ingest.codecs.seam import MessageError
from ingest.codecs.sparkplug_b.payload import Metric, Payload
from ingest.codecs.sparkplug_b.session import Known
from ingest.codecs.sparkplug_b.values import UnsupportedError, value_of, values_of_array

__all__ = ["bd_seq_of", "read_metrics", "time_us_of"]

BD_SEQ: Final = "bdSeq"
CONTROL: Final = ("Node Control/", "Device Control/")
FLAGS: Final[Mapping[int, Flag]] = {0: Flag.FAIL, 500: Flag.SUSPECT}
UNIT_MAX: Final = 64

Lookup = Callable[[Metric], Known | None]


def bd_seq_of(payload: Payload) -> int | None:
    """Return which session a birth or death is of."""
    found = next((each.value for each in payload.metrics if each.name == BD_SEQ), None)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def time_us_of(millis: int | None) -> int | None:
    """Return a time in microseconds; None where none was sent.

    Raises:
        MessageError: `bad_time`.
    """
    try:
        return None if millis is None else from_millis(millis)
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, str(error)) from None


def read_metrics(
    payload: Payload, profile: Profile, lookup: Lookup | None
) -> tuple[Measures, bool]:
    """Return what the metrics of a message measure, and whether one is unknown.

    Args:
        payload: The message.
        profile: Names and units of the route.
        lookup: What births told of a metric; None for a birth, which tells itself.

    Raises:
        MessageError: `bad_time`.
    """
    measures, unknown = Measures(), False
    for metric in payload.metrics:
        known = Known(metric.name, metric.kind, metric.unit)
        if lookup is not None or not metric.name:
            told = lookup(metric) if lookup else None
            if told is None:
                unknown |= _is_unknown(metric, measures)
                continue
            known = told
        if not _is_control(known.name):
            _measure(metric, known, profile, measures)
    return measures, unknown


def _is_control(name: str) -> bool:
    return name == BD_SEQ or name.startswith(CONTROL)


def _is_unknown(metric: Metric, measures: Measures) -> bool:
    if metric.name and _is_control(metric.name):
        return False
    raw = metric.name or f"alias {metric.alias}"
    words = "no birth has told of it"
    measures.reject(raw, ObservationReason.SPARKPLUG_UNKNOWN_ALIAS, words)
    return True


def _measure(metric: Metric, known: Known, profile: Profile, measures: Measures) -> None:
    value = metric.value
    if metric.transient:
        measures.ignored += 1
        return
    if metric.null or value is None:
        return
    kind = known.kind if metric.kind is None else metric.kind
    details = _details(metric, known, profile)
    try:
        elements = values_of_array(kind or 0, value)
        if elements is None:
            quantity = profile.quantity(known.name)
            measures.take(known.name, quantity, value_of(kind or 0, value), details(quantity))
            return
    except UnsupportedError as error:
        measures.reject(known.name, ObservationReason.UNSUPPORTED_DATATYPE, str(error))
        return
    measures.ignored += max(0, len(elements) - ELEMENTS_MAX)
    for at, element in enumerate(elements[:ELEMENTS_MAX], start=1):
        quantity = profile.quantity(f"{known.name}_{at}")
        measures.take(f"{known.name}_{at}", quantity, element, details(quantity))


def _details(metric: Metric, known: Known, profile: Profile) -> Callable[[str | None], Measure]:
    """Return what is known of a value beside its name, once the name is."""
    sent = metric.unit or known.unit
    unit = ucum(sent) if sent else None
    metadata: dict[str, Any] = {"historical": True} if metric.historical else {}
    if sent and unit is None:
        metadata["unit_raw"] = sent[:UNIT_MAX]
    time_us, flag = time_us_of(metric.time_ms), None
    if metric.quality is not None:
        flag = FLAGS.get(metric.quality)

    def measure(quantity: str | None) -> Measure:
        told = unit or (profile.unit(quantity) if quantity and not sent else None)
        return Measure("", 0, told, time_us, None, metadata, flag)

    return measure
