"""What FIWARE's IoT Agents share: topics with a key, the device, and what the message is.

Source: telefonicaid/iotagent-ul and iotagent-json, user manuals; formats.md sections 8 and 9.
"""

import hashlib
import re
from typing import Final

import msgspec

from city.instants import InstantError, text_us
from city.reasons import MessageReason
from city.topics import MASK
from ingest.codecs.own_topic import known_device, required_device
from ingest.codecs.profile import Profile, options_of
from ingest.codecs.seam import Arrived, MessageError

__all__ = ["Addressed", "FiwareOptions", "address", "agent_time_us"]

ATTRIBUTES: Final = "attrs"
# Answers to commands and the configuration carry no measurement.
CONTROL: Final = frozenset({"cmd", "cmdexe", "configuration"})
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
# protocol / key / device / what
LEVELS: Final = 4
BASIC_TIME: Final = re.compile(
    r"(\d{4})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(\d\d)((?:[.,]\d+)?)(.*)", re.ASCII
)


class FiwareOptions(Profile, frozen=True):
    """Options of a route for an IoT Agent's devices.

    Attributes:
        api_keys: SHA-256 of each key that may send here, in hexadecimal digits, since a list of
            routes is no place for secrets; None: any key.
    """

    api_keys: list[str] | None = None

    def __post_init__(self) -> None:
        """Refuse what would refuse every message in silence."""
        super().__post_init__()
        for each in self.api_keys or ():
            if not DIGEST.fullmatch(each):
                raise ValueError("`api_keys`: SHA-256 is 64 hexadecimal digits in lower case")

    def check_key(self, key: str) -> None:
        """Compare a key with those that may send.

        Raises:
            MessageError: `unknown_api_key`; the key is not in its words.
        """
        if self.api_keys is None:
            return
        if hashlib.sha256(key.encode()).hexdigest() not in self.api_keys:
            words = "the key in the topic is none of `api_keys` of the route"
            raise MessageError(MessageReason.UNKNOWN_API_KEY, words)


class Addressed(msgspec.Struct, frozen=True):
    """What a topic says.

    Attributes:
        attribute: The one that the payload is the value of; None where it names its own.
        measured: The message carries measurements.
    """

    device: str
    attribute: str | None = None
    measured: bool = True


def address(message: Arrived, protocol: str) -> tuple[Addressed, FiwareOptions]:
    """Read the topic of a message: `/{protocol}/{key}/{device}/attrs[/{attribute}]`, or our own.

    Raises:
        MessageError: `unknown_api_key`, `missing_device`, `bad_device_id` or `no_codec`.
    """
    options = options_of(message, FiwareOptions)
    levels = message.topic.removeprefix("/").split("/")
    if levels[0] != protocol or len(levels) < LEVELS:
        return Addressed(required_device(message.topic)), options
    _, key, name, what, *rest = levels
    device = known_device(name, "level of the device in the topic")
    try:
        if key != MASK or not message.vouched:
            options.check_key(key)
    except MessageError as error:
        raise MessageError(error.reason, error.words, device=device) from None
    if what in CONTROL:
        return Addressed(device, measured=False), options
    if what != ATTRIBUTES or len(rest) > 1 or rest == [""]:
        words = f"`{what[:64]}` is neither `attrs` nor an answer to a command"
        raise MessageError(MessageReason.MISSING_FIELD, words, device=device)
    return Addressed(device, rest[0] if rest else None), options


def agent_time_us(sent: object, where: str) -> int:
    """Read a time as IoT Agents take it: ISO 8601 with a zone, also in its basic form.

    Args:
        sent: As it was sent.
        where: What holds it, for people.

    Raises:
        MessageError: `bad_time`.
    """
    if not isinstance(sent, str):
        words = f"{where} is {str(sent)[:64]!r}, no text of a time"
        raise MessageError(MessageReason.BAD_TIME, words)
    try:
        return text_us(BASIC_TIME.sub(r"\1-\2-\3T\4:\5:\6\7\8", sent))
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"{where}: {error}") from None
