"""From a store of others to our log, and what became of it by the ledger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from city.instants import to_text
from madina.api import Api, ComeAgainError
from madina.replay.outcome import Counts, counts, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from madina.pull.stored_uplinks import StoredUplink

__all__ = ["Filled", "Filling"]

# A request takes 1 MiB and 10,000 messages.
AT_ONCE: Final = 500
BYTES_AT_ONCE: Final = 900_000


class Filled(msgspec.Struct, frozen=True):
    """What a pull came to.

    Attributes:
        read: Uplinks that were kept there.
        sent: Those of them that the log has.
        accepted, duplicate, quarantined: What the ledger counts of the route since the beginning.
        until: Instant up to which everything was sent; where it was ended early, go on from there.
        finished: It was not ended early.
    """

    read: int
    sent: int
    accepted: int
    duplicate: int
    quarantined: int
    until: str
    finished: bool


class Filling:
    """Sends uplinks to a route of ours, in order.

    Args:
        api: Of the running platform.
        route: Its name.
        path_of: Where a device's uplinks go: `/v1/ingest/ROUTE/...`.
        waits: Hears in words why it waits.
        wait: Sleeps for some seconds.

    Attributes:
        until_us: Everything that was kept before this instant is on the log.
    """

    def __init__(
        self,
        api: Api,
        route: str,
        path_of: Callable[[str], str],
        waits: Callable[[str], None],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._path_of = path_of
        self._route = route
        self._waits = waits
        self._wait = wait
        self._read = self._sent = 0
        self.until_us = 0
        self._before: Counts = counts(api, None, route)

    def fill(
        self, pages: Iterable[list[StoredUplink]], from_us: int, told: Callable[[int, int], None]
    ) -> Filled:
        """Send everything; Ctrl-C ends it between two requests, with a report.

        Args:
            pages: What to send, in order of time.
            from_us: Where that begins.
            told: Hears how many were sent, and up to when.

        Raises:
            CommandError: The platform refuses.
        """
        self.until_us = from_us
        finished = True
        try:
            for page in pages:
                self._read += len(page)
                for path, of_path in self._by_path(page).items():
                    for some in _portions(of_path):
                        self._send(path, some)
                        told(self._sent, self.until_us)
                self.until_us = page[-1].received_us
        except KeyboardInterrupt:
            finished = False
        return self._filled(finished=finished)

    def _by_path(self, page: list[StoredUplink]) -> dict[str, list[StoredUplink]]:
        found: dict[str, list[StoredUplink]] = {}
        for each in page:
            found.setdefault(self._path_of(each.device), []).append(each)
        return found

    def _send(self, path: str, some: list[StoredUplink]) -> None:
        body = [msgspec.Raw(each.data) for each in some]
        while True:
            try:
                self._api.send("POST", path, body)
            except ComeAgainError as error:
                # The same request once more adds nothing: docs/http-uplink.md.
                self._waits(f"the platform does not take them now: {error}")
                self._wait(max(error.retry_after_s, 1.0))
            else:
                break
        self._sent += len(some)

    def _filled(self, *, finished: bool) -> Filled:
        after = settled(self._api, None, self._route, self._before, self._sent)
        before = self._before.messages
        return Filled(
            read=self._read,
            sent=self._sent,
            accepted=after.messages["accepted"] - before["accepted"],
            duplicate=after.messages["duplicate"] - before["duplicate"],
            quarantined=after.messages["quarantined"] - before["quarantined"],
            until=to_text(self.until_us),
            finished=finished,
        )


def _portions(page: list[StoredUplink]) -> Iterator[list[StoredUplink]]:
    """Split a page so that a request takes each part."""
    some: list[StoredUplink] = []
    size = 0
    for each in page:
        if some and (len(some) >= AT_ONCE or size + len(each.data) > BYTES_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(each)
        size += len(each.data)
    if some:
        yield some
