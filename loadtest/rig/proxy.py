"""A TCP proxy that a scenario can slow down, have refuse, or cut, between any two parts.

For what a machine cannot do to a connection itself: `tc netem` is not everywhere, and somebody has
to answer 503 for a database.
"""

import asyncio
from contextlib import suppress
from typing import Final, Literal

import msgspec

__all__ = ["DONE", "Manner", "Proxy", "ProxyError", "serve_proxy"]

READ_BYTES: Final = 64 << 10
BACKLOG: Final = 1_000
# Pieces that are held back on a connection at any moment; then its sender waits.
HELD: Final = 256
# RFC 9110 15.6.4; whoever does not speak HTTP is cut off.
REFUSAL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
DONE: Final = b"ok\n"


class ProxyError(Exception):
    """A proxy that cannot be used; the words say why."""


class Manner(msgspec.Struct, frozen=True):
    """How a proxy treats connections.

    Attributes:
        kind: `delay`: each piece is passed on `by_s` later. `refuse`: requests are answered with
            503, and who is connected is cut off. `cut`: the same, and nobody is let in.
    """

    kind: Literal["pass", "delay", "refuse", "cut"] = "pass"
    by_s: float = 0.0


class Proxy:
    """Passes connections on.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, host: str, port: int, behind: tuple[str, int]) -> None:
        self.port = port
        self._host = host
        self._behind = behind
        self._manner = Manner()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Listen.

        Raises:
            ProxyError: Somebody else does on that port.
        """
        try:
            self._server = await asyncio.start_server(
                self._serve, self._host, self.port, backlog=BACKLOG
            )
        except OSError as error:
            raise ProxyError(f"port {self.port} cannot be listened on: {error.strerror}") from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def behave(self, manner: Manner) -> None:
        """Treat connections another way from now on."""
        self._manner = manner
        if manner.kind in {"refuse", "cut"}:
            await self._cut_off(listening=manner.kind == "refuse")
        if manner.kind != "cut" and self._server is None:
            await self.begin()

    async def end(self) -> None:
        """Cut every connection and listen no more."""
        await self._cut_off(listening=False)

    async def _cut_off(self, *, listening: bool) -> None:
        if self._server is not None and not listening:
            self._server.close()
            self._server = None
        for each in self._open:
            each.transport.abort()
        if self._passing:
            await asyncio.wait(self._passing)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "streams run in tasks"
        self._passing.add(task)
        self._open.add(writer)
        try:
            if self._manner.kind == "refuse":
                await _refuse(reader, writer)
            else:
                await self._pass(reader, writer)
        finally:
            await _ended(writer)
            self._open.discard(writer)
            self._passing.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner = await asyncio.open_connection(*self._behind)
        except OSError:
            writer.transport.abort()
            return
        self._open.add(inner)
        try:
            await asyncio.gather(self._pump(reader, inner), self._pump(inner_reader, writer))
        finally:
            await _ended(inner)
            self._open.discard(inner)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on until one end is gone; then the other one goes too."""
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hold(reader, held))
            piece = b"-"
            while piece:
                due_s, piece = await held.get()
                await asyncio.sleep(due_s - asyncio.get_running_loop().time())
                # Where this end is gone, so is the other in a moment: what still comes is nobody's.
                with suppress(OSError):
                    writer.write(piece)
                    await writer.drain()
            writer.close()

    async def _hold(
        self, reader: asyncio.StreamReader, held: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        clock = asyncio.get_running_loop()
        piece = b"-"
        while piece:
            try:
                piece = await reader.read(READ_BYTES)
            except OSError:
                piece = b""
            await held.put((clock.time() + self._manner.by_s, piece))


async def _ended(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        if await reader.read(READ_BYTES):
            writer.write(REFUSAL)
            await writer.drain()


async def serve_proxy(proxy: Proxy, control_port: int, ready: asyncio.Future[int]) -> None:
    """Pass connections on until cancelled, as whoever is connected to the control port says.

    A line of JSON there is a `Manner`, answered with `ok`. With the end of that connection the
    proxy passes everything on again: a scenario that is killed leaves nothing behind.

    Args:
        proxy: Not begun yet.
        control_port: Of 127.0.0.1; 0 is a free one.
        ready: Gets the control port once both ports are listened on.

    Raises:
        ProxyError: A port is taken.
    """

    async def control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await proxy.behave(msgspec.json.decode(line, type=Manner))
                writer.write(DONE)
        except (OSError, msgspec.MsgspecError, ProxyError) as error:
            writer.write(f"{error}\n".encode())
        finally:
            await proxy.behave(Manner())
            await _ended(writer)

    await proxy.begin()
    try:
        server = await asyncio.start_server(control, "127.0.0.1", control_port)
    except OSError as error:
        await proxy.end()
        raise ProxyError(f"port {control_port} cannot be listened on: {error.strerror}") from error
    ready.set_result(server.sockets[0].getsockname()[1])
    try:
        async with server:
            await server.serve_forever()
    finally:
        await proxy.end()
