"""What a scenario's devices need on a platform before they can be heard: ids, routes, users."""

from collections.abc import Iterable
from typing import Final

from loadtest.rig.order import Login
from loadtest.scenario.model import FleetRule, Scenario
from loadtest.stream.formats import Format
from madina.api import Api
from madina.errors import CommandError
from madina.mqtt_user import own_user
from madina.settings import Settings

__all__ = ["logins", "register"]

# Devices in one call of the API.
REGISTERED_AT_ONCE: Final = 10_000


def register(api: Api, settings: Settings, rule: FleetRule, form: Format) -> None:
    """Register a fleet's devices and its route.

    Raises:
        CommandError: The API refuses, or nobody would know virtual devices.
    """
    _add_route(api, rule, form)
    if rule.mode == "virtual":
        if settings.unknown_devices != "accept":
            raise CommandError(
                f"fleet {rule.name} is virtual: {rule.devices} devices that nobody registers."
                " Start the platform with MADINA_UNKNOWN_DEVICES=accept"
            )
        return
    for start in range(0, rule.devices, REGISTERED_AT_ONCE):
        numbers = range(start, min(start + REGISTERED_AT_ONCE, rule.devices))
        items = [
            {"provider": rule.provider, "id": form.name(number), "kind": rule.kind}
            for number in numbers
        ]
        api.send("PUT", "/v1/devices", {"items": items})


def logins(api: Api, settings: Settings, scenario: Scenario) -> dict[str, Login]:
    """Return what each provider's devices log in with; nothing where nobody has to.

    Raises:
        CommandError: The API refuses, in its words.
    """
    if scenario.server.user is not None:
        return {}
    found: dict[str, Login] = {}
    for name in _unique(rule.provider for rule in scenario.fleets):
        user = own_user(api, settings, name, f"load-{name}")
        if user is not None:
            found[name] = Login(user.name, user.secret)
    return found


def _add_route(api: Api, rule: FleetRule, form: Format) -> None:
    route = form.route()
    if route is None:
        return
    pattern, codec = route
    if pattern in {str(each["pattern"]) for each in api.items("/v1/routes")}:
        return
    body = {
        "name": f"load-{rule.provider}-{codec}",
        "pattern": pattern,
        "codec": codec,
        "provider": rule.provider,
    }
    api.send("POST", "/v1/routes", body)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
