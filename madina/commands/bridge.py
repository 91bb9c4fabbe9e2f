"""`madina bridge`: a client of brokers that a city has already, which writes to the log."""

import asyncio
import signal
from collections.abc import Callable
from typing import Annotated

import typer
import uvloop

from city.clock import MachineClock
from gateway.bridge.broker import parse_brokers
from gateway.bridge.process import BridgeProcess, BridgeSettings
from madina.data_folder import DataFolder
from madina.errors import SetupError
from madina.log_output import log_to_stderr
from madina.options import DataDir, ReadyFd
from madina.ready import ready_teller
from madina.settings import Settings, load_settings
from madina.way_to_log import log_disk, log_url, uplink_settings

__all__ = ["add_to", "bridge"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bridge")(bridge)


def bridge(
    *,
    name: Annotated[
        str, typer.Option(help="Name of this process; no other one that runs has it.")
    ] = "bridge-0",
    ready_fd: ReadyFd = None,
    data_dir: DataDir = None,
) -> None:
    """Take messages from the brokers of MADINA_BRIDGE_URLS and put them on the log."""
    settings = load_settings(data_dir).settings
    log_to_stderr(name)
    chosen = _bridge_settings(settings, name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_bridge(chosen, ready_teller(ready_fd)))


async def _bridge(settings: BridgeSettings, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await BridgeProcess(settings, MachineClock()).run(stop, ready)


def _bridge_settings(settings: Settings, name: str) -> BridgeSettings:
    brokers = parse_brokers(settings.bridge_urls)
    if not brokers:
        raise SetupError("there is no broker to bridge", "set MADINA_BRIDGE_URLS")
    folder = DataFolder(settings.data_dir)
    folder.make()
    installation = folder.installation()
    nats_url = log_url(settings)
    return BridgeSettings(
        name=name,
        nats_url=nats_url,
        uplink=uplink_settings(settings),
        brokers=tuple(each.named(installation, name) for each in brokers),
        disk=log_disk(settings, nats_url),
    )
