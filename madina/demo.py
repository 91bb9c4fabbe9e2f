"""The demo city on this platform: registered through the API, then heard over MQTT.

Nothing here goes another way than a real city's devices would.
"""

import asyncio
import signal
from collections.abc import Iterable, Mapping

import structlog

from city.clock import US_PER_S, Clock
from city.instants import text_us
from loadtest.city.broadcast import AirSettings, AirState, Broadcast
from loadtest.city.devices import City, CityDevice, Fault
from loadtest.city.kinds import PROVIDERS
from loadtest.city.streets import PLACES, CityPlace
from madina.api import Api
from madina.mqtt_user import own_user
from madina.settings import Settings

__all__ = ["broadcast", "last_heard", "logins", "register"]

log = structlog.get_logger()


def register(api: Api, city: City) -> int:
    """Register what is not there yet; return how much that was.

    Raises:
        CommandError: The API refuses, in its words.
    """
    known = [device for device in city.devices if device.fault is not Fault.UNKNOWN]
    providers = [{"name": name, "title": title} for name, title in PROVIDERS.items()]
    drafts = (
        *(("/v1/providers", draft) for draft in _missing(api, "/v1/providers", providers)),
        *(("/v1/places", draft) for draft in _missing(api, "/v1/places", map(_place, PLACES))),
    )
    for path, draft in drafts:
        api.send("POST", path, draft)
    devices = _missing(api, "/v1/devices", map(_device, known))
    if devices:
        api.send("PUT", "/v1/devices", {"items": devices})
    return len(drafts) + len(devices)


def last_heard(api: Api, devices: Iterable[CityDevice]) -> dict[str, float]:
    """Return by device id when its newest stored observation was, seconds since 1970.

    Raises:
        CommandError: The API refuses, in its words.
    """
    ours = {f"{device.kind.provider}/{device.id}": device.id for device in devices}
    heard: dict[str, float] = {}
    for item in api.items("/v1/observations/latest"):
        device = ours.get(str(item["device"]))
        if device is not None:
            time_s = text_us(str(item["time"])) / US_PER_S
            heard[device] = max(time_s, heard.get(device, 0.0))
    return heard


def logins(api: Api, settings: Settings) -> dict[str, tuple[str, str]]:
    """Return user and password of each provider; none where nobody needs one.

    Raises:
        CommandError: The API refuses, in its words.
    """
    users = {name: own_user(api, settings, name, f"demo-{name}") for name in PROVIDERS}
    return {name: (user.name, user.secret) for name, user in users.items() if user}


async def broadcast(
    city: City, settings: AirSettings, clock: Clock, last_s: Mapping[str, float]
) -> None:
    """Publish what the city measures until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Broadcast(city, settings, clock, last_s).run(stop, _Progress())


class _Progress:
    """Logs when the past has been sent, and nothing more after that."""

    def __init__(self) -> None:
        self._told = False

    def __call__(self, state: AirState) -> None:
        if not self._told and state.acked >= state.to_fill and state.connected:
            self._told = True
            log.info("demo.filled", messages=state.to_fill, connections=state.connected)


def _missing(
    api: Api, path: str, drafts: Iterable[Mapping[str, object]]
) -> list[dict[str, object]]:
    """Return the drafts that nobody has registered; what people changed since then stays."""
    there = {_name(found) for found in api.items(path)}
    return [dict(draft) for draft in drafts if _name(draft) not in there]


def _name(fact: Mapping[str, object]) -> str:
    return f"{fact['provider']}/{fact['id']}" if "id" in fact else str(fact["name"])


def _place(place: CityPlace) -> dict[str, object]:
    return {
        "name": place.name,
        "title": place.title,
        "lat": place.lat,
        "lon": place.lon,
        "district": place.district,
    }


def _device(device: CityDevice) -> dict[str, object]:
    return {
        "provider": device.kind.provider,
        "id": device.id,
        "kind": device.kind.name,
        "name": f"{device.kind.title}, {device.place.title}",
        "place": device.place.name,
        "expected_interval_s": float(device.kind.declared_s or device.kind.every_s),
    }
