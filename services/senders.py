"""Who may send over HTTP, to which route, and how often: keys, signatures and topics.

A key that may only send is derived from its id and the admin key, so that a signature with it can
be checked though no database holds it. Another admin key makes all of them void.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from city.topics import filled_filter, filter_matches, masked_topic, specificity
from services.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.records import KeyRecord, RouteRecord
    from registry.registry import Registry
    from services.parts import ServicesParts

__all__ = ["SIGNATURE", "Buckets", "Sender", "Senders", "Target"]

# GitHub's and WebSub's name for an HMAC over the body.
SIGNATURE: Final = "X-Hub-Signature-256"
SIGNED_BY: Final = "sha256="
TOPIC_MAX_BYTES: Final = 512
OWN: Final = ["madina", "v1"]
OWN_PROVIDER: Final = 2
# Senders whose rate is remembered.
SENDERS_MAX: Final = 10_000
# A sender may save up what it may send in so many seconds.
BURST_S: Final = 2.0


class Sender(msgspec.Struct, frozen=True):
    """Who sends, and what the key allows; None: anything."""

    actor: str
    provider: str | None = None
    route: str | None = None


class Target(msgspec.Struct, frozen=True):
    """Where a request goes."""

    route: str
    codec: str
    topic: str


class Senders:
    """Decides by the registry. Every method that asks it blocks."""

    def __init__(self, parts: ServicesParts) -> None:
        self._registry: Registry = parts.registry
        self._admin_key = parts.admin_key.encode()

    def secret_of(self, key: str) -> str:
        """Return the secret of a key that may only send."""
        made = hmac.digest(self._admin_key, b"madina key that sends " + key.encode(), "sha256")
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def by_key(self, secret: str) -> Sender:
        """Return whose key this is.

        Raises:
            ProblemError: 401, if it opens nothing.
        """
        if hmac.compare_digest(secret.encode(), self._admin_key):
            return Sender("admin")
        record = self._registry.keys.find(secret)
        if record is None:
            raise _unauthorized("this key opens nothing" if secret else "this call needs a key")
        return _sender(record)

    def by_signature(self, route: str, body: bytes, signature: str) -> Sender:
        """Return whose key of a route has signed a body, as it was sent.

        Raises:
            ProblemError: 401, if none has.
        """
        offered = signature.removeprefix(SIGNED_BY).strip().lower().encode()
        for record in self._registry.keys.signing(route):
            key = self.secret_of(record.id).encode()
            wanted = hmac.new(key, body, hashlib.sha256).hexdigest().encode()
            if hmac.compare_digest(wanted, offered):
                return _sender(record)
        raise _unauthorized(f"{SIGNATURE} is no signature of this body with a key of the route")

    def target(self, sender: Sender, name: str, levels: Sequence[str]) -> Target:
        """Return where messages for a route go.

        Args:
            sender: Who sends.
            name: Of the route.
            levels: Stand in place of the wildcards of its pattern.

        Raises:
            NotThereError: If there is no such route.
            ProblemError: 403, if the key does not allow it; 404, if the route is disabled; 400, if
                the topic is none that this route reads.
        """
        if sender.route not in {None, name}:
            raise _forbidden(f"this key sends to the route {sender.route}, not to {name}")
        routes = self._registry.routes.all()
        found = next((each for each in routes if each.name == name), None)
        if found is None:
            found = self._registry.routes.get(name)
        if not found.enabled:
            detail = f"the route {name} is disabled"
            mend = f"madina routes enable {name}"
            raise ProblemError(HTTPStatus.NOT_FOUND, "route_disabled", detail, mend=mend)
        topic = filled_filter(found.pattern, levels)
        if topic is None or len(topic.encode()) > TOPIC_MAX_BYTES:
            raise _bad_topic(
                f"{'/'.join(levels) or 'nothing'!r} does not fill the pattern {found.pattern!r}",
                "name one level for each `+`, and what `#` stands for, behind the route's name",
            )
        provider = _provider_of(found, topic)
        reading = _reading(routes, topic)
        if reading != name:
            raise _bad_topic(
                f"the topic {masked_topic(topic)!r} is read by {reading or 'no route'}",
                "send to that route, or change one of the patterns",
            )
        if sender.provider not in {None, provider}:
            raise _forbidden(f"this key sends for the provider {sender.provider}")
        return Target(name, found.codec, topic)


class Buckets:
    """How much each sender may send: a rate, and a little saved up. Pure; time is given."""

    def __init__(self, rate_per_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._most = max(rate_per_s * BURST_S, 1.0)
        # Actor to what is left, and when that was; the one asked least lately comes first.
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, actor: str, now_s: float) -> float:
        """Take one request; return 0, or after how many seconds there is room again."""
        left, then_s = self._left.pop(actor, (self._most, now_s))
        left = min(self._most, left + (now_s - then_s) * self._rate_per_s)
        wait_s = 0.0 if left >= 1 else (1 - left) / self._rate_per_s
        self._left[actor] = (left - 1 if not wait_s else left, now_s)
        if len(self._left) > SENDERS_MAX:
            del self._left[next(iter(self._left))]
        return wait_s


def _sender(record: KeyRecord) -> Sender:
    return Sender(f"key:{record.id}", record.provider, record.route)


def _provider_of(route: RouteRecord, topic: str) -> str:
    levels = topic.split("/")
    if route.provider is None and levels[:2] == OWN and len(levels) > OWN_PROVIDER:
        return levels[OWN_PROVIDER]
    return route.provider or ""


def _reading(routes: Sequence[RouteRecord], topic: str) -> str | None:
    """Return the route that ingest reads a topic by."""
    name = topic.encode()
    candidates = sorted(routes, key=lambda each: (specificity(each.pattern), each.name))
    return next(
        (
            each.name
            for each in candidates
            if each.enabled
            and _provider_of(each, topic)
            and filter_matches(each.pattern.encode(), name)
        ),
        None,
    )


def _unauthorized(detail: str) -> ProblemError:
    mend = f"send `Authorization: Bearer KEY`, or {SIGNATURE}: sha256=HEX over the body as sent"
    return ProblemError(HTTPStatus.UNAUTHORIZED, "key_unknown", detail, mend=mend)


def _forbidden(detail: str) -> ProblemError:
    mend = "madina keys add NAME --route ROUTE makes one for this route"
    return ProblemError(HTTPStatus.FORBIDDEN, "key_elsewhere", detail, mend=mend)


def _bad_topic(detail: str, mend: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, "bad_topic", detail, mend=mend)
