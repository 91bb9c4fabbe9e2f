"""`madina demo-city`: the simulated city of `madina up --demo`; started by it, not by people."""

import asyncio
from typing import Annotated, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog
import typer
import uvloop

from city.clock import MachineClock
from loadtest.city.broadcast import AirSettings
from loadtest.city.devices import City
from madina.api import api
from madina.data_folder import DataFolder
from madina.demo import broadcast, last_heard, logins, register
from madina.errors import CommandError
from madina.log_output import log_to_stderr
from madina.options import DataDir, ReadyFd
from madina.ready import ready_teller
from madina.settings import load_settings

__all__ = ["add_to", "demo_city"]

SEED: Final = 20_261_124
LOOPBACK: Final = "127.0.0.1"
MQTT_PORT: Final = 1883

log = structlog.get_logger()


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo-city", hidden=True)(demo_city)


def demo_city(
    *,
    seed: Annotated[int, typer.Option(help="Another seed is another city.")] = SEED,
    ready_fd: ReadyFd = None,
    data_dir: DataDir = None,
) -> None:
    """Publish what a simulated city measures, beside a running `madina up`."""
    settings = load_settings(data_dir).settings
    log_to_stderr("demo-city")
    # The platform is up without the city, and need not wait for it to be registered.
    ready_teller(ready_fd)()
    run = DataFolder(settings.data_dir).running()
    if run is None:
        raise CommandError("nothing runs on this data folder: start `madina up --demo`")
    city = City(seed, ZoneInfo(settings.timezone))
    with api(data_dir) as calls:
        added = register(calls, city)
        last_s = last_heard(calls, city.devices)
        at = urlsplit(run.mqtt)
        air = AirSettings(at.hostname or LOOPBACK, at.port or MQTT_PORT, logins(calls, settings))
    log.info("demo.registered", added=added, heard=len(last_s))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(broadcast(city, air, MachineClock(), last_s))
