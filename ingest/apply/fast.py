"""The fast path: plain native messages of known devices, decided thousands at a time.

Whatever is not plain, of an unknown device, or has a time that needs a rule is handed on to
`ingest.apply.decide`, which knows every rule; both give the same result (tested).
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from city.clock import US_PER_S
from city.flags import Flag
from city.identity import device_id
from ingest.apply.columns import grown
from ingest.apply.lanes import NO_LANE, Lanes
from ingest.apply.routing import NATIVE
from ingest.apply.rows import Rows
from ingest.apply.rules import CLOCK_SET_US, FUTURE_US
from ingest.codecs.native import Bulk, decode_bulk

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.apply.links import Links
    from ingest.apply.routing import Router
    from ingest.apply.stretch import Stretch
    from ingest.apply.tally import Groups
    from ingest.apply.view import RegistryView

__all__ = ["FastPart", "FastPath"]

NO_GROUP: Final = -1
FIRST_LANES: Final = 1_024
# Topics whose messages were not plain are not tried again for so long, by receive time.
SLOW_FOR_US: Final = 600 * US_PER_S
SLOW_MAX: Final = 65_536
DEVICE_LEVEL: Final = 3
LEVELS: Final = 5


class FastPart(msgspec.Struct, frozen=True):
    """What the fast path decided of a stretch.

    Attributes:
        places: Positions of the messages that were decided (m,), ascending.
        groups: Ledger group of each of them (m,).
        others: Positions of the messages that were not.
        rows: Their observations.
    """

    places: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    others: list[int]
    rows: Rows


class FastPath:
    """Remembers for every topic which device it stands for: its lane is the device's slot.

    A device's topics have one ledger group; another one's messages are decided one by one.
    """

    def __init__(
        self, view: RegistryView, links: Links, groups: Groups, *, accept_unknown: bool
    ) -> None:
        """Take whether unknown devices are registered as they come."""
        self._view = view
        self._accept_unknown = accept_unknown
        self._links = links
        self._groups = groups
        self._slow_until_us = 0
        self._slow: set[bytes] = set()
        self.forget()

    def forget(self) -> None:
        """Learn all lanes anew: routes have changed."""
        self._lanes = Lanes()
        self._group_of = np.full(FIRST_LANES, NO_GROUP, np.int32)
        self._recorded = np.zeros(FIRST_LANES, np.bool_)

    def take(self, stretch: Stretch, router: Router) -> FastPart:
        """Decide what can be decided fast."""
        self._forgive(stretch)
        lanes = self._find(stretch, router)
        # A retired device's messages are decided one by one, which says so.
        fast = (lanes != NO_LANE) & self._view.active[lanes]
        places = np.flatnonzero(fast)
        if not len(places):
            return FastPart(places, places, list(range(len(stretch))), _no_rows())
        payloads = stretch.payloads if fast.all() else list(compress(stretch.payloads, fast))
        bulk = decode_bulk(payloads)
        refused: list[int] = places[bulk.refused].tolist()
        for at in refused:
            self._slow.add(stretch.topics[at])
            self._lanes.drop(stretch.topics[at])
        return self._rows(stretch, lanes, places[bulk.kept], bulk)

    def _rows(
        self,
        stretch: Stretch,
        lanes: npt.NDArray[np.int64],
        places: npt.NDArray[np.int64],
        bulk: Bulk,
    ) -> FastPart:
        received_us = stretch.received_us[places]
        message = np.repeat(np.arange(len(places)), bulk.counts)
        found = self._links.find(lanes[places][message], bulk.quantities, bulk.units)
        good = (bulk.times_us >= CLOCK_SET_US) & (bulk.times_us <= received_us + FUTURE_US)
        good |= self._recorded[lanes[places]]
        good[message[found.unclear]] = False
        series, values = found.series, self._links.converted(found, bulk.values)
        if not good.all():
            kept = good[message]
            message, series, values = message[kept], series[kept], values[kept]
        rows = Rows(
            message=places[message],
            series=series.astype(np.int32),
            time_us=bulk.times_us[message],
            value=values,
            flag=np.full(len(series), Flag.NOT_EVALUATED, np.uint8),
            received_us=received_us[message],
        )
        decided = places[good]
        left = np.ones(len(stretch), np.bool_)
        left[decided] = False
        return FastPart(
            decided,
            self._group_of[lanes[decided]].astype(np.int64),
            np.flatnonzero(left).tolist(),
            rows,
        )

    def _find(self, stretch: Stretch, router: Router) -> npt.NDArray[np.int64]:
        """Return the lane of each message (n,), `NO_LANE` for those that are not for us."""
        lanes = self._lanes.find(stretch.topics)
        missing = np.flatnonzero(lanes == NO_LANE).tolist()
        if missing:
            if self._accept_unknown:
                self._accept({stretch.topics[at] for at in missing} - self._slow, router)
            for at in missing:
                lanes[at] = self._learn(stretch.topics[at], router)
        return lanes

    def _accept(self, topics: set[bytes], router: Router) -> None:
        """Register the devices of topics that were never seen, all at once."""
        owners = filter(None, (self._owner(topic, router) for topic in sorted(topics)))
        unknown = [each for each in owners if self._view.status(*each) == "unknown"]
        if unknown:
            self._view.accept(unknown)

    def _owner(self, topic: bytes, router: Router) -> tuple[str, str] | None:
        """Return provider and device of a plain native topic."""
        name = topic.decode(errors="replace")
        lane, levels = router.lane(name), name.split("/")
        if lane is None or lane.codec != NATIVE or len(levels) < LEVELS:
            return None
        device = device_id(levels[DEVICE_LEVEL])
        return None if device is None else (lane.provider, device)

    def _learn(self, topic: bytes, router: Router) -> int:
        """Return the lane of a topic, made where it can have one."""
        known = self._lanes.get(topic)
        if known != NO_LANE or topic in self._slow:
            return known
        owner = self._owner(topic, router)
        if owner is None:
            self._slow.add(topic)
            return NO_LANE
        if self._view.status(*owner) != "active":
            return NO_LANE
        return self._make(topic, owner, router)

    def _make(self, topic: bytes, owner: tuple[str, str], router: Router) -> int:
        """Return a new lane; none where the device's other topics are of another group."""
        lane = router.lane(topic.decode(errors="replace"))
        assert lane is not None, "a topic with an owner has a route"
        slot = self._view.slot(*owner)
        self._group_of = grown(self._group_of, slot + 1, NO_GROUP)
        self._recorded = grown(self._recorded, slot + 1, fill=False)
        group = self._groups.number(lane.provider, lane.route)
        if self._group_of[slot] not in (NO_GROUP, group):
            self._slow.add(topic)
            return NO_LANE
        self._group_of[slot] = group
        self._recorded[slot] = lane.recorded
        self._lanes.put(topic, slot)
        return slot

    def _forgive(self, stretch: Stretch) -> None:
        """Try slow topics again from time to time: devices get new firmware."""
        if not len(stretch):
            return
        now_us = int(stretch.received_us[-1])
        if now_us >= self._slow_until_us or len(self._slow) > SLOW_MAX:
            self._slow.clear()
            self._slow_until_us = now_us + SLOW_FOR_US


def _no_rows() -> Rows:
    nothing = np.empty(0, np.int64)
    return Rows(
        nothing,
        nothing.astype(np.int32),
        nothing,
        nothing.astype(np.float64),
        nothing.astype(np.uint8),
        nothing,
    )
