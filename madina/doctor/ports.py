"""Ports: free before the start; while the platform runs they are its own."""

from typing import Final

from madina.doctor.check import Check, Machine, checked
from madina.settings import Settings, variable
from madina.supervisor.ports import free_port

__all__ = ["look"]

PORTS: Final = ("http_port", "mqtt_port", "mqtts_port", "nats_port")
LOOPBACK: Final = "127.0.0.1"


def look(machine: Machine) -> list[Check]:
    """Look at each port."""
    if machine.run is not None:
        return []
    return [
        checked(variable(field), lambda field=field: _port(machine.settings, field))
        for field in PORTS
    ]


def _port(settings: Settings, field: str) -> str:
    port: int | None = getattr(settings, field)
    if port is None or (field == "nats_port" and settings.nats_url is not None):
        return "not used"
    host = {"http_port": settings.http_host, "nats_port": LOOPBACK}.get(field, settings.mqtt_host)
    free_port(host, port, field)
    return f"{host} port {port} is free" if port else f"a free port of {host}"
