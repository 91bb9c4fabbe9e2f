"""Topics of our own that carry other formats: `madina/v1/{provider}/{device}/raw/{format}`.

Source: formats.md section 0.8.
"""

from typing import Final

from city.identity import device_id
from city.reasons import MessageReason
from city.topics import masked_topic
from ingest.codecs.seam import Decoded, MessageError

__all__ = ["checked_own", "device_of_topic", "known_device", "required_device"]

PREFIX: Final = "madina/v1/"
DEVICE_LEVEL: Final = 3


def device_of_topic(topic: str) -> str | None:
    """Return the device that a topic of our own names; None where the topic is not ours.

    Raises:
        MessageError: `bad_device_id`.
    """
    levels = topic.split("/")
    if not topic.startswith(PREFIX) or len(levels) <= DEVICE_LEVEL:
        return None
    return known_device(levels[DEVICE_LEVEL], topic)


def checked_own(topic: str, decoded: Decoded) -> Decoded:
    """Return what a message holds, or refuse one on a topic of one device that speaks of another.

    A login may be that of one device; it is held to its topics, and so has to be what they carry.
    Source: formats.md section 20, pitfall 38.

    Raises:
        MessageError: `device_mismatch` or `bad_device_id`.
    """
    own = device_of_topic(topic)
    if own is None:
        return decoded
    named = {decoded.device, *(each.device for each in decoded.observations)}
    others = sorted(named - {own, ""})
    if others:
        words = (
            f"the topic is that of {own!r}, and the payload speaks of {others[0]!r}: send it on"
            " that device's topic, or on a topic of a route that names none"
        )
        raise MessageError(MessageReason.DEVICE_MISMATCH, words, device=own)
    return decoded


def required_device(topic: str) -> str:
    """Return the device that a topic names, where the payload has no place for one.

    Raises:
        MessageError: `missing_device` or `bad_device_id`.
    """
    device = device_of_topic(topic)
    if device is None:
        shown = masked_topic(topic)
        words = f"the topic {shown!r} names no device, and the payload has no place for it"
        raise MessageError(MessageReason.MISSING_DEVICE, words)
    return device


def known_device(name: str, where: str) -> str:
    """Return the id of a device that somebody names.

    Args:
        name: As it was sent.
        where: What holds it, for people.

    Raises:
        MessageError: `bad_device_id`.
    """
    device = device_id(name)
    if device is None:
        words = f"no device can be named {name[:64]!r} ({where[:128]})"
        raise MessageError(MessageReason.BAD_DEVICE_ID, words)
    return device
