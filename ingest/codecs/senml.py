"""SenML packs, however they were written: base fields, names, times, sums.

Source: RFC 8428 (sections 4.1 to 4.6), RFC 9100 (versions); formats.md sections 2 and 3 for what
the RFC leaves open: which part of a name is the device, and which the quantity.
"""

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, cast

from city.instants import LAST_US
from city.quantities import QUANTITY_PATTERN
from city.reasons import MessageReason
from ingest.codecs.measures import Measure, Measures, join
from ingest.codecs.members import members_of
from ingest.codecs.own_topic import device_of_topic, known_device
from ingest.codecs.profile import profile_of
from ingest.codecs.seam import Arrived, Decoded, MessageError, Value
from ingest.codecs.senml_units import quantity_by_unit, senml_unit

__all__ = ["LABELS", "read_pack"]

VALUES: Final = ("v", "vs", "vb", "vd")
BASE: Final = frozenset({"bn", "bt", "bu", "bv", "bs", "bver"})
LABELS: Final = BASE | {"n", "u", "s", "t", "ut", *VALUES}
# What makes a record a measurement, which then has to have a value.
MEASURED: Final = frozenset({"n", "t", "u"})
KINDS: Final = {"vs": str, "vb": bool, "vd": bytes}

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*", re.ASCII)
URN: Final = re.compile(r"(urn:dev:[^:]+:[^:/_]+)[:/_]?(.*)", re.ASCII)
NAME_ENDS: Final = ":/._-"
# The base, and the base with the feature "secondary units" (bitmap of RFC 9100).
VERSIONS: Final = frozenset({*range(1, 11), 26})
MICROS: Final = 1_000_000
# Seconds below this are relative to now (RFC 8428 section 4.5.3).
RELATIVE_US: Final = 2**28 * MICROS
SECONDS_MAX: Final = 1e12
MUST_UNDERSTAND: Final = "_"
PLACES: Final = ("lat", "lon")


def read_pack(records: list[Any], message: Arrived) -> Decoded:
    """Read the records of a pack.

    Args:
        records: Maps of labels as JSON has them, `vd` as bytes.
        message: What they came in.

    Raises:
        MessageError: A reason that begins with `senml_`, `bad_time`, `bad_device_id`, `too_many`
            or `no_observations`.
    """
    if not records:
        raise MessageError(MessageReason.NO_OBSERVATIONS, "the pack has no record")
    pack = _Pack(message, records)
    for at, record in enumerate(records):
        try:
            pack.read(record)
        except MessageError as error:
            words = f"record {at + 1}: {error.words}"
            raise MessageError(error.reason, words, device=pack.device) from None
    return pack.decoded()


class _Pack:
    """A pack while it is read: what its base fields say at this record."""

    def __init__(self, message: Arrived, records: list[Any]) -> None:
        self._own = device_of_topic(message.topic)
        self._profile = profile_of(message)
        self._received_us = message.received_us
        self._bn, self._bt_us, self._bu = "", 0, ""
        self._bv: float = 0
        self._bs: float = 0
        self._version: int | None = None
        self._moves = any(members_of(each).get("u") in PLACES for each in records)
        self._parts: list[tuple[str, int | None, Measures]] = []
        self._data: dict[str, dict[str, str]] = {}
        self._ignored = 0
        self.device = self._own or ""

    def read(self, record: Any) -> None:  # noqa: ANN401 - an element of an array
        """Read the next record."""
        if not isinstance(record, dict):
            raise MessageError(MessageReason.SENML_TYPE, "a record has to be an object")
        sent = cast("dict[str, Any]", record)
        if not sent.keys() <= LABELS:
            self._check_labels(sent.keys() - LABELS)
        if not sent.keys().isdisjoint(BASE):
            self._take_base(sent)
        label = _value_label(sent)
        if label is not None or "s" in sent:
            self._take(sent, label)

    def decoded(self) -> Decoded:
        """Return all of it."""
        parts = [
            measures.decoded(device, time_us=None, metadata=dict(self._data.get(device, {})))
            for device, _, measures in self._parts
        ] or [Decoded(device=self.device)]
        parts[0] = Decoded(
            parts[0].observations, parts[0].rejected, None, parts[0].device, self._ignored
        )
        return join(parts)

    def _check_labels(self, unknown: set[str]) -> None:
        for label in unknown:
            if label.endswith(MUST_UNDERSTAND):
                words = f"`{label[:64]}` has to be understood, and nobody here does"
                raise MessageError(MessageReason.SENML_MUST_UNDERSTAND, words)
        self._ignored += len(unknown)

    def _take_base(self, sent: dict[str, Any]) -> None:
        """Note base fields: they hold for this record and all that follow."""
        if "bver" in sent:
            self._check_version(sent["bver"])
        self._bn = _text(sent, "bn", self._bn)
        self._bu = _text(sent, "bu", self._bu)
        if "bt" in sent:
            self._bt_us = _micros(_number(sent, "bt"), "bt")
        if "bv" in sent:
            self._bv = _number(sent, "bv")
        if "bs" in sent:
            self._bs = _number(sent, "bs")

    def _check_version(self, sent: object) -> None:
        known = type(sent) is int and sent in VERSIONS
        if not known or self._version not in (None, sent):
            words = f"version {str(sent)[:32]} is not known, or not that of the records before"
            raise MessageError(MessageReason.SENML_VERSION, words)
        self._version = cast("int", sent)

    def _take(self, sent: dict[str, Any], label: str | None) -> None:
        name = _text(sent, "n", "")
        text = _text(sent, "u", self._bu)
        device, raw = self._named(name)
        if raw is None:
            raw = quantity_by_unit(text) if label in (None, "v") else "value"
        if label == "vd":
            self._data.setdefault(device, {})[raw] = cast("bytes", sent["vd"]).hex()
        time_us = self._time_us(sent)
        measures = self._part(device, time_us)
        quantity = self._profile.quantity(raw)
        more: dict[str, Any] = {"ut": _number(sent, "ut")} if sent.get("ut") is not None else {}
        if label == "v" and sent["v"] is not None:
            value = _plus(self._bv, _number(sent, "v"))
            unit, known = self._unit(quantity, text, more)
            measures.take(raw, quantity, value, Measure("", 0, unit, time_us, None, known))
        elif label in ("vs", "vb"):
            measures.take(raw, quantity, sent[label], Measure("", 0, None, time_us, None, more))
        if sent.get("s") is not None:
            self._take_sum(sent, measures, raw, text, time_us)

    def _take_sum(
        self, sent: dict[str, Any], measures: Measures, raw: str, text: str, time_us: int | None
    ) -> None:
        """Add the integral of the value over time, in unit x seconds."""
        quantity = self._profile.quantity(raw)
        summed = quantity and f"{quantity}_sum"
        if summed and not QUANTITY_PATTERN.fullmatch(summed):
            summed = None
        unit, known = self._unit(quantity, text, {})
        value: Value = _plus(self._bs, _number(sent, "s"))
        measures.take(
            f"{raw}_sum", summed, value, Measure("", 0, unit and f"{unit}.s", time_us, None, known)
        )

    def _unit(
        self, quantity: str | None, text: str, more: dict[str, Any]
    ) -> tuple[str | None, dict[str, Any]]:
        """Return the unit of a number, and its metadata."""
        if not text:
            return (self._profile.unit(quantity) if quantity else None), more
        unit = senml_unit(text)
        return unit, more if unit else {**more, "unit_raw": text}

    def _named(self, name: str) -> tuple[str, str | None]:
        device, raw = _names(self._bn, name)
        if self._own is not None:
            return self._own, name or None
        self.device = known_device(device, "its name")
        return self.device, raw

    def _time_us(self, sent: dict[str, Any]) -> int | None:
        total_us = self._bt_us + (
            _micros(_number(sent, "t"), "t") if sent.get("t") is not None else 0
        )
        if total_us == 0:
            # Now: the message has no time of its own.
            return None
        instant_us = total_us + (self._received_us if total_us < RELATIVE_US else 0)
        if not 0 <= instant_us < LAST_US:
            words = f"{total_us / MICROS} s is outside of the years 1970..9999"
            raise MessageError(MessageReason.BAD_TIME, words)
        return instant_us

    def _part(self, device: str, time_us: int | None) -> Measures:
        """Return where a record belongs; a device that moves has a place at each time."""
        moment = time_us if self._moves else None
        if not self._parts or self._parts[-1][:2] != (device, moment):
            self._parts.append((device, moment, Measures()))
        return self._parts[-1][2]


@lru_cache(maxsize=4096)
def _names(base: str, name: str) -> tuple[str, str | None]:
    """Return device and quantity as they are written in a name.

    Raises:
        MessageError: `senml_name`.
    """
    whole = base + name
    if not NAME.fullmatch(whole):
        words = f"{whole[:64]!r} is no name: letters, digits and -:./_, a letter or digit first"
        raise MessageError(MessageReason.SENML_NAME, words)
    if base and name:
        return base.rstrip(NAME_ENDS), name
    urn = URN.fullmatch(whole)
    if urn is not None:
        return urn[1], urn[2] or None
    device, slash, quantity = whole.rpartition("/")
    return (device, quantity or None) if slash else (whole, None)


def _value_label(sent: dict[str, Any]) -> str | None:
    """Return which kind of value a record has; None where it has none."""
    found = [label for label in VALUES if label in sent]
    if len(found) > 1:
        words = f"it has {' and '.join(f'`{label}`' for label in found)}, one value is allowed"
        raise MessageError(MessageReason.SENML_VALUE_COUNT, words)
    if not found:
        if "s" not in sent and not sent.keys().isdisjoint(MEASURED):
            raise MessageError(MessageReason.SENML_VALUE_COUNT, "it has no value")
        return None
    (label,) = found
    kind = KINDS.get(label)
    if kind is not None and not isinstance(sent[label], kind):
        words = f"`{label}` is {str(sent[label])[:64]!r}, which has another type"
        raise MessageError(MessageReason.SENML_TYPE, words)
    return label


def _number(sent: dict[str, Any], label: str) -> float:
    value: object = sent[label]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    words = f"`{label}` is {str(value)[:64]!r}, no number"
    raise MessageError(MessageReason.SENML_TYPE, words)


def _text(sent: dict[str, Any], label: str, otherwise: str) -> str:
    value: object = sent.get(label, otherwise)
    if isinstance(value, str):
        return value
    raise MessageError(MessageReason.SENML_TYPE, f"`{label}` is {str(value)[:64]!r}, no text")


def _micros(seconds: float, label: str) -> int:
    if not abs(seconds) < SECONDS_MAX:
        words = f"`{label}` is {str(seconds)[:64]} s, which no time has"
        raise MessageError(MessageReason.BAD_TIME, words)
    return seconds * MICROS if isinstance(seconds, int) else round(seconds * MICROS)


def _plus(base: float, value: float) -> float:
    """Return a sum as people would write it: 20 + 1.1 is 21.1."""
    if not base:
        return value
    if isinstance(base, int) and isinstance(value, int):
        return base + value
    if not (math.isfinite(base) and math.isfinite(value)):
        return base + value
    return float(Decimal(repr(base)) + Decimal(repr(value)))
