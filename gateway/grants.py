"""Who gets in, and what they may publish: decisions only, no I/O.

The facts come from the access bucket (`gateway.access`); this file says what they mean.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from city.topics import filter_matches

if TYPE_CHECKING:
    from city.access import AccessEntry

__all__ = ["ANYTHING", "Anonymous", "Doorkeeper", "Grant", "Login", "Refused", "Users"]

Anonymous = Literal["loopback", "never"]


class Refused(enum.StrEnum):
    """Why somebody did not get in; each value labels a counter."""

    CREDENTIALS = "credentials"
    ANONYMOUS = "anonymous"
    DISABLED = "disabled"
    # Nothing is known yet: the device should try again, its password may be right.
    UNKNOWN_YET = "unknown_yet"


class Login(msgspec.Struct, frozen=True):
    """What a connection shows.

    Attributes:
        user: From CONNECT; None: none.
        secret: From CONNECT, as it came.
        certificate: Common name of a client certificate that our authority signed; None: none.
        near: The peer is this machine, and no proxy stands between.
    """

    user: str | None
    secret: bytes | None
    certificate: str | None
    near: bool


class Grant:
    """What one user may publish.

    Attributes:
        user: Name for logs; empty for anonymous.
    """

    __slots__ = ("_all", "_filters", "_prefixes", "user")

    def __init__(self, user: str, filters: tuple[bytes, ...]) -> None:
        self.user = user
        # A filter that is plain up to `/#` is a prefix: one comparison in C on the hot path.
        self._prefixes = tuple(each[:-1] for each in filters if _is_prefix(each))
        self._filters = filters
        self._all = b"#" in filters

    def allows(self, topic: bytes) -> bool:
        """Say whether a topic may be published."""
        if self._all and topic[:1] != b"$":
            return True
        return topic.startswith(self._prefixes) or any(
            filter_matches(each, topic) for each in self._filters
        )


def _is_prefix(topic_filter: bytes) -> bool:
    plain = topic_filter[:-1]
    return topic_filter.endswith(b"/#") and b"+" not in plain and b"#" not in plain


ANYTHING = Grant("", (b"#",))


class Users(Protocol):
    """What is known of users."""

    @property
    def known(self) -> bool:
        """Say whether the users have been read at all."""
        ...

    def user(self, name: str) -> AccessEntry | None:
        """Return a user's entry."""
        ...


class Doorkeeper:
    """Decides who gets in."""

    def __init__(self, users: Users, anonymous: Anonymous, *, proxied: bool) -> None:
        """Take whether proxies are believed: a local proxy makes everybody loopback."""
        self._users = users
        self._anonymous = anonymous == "loopback" and not proxied

    def renew(self, user: str) -> Grant | Refused:
        """Return what somebody who got in may do by now, or why no longer anything."""
        entry = self._users.user(user)
        if entry is None:
            return Refused.CREDENTIALS
        return Refused.DISABLED if entry.disabled else Grant(entry.user, entry.filters())

    def admit(self, login: Login) -> Grant | Refused:
        """Return what a connection may do, or why it may not be."""
        name = login.certificate if login.certificate is not None else login.user
        if name is None:
            return ANYTHING if login.near and self._anonymous else Refused.ANONYMOUS
        entry = self._users.user(name)
        if entry is None:
            return Refused.CREDENTIALS if self._users.known else Refused.UNKNOWN_YET
        if login.certificate is None and not entry.opens_with(login.secret or b""):
            return Refused.CREDENTIALS
        return Refused.DISABLED if entry.disabled else Grant(entry.user, entry.filters())
