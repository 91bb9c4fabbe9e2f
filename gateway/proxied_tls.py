"""TLS behind a balancer that passes it on: its PROXY header comes first, and is not encrypted.

The event loop's own listener begins TLS with the first byte, so these connections are accepted
here: header, handshake, and from then on they are like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from gateway.proxy import HEADER_BYTES, Address, ProxyError, header_length, parse_header

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

__all__ = ["ProxiedTls"]

log = structlog.get_logger(__name__)

# Headers and handshakes that are under way; who comes beyond that waits in the kernel.
AT_ONCE = 512
# Accepting goes on after this where the process has no file left.
NO_FILES_S = 0.1


class ProxiedTls:
    """Accepts connections of one listener.

    Args:
        context: For the handshake.
        timeout_s: For the header, and then for the handshake.
        is_proxy: Says whether an address is that of a balancer of ours.
        arrives: Makes the protocol of a connection; takes whom the header names, None: nobody.
        refused: Told of headers that are none.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        timeout_s: float,
        *,
        is_proxy: Callable[[Address], bool],
        arrives: Callable[[Address | None], asyncio.Protocol],
        refused: Callable[[Address, str], None],
    ) -> None:
        self._context = context
        self._timeout_s = timeout_s
        self._is_proxy = is_proxy
        self._arrives = arrives
        self._refused = refused
        self._room = asyncio.Semaphore(AT_ONCE)

    async def serve(self, listener: socket.socket) -> None:
        """Accept until cancelled; the listener is closed then."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            with contextlib.closing(listener):
                while True:
                    await self._room.acquire()
                    try:
                        accepted, peer = await loop.sock_accept(listener)
                    except OSError as error:
                        self._room.release()
                        log.warning("connection.not_accepted", cause=str(error))
                        await asyncio.sleep(NO_FILES_S)
                        continue
                    group.create_task(self._begin(accepted, Address(peer[0], peer[1])))

    async def _begin(self, accepted: socket.socket, peer: Address) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                source = await _header(accepted) if self._is_proxy(peer) else None
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._arrives(source),
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=self._timeout_s,
            )
        except (OSError, ProxyError, EOFError) as error:
            # A TimeoutError is an OSError: no header, or no handshake, in time.
            accepted.close()
            self._refused(peer, str(error) or "no PROXY header in time")
        except asyncio.CancelledError:
            accepted.close()
            raise
        finally:
            self._room.release()


async def _header(accepted: socket.socket) -> Address | None:
    """Read a header and nothing behind it.

    Raises:
        ProxyError: If it is none.
        EOFError: If the connection ends first.
    """
    fixed = await _exactly(accepted, HEADER_BYTES)
    return parse_header(fixed, await _exactly(accepted, header_length(fixed)))


async def _exactly(accepted: socket.socket, size_bytes: int) -> bytes:
    loop = asyncio.get_running_loop()
    read = b""
    while len(read) < size_bytes:
        part = await loop.sock_recv(accepted, size_bytes - len(read))
        if not part:
            raise EOFError("the connection ended within the PROXY header")
        read += part
    return read
