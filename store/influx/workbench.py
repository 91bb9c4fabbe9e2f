"""Quarantine read back: entries that count, newest first, with what became of them since."""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

import itertools
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from city.scope import Scope
from store.influx.address import BOOKS
from store.influx.book_lines import QUARANTINE, RESOLUTIONS, payload_of
from store.influx.commits import Chain
from store.influx.connection import Connection
from store.influx.line_protocol import literal
from store.influx.parked import PARKED_COLUMNS, ParkedList, parked_devices
from store.influx.terms import read_chains
from store.interface import ParkedDevice, ParkedQuery, QuarantineEntry, QuarantineQuery

__all__ = ["EntryKey", "Workbench"]

# Entries whose keys are remembered, so that a page and a resolution find them at once.
KEYS_KEPT: Final = 50_000
IDS_AT_ONCE: Final = 200
PAGE_LEAST: Final = 64
# Above every time.
END_NS: Final = 2**63 - 1


class EntryKey(msgspec.Struct, frozen=True):
    """Where an entry is."""

    shard: int
    term: str
    time_ns: int


class _Overlay(msgspec.Struct, frozen=True):
    """What became of an entry and may not be written into it yet."""

    at: int
    state: str
    reason: str
    words: str
    resolved_us: int


class _Held(msgspec.Struct, frozen=True):
    """Held entries by provider and reason, as of one revision of every shard."""

    revisions: dict[int, int]
    counts: dict[tuple[str, str], int]


Row = dict[str, Any]


class Workbench:
    """Reads entries; any thread may."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._keys: dict[str, EntryKey] = {}
        self._held: _Held | None = None
        self._parked: ParkedList | None = None

    def entries(self, scope: Scope, query: QuarantineQuery) -> list[QuarantineEntry]:
        """Return entries, newest first. See `Store.quarantine`."""
        if query.ids is not None and not query.ids:
            return []
        chains = read_chains(self._connection)
        overlays = self._overlays(chains)
        before = (END_NS, "")
        if query.before is not None:
            key = self.keys([query.before], chains).get(query.before)
            if key is None:
                return []
            before = (key.time_ns, query.before)
        where = _conditions(scope, query, settled=not overlays)
        found = (
            entry
            for row in self._rows(where, before, max(query.limit, PAGE_LEAST))
            if _counts(chains, row)
            for entry in [self._entry(row, overlays)]
            if _admits(scope, query, entry)
        )
        return list(itertools.islice(found, query.limit))

    def held_counts(self, scope: Scope) -> dict[str, int]:
        """Return how many held entries there are by reason."""
        chains = read_chains(self._connection)
        revisions = {shard: chain.head.revision for shard, chain in chains.items()}
        held = self._held
        if held is None or held.revisions != revisions:
            held = self._held = _Held(revisions, self._count(chains))
        counts: dict[str, int] = {}
        for (provider, reason), count in sorted(held.counts.items()):
            if scope.admits(provider):
                counts[reason] = counts.get(reason, 0) + count
        return dict(sorted(counts.items()))

    def parked(self, scope: Scope, query: ParkedQuery) -> list[ParkedDevice]:
        """Return devices with waiting messages. See `Store.parked`."""
        chains = read_chains(self._connection)
        revisions = {shard: chain.head.revision for shard, chain in chains.items()}
        known, wanted = self._parked, (revisions, query.reason, query.route)
        if known is None or (known.revisions, known.reason, known.route) != wanted:
            known = ParkedList(*wanted, parked_devices(self._waiting(chains, query)))
            self._parked = known
        return known.page(scope, query)

    def _waiting(self, chains: dict[int, Chain], query: ParkedQuery) -> Iterable[Row]:
        """Yield what is needed of the entries that wait for a reason, newest first."""
        overlays = self._overlays(chains)
        route = [] if query.route is None else [f'"route" = {literal(query.route)}']
        columns = ("id", "state", "reason", "at", "settled", "shard", "term", *PARKED_COLUMNS)
        for row in self._select(", ".join(f'"{each}"' for each in columns), route):
            if row["at"] is None or not _counts(chains, row):
                continue
            state, reason = _now(row, overlays)
            if state in {"held", "partial"} and reason == query.reason:
                yield row

    def keys(
        self, ids: Sequence[str], chains: dict[int, Chain] | None = None
    ) -> dict[str, EntryKey]:
        """Return where entries are; none of those that are not there.

        A writer that died may have left an entry of the same id that does not count.
        """
        with self._lock:
            found = {each: self._keys[each] for each in ids if each in self._keys}
        missing = [each for each in ids if each not in found]
        if missing and chains is None:
            chains = read_chains(self._connection)
        for start in range(0, len(missing), IDS_AT_ONCE):
            some = missing[start : start + IDS_AT_ONCE]
            rows = self._select('"id", "at", "shard", "term"', [_any("id", some)])
            found |= {row["id"]: _key(row) for row in rows if _counts(chains or {}, row)}
        return found

    def _rows(self, where: list[str], before: tuple[int, str], size: int) -> Iterable[Row]:
        """Return rows by time and id, newest first, a page at a time."""
        low_ns = before[0]
        while True:
            rows = self._select("*", [*where, f"time <= {low_ns}"], f"LIMIT {size}")
            full = len(rows) >= size
            # What has no position yet is being written.
            rows = [row for row in rows if row["at"] is not None]
            rows.sort(key=lambda row: (row["time"], row["id"]), reverse=True)
            if full and rows:
                # The last instant may go on behind the page: it comes whole with the next one.
                low_ns = rows[-1]["time"]
                rows = [row for row in rows if row["time"] > low_ns]
                size *= 1 if rows else 2
            fresh = [row for row in rows if (row["time"], row["id"]) < before]
            yield from fresh
            if not full:
                return

    def _select(self, columns: str, where: list[str], limit: str = "") -> list[Row]:
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        answers = self._connection.ask(
            BOOKS, f'SELECT {columns} FROM "{QUARANTINE}"{condition} ORDER BY time DESC {limit}'
        )
        return [row for answer in answers for row in answer.rows()]

    def _overlays(self, chains: dict[int, Chain]) -> dict[str, _Overlay]:
        """Return what resolutions say that count and are not certain to be in their entries."""
        statements = [
            f'SELECT * FROM "{RESOLUTIONS}" WHERE "shard" = {literal(str(shard))}'
            f' AND "term" = {literal(link.term)} AND "at" > {chain.flushed[link.term]}'
            f' AND "at" <= {link.limit}'
            for shard, chain in chains.items()
            for link in chain.links
            if chain.flushed[link.term] < link.limit and chain.head.revision
        ]
        found: dict[str, _Overlay] = {}
        if not statements:
            return found
        for answers in self._connection.ask_all(BOOKS, statements):
            for row in (row for answer in answers for row in answer.rows()):
                overlay = _Overlay(
                    row["at"], row["state"], row["reason"], row["words"], row["resolved"]
                )
                known = found.get(row["id"])
                if known is None or known.at <= overlay.at:
                    found[row["id"]] = overlay
        return found

    def _count(self, chains: dict[int, Chain]) -> dict[tuple[str, str], int]:
        overlays = self._overlays(chains)
        where = [] if overlays else ["\"state\" = 'held'"]
        columns = '"id", "state", "reason", "provider", "at", "settled", "shard", "term"'
        counts: dict[tuple[str, str], int] = {}
        for row in self._select(columns, where):
            state, reason = _now(row, overlays)
            if state == "held" and _counts(chains, row):
                key = (row["provider"], reason)
                counts[key] = counts.get(key, 0) + 1
        return counts

    def _entry(self, row: Row, overlays: dict[str, _Overlay]) -> QuarantineEntry:
        """Return the entry of a row that counts, and remember where it is."""
        with self._lock:
            self._keys[row["id"]] = _key(row)
            if len(self._keys) > KEYS_KEPT:
                del self._keys[next(iter(self._keys))]
        return _entry(row, overlays.get(row["id"]))


def _key(row: Row) -> EntryKey:
    return EntryKey(int(row["shard"]), row["term"], row["time"])


def _counts(chains: dict[int, Chain], row: Row) -> bool:
    chain = chains.get(int(row["shard"]))
    return chain is not None and chain.counts(row["term"], row["at"])


def _now(row: Row, overlays: dict[str, _Overlay]) -> tuple[str, str]:
    """Return state and reason of an entry, as it may not say itself yet."""
    overlay = overlays.get(row["id"])
    if overlay is not None and overlay.at > row["settled"]:
        return overlay.state, overlay.reason or row["reason"]
    return row["state"], row["reason"]


def _conditions(scope: Scope, query: QuarantineQuery, *, settled: bool) -> list[str]:
    """Return what the server can look for; a state only where every entry has its own."""
    where = [
        f'"{name}" = {literal(value)}'
        for name, value in (
            ("state", query.state if settled else None),
            ("reason", query.reason if settled else None),
            ("provider", query.provider),
            ("device", query.device),
            ("route", query.route),
            ("shard", None if query.shard is None else str(query.shard)),
        )
        if value is not None
    ]
    if query.ids is not None:
        where.append(_any("id", query.ids))
    if scope.providers is not None:
        where.append(_any("provider", sorted(scope.providers)))
    return where


def _any(name: str, values: Sequence[str]) -> str:
    each = " OR ".join(f'"{name}" = {literal(value)}' for value in values)
    # A condition that nothing meets, for no value at all.
    return f"({each})" if values else f"\"{name}\" = '' AND \"{name}\" = '-'"


def _admits(scope: Scope, query: QuarantineQuery, entry: QuarantineEntry) -> bool:
    return (
        scope.admits(entry.provider)
        and query.state in {None, entry.state}
        and query.reason in {None, entry.reason}
    )


def _entry(row: Row, overlay: _Overlay | None) -> QuarantineEntry:
    if overlay is not None and overlay.at > row["settled"]:
        row["state"], row["resolved_us"] = overlay.state, overlay.resolved_us
        row["reason"] = overlay.reason or row["reason"]
        row["words"] = overlay.words or row["words"]
    row["reasons"] = msgspec.json.decode(row["reasons"])
    row["payload"], row["shard"] = payload_of(row), int(row["shard"])
    return msgspec.convert(
        {name: row[name] for name in QuarantineEntry.__struct_fields__}, QuarantineEntry
    )
