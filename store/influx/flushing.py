"""Writes what commits have added to where it is read cheaply, some time after they count.

The ledger's rows hold what a term has added up to a position, each row its own (`upto`): whoever
reads them adds the commits behind it. So a flush may stop anywhere and begin again.
"""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

from collections.abc import Sequence
from typing import Final

import msgspec

from store.influx.address import BOOKS
from store.influx.book_lines import LEDGER, QUARANTINE, RETIRED, owner_tags
from store.influx.commits import COMMITS, Sums
from store.influx.connection import Connection
from store.influx.line_protocol import literal, tag, tag_text, text
from store.influx.observation_lines import NS_PER_US
from store.influx.reign import Reign, RowKey, Step
from store.influx.workbench import Workbench
from store.interface import Resolution

__all__ = ["Flushing", "read_row", "row_tags"]

MINUTE_US: Final = 60_000_000
# Rows that a writer keeps at hand, and the newest minutes that stay whatever their number.
ROWS_KEPT: Final = 10_000
OPEN_US: Final = 15 * MINUTE_US
# A deletion is dear for InfluxDB, and commits are small.
DELETE_EVERY: Final = 128


_row_decoder = msgspec.json.Decoder(tuple[int, Sums])


class _Settled(msgspec.Struct, frozen=True):
    """Resolutions of one commit."""

    shard: int
    at: int
    resolutions: Sequence[Resolution]


class Flushing:
    """Of one writer."""

    def __init__(self, connection: Connection, workbench: Workbench) -> None:
        self._connection = connection
        self._workbench = workbench
        self._settled: list[_Settled] = []
        self._flushes = 0
        # By shard, what an earlier flush made deletable: readers may be on their way to the rest.
        self._deletable: dict[str, tuple[int, int]] = {}

    def settle_later(self, shard: int, at: int, resolutions: Sequence[Resolution]) -> None:
        """Remember resolutions that count now."""
        if resolutions:
            self._settled.append(_Settled(shard, at, resolutions))

    def flush(self, reigns: Sequence[Reign]) -> None:
        """Write rows, counts and states of entries.

        Raises:
            StoreBusyError: The server does not answer; nothing is forgotten.
        """
        lines = [line for reign in reigns for line in _lines(reign)]
        for each in self._settled:
            lines += self._states(each)
        if lines:
            self._connection.write(BOOKS, "\n".join(lines).encode())
        self._settled.clear()
        for reign in reigns:
            reign.flushed = reign.at
            reign.unflushed.clear()
            reign.retired.clear()
            _close(reign)
        self._flushes += 1
        if self._flushes % DELETE_EVERY == 0:
            self._delete(reigns)

    def reopen(self, reign: Reign, step: Step) -> None:
        """Read back the rows of old minutes that a step adds to."""
        wanted = reign.closed(step)
        if not wanted:
            return
        low, high = min(wanted)[0], max(wanted)[0]
        answers = self._connection.ask(
            BOOKS,
            f'SELECT * FROM "{LEDGER}" WHERE "shard" = {literal(str(reign.shard))}'
            f' AND "term" = {literal(reign.term.name)}'
            f" AND time >= {low * NS_PER_US} AND time <= {high * NS_PER_US}"
            ' GROUP BY "provider", "route"',
        )
        for answer in answers:
            provider, route = row_tags(answer.tags)
            for row in answer.rows():
                key = (row["time"] // NS_PER_US, provider, route)
                if key in wanted:
                    reign.rows[key] = read_row(row["row"])[1]

    def _states(self, settled: _Settled) -> list[str]:
        """Write the new states into the entries."""
        keys = self._workbench.keys([each.id for each in settled.resolutions])
        lines: list[str] = []
        for each in settled.resolutions:
            key = keys.get(each.id)
            if key is None:
                continue
            changed = (
                f"state={text(each.state)},resolved_us={each.resolved_us}i,settled={settled.at}i"
            )
            if each.reason:
                changed += f",reason={text(each.reason)}"
            if each.words:
                changed += f",words={text(each.words)}"
            lines.append(f"{QUARANTINE},{owner_tags(key.shard, key.term)} {changed} {key.time_ns}")
        return lines

    def _delete(self, reigns: Sequence[Reign]) -> None:
        """Delete commits that were flushed a good while ago; each term's last one stays."""
        for term, (shard, upto) in self._deletable.items():
            self._connection.ask(
                BOOKS,
                f'DELETE FROM "{COMMITS}" WHERE "shard" = {literal(str(shard))}'
                f' AND "term" = {literal(term)} AND time < {upto}',
            )
        self._deletable = {reign.term.name: (reign.shard, reign.flushed) for reign in reigns}


def row_tags(tags: dict[str, str]) -> tuple[str, str]:
    """Return provider and route of a row's tags."""
    return tag_text(tags.get("provider", "")), tag_text(tags.get("route", ""))


def read_row(text: str) -> tuple[int, Sums]:
    """Return the position up to which a row counts, and its sums."""
    return _row_decoder.decode(text)


def _lines(reign: Reign) -> list[str]:
    owner = owner_tags(reign.shard, reign.term.name)
    lines = [_row_line(owner, key, reign.rows[key], reign.at) for key in reign.unflushed]
    lines += [
        f"{RETIRED},epoch={epoch},gateway={tag(gateway)},{owner} count={count}i 0"
        for (gateway, epoch), count in reign.retired.items()
    ]
    return lines


def _row_line(owner: str, key: RowKey, sums: Sums, upto: int) -> str:
    minute_us, provider, route = key
    names = f",provider={tag(provider)}" if provider else ""
    names += f",route={tag(route)}" if route else ""
    # One field: of several, a reader may see some new and some old.
    row = text(msgspec.json.encode((upto, sums)).decode())
    return f"{LEDGER}{names},{owner} row={row} {minute_us * NS_PER_US}"


def _close(reign: Reign) -> None:
    """Forget rows of old minutes where there are many."""
    if len(reign.rows) <= ROWS_KEPT:
        return
    reign.closed_before_us = max(minute for minute, _, _ in reign.rows) - OPEN_US
    for key in [key for key in reign.rows if key[0] < reign.closed_before_us]:
        del reign.rows[key]
