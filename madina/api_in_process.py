"""The HTTP API over store and registry in this process, for commands where nothing runs."""

import contextlib
import logging
from collections.abc import Generator

import httpx

from city.clock import MachineClock
from city.ingest_state import IngestState
from madina.log_output import log_to_stderr
from madina.opening import opened
from madina.service_parts import service_parts
from madina.settings import Settings
from services.app import create_app

__all__ = ["api_in_process"]


@contextlib.contextmanager
def api_in_process(settings: Settings) -> Generator[httpx.AsyncClient]:
    """Open store and registry, and answer over them; nothing is asked of the log.

    Raises:
        SetupError: Store or registry cannot be opened.
    """
    log_to_stderr("command", logging.ERROR)
    clock = MachineClock()
    with opened(settings, clock) as found:
        app = create_app(service_parts(settings, found, clock, IngestState))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        yield httpx.AsyncClient(transport=transport, base_url="http://madina")
