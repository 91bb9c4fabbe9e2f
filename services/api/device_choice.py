"""Which devices an acceptance is about, and what it has taken up again of what they sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from city.reasons import MessageReason
from city.replay import ReplayRequest
from services.problems import ProblemError
from services.replay import REQUESTS_MAX
from services.triage import TriageQuery, find_unknown, is_parked

if TYPE_CHECKING:
    from city.scope import Scope
    from services.api.device_documents import AcceptBody
    from services.parts import ServicesParts

__all__ = ["Name", "chosen_devices", "requests_of", "take_up_requests"]

# Provider and id.
Name = tuple[str, str]

REASON = MessageReason.UNKNOWN_DEVICE
# A transaction of the registry holds them in a few seconds; whoever has more asks again.
CHOSEN_MAX = 100_000
AT_ONCE = 1_000


def chosen_devices(parts: ServicesParts, scope: Scope, body: AcceptBody) -> dict[Name, str]:
    """Return the devices to accept, each with the kind it gets where it has none. Blocking.

    Raises:
        ProblemError: 422, if nothing says which, or both names and a filter do.
    """
    wanted = body.filter
    if bool(body.devices) == (wanted is not None):
        words = "say which devices: either `devices` or `filter`"
        mend = "name them provider/device, or give a filter; {} is all unknown ones"
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", words, mend=mend, field="devices"
        )
    if wanted is None:
        return {_name(each): body.kind for each in body.devices}
    query = TriageQuery(wanted.provider, wanted.route, wanted.name, wanted.kind, limit=AT_ONCE)
    return _of_filter(parts, scope, query, body)


def _of_filter(
    parts: ServicesParts, scope: Scope, query: TriageQuery, body: AcceptBody
) -> dict[Name, str]:
    kinds: dict[Name, str] = {}
    after: Name | None = None
    while len(kinds) < CHOSEN_MAX:
        page = find_unknown(parts, scope, msgspec.structs.replace(query, after=after))
        for each in page.devices:
            if each.status != "retired":
                kinds[each.name] = body.kind or (each.kind if body.guess else "")
        after = page.after
        if after is None:
            break
    return kinds


def _name(text: str) -> Name:
    """Read `provider/device`.

    Raises:
        ProblemError: 422, if it has no provider: an unknown device is nobody's yet.
    """
    provider, separator, device = text.partition("/")
    if not separator:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"{text!r} has no provider",
            mend="name it provider/device",
            field="devices",
        )
    return provider, device


def take_up_requests(
    parts: ServicesParts, scope: Scope, names: set[Name]
) -> list[list[ReplayRequest]]:
    """Return what takes up the messages of accepted devices. Blocking.

    What a device sent may wait under the name of another one of the same message: where nothing
    waits under its own, all that waits of its provider is tried.
    """
    if len(names) > REQUESTS_MAX:
        return requests_of(names)
    own = {name for name in names if is_parked(parts, scope, name)}
    others = {provider for provider, _ in names - own}
    return requests_of({name for name in own if name[0] not in others}, others)


def requests_of(names: set[Name], whole: set[str] | None = None) -> list[list[ReplayRequest]]:
    """Return what takes up the parked messages of devices; of many, those of their providers.

    Args:
        names: The devices.
        whole: Providers of which everything is taken up.
    """
    providers = set(whole or ())
    if len(names) > REQUESTS_MAX:
        providers |= {provider for provider, _ in names}
        names = set()
    requests = [ReplayRequest(reason=REASON, provider=each) for each in sorted(providers)]
    requests += [
        ReplayRequest(reason=REASON, provider=provider, device=device)
        for provider, device in sorted(names)
    ]
    starts = range(0, len(requests), REQUESTS_MAX)
    return [requests[start : start + REQUESTS_MAX] for start in starts]
