"""Counts and tells what was refused: every refusal is counted, a bounded number is logged."""

from __future__ import annotations

import enum

import structlog

from gateway.mqtt.reasons import LONGEST_WORDS

__all__ = ["LOGGED_EACH_SECOND", "Refusal", "Refusals"]

log = structlog.get_logger(__name__)

# A device that goes on doing what it may not must not fill the disk with its log.
LOGGED_EACH_SECOND = 20


class Refusal(enum.StrEnum):
    """Why something was refused. A closed set: each value labels a counter."""

    # Who did not get in (the first four are `gateway.grants.Refused`).
    CREDENTIALS = "credentials"
    ANONYMOUS = "anonymous"
    DISABLED = "disabled"
    UNKNOWN_YET = "unknown_yet"
    VERSION = "version"
    CLIENT_ID = "client_id"
    AUTHENTICATION_METHOD = "authentication_method"
    CONNECT_TIMEOUT = "connect_timeout"
    MAX_CONNECTIONS = "max_connections"
    CONNECT_RATE = "connect_rate"
    PROXY_HEADER = "proxy_header"
    # What ended a connection.
    MALFORMED = "malformed"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    RECEIVE_MAXIMUM = "receive_maximum"
    TOPIC_ALIAS = "topic_alias"
    KEEP_ALIVE = "keep_alive"
    SLOW_READER = "slow_reader"
    # What was refused on a connection that goes on (3.1.1: a forbidden topic ends it).
    TOPIC = "topic"
    WILL_TOPIC = "will_topic"
    SUBSCRIBE = "subscribe"


class Refusals:
    """Counters of one process.

    Attributes:
        counts: How often, by reason; every reason is there from the start.
        unlogged: Refusals that were counted and not logged.
    """

    def __init__(self) -> None:
        self.counts: dict[Refusal, int] = dict.fromkeys(Refusal, 0)
        self.unlogged = 0
        self._room = LOGGED_EACH_SECOND

    def note(
        self, reason: Refusal, *, client: str, address: str, detail: str, topic: bytes = b""
    ) -> None:
        """Count a refusal and log it if this second still has room."""
        self.counts[reason] += 1
        if not self._room:
            self.unlogged += 1
            return
        self._room -= 1
        fields = {"topic": topic[:LONGEST_WORDS].decode(errors="replace")} if topic else {}
        log.warning(
            "mqtt.refused",
            reason=reason.value,
            device=client[:LONGEST_WORDS],
            address=address,
            detail=detail,
            **fields,
        )

    def tick(self) -> None:
        """Begin another second of logging."""
        self._room = LOGGED_EACH_SECOND
