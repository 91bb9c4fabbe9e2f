"""The log of a platform that does not run: its own server, started for as long as it is read."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Generator
from typing import Final

from madina.data_folder import DataFolder
from madina.errors import CommandError
from madina.settings import Settings
from madina.supervisor.death import die_with_parent
from madina.supervisor.nats_server import answers, nats_server_path, nats_url, write_nats_config
from madina.supervisor.ports import free_port

__all__ = ["log_of"]

START_S: Final = 60.0
STOP_S: Final = 30.0
LOOK_S: Final = 0.05


@contextlib.contextmanager
def log_of(folder: DataFolder, settings: Settings) -> Generator[str | None]:
    """Return the address of the log; None where there has never been one.

    The caller holds the data folder.

    Raises:
        CommandError: Its server does not start.
    """
    if settings.nats_url is not None:
        yield settings.nats_url
        return
    if not folder.nats_store.is_dir():
        yield None
        return
    port = free_port("127.0.0.1", 0, "nats_port")
    write_nats_config(folder, settings, port)
    with (folder.logs / "nats.log").open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 - the server of our own wheel
            [nats_server_path(), "-c", folder.nats_config],
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread runs here
        )
    try:
        _wait(server, nats_url(folder, port), folder)
        yield nats_url(folder, port)
    finally:
        server.terminate()
        server.wait(STOP_S)


def _wait(server: "subprocess.Popen[bytes]", url: str, folder: DataFolder) -> None:
    give_up_s = time.monotonic() + START_S
    while not asyncio.run(answers(url)):
        if server.poll() is not None or time.monotonic() > give_up_s:
            raise CommandError(f"the log does not start: see {folder.logs / 'nats.log'}")
        time.sleep(LOOK_S)
