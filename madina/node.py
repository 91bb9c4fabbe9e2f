"""Ingest and services in one process, because DuckDB admits one; or one of the two alone.

Services have the main thread, ingest one of its own. Whichever ends first ends the process: the
supervisor starts it again, and all that counts is in the store, the registry and the log.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import structlog
import uvloop

from city.clock import Clock, MachineClock
from city.ingest_state import IngestState
from city.subjects import gateway_token
from indicators.arrivals import Arrivals, MarkedWriter
from ingest.applier import Applier, ApplierSettings
from ingest.codecs.catalogue import find_codecs
from ingest.log.api import LogVersionError
from ingest.run import IngestSettings
from madina.collecting import collect_less
from madina.errors import CommandError, SetupError
from madina.http_server import HttpServer
from madina.ingest_thread import IngestThread
from madina.opening import Opened, opened
from madina.retention import Retention
from madina.service_parts import service_parts
from madina.settings import Settings
from madina.supervisor.ports import free_port, listening_socket
from services.app import create_app, end_streams
from store.duckdb import DuckDBStore

__all__ = ["run_node"]

log = structlog.get_logger(__name__)

# Python's default of 5 ms would let ingest keep an answer waiting several times in one request.
SWITCH_INTERVAL_S = 0.0005


class _Part(Protocol):
    """Something that runs until it is stopped."""

    def run(self, ready: Callable[[], None]) -> Coroutine[Any, Any, None]:
        """Run; `ready` is called once, from any thread, when it serves."""
        ...

    def stop(self) -> None:
        """Make `run` return soon."""
        ...


def run_node(
    settings: Settings,
    ready: Callable[[], None],
    *,
    with_ingest: bool = True,
    with_services: bool = True,
) -> None:
    """Run until SIGTERM or SIGINT; what was begun is finished and acknowledged.

    Args:
        settings: Of the platform.
        ready: Called once, when everything serves.
        with_ingest: Apply the log to the store.
        with_services: Answer on the HTTP port.

    Raises:
        SetupError: A person has to mend something first.
        CommandError: A part ended by itself.
    """
    if settings.nats_url is None:
        raise SetupError(
            "this role needs a log", "set MADINA_NATS_URL to a NATS server, or run `madina up`"
        )
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    clock = MachineClock()
    with opened(settings, clock) as found, asyncio.Runner(loop_factory=uvloop.new_event_loop) as on:
        parts: dict[str, _Part] = {}
        ingest = _ingest(settings, settings.nats_url, found, clock) if with_ingest else None
        if ingest is not None:
            parts["ingest"] = ingest
        # InfluxDB keeps to a policy of its own: `madina store provision`.
        if (
            with_ingest
            and settings.retention_days is not None
            and isinstance(found.store, DuckDBStore)
        ):
            parts["retention"] = Retention(found.store, clock, settings.retention_days)
        if with_services:
            look = None if ingest is None else ingest.look
            parts["services"] = _services(settings, found, clock, look)
        on.run(_run(parts, ready))


def _ingest(settings: Settings, nats_url: str, found: Opened, clock: Clock) -> IngestThread:
    # What comes late is told to whoever computes indicators.
    arrivals = Arrivals(found.registry.database, clock)
    writer = MarkedWriter(found.store, arrivals, clock)
    rules = ApplierSettings(unknown_devices=settings.unknown_devices, timezone=settings.timezone)
    return IngestThread(
        IngestSettings(nats_url=nats_url, name=_worker_name(), shards=settings.shards),
        Applier(found.store, found.registry, rules, find_codecs(), write=writer.write),
    )


def _worker_name() -> str:
    return gateway_token(f"ingest-{socket.gethostname()}-{os.getpid()}")


def _services(
    settings: Settings, found: Opened, clock: Clock, look: Callable[[], IngestState] | None
) -> HttpServer:
    app = create_app(service_parts(settings, found, clock, look))
    try:
        listening = listening_socket(settings.http_host, settings.http_port)
    except OSError:
        free_port(settings.http_host, settings.http_port, "http_port")  # says why not
        raise
    return HttpServer(app, listening, lambda: end_streams(app))


async def _run(parts: Mapping[str, _Part], ready: Callable[[], None]) -> None:
    """Run parts until a signal or until one ends; the last one that was named ends first."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    waiting = set(parts)

    def serves(name: str) -> None:
        waiting.discard(name)
        if not waiting:
            collect_less()
            ready()

    running = {
        name: asyncio.ensure_future(part.run(_from_any_thread(loop, serves, name)))
        for name, part in parts.items()
    }
    asked = asyncio.ensure_future(stop.wait())
    await asyncio.wait([asked, *running.values()], return_when=asyncio.FIRST_COMPLETED)
    by_itself = [name for name, task in running.items() if task.done()]
    for name, part in reversed([*parts.items()]):
        part.stop()
        await asyncio.wait([running[name]])
    asked.cancel()
    for name, task in running.items():
        _raise_end(name, task.exception())
    if by_itself:
        raise CommandError(f"{' and '.join(by_itself)} ended by itself")


def _from_any_thread(
    loop: asyncio.AbstractEventLoop, tell: Callable[[str], None], name: str
) -> Callable[[], None]:
    return lambda: loop.call_soon_threadsafe(tell, name) and None


def _raise_end(name: str, error: BaseException | None) -> None:
    """Make the reason for which a part ended this process's last words."""
    if error is None:
        return
    if isinstance(error, LogVersionError):
        raise SetupError(str(error), "see MADINA_NATS_URL") from error
    log.error("part.failed", part=name, exc_info=error)
    words = str(error) or "no words"
    raise CommandError(f"{name} ended: {type(error).__name__}: {words}") from error
