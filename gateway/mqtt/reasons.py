"""Reason codes of MQTT 5.0, the return codes of 3.1.1, and the one error of the codec.

Sources: MQTT 5.0 section 2.4, MQTT 3.1.1 table 3.1.
"""

import enum
from collections.abc import Mapping
from typing import Final

__all__ = ["CONNACK_3", "LONGEST_WORDS", "Level", "MqttError", "Reason", "VersionError"]

# Characters of a reason in words: enough for people, little enough for any packet and log.
LONGEST_WORDS = 200


class Level(enum.IntEnum):
    """Protocol level, as CONNECT names it."""

    V3 = 4
    V5 = 5


class Reason(enum.IntEnum):
    """Reason codes that an endpoint for publishers sends or meets."""

    SUCCESS = 0x00
    DISCONNECT_WITH_WILL = 0x04
    NO_SUBSCRIPTION_EXISTED = 0x11
    UNSPECIFIED = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    UNSUPPORTED_VERSION = 0x84
    CLIENT_ID_NOT_VALID = 0x85
    BAD_CREDENTIALS = 0x86
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SERVER_BUSY = 0x89
    SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    IDENTIFIER_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    ADMINISTRATIVE_ACTION = 0x98
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2


# What CONNACK of 3.1.1 says instead (table 3.1); anything else closes without a CONNACK.
CONNACK_3: Final[Mapping[Reason, int]] = {
    Reason.SUCCESS: 0,
    Reason.UNSUPPORTED_VERSION: 1,
    Reason.CLIENT_ID_NOT_VALID: 2,
    Reason.SERVER_UNAVAILABLE: 3,
    Reason.SERVER_BUSY: 3,
    Reason.BAD_CREDENTIALS: 4,
    Reason.NOT_AUTHORIZED: 5,
}


class MqttError(ValueError):
    """Bytes or packets that MQTT does not allow; the connection they came on has to end.

    Attributes:
        reason: What MQTT 5.0 calls it.
        words: For people.
        topic: Which topic it was about; empty: none.
    """

    def __init__(self, reason: Reason, words: str, topic: bytes = b"") -> None:
        super().__init__(f"{reason.name.lower()}: {words[:LONGEST_WORDS]}")
        self.reason = reason
        # They may quote what a device sent.
        self.words = words[:LONGEST_WORDS]
        self.topic = topic


class VersionError(MqttError):
    """A protocol level that is neither 3.1.1 nor 5.0.

    Attributes:
        answer: In which version a CONNACK may say so.
    """

    def __init__(self, level: int) -> None:
        super().__init__(Reason.UNSUPPORTED_VERSION, f"protocol level {level}")
        self.answer = Level.V3 if level < Level.V5 else Level.V5
