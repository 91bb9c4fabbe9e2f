"""`madina load proxy`: what scenarios slow down, have refuse, or cut."""

import asyncio
import contextlib
from typing import Annotated
from urllib.parse import urlsplit

import typer

from loadtest.rig.proxy import Proxy, ProxyError, serve_proxy
from madina.errors import CommandError

__all__ = ["add_proxy", "proxy"]

To = Annotated[str, typer.Argument(help="HOST:PORT to pass connections on to.")]
Listen = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0: a free one.")]
Control = Annotated[
    int,
    typer.Option(min=0, max=65_535, help="Port on which scenarios say what to do; 0: a free one."),
]


def add_proxy(load: typer.Typer) -> None:
    """Add the command."""
    load.command("proxy")(proxy)


def proxy(to: To, *, listen: Listen = 0, control: Control = 0) -> None:
    """Pass connections on until Ctrl-C, and hurt them when a scenario says so.

    Put its address where a part has another one's: `MADINA_STORE_URL=influxdb://127.0.0.1:18086/city`
    with `madina load proxy 127.0.0.1:8086 --listen 18086 --control 18087`.
    """
    try:
        at = urlsplit(f"tcp://{to}")
        behind = (at.hostname, at.port)
    except ValueError:
        behind = (None, None)
    if behind[0] is None or behind[1] is None:
        raise CommandError(f"{to!r} is no HOST:PORT")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run((behind[0], behind[1]), listen, control))
    except ProxyError as error:
        raise CommandError(str(error)) from error


async def _run(behind: tuple[str, int], listen: int, control: int) -> None:
    passing = Proxy("127.0.0.1", listen, behind)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def tell(told: asyncio.Future[int]) -> None:
        if not told.cancelled():
            where = f"{behind[0]}:{behind[1]}"
            print(f"127.0.0.1:{passing.port} passes on to {where}", flush=True)
            print(f"scenarios say what to do at 127.0.0.1:{told.result()}", flush=True)

    ready.add_done_callback(tell)
    await serve_proxy(passing, control, ready)
