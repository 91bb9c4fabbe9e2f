"""The ledger read back: totals from the heads of the chains, minutes from rows and late commits."""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

from collections.abc import Iterable
from typing import Final

from city.ledger import Balance, MessageCounts, ObservationCounts
from city.scope import Scope
from store.influx.address import BOOKS
from store.influx.book_lines import LEDGER, RETIRED
from store.influx.commits import COMMITS, SUMS, Chain, Commit, Sums, read_commits
from store.influx.connection import Connection
from store.influx.flushing import read_row, row_tags
from store.influx.line_protocol import literal, tag_text, tag_value
from store.influx.observation_lines import NS_PER_US
from store.influx.terms import read_chains
from store.interface import (
    GatewayCount,
    LedgerGroup,
    LedgerQuery,
    LedgerRow,
    LedgerSnapshot,
    ReceivedRow,
)

__all__ = ["Ledger"]

NOTHING: Final = [0] * len(SUMS)

Key = tuple[int, str, str]
# Shard and term, then the key of a row.
OwnKey = tuple[int, str, Key]


class Ledger:
    """Reads; any thread may."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def counts(self) -> list[GatewayCount]:
        """Return the applied count of every gateway process and shard."""
        return self._counts(read_chains(self._connection))

    def snapshot(
        self, scope: Scope, query: LedgerQuery, group: LedgerGroup = "total"
    ) -> LedgerSnapshot:
        """Return balance and counts of one instant; with `minute`, its rows by minute too."""
        chains = read_chains(self._connection)
        if group == "total" and _is_everything(scope, query):
            totals = _sum(chain.head.totals for chain in chains.values())
            return LedgerSnapshot(balance=_balance(totals), counts=self._counts(chains))
        rows, chains = self._rows(chains, scope, query)
        totals = _sum(rows.values())
        by_gateways = _counted_by_gateways(scope, query)
        if not by_gateways:
            totals[0] = sum(totals[1:4])
        by_minute = group == "minute"
        return LedgerSnapshot(
            balance=_balance(totals),
            counts=self._counts(chains),
            received=_received(rows) if by_minute and by_gateways else [],
            rows=_ledger_rows(rows) if by_minute else [],
        )

    def rows(self, scope: Scope, query: LedgerQuery) -> list[LedgerRow]:
        """Return sums by minute, provider and route."""
        rows, _ = self._rows(read_chains(self._connection), scope, query)
        return _ledger_rows(rows)

    def _rows(
        self, chains: dict[int, Chain], scope: Scope, query: LedgerQuery
    ) -> tuple[dict[Key, Sums], dict[int, Chain]]:
        """Return sums by minute, provider and route, and the chains that they are of.

        Rows are read before the commits behind the chains: what a flush moves in between is then
        in a row, whose `upto` says so.
        """
        own: dict[OwnKey, Sums] = {}
        upto: dict[OwnKey, int] = {}
        for answer in self._connection.ask(BOOKS, _select_rows(query)):
            shard, term = int(answer.tags["shard"]), answer.tags["term"]
            names = row_tags(answer.tags)
            for row in answer.rows():
                key = (shard, term, (row["time"] // NS_PER_US, *names))
                if not scope.admits(names[0]):
                    continue
                upto[key], own[key] = read_row(row["row"])
        late, chains = self._late(chains)
        for shard, term, at, commit in late:
            for minute_us, provider, route, sums in commit.added:
                key = (shard, term, (minute_us, provider, route))
                if at > upto.get(key, -1) and _asked(scope, query, key[2]):
                    own[key] = _sum([own.get(key, NOTHING), sums])
        found: dict[Key, Sums] = {}
        for (_, _, key), sums in own.items():
            found[key] = _sum([found.get(key, NOTHING), sums])
        return found, chains

    def _late(
        self, chains: dict[int, Chain]
    ) -> tuple[list[tuple[int, str, int, Commit]], dict[int, Chain]]:
        """Return the commits that count and may not be in rows; the chains grow with them."""
        statements: list[str] = []
        for shard, chain in chains.items():
            for link in chain.links:
                head = link is chain.links[0]
                if head or chain.flushed[link.term] < link.limit:
                    end = "" if head else f" AND time <= {link.limit}"
                    statements.append(
                        f'SELECT /^part/ FROM "{COMMITS}" WHERE "shard" = {literal(str(shard))}'
                        f' AND "term" = {literal(link.term)}'
                        f' AND time > {chain.flushed[link.term]}{end} GROUP BY "shard", "term"'
                    )
        found: list[tuple[int, str, int, Commit]] = []
        for answers in self._connection.ask_all(BOOKS, statements) if statements else ():
            found += read_commits(answers)
        grown = {
            shard: chain.grown([each[1:] for each in found if each[0] == shard])
            for shard, chain in chains.items()
        }
        return found, grown

    def _counts(self, chains: dict[int, Chain]) -> list[GatewayCount]:
        counts = {
            (gateway, epoch, shard): count
            for shard, chain in chains.items()
            for gateway, epoch, count in chain.head.counts
        }
        answers = self._connection.ask(
            BOOKS,
            f'SELECT last("count") FROM "{RETIRED}" GROUP BY "epoch", "gateway", "shard", "term"',
        )
        for answer in answers:
            gateway = tag_text(answer.tags["gateway"])
            key = (gateway, int(answer.tags["epoch"]), int(answer.tags["shard"]))
            counts[key] = max(counts.get(key, 0), *(row["last"] for row in answer.rows()))
        return [GatewayCount(*key, counts[key]) for key in sorted(counts)]


def _select_rows(query: LedgerQuery) -> str:
    where = [
        text
        for text, value in (
            (f"time >= {_ns(query.since_us)}", query.since_us),
            (f"time < {_ns(query.until_us)}", query.until_us),
            (f'"provider" = {literal(tag_value(query.provider or ""))}', query.provider),
            (f'"route" = {literal(tag_value(query.route or ""))}', query.route),
        )
        if value is not None
    ]
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return f'SELECT * FROM "{LEDGER}"{condition} GROUP BY "shard", "term", "provider", "route"'


def _ns(time_us: int | None) -> int:
    return (time_us or 0) * NS_PER_US


def _asked(scope: Scope, query: LedgerQuery, key: Key) -> bool:
    minute_us, provider, route = key
    return (
        scope.admits(provider)
        and query.provider in {None, provider}
        and query.route in {None, route}
        and (query.since_us is None or minute_us >= query.since_us)
        and (query.until_us is None or minute_us < query.until_us)
    )


def _is_everything(scope: Scope, query: LedgerQuery) -> bool:
    return scope.providers is None and query == LedgerQuery()


def _counted_by_gateways(scope: Scope, query: LedgerQuery) -> bool:
    return scope.providers is None and query.provider is None and query.route is None


def _sum(rows: Iterable[Sums]) -> Sums:
    return [sum(column) for column in zip(NOTHING, *rows, strict=True)]


def _balance(totals: Sums) -> Balance:
    received, accepted, quarantined, duplicate, decoded, stored, doubled, rejected, _ = totals
    return Balance(
        messages=MessageCounts(
            received=received, accepted=accepted, quarantined=quarantined, duplicate=duplicate
        ),
        observations=ObservationCounts(
            decoded=decoded, stored=stored, duplicate=doubled, rejected=rejected
        ),
    )


def _received(rows: dict[Key, Sums]) -> list[ReceivedRow]:
    by_minute: dict[int, int] = {}
    for (minute_us, _, _), sums in rows.items():
        by_minute[minute_us] = by_minute.get(minute_us, 0) + sums[0]
    return [
        ReceivedRow(shard=-1, minute_us=minute_us, received=count)
        for minute_us, count in sorted(by_minute.items())
        if count
    ]


def _ledger_rows(rows: dict[Key, Sums]) -> list[LedgerRow]:
    return [LedgerRow(-1, *key, *rows[key][1:]) for key in sorted(rows) if any(rows[key][1:])]
