"""All that ingest keeps in memory, rebuilt from store and registry whenever it is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from city.presence import PRESENCE, encode_presence
from ingest.apply.decide import Decider
from ingest.apply.fast import FastPath
from ingest.apply.links import Links
from ingest.apply.recent import TimelessMessages
from ingest.apply.routing import Router
from ingest.apply.series import SeriesBook
from ingest.apply.tally import Groups
from ingest.apply.view import RegistryView
from ingest.apply.watermarks import Watermarks
from ingest.codecs.seam import Remembered, RememberingCodec
from store.interface import CodecRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from city.requests import Request
    from ingest.codecs.seam import Codec, Released, Remembering
    from ingest.seams import RegistrySource
    from store.interface import Store

__all__ = ["ApplierSettings", "Memory"]


class ApplierSettings(msgspec.Struct, frozen=True):
    """What an operator chooses about ingest.

    Attributes:
        unknown_devices: Messages of devices that nobody has registered wait, or register them.
        timezone: The city's IANA zone, for times without one.
    """

    unknown_devices: Literal["park", "accept"] = "park"
    timezone: str = "UTC"


class Memory:
    """State of one worker. Nothing here survives a restart by itself.

    Attributes:
        marks: Last applied log sequence by shard.
        counts: Applied messages by gateway, epoch and shard.
        remembering: Codecs whose messages mean something only with those before.
    """

    def __init__(
        self,
        store: Store,
        registry: RegistrySource,
        settings: ApplierSettings,
        codecs: Mapping[str, Codec],
    ) -> None:
        """Read everything.

        Raises:
            StoreBusyError: The store cannot be read now.
        """
        self.remembering = _remembering(codecs, store.codec_records())
        self._codecs = {**codecs, **self.remembering}
        self._timezone = settings.timezone
        accept = settings.unknown_devices == "accept"
        self.marks = store.marks()
        self.counts = {
            (each.gateway, each.epoch, each.shard): each.count for each in store.counts()
        }
        self.view = RegistryView(registry)
        self.view.refresh()
        self.book = SeriesBook(self.view, store.series())
        self.links = Links(self.book)
        self.groups = Groups()
        self.timeless = TimelessMessages(store.recent())
        self.watermarks = Watermarks(store)
        self.fast = FastPath(self.view, self.links, self.groups, accept_unknown=accept)
        self.decider = Decider(self.view, self.book, self.timeless, accept_unknown=accept)
        self._routes_changed: int = 0
        self.router = Router((), self._codecs, settings.timezone)
        self.refresh()

    def refresh(self) -> None:
        """Take what has changed in the registry."""
        self.view.refresh()
        if self.view.routes_changed > self._routes_changed:
            self._routes_changed = self.view.routes_changed
            self.router = Router(self.view.routes.values(), self._codecs, self._timezone)
            self.fast.forget()

    def take_remembered(self) -> tuple[list[CodecRecord], Remembered]:
        """Return what codecs keep of the messages since the last time, and what they ask for."""
        records: list[CodecRecord] = []
        requests: list[Request] = []
        released: list[Released] = []
        for name, codec in self.remembering.items():
            taken = codec.take()
            records += [CodecRecord(name, *each) for each in taken.records.items()]
            presence = dict(map(encode_presence, taken.presence))
            records += [CodecRecord(PRESENCE, *each) for each in presence.items()]
            requests += taken.requests
            released += taken.released
        return records, Remembered(requests=requests, released=released)


def _remembering(codecs: Mapping[str, Codec], records: list[CodecRecord]) -> dict[str, Remembering]:
    kept: dict[str, dict[str, bytes]] = {}
    for each in records:
        kept.setdefault(each.codec, {})[each.key] = each.value
    return {
        name: codec.remember(kept.get(name, {}))
        for name, codec in codecs.items()
        if isinstance(codec, RememberingCodec)
    }
