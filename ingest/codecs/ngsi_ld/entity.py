"""One entity: which of its attributes are measurements, with their units and times.

Source: ETSI GS CIM 009 (normalised, concise and simplified forms), NGSI-v2 (`metadata`), and the
smart data model AirQualityObserved; formats.md section 18.
"""

import re
from typing import Any, Final, cast

from city.quantities import QUANTITY_PATTERN, plain_name
from city.reasons import Note
from city.units import ucum
from ingest.codecs.flatten import flatten
from ingest.codecs.geojson import point_of
from ingest.codecs.intervals import Interval, interval_of
from ingest.codecs.measures import Measure, Measures
from ingest.codecs.members import members_of
from ingest.codecs.profile import Profile

__all__ = ["Entity"]

# Facts about the entity, and its times.
NOT_MEASURED: Final = frozenset(
    {
        "id", "type", "@id", "@type", "@context", "address", "areaServed", "source",
        "dataProvider", "name", "description", "owner", "seeAlso", "alternateName", "location",
        "stationCode", "stationName", "typeOfLocation", "scope", "createdAt", "modifiedAt",
        "observedAt", "TimeInstant",
    }
)  # fmt: skip
FACT: Final = re.compile(r"(?:ref|date)(?:[A-Z_].*)?", re.DOTALL)
RELATED: Final = re.compile(r"ref[A-Z_].*", re.DOTALL)
# Attributes of which only a fact is known, and where it stands.
FACTS: Final = frozenset({"object", "languageMap", "vocab", "json", "objectList", "vocabList"})
GEO: Final = frozenset({"GeoProperty", "geo:json", "geo:point", "Point"})
# Members of an attribute that say something about the attribute itself.
OWN_MEMBERS: Final = frozenset(
    {
        "type", "value", "unitCode", "observedAt", "modifiedAt", "createdAt", "datasetId",
        "instanceId", "metadata", "timestamp", "TimeInstant",
    }
)  # fmt: skip
PROPERTY: Final = "Property"
OWN_TIMES: Final = ("observedAt", "timestamp", "TimeInstant")
ENTITY_TIMES: Final = ("dateObserved", "TimeInstant", "modifiedAt")
# The model fixes these where no code is sent; humidity is 0..1 there.
AIR_QUALITY: Final = "AirQualityObserved"
AIR_QUALITY_UNITS: Final = {
    "temperature": "Cel",
    "humidity": "1",
    "wind_speed": "m/s",
    "wind_direction": "deg",
    "precipitation": "mm",
}
AMBIGUOUS: Final[dict[str, Any]] = {"notes": [Note.TIME_AMBIGUOUS.value]}
METADATA_MAX: Final = 32


class Entity:
    """One entity while it is read.

    Attributes:
        metadata: What is known beside the measurements.
        related: Attribute to the entity that it points to.
        attributes: How many could be measurements, those without a value too.
    """

    def __init__(
        self, sent: dict[str, Any], notified: Interval | None, timezone: str, profile: Profile
    ) -> None:
        """Take what was sent, when the broker sent it, and the zone of times without one."""
        self._sent = {_short(name): value for name, value in sent.items()}
        self._timezone = timezone
        self._profile = profile
        self._air = _short(str(self._sent.get("type", ""))) == AIR_QUALITY
        self._time = self._entity_time() or notified
        self.metadata: dict[str, Any] = {}
        self.related: dict[str, str] = {}
        self.attributes = 0

    def read(self, measures: Measures) -> None:
        """Add every measurement of the entity.

        Raises:
            MessageError: `bad_time`.
        """
        for name, sent in self._sent.items():
            if name == "location":
                self._place(name, sent)
            elif RELATED.fullmatch(name):
                self._fact(name, members_of(sent).get("object", _value(sent)))
            elif name not in NOT_MEASURED and not FACT.fullmatch(name):
                for each in _instances(sent):
                    self._attribute(name, each, measures)

    def _attribute(self, name: str, sent: Any, measures: Measures) -> None:  # noqa: ANN401 - any JSON
        """Add one attribute, or one of those that share a name."""
        members = members_of(sent)
        value = _value(sent)
        if "value" not in members and not FACTS.isdisjoint(members):
            self._fact(name, next(members[each] for each in members if each in FACTS))
        elif members.get("type") in GEO or ("coordinates" in members_of(value) and point_of(value)):
            self._place(name, sent)
        else:
            self.attributes += 1
            self._measure(name, members, value, measures)

    def _measure(
        self, name: str, members: dict[str, Any], value: object, measures: Measures
    ) -> None:
        quantity = self._quantity(name, members.get("datasetId"))
        time = self._own_time(members) or self._time
        time_us, end_us = (time.start_us, time.end_us) if time else (None, None)
        more = {**_about(members), **(AMBIGUOUS if time and time.ambiguous else {})}
        if isinstance(value, dict | list):
            nested = Measures()
            flatten({name: value}, self._naming, nested)
            measures.rejected += nested.rejected
            measures.ignored += nested.ignored
            for each in nested.found:
                known = Measure("", 0, each.unit, time_us, end_us, more or None)
                measures.take(name, each.quantity, each.value, known)
            return
        unit, raw = self._unit(quantity, members)
        if raw is not None and not isinstance(value, str | bool):
            more["unit_raw"] = raw
        known = Measure("", 0, unit, time_us, end_us, more or None)
        measures.take(name, quantity, value, known)

    def _naming(self, raw: str) -> tuple[str | None, str | None]:
        quantity = self._profile.quantity(raw)
        return quantity, self._profile.unit(quantity) if quantity else None

    def _quantity(self, name: str, dataset: object) -> str | None:
        quantity = self._profile.quantity(name)
        if quantity is None or not isinstance(dataset, str):
            return quantity
        last = plain_name(re.split(r"[:/#]", dataset)[-1])
        whole = f"{quantity}_{last}" if last else quantity
        return whole if QUANTITY_PATTERN.fullmatch(whole) else None

    def _unit(self, quantity: str | None, members: dict[str, Any]) -> tuple[str | None, str | None]:
        """Return the unit, and its text where nobody knows it."""
        code = _value(members.get("unitCode", members_of(members.get("metadata")).get("unitCode")))
        if isinstance(code, str) and code:
            unit = ucum(code)
            return unit, None if unit else code
        model = AIR_QUALITY_UNITS.get(quantity or "") if self._air else None
        return model or (self._profile.unit(quantity) if quantity else None), None

    def _own_time(self, members: dict[str, Any]) -> Interval | None:
        """Return the time of an attribute, if it has one."""
        told = {**members, **members_of(members["metadata"])} if "metadata" in members else members
        for name in OWN_TIMES:
            sent = _value(told.get(name))
            if sent is not None and sent != "":
                return interval_of(sent, name)
        return None

    def _entity_time(self) -> Interval | None:
        for name in ENTITY_TIMES:
            sent = _value(self._sent.get(name))
            if sent is not None and sent != "":
                return interval_of(sent, name, timezone=self._timezone)
        return None

    def _place(self, name: str, sent: object) -> None:
        place = point_of(_value(sent))
        if place and name == "location":
            self.metadata["position"] = place
        else:
            self._fact(name, _value(sent))

    def _fact(self, name: str, fact: object) -> None:
        plain = plain_name(name)
        if plain is None or fact is None or len(self.metadata) >= METADATA_MAX:
            return
        self.metadata[plain] = fact
        if isinstance(fact, str):
            self.related[name] = fact


def _short(name: str) -> str:
    """Return the last part of a name that was expanded to a URI."""
    return re.split(r"[/#]", name)[-1] if "://" in name else name


def _value(sent: object) -> object:
    """Return the value of an attribute in any of its forms."""
    if not isinstance(sent, dict):
        return sent
    members = cast("dict[str, Any]", sent)
    if "value" in members:
        return _value(members["value"]) if _is_typed(members["value"]) else members["value"]
    return None if members.get("type") == PROPERTY else members.get("@value", sent)


def _is_typed(value: object) -> bool:
    return isinstance(value, dict) and "@value" in value


def _instances(sent: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    """Return the attributes that share a name; an array of plain values is one."""
    if isinstance(sent, list) and sent:
        items = cast("list[Any]", sent)
        if all(not {"value", "object", "type"}.isdisjoint(members_of(each)) for each in items):
            return items
    return [sent]


def _about(members: dict[str, Any]) -> dict[str, Any]:
    """Return what a property says about itself: `accuracy`, `reliability` and the like."""
    if "value" not in members or (members.keys() <= OWN_MEMBERS and "metadata" not in members):
        return {}
    said = {**members, **members_of(members.get("metadata"))}
    found = {
        plain_name(name): _value(each) for name, each in said.items() if name not in OWN_MEMBERS
    }
    return {
        name: each
        for name, each in found.items()
        if name is not None and isinstance(each, str | int | float)
    }
