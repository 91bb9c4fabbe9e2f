"""What holds entities: a notification, its envelope over MQTT, an array, or an entity alone.

Source: ETSI GS CIM 009 (notification; envelope over MQTT as Stellio sends it); formats.md 18.
"""

import re
from typing import Any, Final, cast

from city.reasons import MessageReason
from ingest.codecs.intervals import Interval, interval_of
from ingest.codecs.measures import Measures, join
from ingest.codecs.members import members_of
from ingest.codecs.ngsi_ld.entity import Entity
from ingest.codecs.own_topic import known_device
from ingest.codecs.profile import Profile, options_of
from ingest.codecs.seam import Arrived, Decoded, MessageError

__all__ = ["NgsiLdOptions", "are_entities", "read_entities"]

NOTIFICATION: Final = "Notification"
ID_MAX: Final = 256
# What shows that an object with an id is an entity: attributes are objects with one of these.
ATTRIBUTE: Final = frozenset({"value", "object", "languageMap", "vocab", "json"})


class NgsiLdOptions(Profile, frozen=True):
    """Options of a route for entities.

    Attributes:
        id_pattern: Regular expression; its group 1 is what names the device in an entity's id, for
            publishers that put the time into it. An id that does not match is taken whole.
        device: Attribute that names the device (`refDevice`); None: the entity's id.
    """

    id_pattern: str | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would spoil every message in silence."""
        super().__post_init__()
        if self.id_pattern is None:
            return
        try:
            groups = re.compile(self.id_pattern).groups
        except re.error as error:
            raise ValueError(f"`id_pattern` is no regular expression: {error}") from None
        if groups < 1:
            raise ValueError("`id_pattern` has no group for what names the device")


def are_entities(document: object) -> bool:
    """Say whether a document is entities, rather than names and values."""
    items = cast("list[Any]", document if isinstance(document, list) else [document])
    return bool(items) and all(_is_entity(members_of(each)) for each in items)


def read_entities(document: object, message: Arrived) -> Decoded:
    """Read a notification or entities.

    Args:
        document: As JSON.
        message: What it came in.

    Raises:
        MessageError: `missing_field`, `missing_device`, `bad_device_id`, `bad_time`, `too_many` or
            `no_observations`.
    """
    options = options_of(message, NgsiLdOptions)
    found, notified = _entities(document)
    if not found:
        raise MessageError(MessageReason.NO_OBSERVATIONS, "there is no entity in it")
    parts: list[Decoded] = []
    measured = False
    for at, sent in enumerate(found):
        part, has_attributes = _entity(sent, at, notified, message, options)
        parts.append(part)
        measured = measured or has_attributes
    if not measured:
        words = "no attribute of these entities is a measurement"
        raise MessageError(MessageReason.NO_OBSERVATIONS, words, device=parts[0].device)
    return join(parts)


def _is_entity(sent: dict[str, Any]) -> bool:
    if not isinstance(sent.get("id"), str) or not isinstance(sent.get("type"), str):
        return False
    return any(not ATTRIBUTE.isdisjoint(members_of(each)) for each in sent.values())


def _entities(document: object) -> tuple[list[Any], Interval | None]:
    """Return the entities, and when the broker sent them."""
    if isinstance(document, list):
        return cast("list[Any]", document), None
    sent = members_of(document)
    if not sent:
        raise MessageError(MessageReason.MISSING_FIELD, "the message is no object with members")
    body = members_of(sent.get("body"))
    if body and "id" not in sent:
        sent = body
    if sent.get("type") != NOTIFICATION and not isinstance(sent.get("data"), list):
        return [sent], None
    data = sent.get("data")
    if data is None:
        raise MessageError(MessageReason.MISSING_FIELD, "the notification has no `data`")
    notified = sent.get("notifiedAt")
    entities = cast("list[Any]", data if isinstance(data, list) else [data])
    return entities, interval_of(notified, "notifiedAt") if notified else None


def _entity(
    sent: object, at: int, notified: Interval | None, message: Arrived, options: NgsiLdOptions
) -> tuple[Decoded, bool]:
    members = members_of(sent)
    name = members.get("id", members.get("@id"))
    if not isinstance(name, str) or not name:
        raise MessageError(MessageReason.MISSING_FIELD, f"entity {at + 1} has no `id`")
    measures = Measures()
    try:
        entity = Entity(members, notified, message.timezone, options)
        entity.read(measures)
        device = _device(name, entity, options)
        decoded = measures.decoded(device, time_us=None, metadata=entity.metadata)
    except MessageError as error:
        device = error.device or known_device(name[:ID_MAX], "id")
        words = f"entity {at + 1}: {error.words}"
        raise MessageError(error.reason, words, device=device) from None
    return decoded, entity.attributes > 0


def _device(name: str, entity: Entity, options: NgsiLdOptions) -> str:
    if options.device is not None:
        named = entity.related.get(options.device)
        if named is None:
            words = f"the entity has no `{options.device}`, which is to name the device"
            raise MessageError(MessageReason.MISSING_DEVICE, words)
        return known_device(named, options.device)
    if options.id_pattern is not None and len(name) <= ID_MAX:
        match = re.fullmatch(options.id_pattern, name)
        name = (match and match[1]) or name
    return known_device(name, "id")
