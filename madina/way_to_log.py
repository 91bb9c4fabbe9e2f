"""The way to the log from settings: what the gateway and the bridge have in common."""

from typing import Final
from urllib.parse import urlsplit

from link.disk import DiskReserve
from link.stream import StreamSettings
from link.uplink import UplinkSettings
from madina.data_folder import DataFolder
from madina.errors import SetupError
from madina.settings import Settings

__all__ = ["log_disk", "log_url", "uplink_settings"]

LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


def log_url(settings: Settings) -> str:
    """Return the address of the log.

    Raises:
        SetupError: If nobody said which.
    """
    if settings.nats_url is None:
        raise SetupError(
            "a gateway or bridge of its own needs a log",
            "set MADINA_NATS_URL to a NATS server, or run `madina up`",
        )
    return settings.nats_url


def uplink_settings(settings: Settings) -> UplinkSettings:
    """Return sizes and times of the way to the log."""
    return UplinkSettings(
        StreamSettings(max_bytes=int(settings.log_max_bytes), replicas=settings.log_replicas),
        shards=settings.shards,
        frame_bytes=int(settings.frame_bytes),
        linger_s=settings.frame_linger,
        max_message_bytes=int(settings.mqtt_max_packet),
        unacked_bytes=int(settings.unacked_bytes),
    )


def log_disk(settings: Settings, nats_url: str) -> DiskReserve | None:
    """Return what to watch where the log is the embedded one, in the data folder."""
    store = DataFolder(settings.data_dir).nats_store
    if urlsplit(nats_url).hostname not in LOOPBACK or not store.is_dir():
        return None
    return DiskReserve(str(store), int(settings.disk_reserve))
