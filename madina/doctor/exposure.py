"""What can be reached from beyond this machine, and by whom."""

import ipaddress

from madina.doctor.check import Check, Machine, ok, warning
from madina.settings import Settings

__all__ = ["look"]


def look(machine: Machine) -> list[Check]:
    """Look at the addresses that are listened on."""
    settings = machine.settings
    return [_of_mqtt(settings), _of_http(settings)]


def _of_mqtt(settings: Settings) -> Check:
    name = "MQTT"
    if _is_loopback(settings.mqtt_host):
        anybody = settings.mqtt_anonymous == "loopback" and not settings.proxy_from
        who = "any program on it may publish anything" if anybody else "with user and secret only"
        return ok(name, f"from this machine only, {who}")
    who = "from other machines with user and secret only"
    if settings.mqtts_port is None:
        words = f"open at {settings.mqtt_host}, {who}, and secrets travel unencrypted"
        return warning(name, words, "set MADINA_MQTTS_PORT and its certificate")
    return ok(name, f"open at {settings.mqtt_host}, {who}; with TLS on port {settings.mqtts_port}")


def _of_http(settings: Settings) -> Check:
    name = "page and API"
    if _is_loopback(settings.http_host):
        return ok(name, "from this machine only")
    words = f"open at {settings.http_host}: reading needs no key, and keys travel unencrypted"
    return warning(name, words, "put a proxy with TLS and a log-in before it")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
