"""MQTT users for our own devices: simulated ones log in as real ones do where they have to."""

import msgspec

from madina.api import Api
from madina.settings import Settings

__all__ = ["MqttUser", "own_user"]


class MqttUser(msgspec.Struct, frozen=True):
    """What a device logs in with."""

    name: str
    secret: str


def own_user(api: Api, settings: Settings, provider: str, name: str) -> MqttUser | None:
    """Return a user of a provider, with a fresh secret; None where nobody needs one.

    Args:
        api: Of the running platform.
        settings: Whether connections from this machine need a user.
        provider: Whose devices it may publish for; it is registered.
        name: Of the user; nobody else uses it, since its old secret ends here.

    Raises:
        CommandError: The API refuses, in its words.
    """
    # A local proxy makes everybody loopback, so then nobody gets in without a user either.
    if settings.mqtt_anonymous == "loopback" and not settings.proxy_from:
        return None
    there = {user["name"] for user in api.items("/v1/users")}
    if name in there:
        made = api.send("POST", f"/v1/users/{name}/secret")
    else:
        made = api.send("POST", "/v1/users", {"name": name, "provider": provider})
    return MqttUser(name, str(made["secret"]))
