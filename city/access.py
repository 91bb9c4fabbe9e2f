"""Who may publish what at a gateway: the entries of the key-value bucket `madina_access`.

Services write the bucket, gateways read it; so a gateway needs no database. Secrets are tokens
that we generate (`new_secret`: 256 random bits), never words that a person chose. Nobody can guess
one, so a salted SHA-256 guards them and a slow password hash would only make a reconnect storm
expensive. Comparison takes the same time whatever differs.
"""

import hashlib
import hmac
import secrets

import msgspec

from city.topics import TopicFilterError, check_filter, filter_matches

__all__ = [
    "LIMITS_KEY",
    "ROUTES_KEY",
    "USER_PREFIX",
    "AccessEntry",
    "AccessLimits",
    "ShardRule",
    "ShardRules",
    "decode_entry",
    "decode_limits",
    "decode_routes",
    "encode_access",
    "new_entry",
    "new_secret",
    "own_filter",
    "user_key",
]

USER_PREFIX = "user."
ROUTES_KEY = "routes"
LIMITS_KEY = "limits"

SECRET_BYTES = 32
SALT_BYTES = 16


class AccessEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One MQTT user: a provider, or one device of it.

    Attributes:
        user: MQTT user name, or the common name of a client certificate.
        provider: Whose devices these are.
        device: Set for a user that is one device.
        salt: Hex digits.
        secret_sha256: Hex digits of SHA-256 of salt and secret; empty: only a certificate gets in.
        topics: Filters of the provider's routes, none for a user that is one device; the native
            topics go without saying.
        disabled: Locked out, and remembered.
    """

    user: str
    provider: str
    device: str | None = None
    salt: str = ""
    secret_sha256: str = ""
    topics: tuple[str, ...] = ()
    disabled: bool = False

    def opens_with(self, secret: bytes) -> bool:
        """Say whether a secret is this user's; constant time."""
        offered = _hash(self.salt, secret)
        return bool(self.secret_sha256) and hmac.compare_digest(offered, self.secret_sha256)

    def filters(self) -> tuple[bytes, ...]:
        """Return every filter that this user may publish under, native topics first."""
        return own_filter(self.provider, self.device), *(topic.encode() for topic in self.topics)


class ShardRule(msgspec.Struct, frozen=True):
    """Which levels of a route's topics decide the shard; the first level is 1."""

    filter: str
    levels: tuple[int, ...]


class ShardRules(msgspec.Struct, frozen=True):
    """The value of `routes`: only routes that name levels; the first match counts."""

    rules: tuple[ShardRule, ...] = ()

    def key_of(self, topic: bytes) -> bytes:
        """Return what to hash for the shard of a topic: its levels, or all of it."""
        for rule in self.rules:
            if filter_matches(rule.filter.encode(), topic):
                levels = topic.split(b"/")
                return b"/".join(levels[n - 1] for n in rule.levels if 0 < n <= len(levels))
        return topic


class AccessLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of `limits`: what replaces a gateway's own settings; None leaves them.

    Attributes:
        max_connections: Of one gateway process.
        connect_rate_per_s: New connections that one gateway process takes.
    """

    max_connections: int | None = None
    connect_rate_per_s: float | None = None


_entry = msgspec.json.Decoder(AccessEntry)
_routes = msgspec.json.Decoder(ShardRules)
_limits = msgspec.json.Decoder(AccessLimits)


def user_key(user: str) -> str:
    """Return the key of a user: hexadecimal, since bucket keys know few characters."""
    return USER_PREFIX + user.encode().hex()


def own_filter(provider: str, device: str | None) -> bytes:
    """Return the filter of the native topics of a provider or of one device."""
    own = f"madina/v1/{provider}" if device is None else f"madina/v1/{provider}/{device}"
    return f"{own}/#".encode()


def new_secret() -> str:
    """Return a token of 256 random bits, URL-safe characters."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_entry(
    user: str,
    secret: str,
    *,
    provider: str,
    device: str | None = None,
    topics: tuple[str, ...] = (),
) -> AccessEntry:
    """Return the entry of a user with a fresh salt; the secret itself is not in it.

    Raises:
        TopicFilterError: If a topic is no filter, or provider or device is not one plain level.
    """
    for level in (provider, device):
        if level is not None and (not level or set(level) & set("/+#\0")):
            raise TopicFilterError(level.encode(), "not one plain topic level")
    for topic in topics:
        check_filter(topic.encode())
    salt = secrets.token_hex(SALT_BYTES)
    hashed = _hash(salt, secret.encode())
    return AccessEntry(user, provider, device, salt, hashed, topics)


def encode_access(value: AccessEntry | ShardRules | AccessLimits) -> bytes:
    """Write a value of the bucket as JSON."""
    return msgspec.json.encode(value)


def decode_entry(data: bytes) -> AccessEntry:
    """Read the value of a `user.` key.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _entry.decode(data)


def decode_routes(data: bytes) -> ShardRules:
    """Read the value of `routes`.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _routes.decode(data)


def decode_limits(data: bytes) -> AccessLimits:
    """Read the value of `limits`.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _limits.decode(data)


def _hash(salt: str, secret: bytes) -> str:
    return hashlib.sha256(salt.encode() + secret).hexdigest()
