"""One message of a Zigbee2MQTT bridge, with every rule of formats.md section 12."""

from typing import Any, Final, Literal

from city.instants import InstantError, from_millis
from city.reasons import MessageReason
from ingest.codecs.envelope import text_of
from ingest.codecs.flatten import flatten
from ingest.codecs.measures import Measures
from ingest.codecs.members import integer_of, read_object, time_of
from ingest.codecs.own_topic import known_device
from ingest.codecs.profile import Profile, options_of
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.stringly import cast_text
from ingest.codecs.zigbee2mqtt.names import KEPT, naming_of

__all__ = ["CODEC", "Zigbee2MqttCodec", "Zigbee2MqttOptions"]

BRIDGE: Final = "bridge"
AVAILABILITY: Final = "availability"
COMMANDS: Final = frozenset({"set", "get"})


class Zigbee2MqttOptions(Profile, frozen=True):
    """Options of a route for Zigbee2MQTT.

    Attributes:
        base: What its topics begin with.
        output: The setting of the same name; with `attribute_and_json` only the objects are read,
            so that nothing comes twice.
    """

    base: str = "zigbee2mqtt"
    output: Literal["json", "attribute", "attribute_and_json"] = "json"


class Zigbee2MqttCodec:
    """`ingest.codecs.seam.Codec` for Zigbee2MQTT; the topic names the device."""

    options: Final = Zigbee2MqttOptions

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        options = options_of(message, Zigbee2MqttOptions)
        levels = _levels(message.topic, options.base)
        if levels[0] == BRIDGE or COMMANDS & {levels[-1], *levels[-2:-1]}:
            return Decoded()
        speaks = levels[-1] != AVAILABILITY
        attribute = None
        if not speaks or (options.output == "attribute" and len(levels) > 1):
            attribute = levels.pop()
        device = known_device("/".join(levels), message.topic)
        if not speaks or not _is_read(message.payload, options):
            return Decoded(device=device)
        try:
            return _read(message, device, attribute, options)
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


def _is_read(payload: bytes, options: Zigbee2MqttOptions) -> bool:
    """Say whether a payload holds something that is not read from another message as well."""
    bare = not payload.lstrip().startswith(b"{")
    return bool(payload.strip()) and not (bare and options.output == "attribute_and_json")


def _levels(topic: str, base: str) -> list[str]:
    if not topic.startswith(f"{base}/"):
        words = f"the topic {topic!r} does not begin with {base!r}: say `base` in the route"
        raise MessageError(MessageReason.MISSING_DEVICE, words)
    return topic.removeprefix(f"{base}/").split("/")


def _read(message: Arrived, device: str, attribute: str | None, profile: Profile) -> Decoded:
    if attribute is not None:
        return _attribute(message, device, attribute, profile)
    sent = read_object(message.payload)
    time_us = _last_seen(sent.pop("last_seen", None))
    metadata: dict[str, Any] = {
        KEPT[name]: sent.pop(name)
        for name in tuple(sent)
        if name in KEPT and sent[name] is not None
    }
    measures = Measures()
    flatten(sent, naming_of(profile, on_battery="battery" in sent), measures)
    return measures.decoded(device, time_us=time_us, metadata=metadata)


def _attribute(message: Arrived, device: str, name: str, profile: Profile) -> Decoded:
    """Read `{base}/{name}/{attribute}` with a bare value."""
    measures = Measures()
    if name not in {"last_seen", *KEPT}:
        value, percent = cast_text(text_of(message.payload))
        quantity, unit = naming_of(profile, on_battery=False)(name)
        measures.add(name, quantity, value, percent or unit)
    return measures.decoded(device, time_us=None, metadata={})


def _last_seen(sent: object) -> int | None:
    """Return when the device was heard: text with a zone, or milliseconds."""
    millis = integer_of(sent)
    if millis is None:
        return time_of(sent, "last_seen")
    try:
        return from_millis(millis)
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"`last_seen`: {error}") from None


CODEC: Final = Zigbee2MqttCodec()
