"""Published numbers as they are kept: revisions that are only ever added, and what was when.

Appending takes a counter's row first, as every change of the registry does, so that two processes
that computed the same thing append it once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    false,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)

from indicators.civil import Grain
from indicators.rows import Cause, ResultRow, State, restated, state_at
from registry.database import Database
from registry.result_tables import RevisionRow
from registry.tables import CounterRow

__all__ = ["Finding", "Key", "Results", "ResultsQuery", "Stored"]

COUNTER: Final = "results"
# SQLite takes 32,766 parameters in a statement.
AT_ONCE: Final = 1_000
T = TypeVar("T")

Condition = ColumnElement[bool]
# Indicator, version, area, start, end.
Key = tuple[str, str, str, int, int]


class Finding(msgspec.Struct, frozen=True):
    """A row that was computed now, and what from.

    Attributes:
        known_us: End of the last observation that the window can use.
        inputs_hash: The same for the same inputs.
        lineage: Members of indicators.md section 15f.
    """

    row: ResultRow
    grain: Grain
    known_us: int
    inputs_hash: str = ""
    lineage: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        """What it is a revision of."""
        row = self.row
        return row.indicator, row.version, row.area, row.start_us, row.end_us


class Stored(msgspec.Struct, frozen=True):
    """A revision as it was kept, its state not yet told.

    Attributes:
        id: Grows with each revision that is kept.
        recorded_to_us: When the next revision took its place; None for the latest.
    """

    id: int
    finding: Finding
    recorded_to_us: int | None

    def at(self, now_us: int, lateness_h: int) -> ResultRow:
        """Return the row as it stands at an instant."""
        state: State = state_at(now_us, self.finding.known_us, lateness_h)
        return msgspec.structs.replace(self.finding.row, state=state)


class ResultsQuery(msgspec.Struct, frozen=True):
    """Which results of one indicator and grain, by area, start and revision.

    Attributes:
        areas: None: any; an entry that ends with `:*` is any area of its kind.
        from_us, to_us: Of the windows' starts; included, excluded.
        tz: Of days by this clock only: an area that was given another has results of both.
        as_of_us: The revisions that were current then; None: now.
        history: Every revision that was recorded by then.
        after: Area, start and revision of the last row seen.
    """

    indicator: str
    grain: Grain
    version: str | None = None
    areas: tuple[str, ...] | None = None
    from_us: int | None = None
    to_us: int | None = None
    tz: str | None = None
    as_of_us: int | None = None
    history: bool = False
    after: tuple[str, int, int] | None = None
    limit: int = 1_000


class Results:
    """Reads and appends revisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """Return a number that grows whenever a revision is appended."""
        return self._database.counter(COUNTER)

    def find(self, query: ResultsQuery) -> list[Stored]:
        """Return revisions by area, start and revision, at most `limit`."""
        with self._database.reading() as connection:
            found = connection.execute(_statement(query)).mappings()
            return [_stored(row) for row in found]

    def latest(self, keys: Iterable[Key]) -> dict[Key, Stored]:
        """Return the latest revision of each key that has one."""
        with self._database.reading() as connection:
            return _latest(connection, keys)

    def append(
        self, findings: Sequence[Finding], cause: Cause, *, actor: str = "madina", asked: str = ""
    ) -> list[Finding]:
        """Append what is new or has changed since; return those revisions.

        Args:
            findings: Computed now; open windows are left out.
            cause: Why they were computed again.
            actor: Who asked.
            asked: What somebody asked for, for the audit log; empty: nobody did.
        """
        closed = [each for each in findings if each.row.state != "open"]
        if not closed:
            return []
        with self._database.changing(actor) as change:
            connection = change.connection
            grow = update(CounterRow).where(CounterRow.name == COUNTER)
            connection.execute(grow.values(value=CounterRow.value + 1))
            latest = _latest(connection, (each.key for each in closed))
            fresh: list[Finding] = []
            for finding in closed:
                before = latest.get(finding.key)
                row = restated(before.finding.row if before else None, finding.row, cause)
                if row is not None:
                    fresh.append(msgspec.structs.replace(finding, row=row))
            _close(connection, [latest[each.key] for each in fresh if each.key in latest], fresh)
            if fresh:
                connection.execute(insert(RevisionRow), [_values(each) for each in fresh])
            if asked:
                change.note("indicator.computed", asked, f"{cause}: {len(fresh)} revisions")
        return fresh


def _statement(query: ResultsQuery) -> Select[*tuple[Any, ...]]:
    table = RevisionRow
    position = (table.area, table.start_us, table.revision)
    return (
        select(*table.__table__.columns)
        .where(*_which(query), *_when(query))
        .where(true() if query.after is None else tuple_(*position) > query.after)
        .order_by(*position)
        .limit(query.limit)
    )


def _which(query: ResultsQuery) -> list[Condition]:
    table = RevisionRow
    found = [table.indicator == query.indicator, table.grain == query.grain]
    if query.version is not None:
        found.append(table.version == query.version)
    if query.areas is not None:
        found.append(or_(false(), *(_of_area(area) for area in query.areas)))
    if query.from_us is not None:
        found.append(table.start_us >= query.from_us)
    if query.to_us is not None:
        found.append(table.start_us < query.to_us)
    if query.tz is not None:
        found.append(table.tz == query.tz)
    return found


def _when(query: ResultsQuery) -> list[Condition]:
    table, as_of_us = RevisionRow, query.as_of_us
    found: list[Condition] = []
    if as_of_us is not None:
        found.append(table.recorded_from_us <= as_of_us)
    if not query.history:
        current = table.recorded_to_us.is_(None)
        found.append(current if as_of_us is None else or_(current, table.recorded_to_us > as_of_us))
    return found


def _of_area(area: str) -> Condition:
    kind, separator, rest = area.partition(":")
    if separator and rest == "*":
        return RevisionRow.area.startswith(f"{kind}:", autoescape=True)
    return RevisionRow.area == area


def _latest(connection: Connection, keys: Iterable[Key]) -> dict[Key, Stored]:
    """Return the latest revisions of keys, by seeks in the index and never by a scan.

    A list of whole keys would be a scan in SQLite; those of an indicator are areas times windows.
    """
    wanted = set(keys)
    areas: dict[tuple[str, str], set[str]] = {}
    starts: dict[tuple[str, str], set[int]] = {}
    for indicator, version, area, start_us, _ in wanted:
        areas.setdefault((indicator, version), set()).add(area)
        starts.setdefault((indicator, version), set()).add(start_us)
    found: dict[Key, Stored] = {}
    for (indicator, version), here in areas.items():
        for some in _some(sorted(here)):
            for then in _some(sorted(starts[indicator, version])):
                statement = select(*RevisionRow.__table__.columns).where(
                    RevisionRow.indicator == indicator,
                    RevisionRow.version == version,
                    RevisionRow.area.in_(some),
                    RevisionRow.start_us.in_(then),
                    RevisionRow.recorded_to_us.is_(None),
                )
                for row in connection.execute(statement).mappings():
                    stored = _stored(row)
                    if stored.finding.key in wanted:
                        found[stored.finding.key] = stored
    return found


def _some(values: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


def _close(connection: Connection, before: list[Stored], fresh: list[Finding]) -> None:
    """Say until when the revisions were current that others take the place of."""
    recorded = {each.key: each.row.computed_us for each in fresh}
    for stored in before:
        connection.execute(
            update(RevisionRow)
            .where(RevisionRow.id == stored.id)
            .values(recorded_to_us=recorded[stored.finding.key])
        )


def _values(finding: Finding) -> dict[str, object]:
    row = msgspec.structs.asdict(finding.row)
    computed_us = row.pop("computed_us")
    # It follows from the clock.
    del row["state"]
    return {
        **row,
        "marks": list(finding.row.marks),
        "grain": finding.grain,
        "known_us": finding.known_us,
        "recorded_from_us": computed_us,
        "recorded_to_us": None,
        "inputs_hash": finding.inputs_hash,
        "lineage": finding.lineage,
    }


def _stored(row: RowMapping) -> Stored:
    members = dict(row)
    members["computed_us"] = members["recorded_from_us"]
    members["state"] = "final"
    return Stored(
        id=members["id"],
        finding=Finding(
            row=msgspec.convert(members, ResultRow),
            grain=members["grain"],
            known_us=members["known_us"],
            inputs_hash=members["inputs_hash"],
            lineage=members["lineage"],
        ),
        recorded_to_us=members["recorded_to_us"],
    )
