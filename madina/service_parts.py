"""What services are made of, from settings and from what is open."""

import importlib.metadata
import platform
from collections.abc import Callable
from pathlib import Path

import msgspec

import services
from city.clock import Clock
from city.ingest_state import IngestState
from ingest.codecs.catalogue import array_codecs, find_codecs
from ingest.samples import SampleReader
from madina.admin_key import admin_key
from madina.backup.copier import Copier
from madina.data_folder import DataFolder
from madina.log_inspector import LogInspector
from madina.opening import Opened
from madina.settings import Settings
from madina.way_to_log import log_disk, uplink_settings
from services.parts import ServicesParts

__all__ = ["service_parts"]


def service_parts(
    settings: Settings, found: Opened, clock: Clock, ingest: Callable[[], IngestState] | None
) -> ServicesParts:
    """Return the parts of `services.app.create_app`.

    Args:
        settings: `nats_url` is looked at only where something has to be asked of the log.
        found: Open store and registry.
        clock: For every instant that is written.
        ingest: Tells how ingest does; None: other processes do.
    """
    return ServicesParts(
        registry=found.registry,
        store=found.store,
        ingest=ingest,
        nats_url=settings.nats_url or "",
        shards=settings.shards,
        clock=clock,
        admin_key=admin_key(settings),
        log_replicas=settings.log_replicas,
        city=settings.city,
        timezone=settings.timezone,
        samples=SampleReader(find_codecs(), settings.timezone),
        inspects=LogInspector(settings.nats_url or "", settings.shards, settings.timezone, clock),
        version=importlib.metadata.version("madina"),
        copy=Copier(found, DataFolder(settings.data_dir)),
        pages=Path(services.__path__[0]) / "pages" / "static",
        bridged=bool(settings.bridge_urls),
        # The gateway makes the log and keeps its limits.
        uplink=msgspec.structs.replace(uplink_settings(settings), stream=None),
        uplink_name=f"http-{platform.node()}",
        log_disk=None if settings.nats_url is None else log_disk(settings, settings.nats_url),
        array_codecs=array_codecs(),
        http_ingest_rate=settings.http_ingest_rate,
    )
