"""Creates what a proposal says: what is there already stays as it is, and that is said."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from madina.api import Api, Document, resource
from madina.errors import CommandError
from madina.proposals.document import Proposal, ProposedRoute

__all__ = ["Created", "create"]

# As many as one answer plans within a second or two.
AT_ONCE = 5_000


class Created(msgspec.Struct):
    """What became of a proposal so far.

    Attributes:
        providers: New ones, each with the user and secret of its devices.
        routes, devices: Names of new ones.
        there: Names of what was there already.
        changed: What was registered otherwise, and in which members.
    """

    providers: list[Document] = []
    routes: list[str] = []
    devices: list[str] = []
    there: list[str] = []
    changed: dict[str, list[str]] = {}


class _Plan(msgspec.Struct, frozen=True):
    """What is new, and what is registered otherwise."""

    routes: list[ProposedRoute]
    devices: list[Document]
    changed_routes: dict[str, list[str]]
    changed_devices: dict[str, list[str]]


class _Planned(msgspec.Struct):
    verdict: Literal["new", "changed", "unchanged", "wrong"]
    fields: list[str] = []
    words: str = ""


def create(platform: Api, proposal: Proposal, created: Created, *, change: bool) -> None:
    """Create what is not there; nothing is begun where a device cannot be registered.

    Args:
        platform: Where to.
        proposal: As it stands in the file.
        created: Is told each thing as soon as it is there: nobody can ask for secrets again.
        change: What is registered otherwise becomes what the file says; without, that is refused.

    Raises:
        CommandError: Something is registered otherwise, or cannot be registered.
    """
    known = {str(each["name"]) for each in platform.items("/v1/providers")}
    plan = _planned(platform, proposal)
    changed = plan.changed_routes | plan.changed_devices
    if changed and not change:
        words = "; ".join(f"{name} has another {', '.join(of)}" for name, of in changed.items())
        raise CommandError(
            f"registered otherwise: {words}. Take it out of the file, or change it with --change;"
            " nothing was created"
        )
    for provider in proposal.providers:
        if provider.name in known:
            created.there.append(provider.name)
        else:
            members = msgspec.to_builtins(provider)
            created.providers.append(platform.send("POST", "/v1/providers", members))
    _write_devices(platform, proposal, plan, created)
    # Last: what they read finds its devices then.
    _write_routes(platform, proposal, plan, created)


def _write_devices(platform: Api, proposal: Proposal, plan: _Plan, created: Created) -> None:
    new = {*map(_name, plan.devices)}
    touched = new | plan.changed_devices.keys()
    created.there += [name for name in map(_name, proposal.devices) if name not in touched]
    written = [each for each in proposal.devices if _name(each) in touched]
    for start in range(0, len(written), AT_ONCE):
        some = written[start : start + AT_ONCE]
        platform.send("PATCH", "/v1/devices", {"items": some})
        for name in map(_name, some):
            if name in new:
                created.devices.append(name)
            else:
                created.changed[name] = plan.changed_devices[name]


def _write_routes(platform: Api, proposal: Proposal, plan: _Plan, created: Created) -> None:
    for route in proposal.routes:
        members = msgspec.to_builtins(route)
        if route in plan.routes:
            platform.send("POST", "/v1/routes", members)
            created.routes.append(route.name)
        elif route.name in plan.changed_routes:
            platform.send("PATCH", resource("/v1/routes", members.pop("name")), members)
            created.changed[route.name] = plan.changed_routes[route.name]
        else:
            created.there.append(route.name)


def _planned(platform: Api, proposal: Proposal) -> _Plan:
    there = {str(each["name"]): each for each in platform.items("/v1/routes")}
    plan = _Plan([each for each in proposal.routes if each.name not in there], [], {}, {})
    for route in proposal.routes:
        wanted: Document = msgspec.to_builtins(route)
        found = there.get(route.name, wanted)
        other = [name for name, value in wanted.items() if found[name] != value]
        if other:
            plan.changed_routes[route.name] = other
    for device, planned in _planned_devices(platform, proposal.devices):
        if planned.verdict == "wrong":
            raise CommandError(f"{_name(device)}: {planned.words}; nothing was created")
        if planned.verdict == "new":
            plan.devices.append(device)
        elif planned.verdict == "changed":
            plan.changed_devices[_name(device)] = planned.fields
    return plan


def _planned_devices(platform: Api, devices: list[Document]) -> Iterator[tuple[Document, _Planned]]:
    for start in range(0, len(devices), AT_ONCE):
        some = devices[start : start + AT_ONCE]
        answer = platform.send("POST", "/v1/devices/plan", {"items": some})
        yield from zip(some, msgspec.convert(answer["items"], list[_Planned]), strict=True)


def _name(device: Document) -> str:
    return f"{device.get('provider')}/{device.get('id')}"
