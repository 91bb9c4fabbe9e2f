"""The HTTP server beside other work of the process: signals are left to whoever runs both."""

import contextlib
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp

__all__ = ["HttpServer"]

# Requests that take longer at the end, live feeds above all, are cut off.
LAST_REQUESTS_S = 2


class HttpServer:
    """An application on a listening socket.

    Args:
        app: What answers.
        listening: Where.
        ending: Ends what the application would go on sending for ever.
    """

    def __init__(self, app: ASGIApp, listening: socket.socket, ending: Callable[[], None]) -> None:
        self._listening = listening
        self._ending = ending
        self._server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="on",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=LAST_REQUESTS_S,
                ws="none",
            )
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Answer requests until `stop`.

        Args:
            ready: Called once requests are answered.
        """
        self._server.begun = ready
        await self._server.serve([self._listening])

    def stop(self) -> None:
        """Take no more requests, and finish those under way."""
        self._server.should_exit = True
        self._ending()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
