"""The one door through which indicators leave: exact for whom may read observations, else gated.

Documents, exports and cards take `Published` rows, and nothing else makes those of stored figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from indicators.civil import Window, window_at
from indicators.contracts import UnknownIndicatorError
from indicators.privacy import Published, exact, guarded, hidden
from indicators.release import GRAINS, Key, Release, current, released, step_before
from indicators.results import Results, ResultsQuery, Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indicators.contracts import Contract, Contracts
    from indicators.rows import ResultRow

__all__ = ["Outlet"]

ROWS_AT_ONCE: Final = 5_000
TABLES_KEPT: Final = 64
# A single meter is never shown: its figures need not be read.
COMBINED: Final = ("place:*", "district:*", "city")
_Table = dict[Key, list[Release]]
# Indicator, version, window.
_Period = tuple[str, str, Window]


class Outlet:
    """Says what of stored figures a reader gets. Its calls block: they run in threads.

    Args:
        results: What was computed.
        contracts: The definitions.
        zone: The city's.
    """

    def __init__(self, results: Results, contracts: Contracts, zone: ZoneInfo) -> None:
        self._results = results
        self._contracts = contracts
        self._zone = zone
        self._known: dict[_Period, tuple[int, _Table]] = {}

    def gated(self, contract: Contract, *, public: bool) -> bool:
        """Say whether a reader gets less of an indicator than was computed."""
        return public and guarded(contract.privacy)

    def until(self, contract: Contract, at_us: int, *, public: bool) -> int:
        """Return by when what a reader gets at an instant was computed."""
        return step_before(at_us) if self.gated(contract, public=public) else at_us

    def rows(
        self, found: Sequence[Stored], contract: Contract, at_us: int, *, public: bool
    ) -> list[Published]:
        """Return what a reader gets of the figures that are the latest at an instant.

        Args:
            found: Computed figures that were the latest at `at_us`.
            contract: Any version of the indicator.
            at_us: The instant.
            public: The reader may not read the observations.
        """
        return self._told(found, contract, at_us, public=public, each_revision=False)

    def revisions(
        self, found: Sequence[Stored], contract: Contract, at_us: int, *, public: bool
    ) -> list[Published]:
        """Return what a reader gets of revisions: those that never became public are left out."""
        return self._told(found, contract, at_us, public=public, each_revision=True)

    def opened(
        self, rows: Sequence[ResultRow], contract: Contract, *, public: bool
    ) -> list[Published]:
        """Return what a reader gets of figures whose window is not over.

        Who asked every second would see one person pass; so the public waits for the end.
        """
        secret = self.gated(contract, public=public)
        return [hidden(row) if secret else exact(row) for row in rows]

    def _told(
        self,
        found: Sequence[Stored],
        contract: Contract,
        at_us: int,
        *,
        public: bool,
        each_revision: bool,
    ) -> list[Published]:
        # What is appended meanwhile is for who asks next: looked up once, and not for each figure.
        tables: dict[_Period, _Table] = {}
        told: list[Published] = []
        for stored in found:
            own = self._own(stored, contract)
            row = stored.at(at_us, own.lateness_h)
            if not self.gated(own, public=public):
                told.append(exact(row))
                continue
            period = self._period(row, own)
            if period not in tables:
                tables[period] = self._table(period, own)
            revision = row.revision if each_revision else None
            public_row = _shown(tables[period], row, at_us, revision)
            told += [] if public_row is None else [public_row]
        return told

    def _own(self, stored: Stored, contract: Contract) -> Contract:
        row = stored.finding.row
        try:
            return self._contracts.get(row.indicator, row.version)
        except UnknownIndicatorError:
            return contract

    def _period(self, row: ResultRow, contract: Contract) -> _Period:
        """Return the longest period that a figure lies in."""
        longest = max(contract.grains, key=GRAINS.index)
        return row.indicator, row.version, window_at(longest, row.start_us, self._zone)

    def _table(self, period: _Period, contract: Contract) -> _Table:
        """Return what became public of a period."""
        revision = self._results.revision()
        known = self._known.get(period)
        if known is None or known[0] != revision:
            known = revision, self._released(contract, period[1], period[2])
            kept = dict(list(self._known.items())[-TABLES_KEPT:])
            self._known = {**kept, period: known}
        return known[1]

    def _released(self, contract: Contract, version: str, period: Window) -> _Table:
        return released(
            contract.privacy,
            contract.grains,
            [
                stored
                for grain in contract.grains
                for stored in self._all(
                    ResultsQuery(
                        contract.id,
                        grain,
                        version=version,
                        areas=COMBINED if contract.privacy.kind == "households" else None,
                        from_us=period.start_us,
                        to_us=period.end_us,
                        history=True,
                        limit=ROWS_AT_ONCE,
                    )
                )
                # By another clock a day may lie in two periods: nobody could look at all of it.
                if stored.finding.row.end_us <= period.end_us
            ],
        )

    def _all(self, query: ResultsQuery) -> list[Stored]:
        found: list[Stored] = []
        while True:
            page = self._results.find(query)
            found += page
            if len(page) < query.limit:
                return found
            last = page[-1].finding.row
            after = (last.area, last.start_us, last.revision)
            query = msgspec.structs.replace(query, after=after)


def _key(row: ResultRow) -> Key:
    return row.area, row.start_us, row.end_us


def _alone(row: ResultRow) -> Published:
    """Return a figure that was never weighed with others: a number stays, and lack is no secret."""
    return exact(row) if row.value is None else hidden(row)


def _shown(table: _Table, row: ResultRow, at_us: int, revision: int | None) -> Published | None:
    if _key(row) not in table:
        return _alone(row)
    found = current(table, _key(row), at_us, revision)
    return None if found is None else Published(msgspec.structs.replace(found, state=row.state))
