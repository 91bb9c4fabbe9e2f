"""A proxy passes on, delays, refuses and cuts, as it is told, and forgets it with who told it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING

import httpx
import pytest

from loadtest.rig.proxy import Manner, Proxy, ProxyError, serve_proxy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

HOST = "127.0.0.1"
LARGE = b"x" * (4 << 20)
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def say_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while read := await reader.read(65_536):
        writer.write(read)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def proxied() -> AsyncGenerator[Proxy]:
    """Run a proxy in front of what says everything back."""
    async with await asyncio.start_server(say_back, HOST, 0) as echo:
        proxy = Proxy(HOST, 0, (HOST, echo.sockets[0].getsockname()[1]))
        await proxy.begin()
        try:
            yield proxy
        finally:
            await proxy.end()


async def said(ends: Ends, text: bytes) -> bytes:
    """Say something and return the answer: less of it where the connection ends."""
    reader, writer = ends
    writer.write(text)
    try:
        return await reader.readexactly(len(text))
    except asyncio.IncompleteReadError as cut:
        return cut.partial
    except ConnectionError:
        return b""


@asynccontextmanager
async def opened(port: int) -> AsyncGenerator[Ends]:
    """Connect for the length of a block."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def answered(port: int, text: bytes) -> bytes:
    """Connect, and say something."""
    async with opened(port) as ends:
        return await said(ends, text)


async def test_bytes_pass_in_order_however_many_and_late_where_told() -> None:
    async with proxied() as proxy, opened(proxy.port) as ends:
        assert await said(ends, LARGE) == LARGE
        await proxy.behave(Manner("delay", 0.1))
        began_s = perf_counter()
        assert await said(ends, b"slow") == b"slow"
        # There and back.
        assert perf_counter() - began_s >= 0.2
        await proxy.behave(Manner())
        assert await said(ends, b"quick") == b"quick"


async def test_who_is_refused_reads_503_and_who_is_connected_is_cut_off() -> None:
    async with proxied() as proxy, opened(proxy.port) as ends:
        assert await said(ends, b"one") == b"one"
        await proxy.behave(Manner("refuse"))
        assert await said(ends, b"two") == b""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://{HOST}:{proxy.port}/")
        assert answer.status_code == 503
        await proxy.behave(Manner())
        assert await answered(proxy.port, b"three") == b"three"


async def test_a_cut_lets_nobody_in_until_it_is_over() -> None:
    async with proxied() as proxy, opened(proxy.port) as ends:
        port = proxy.port
        assert await said(ends, b"one") == b"one"
        await proxy.behave(Manner("cut"))
        assert await said(ends, b"two") == b""
        with pytest.raises(ConnectionRefusedError):
            await answered(port, b"")
        await proxy.behave(Manner())
        assert proxy.port == port
        assert await answered(port, b"three") == b"three"


async def test_nothing_behind_is_an_end_and_no_error() -> None:
    async with await asyncio.start_server(say_back, HOST, 0) as gone:
        port = gone.sockets[0].getsockname()[1]
    proxy = Proxy(HOST, 0, (HOST, port))
    await proxy.begin()
    assert await answered(proxy.port, b"one") == b""
    await proxy.end()


async def test_it_does_as_told_on_its_control_port_and_forgets_it_at_the_end() -> None:
    async with proxied() as behind:
        proxy = Proxy(HOST, 0, (HOST, behind.port))
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(serve_proxy(proxy, 0, ready))
            reader, writer = await asyncio.open_connection(HOST, await ready)
            port = proxy.port
            writer.write(b'{"kind":"cut"}\n')
            assert await reader.readline() == b"ok\n"
            with pytest.raises(ConnectionRefusedError):
                await answered(port, b"")
            writer.write(b'{"kind":"explode"}\n')
            assert b"Invalid enum value" in await reader.readline()
            # It has ended the conversation, and with it what was said in it.
            assert await reader.readline() == b""
            assert await answered(port, b"one") == b"one"
            writer.close()
            serving.cancel()


async def test_a_port_that_is_taken_is_named() -> None:
    async with proxied() as taken:
        with pytest.raises(ProxyError, match=f"port {taken.port} cannot be listened on"):
            await Proxy(HOST, taken.port, (HOST, 1)).begin()
        proxy = Proxy(HOST, 0, (HOST, 1))
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with pytest.raises(ProxyError, match=f"port {taken.port} cannot be listened on"):
            await serve_proxy(proxy, taken.port, ready)
