"""What the composition root hands to services: everything they need, and nothing they look up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from link.uplink import UplinkSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from city.clock import Clock
    from city.ingest_state import IngestState
    from city.samples import Sample
    from link.disk import DiskReserve
    from registry.facts import Route
    from registry.registry import Registry
    from store.interface import QuarantineEntry, Store

__all__ = ["Inspects", "MakesCopies", "ReadsSamples", "ServicesParts"]


class MakesCopies(Protocol):
    """Who copies store and registry."""

    def folder(self, name: str) -> Path:
        """Return where a copy of this name is made."""
        ...

    def make(self, name: str, told: Callable[[float], None]) -> None:
        """Make a copy. Blocking.

        Args:
            name: Of the copy.
            told: Hears how much is done, 0 to 1; what it raises ends the copy.
        """
        ...


class ReadsSamples(Protocol):
    """Who can say what a message would be, were its device known."""

    def read(self, routes: Iterable[Route], entries: Iterable[QuarantineEntry]) -> list[Sample]:
        """Return what each message says. Blocking.

        Args:
            routes: Those that hold now.
            entries: The messages.
        """
        ...

    def kind(self, quantities: Iterable[str]) -> str:
        """Return what a device with these quantities seems to be for; empty where nobody knows."""
        ...


class Inspects(Protocol):
    """Who can say what traffic seems to be."""

    def look(
        self, routes: Iterable[Route], topic_filter: bytes, seconds: float, provider: str | None
    ) -> dict[str, object]:
        """Return what came in lately and what it seems to be. Blocking.

        Args:
            routes: Those that hold now.
            topic_filter: Which topics.
            seconds: How long back.
            provider: For what is proposed; None: named after the topic.

        Raises:
            LogAwayError: The log cannot be read.
        """
        ...


class ServicesParts(msgspec.Struct, frozen=True):
    """What `services.app.create_app` is made of.

    Attributes:
        registry, store: Opened and closed by who composes.
        ingest: Returns how ingest does now; called often, from the event loop. None: it runs in
            other processes, which tell.
        nats_url: Address of the log, with its credentials.
        samples: Who reads parked messages for people.
        inspects: Who looks at traffic.
        shards: How many shards the platform has; a replay is told to each.
        clock: For every instant that is written.
        admin_key: Opens every changing call.
        city, timezone, version: Shown; `timezone` is an IANA name.
        log_replicas: How many servers of the log keep what we put there.
        copy: Who copies store and registry; None where servers keep them.
        pages: Folder of the pages' static files; None, or a folder that is not there: no pages.
        uplink: Sizes and times of the way of HTTP messages to the log.
    uplink_name: Under which they are counted; a restart makes another epoch of it.
    log_disk: Watched where the log's disk is this machine's.
    array_codecs: Those that read a JSON array as one message.
    http_ingest_rate: Requests a second that one sender may make to the HTTP uplink.
    bridged: There are brokers to bridge, so a bridge has to run somewhere.
    """

    registry: Registry
    store: Store
    ingest: Callable[[], IngestState] | None
    nats_url: str
    shards: int
    clock: Clock
    admin_key: str
    city: str
    timezone: str
    version: str
    samples: ReadsSamples
    inspects: Inspects
    log_replicas: int = 1
    copy: MakesCopies | None = None
    pages: Path | None = None
    bridged: bool = False
    uplink: UplinkSettings = UplinkSettings(None)
    uplink_name: str = "http"
    log_disk: DiskReserve | None = None
    array_codecs: frozenset[str] = frozenset()
    http_ingest_rate: float = 200.0
