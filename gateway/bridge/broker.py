"""A broker to bridge, and how its URL is read.

`mqtts://user:pass@host:8883?topic=zigbee2mqtt/%23&version=5`. What cannot work is refused here,
before anything is connected, in words that never hold the password.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import msgspec

from city.topics import TopicFilterError, check_filter
from gateway.mqtt.reasons import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Broker", "BrokerFiles", "BrokerUrlError", "parse_broker", "parse_brokers"]

PORTS: Final[Mapping[str, int]] = {"mqtt": 1883, "mqtts": 8883}
VERSIONS: Final[Mapping[str, Level | None]] = {
    "": None,
    "5": Level.V5,
    "5.0": Level.V5,
    "3.1.1": Level.V3,
    "3": Level.V3,
    "4": Level.V3,
}
FILES: Final = ("ca", "certificate", "key")
NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "qos": (0, 2),
    "keep_alive": (5, 65_535),
    "session_expiry": (0, 0xFFFF_FFFF),
    "receive_maximum": (1, 65_535),
}
KNOWN: Final = ("topic", "version", "client_id", "share", *FILES, *NUMBERS)
SHARED: Final = b"$share/"
LONGEST_CLIENT_BYTES: Final = 65_535
# MQTT 3.1.1 section 3.1.3.1: what every broker takes is 23 letters and digits.
DERIVED_DIGITS: Final = 16


class BrokerUrlError(ValueError):
    """A URL that names no broker which could be bridged."""


class BrokerFiles(msgspec.Struct, frozen=True):
    """PEM files of a connection with TLS.

    Attributes:
        ca: Who signs the broker's certificate; None: whom this machine trusts.
        certificate, key: What we show; None: nothing.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None


class Broker(msgspec.Struct, frozen=True):
    """One broker, and what we want of it.

    Attributes:
        level: None: 5.0, and 3.1.1 where the broker says that it has no 5.0.
        topics: Filters; nothing else is taken from this broker.
        client: Client identifier, UTF-8; empty: to be derived (`named`).
        share: Name of a shared subscription; None: our own.
        session_expiry_s: How long the broker keeps messages while we are away (5.0).
        receive_maximum: Messages that the broker may send before the log has them (5.0).
        files: None: no TLS.
    """

    host: str
    port: int
    topics: tuple[bytes, ...]
    level: Level | None = None
    user: str | None = None
    password: bytes | None = None
    client: bytes = b""
    share: str | None = None
    qos: int = 1
    keep_alive_s: int = 30
    session_expiry_s: int = 7 * 86_400
    receive_maximum: int = 4_096
    files: BrokerFiles | None = None

    @property
    def address(self) -> str:
        """Return host and port, for people; never a user or a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def wanted(self) -> tuple[bytes, ...]:
        """Return the filters to subscribe to."""
        if self.share is None:
            return self.topics
        prefix = SHARED + self.share.encode() + b"/"
        return tuple(prefix + topic for topic in self.topics)

    def named(self, installation: str, process: str) -> Broker:
        """Return the broker with a client identifier of ours, where it has none of its own.

        The same one after each restart, since the broker keeps messages under it; another one for
        each installation, process and user, since two connections under one end each other.
        """
        if self.client:
            return self
        parts = (installation, process, self.host, str(self.port), self.user or "")
        digits = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:DERIVED_DIGITS]
        return msgspec.structs.replace(self, client=b"madina" + digits.encode())


def parse_brokers(urls: Sequence[str]) -> tuple[Broker, ...]:
    """Read the URLs of all brokers.

    Raises:
        BrokerUrlError: If one of them cannot be used, or two would end each other's connection.
    """
    brokers = tuple(map(parse_broker, urls))
    seen: set[tuple[str, int, str | None, bytes]] = set()
    for each in brokers:
        key = (each.host, each.port, None if each.client else each.user, each.client)
        if key in seen:
            raise BrokerUrlError(
                f"{each.address} is there twice under one client identifier: put all topics into"
                " one URL, or give each URL a client_id of its own"
            )
        seen.add(key)
    return brokers


def parse_broker(url: str) -> Broker:
    """Read one URL.

    Raises:
        BrokerUrlError: If it cannot be used; the words say what mends it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BrokerUrlError(f"a broker's address cannot be read: {error}") from None
    if parts.scheme not in PORTS:
        raise BrokerUrlError("a broker's URL begins with mqtt:// or mqtts://")
    if not host:
        raise BrokerUrlError("a broker's URL names its host: mqtt://host:1883?topic=...")
    place = f"{host}:{port or PORTS[parts.scheme]}"
    if parts.fragment or "#" in url:
        raise BrokerUrlError(f"{place}: write # as %23")
    if parts.path not in {"", "/"}:
        raise BrokerUrlError(f"{place}: topics stand behind ?topic=, not in the path")
    given = _query(parts.query, place)
    broker = Broker(
        host=host,
        port=PORTS[parts.scheme] if port is None else port,
        topics=tuple(topic.encode() for topic in given.get("topic", ())),
        level=_level(_one(given, "version", place) or "", place),
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password).encode(),
        client=(_one(given, "client_id", place) or "").encode(),
        share=_one(given, "share", place),
        files=_files(parts.scheme, given, place),
        **_numbers(given, place),
    )
    _check(broker, place)
    return broker


def _query(query: str, place: str) -> dict[str, list[str]]:
    """Return the parameters; a `+` is a plus, as in topic filters, and never a space."""
    found: dict[str, list[str]] = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if name not in KNOWN:
            raise BrokerUrlError(f"{place}: {name!r} is none of {', '.join(KNOWN)}")
        found.setdefault(name, []).append(unquote(value))
    return found


def _one(given: Mapping[str, Sequence[str]], name: str, place: str) -> str | None:
    values = given.get(name, ())
    if len(values) > 1:
        raise BrokerUrlError(f"{place}: {name} stands twice")
    if values and not values[0]:
        raise BrokerUrlError(f"{place}: {name} is empty")
    return values[0] if values else None


def _level(version: str, place: str) -> Level | None:
    if version not in VERSIONS:
        raise BrokerUrlError(f"{place}: version is 5 or 3.1.1, not {version!r}")
    return VERSIONS[version]


def _numbers(given: Mapping[str, Sequence[str]], place: str) -> dict[str, int]:
    fields = {"keep_alive": "keep_alive_s", "session_expiry": "session_expiry_s"}
    found: dict[str, int] = {}
    for name, (least, most) in NUMBERS.items():
        text = _one(given, name, place)
        if text is None:
            continue
        if not text.isdecimal() or not least <= int(text) <= most:
            raise BrokerUrlError(f"{place}: {name} is a number from {least} to {most}")
        found[fields.get(name, name)] = int(text)
    return found


def _files(scheme: str, given: Mapping[str, Sequence[str]], place: str) -> BrokerFiles | None:
    ca, certificate, key = (_one(given, name, place) for name in FILES)
    if scheme == "mqtt":
        if ca or certificate or key:
            raise BrokerUrlError(f"{place}: certificates need mqtts://")
        return None
    if (certificate is None) != (key is None):
        raise BrokerUrlError(f"{place}: certificate and key belong together")
    return BrokerFiles(ca, certificate, key)


def _check(broker: Broker, place: str) -> None:
    """Refuse what no broker could do."""
    if not broker.topics:
        raise BrokerUrlError(f"{place}: say which topics: ?topic=zigbee2mqtt/%23")
    for topic in broker.topics:
        _check_topic(topic, place)
    if len(broker.client) > LONGEST_CLIENT_BYTES or b"\0" in broker.client:
        raise BrokerUrlError(f"{place}: client_id cannot be sent over MQTT")
    if broker.password is not None and not broker.user:
        raise BrokerUrlError(f"{place}: a password needs a user")
    if broker.share is not None:
        _check_share(broker, broker.share, place)


def _check_topic(topic: bytes, place: str) -> None:
    if topic.startswith(b"$share"):
        raise BrokerUrlError(f"{place}: a shared subscription is share=NAME, not a topic")
    try:
        check_filter(topic)
    except TopicFilterError as error:
        raise BrokerUrlError(f"{place}: {error}") from None


def _check_share(broker: Broker, share: str, place: str) -> None:
    if set(share) & set("/+#\0"):
        raise BrokerUrlError(f"{place}: share is one plain word")
    if broker.level is Level.V3:
        raise BrokerUrlError(
            f"{place}: share needs version=5: a broker of 3.1.1 does not say whether it has shared"
            " subscriptions, and nats-server grants one and delivers nothing"
        )
