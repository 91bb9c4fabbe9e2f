"""The whole balance: what the store has applied, and what waits on the log.

`received` of each gateway process and shard is the higher of the log's last count and the store's
applied count, and `pending` is what that leaves over the applied counts. Both halves of the store
come from one snapshot, so the balance closes whichever of log and store was read first; what does
not close then is a defect of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from city.clock import US_PER_MINUTE
from city.ledger import UNREAD, Balance, MessageCounts, ObservationCounts
from city.scope import Scope
from store.interface import LedgerQuery, LedgerRow, LedgerSnapshot

if TYPE_CHECKING:
    from city.clock import Clock
    from services.log_view import LogView
    from services.threads import Threads
    from store.interface import Store

__all__ = ["GroupedBalance", "LedgerBook", "LedgerPage", "grouped", "with_pending"]


# Minutes of one page: with tens of providers some ten thousand items.
PAGE_US = 24 * 60 * US_PER_MINUTE


class GroupedBalance(msgspec.Struct, frozen=True):
    """The balance of one minute, provider and route."""

    start_us: int
    provider: str
    route: str
    balance: Balance


class LedgerPage(msgspec.Struct, frozen=True):
    """The balance of a range, and one day of its minutes.

    Attributes:
        before_us: Where the next page ends; None where nothing is earlier.
    """

    balance: Balance
    items: list[GroupedBalance]
    before_us: int | None


class LedgerBook:
    """Reads balances. The log is asked where messages that nobody has read belong to the answer."""

    def __init__(self, store: Store, view: LogView, threads: Threads, clock: Clock) -> None:
        self._store = store
        self._view = view
        self._threads = threads
        self._clock = clock

    async def balance(self, scope: Scope, query: LedgerQuery, *, ask: bool = True) -> Balance:
        """Return one balance.

        Args:
            scope: Whose messages.
            query: Which part.
            ask: Look at the log now, rather than take what it told last.

        Raises:
            LogAwayError: If the log has a part in it and does not answer.
        """
        unread = self._includes_unread(scope, query)
        if unread and ask:
            await self._view.look()
        snapshot = await self._threads.run(self._store.ledger_snapshot, scope, query)
        return self._completed(snapshot, query) if unread else snapshot.balance

    async def by_minute(
        self, scope: Scope, query: LedgerQuery, before_us: int | None = None
    ) -> LedgerPage:
        """Return the balance of a range, and one day of its minutes, providers and routes.

        Args:
            scope: Whose messages.
            query: Which part.
            before_us: End of the day, as the page before told; None for the newest.

        Raises:
            LogAwayError: If the log has a part in it and does not answer.
        """
        until_us = query.until_us if before_us is None else before_us
        end_us = self._clock.now_us() if until_us is None else until_us
        day_us = end_us - end_us % US_PER_MINUTE - PAGE_US
        start_us = max(day_us, query.since_us or 0)
        part = msgspec.structs.replace(query, since_us=start_us, until_us=until_us)
        total = await self.balance(scope, query)
        unread = self._includes_unread(scope, part)
        snapshot = await self._threads.run(self._store.ledger_snapshot, scope, part, "minute")
        balance = self._completed(snapshot, part) if unread else snapshot.balance
        pending = balance.messages.pending
        # Where the range is no longer than its page, both come from one snapshot.
        whole = before_us is None and query.since_us == start_us
        return LedgerPage(
            balance=balance if whole else total,
            items=grouped(snapshot, pending=pending, now_us=self._clock.now_us()),
            before_us=start_us if await self._holds_earlier(scope, query, start_us) else None,
        )

    async def _holds_earlier(self, scope: Scope, query: LedgerQuery, start_us: int) -> bool:
        if start_us <= (query.since_us or 0):
            return False
        earlier = msgspec.structs.replace(query, until_us=start_us)
        found = await self._threads.run(self._store.ledger, scope, earlier)
        return found != Balance(MessageCounts(), ObservationCounts())

    def _includes_unread(self, scope: Scope, query: LedgerQuery) -> bool:
        """Say whether messages that nobody has read belong to a query.

        They have no provider and no route yet. Their minute is not known either: they belong to
        every range that is not over.
        """
        named = query.provider is not None or query.route not in {None, UNREAD}
        over = query.until_us is not None and query.until_us <= self._clock.now_us()
        return not named and not over and scope.providers is None

    def _completed(self, snapshot: LedgerSnapshot, query: LedgerQuery) -> Balance:
        received = self._view.received(snapshot.counts)
        applied = sum(each.count for each in snapshot.counts)
        whole = query.since_us is None and query.until_us is None and query.route is None
        # Of everything, the gateways' own counts are taken: a frame that the log lost shows.
        known = applied if whole else snapshot.balance.messages.received
        return with_pending(snapshot.balance, known=known, pending=received - applied)


def with_pending(balance: Balance, *, known: int, pending: int) -> Balance:
    """Return a balance with the messages that wait on the log; `known` is received without them."""
    messages = msgspec.structs.replace(balance.messages, received=known + pending, pending=pending)
    return Balance(messages=messages, observations=balance.observations)


def grouped(snapshot: LedgerSnapshot, *, pending: int, now_us: int) -> list[GroupedBalance]:
    """Return the balances of a snapshot by minute, provider and route.

    What gateways counted in a minute beyond what ingest decided stands under the route `unread`,
    as a difference; what waits on the log stands there too, under the present minute.
    """
    items = [_decided(row) for row in snapshot.rows]
    left = {row.minute_us: row.received for row in snapshot.received}
    if left:
        for item in items:
            decided = item.balance.messages.received
            left[item.start_us] = left.get(item.start_us, 0) - decided
    waiting = {minute: (count, 0) for minute, count in left.items() if count}
    if pending:
        minute = now_us - now_us % US_PER_MINUTE
        lost, _ = waiting.get(minute, (0, 0))
        waiting[minute] = (lost + pending, pending)
    items += [_unread(minute, *counts) for minute, counts in waiting.items()]
    return sorted(items, key=lambda item: (item.start_us, item.provider, item.route))


def _decided(row: LedgerRow) -> GroupedBalance:
    messages = MessageCounts(
        received=row.accepted + row.quarantined + row.duplicate,
        accepted=row.accepted,
        quarantined=row.quarantined,
        duplicate=row.duplicate,
    )
    observations = ObservationCounts(
        decoded=row.decoded,
        stored=row.stored,
        duplicate=row.duplicate_observations,
        rejected=row.rejected,
    )
    return GroupedBalance(row.minute_us, row.provider, row.route, Balance(messages, observations))


def _unread(minute_us: int, received: int, pending: int) -> GroupedBalance:
    messages = MessageCounts(received=received, pending=pending)
    return GroupedBalance(minute_us, "", UNREAD, Balance(messages, ObservationCounts()))
