"""Who writes a shard: claims with growing numbers, and whether ours is still the highest.

A claim is written before the chain is read, and looked at again after each commit. So either the
next writer's chain holds the commit, or the writer of the commit finds the next one's claim, and
acknowledges nothing.
"""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

import secrets
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from store.errors import FencedError, StoreBusyError
from store.influx.address import BOOKS
from store.influx.commits import COMMITS, Chain, Commit, chain_of, read_commits
from store.influx.connection import Connection
from store.influx.line_protocol import literal

__all__ = ["Term", "claim", "read_chains", "still_ours"]

TERMS: Final = "terms"
DIGITS: Final = 10
TRIES: Final = 20


class Term(msgspec.Struct, frozen=True):
    """One writer's claim of a shard.

    Attributes:
        number: Grows from writer to writer.
        name: Number and a secret of the writer's own, so that no two are the same.
    """

    number: int
    name: str


def read_chains(connection: Connection, shards: Iterable[int] | None = None) -> dict[int, Chain]:
    """Return what counts of each shard that has a commit.

    A term has one commit at most that is being written, and shows a part of: the one before it
    counts meanwhile.
    """
    answers = connection.ask(
        BOOKS,
        f'SELECT /^part/ FROM "{COMMITS}"{_where(shards)} GROUP BY "shard", "term"'
        " ORDER BY time DESC LIMIT 2",
    )
    last: dict[int, dict[str, tuple[int, Commit]]] = {}
    for shard, term, at, commit in read_commits(answers):
        last.setdefault(shard, {}).setdefault(term, (at, commit))
    return {shard: chain_of(of_shard) for shard, of_shard in last.items()}


def claim(connection: Connection, shard: int) -> tuple[Term, Chain | None]:
    """Become the writer of a shard; return what it builds on, None for nothing.

    Raises:
        StoreBusyError: The server does not answer, or others claim at the same time.
    """
    number = 0
    for _ in range(TRIES):
        before = _claims(connection, shard, number)
        chain = read_chains(connection, [shard]).get(shard)
        highest = 0 if chain is None else max(_number(link.term) for link in chain.links)
        number = max([number, highest, *before.values()]) + 1
        term = Term(number, f"{number:0{DIGITS}}-{secrets.token_hex(4)}")
        line = f"{TERMS},shard={shard},term={term.name} number={number}i {number}"
        connection.write(BOOKS, line.encode())
        if _claims(connection, shard, number) == {term.name: number}:
            return term, read_chains(connection, [shard]).get(shard)
    raise StoreBusyError(
        store=connection.address.name,
        cause=f"others claim shard {shard} again and again",
        retry_after_s=1.0,
    )


def still_ours(connection: Connection, terms: Mapping[int, Term]) -> None:
    """See whether nobody has claimed shards after us.

    Raises:
        FencedError: Somebody has; what was committed may not count.
    """
    lowest = min(term.number for term in terms.values())
    answers = connection.ask(
        BOOKS,
        f'SELECT "number" FROM "{TERMS}"{_where(terms)} AND time >= {lowest}'
        ' GROUP BY "shard", "term"',
    )
    for answer in answers:
        shard, name = int(answer.tags["shard"]), answer.tags["term"]
        ours = terms[shard]
        if name != ours.name and _number(name) >= ours.number:
            raise FencedError(shard=shard, expected=ours.number, found=_number(name))


def _claims(connection: Connection, shard: int, least: int) -> dict[str, int]:
    """Return the claims of a shard from a number on."""
    answers = connection.ask(
        BOOKS,
        f'SELECT "number" FROM "{TERMS}"{_where([shard])} AND time >= {least}'
        ' GROUP BY "shard", "term"',
    )
    return {answer.tags["term"]: _number(answer.tags["term"]) for answer in answers}


def _number(name: str) -> int:
    return int(name[:DIGITS])


def _where(shards: Iterable[int] | None) -> str:
    if shards is None:
        return ""
    each = " OR ".join(f'"shard" = {literal(str(shard))}' for shard in shards)
    return f" WHERE ({each})"
