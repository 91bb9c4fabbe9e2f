"""What a replay needs in the registry: provider, devices, and a route that believes every time."""

from collections.abc import Iterable
from typing import Final

from loadtest.replay.mapping import Mapping
from loadtest.replay.notes import DeviceFacts
from madina.api import Api, Document, resource

__all__ = ["register_devices", "register_route"]

REGISTERED_AT_ONCE: Final = 10_000
NAME_MAX: Final = 64
NATIVE: Final = "native"


def register_devices(api: Api, mapping: Mapping, devices: Iterable[DeviceFacts]) -> int:
    """Register what the data name; what people have added to a known device stays.

    Returns:
        How many are new.
    """
    known = {
        str(each["id"]): each for each in api.items("/v1/devices", {"provider": mapping.provider})
    }
    items = [_device(mapping, each, known.get(each.id, {})) for each in devices]
    for start in range(0, len(items), REGISTERED_AT_ONCE):
        api.send("PUT", "/v1/devices", {"items": items[start : start + REGISTERED_AT_ONCE]})
    provider = resource("/v1/providers", mapping.provider)
    if mapping.title and not api.get(provider)["title"]:
        api.send("PATCH", provider, {"title": mapping.title})
    return len({each.id for each in devices} - known.keys())


def _device(mapping: Mapping, facts: DeviceFacts, known: Document) -> Document:
    given = {
        "kind": facts.kind,
        "name": facts.name,
        "expected_interval_s": facts.interval_s,
        "lat": facts.lat,
        "lon": facts.lon,
        "tags": facts.tags,
    }
    kept = {
        name: known[name]
        for name in (*given, "status", "district", "place")
        if known.get(name) is not None
    }
    said = {name: value for name, value in given.items() if value}
    return {**kept, **said, "provider": mapping.provider, "id": facts.id}


def register_route(api: Api, mapping: Mapping) -> str:
    """Register the route of recorded messages, or bring it to what the mapping says."""
    name = f"replay-{mapping.provider}"[:NAME_MAX]
    message = mapping.message
    body: Document = {
        "pattern": message.pattern if message else f"madina/v1/{mapping.provider}/+/up",
        "codec": message.codec if message else NATIVE,
        "provider": mapping.provider,
        "recorded": True,
        "enabled": True,
        "options": message.options if message else {},
    }
    known = {str(each["name"]): each for each in api.items("/v1/routes")}.get(name)
    if known is None:
        api.send("POST", "/v1/routes", {"name": name, **body})
    elif any(known[member] != value for member, value in body.items()):
        api.send("PATCH", resource("/v1/routes", name), body)
    return name
