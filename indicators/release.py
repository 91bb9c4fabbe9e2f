"""What the public gets to see of computed figures, and from when on: nothing can be taken back.

Figures become public in steps of ten minutes, no sooner than ten minutes after their window, those
of one step together. What a step shows stays shown, so a later figure that would give away a hidden
one gives way itself. Every decision rests on figures that were there by then, and on nothing else:
what was published as of an instant is the same whenever somebody asks.

Source: indicators.md section 15e; secondary suppression there hides the next smallest.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

import msgspec

from city.clock import US_PER_MINUTE
from indicators.civil import Grain
from indicators.contracts.model import Privacy
from indicators.privacy import (
    Cell,
    Published,
    amount_of,
    hidden,
    may_leave,
    may_restate,
    may_stay_hidden,
    outward,
    read_cell,
)
from indicators.results import Stored
from indicators.rows import ResultRow

__all__ = ["STEP_US", "Key", "Release", "current", "released", "step_before"]

STEP_US: Final = 10 * US_PER_MINUTE
# After a window's end its figures are computed; none is public before all of them can be.
HOLD_US: Final = 10 * US_PER_MINUTE
# From the finest on: what is shorter was published before.
GRAINS: Final[tuple[Grain, ...]] = (
    "5min", "15min", "hour", "day", "week", "month", "quarter", "year",
)  # fmt: skip
# Sums of the same numbers differ by less, in whatever order they were added up.
SAME: Final = 1e-6
# Area, start, end.
Key = tuple[str, int, int]


class Release(msgspec.Struct, frozen=True):
    """A figure as the public got it.

    Attributes:
        step_us: From when on.
    """

    step_us: int
    row: Published


class _Figure(msgspec.Struct):
    """A figure of which something may be public.

    Attributes:
        latest: As it was computed last.
        shown: What is public of it; None: nothing yet, or that it is suppressed.
        before: The same at the beginning of the step.
        stays: It is suppressed.
        fresh: It was computed in this step.
    """

    grain: Grain
    latest: ResultRow
    cell: Cell | None
    shown: tuple[ResultRow, Cell] | None = None
    before: tuple[ResultRow, Cell] | None = None
    stays: bool = False
    fresh: bool = True

    @property
    def number(self) -> bool:
        """Whether a number of it is public."""
        return self.shown is not None and self.shown[0].value is not None

    @property
    def free(self) -> bool:
        """Whether its number becomes public in this step, and could still be hidden."""
        return self.fresh and self.number and (self.before is None or self.before[0].value is None)


def step_before(instant_us: int) -> int:
    """Return the last step up to an instant: what was computed by then is public at it."""
    return instant_us - instant_us % STEP_US


def released(
    privacy: Privacy, grains: Iterable[Grain], stored: Iterable[Stored]
) -> dict[Key, list[Release]]:
    """Return what the public got of figures, oldest first.

    Args:
        privacy: What has to be hidden.
        grains: Of the indicator.
        stored: Every revision of every area of one period of the indicator's longest grain.
    """
    table = _Table(privacy, grains)
    found: dict[Key, list[Release]] = {}
    ordered = sorted(stored, key=lambda each: (_step(each), each.finding.row.revision))
    for step_us, together in groupby(ordered, key=_step):
        for key, row in table.step(list(together)):
            found.setdefault(key, []).append(Release(step_us, row))
    return found


def _step(stored: Stored) -> int:
    """Return when a revision is public: all areas of a window are computed together by then."""
    computed_us = stored.finding.row.computed_us
    return step_before(max(computed_us, stored.finding.known_us + HOLD_US) + STEP_US - 1)


class _Table:
    """Figures of all areas and grains of a period, step after step."""

    def __init__(self, privacy: Privacy, grains: Iterable[Grain]) -> None:
        self._privacy = privacy
        self._grains = sorted(grains, key=GRAINS.index)
        self._figures: dict[Key, _Figure] = {}
        # Of each figure the areas within it, and the periods within its own.
        self._areas: dict[Key, list[Key]] = {}
        self._periods: dict[Key, list[Key]] = {}
        self._whole: dict[Key, Key] = {}
        self._of_area: dict[tuple[str, Grain], list[Key]] = {}

    def step(self, together: Sequence[Stored]) -> list[tuple[Key, Published]]:
        """Take what was computed in a step; return what becomes public of it."""
        fresh = [self._enter(each) for each in together]
        keys = list(dict.fromkeys(fresh))
        by_grain = sorted(keys, key=lambda key: GRAINS.index(self._figures[key].grain))
        for _, same in groupby(by_grain, key=lambda key: self._figures[key].grain):
            here = list(same)
            for key in here:
                self._judge(self._figures[key])
            for key in here:
                self._refuse_late(key)
            self._protect(here)
        told = [(key, row) for key in keys if (row := self._told(self._figures[key])) is not None]
        for key in keys:
            self._figures[key].fresh = False
        return told

    def _enter(self, stored: Stored) -> Key:
        row = stored.finding.row
        key = (row.area, row.start_us, row.end_us)
        cell = read_cell(stored.finding.lineage)
        known = self._figures.get(key)
        if known is None:
            self._figures[key] = _Figure(stored.finding.grain, row, cell)
            self._link(key)
        else:
            known.latest, known.cell, known.before, known.fresh = row, cell, known.shown, True
        return key

    def _link(self, key: Key) -> None:
        """Say what a new figure is a part of, and what is a part of it."""
        figure = self._figures[key]
        for total in self._totals(key):
            self._areas.setdefault(total, []).append(key)
        place = self._grains.index(figure.grain)
        for longer in self._grains[place + 1 : place + 2]:
            for whole in self._of_area.get((key[0], longer), ()):
                self._join(key, whole)
        for shorter in self._grains[max(0, place - 1) : place]:
            for part in self._of_area.get((key[0], shorter), ()):
                self._join(part, key)
        self._of_area.setdefault((key[0], figure.grain), []).append(key)

    def _join(self, part: Key, whole: Key) -> None:
        if whole[1] <= part[1] and part[2] <= whole[2]:
            self._periods.setdefault(whole, []).append(part)
            self._whole[part] = whole

    def _judge(self, figure: _Figure) -> None:
        """Decide on a figure by itself; one that was suppressed once stays so."""
        row, cell = figure.latest, figure.cell
        if figure.stays or cell is None:
            figure.stays = True
            return
        if figure.before is not None and not may_restate(self._privacy, figure.before, (row, cell)):
            return
        if may_leave(self._privacy, figure.grain, row, cell):
            figure.shown = (row, cell)
        else:
            figure.shown, figure.stays = None, True

    def _refuse_late(self, key: Key) -> None:
        """Hide a part that comes after its total: nothing can be hidden with it any more.

        Also a zero, since the parts that are not zero would follow from those that are.
        """
        figure = self._figures[key]
        totals = [*self._totals(key), *([self._whole[key]] if key in self._whole else [])]
        known = [self._figures[each] for each in totals if each in self._figures]
        late = any((each.number or each.stays) and not each.fresh for each in known)
        if late and figure.free:
            figure.shown, figure.stays = None, True

    def _protect(self, here: Iterable[Key]) -> None:
        """Hide more until nothing that is hidden can be told from what is shown."""
        totals = {
            total for key in here for total in (key, *self._totals(key)) if total in self._figures
        }
        waiting = sorted(totals)
        while waiting:
            total = waiting.pop()
            for changed in self._mend(total):
                waiting += [
                    each for each in (changed, *self._totals(changed)) if each in self._figures
                ]

    def _totals(self, key: Key) -> list[Key]:
        cell = self._figures[key].cell
        return [(total, key[1], key[2]) for total in (cell.part_of if cell else ())]

    def _mend(self, total: Key) -> list[Key]:
        """Return what had to be hidden so that a total gives nothing away; nothing: it does not."""
        figure = self._figures[total]
        if not figure.number:
            return []
        areas = self._areas.get(total, [])
        told_by_time = not self._safe(self._periods.get(total, []), over_time=True)
        if not told_by_time and self._safe(areas, self._rest(figure, areas), over_time=False):
            return []
        choice = [] if told_by_time else [key for key in areas if self._can_hide(key)]
        return self._hide(min(choice, key=self._size)) if choice else self._give_way(total)

    def _safe(
        self,
        parts: Iterable[Key],
        rest: tuple[ResultRow, Cell] | None = None,
        *,
        over_time: bool,
    ) -> bool:
        away = [self._figures[key] for key in parts if self._figures[key].stays]
        rows = [(each.latest, each.cell) for each in away]
        return may_stay_hidden(self._privacy, rows, rest, over_time=over_time)

    def _rest(self, total: _Figure, areas: Iterable[Key]) -> tuple[ResultRow, Cell] | None:
        """Return what of a total no part is known of: an area that is computed later."""
        known = [self._figures[key] for key in areas]
        if not known or total.cell is None:
            return None
        amount = amount_of(total.latest) - math.fsum(amount_of(each.latest) for each in known)
        if abs(amount) < SAME:
            return None
        others = sum(each.cell.contributors for each in known if each.cell is not None)
        row = msgspec.structs.replace(total.latest, value=amount, unrounded=amount)
        return row, Cell(max(total.cell.contributors - others, 1), total.cell.largest, ())

    def _can_hide(self, key: Key) -> bool:
        """Say whether hiding a figure helps: nobody can add it up of what is shown."""
        figure = self._figures[key]
        if not figure.free or not figure.latest.value:
            return False
        periods = [self._figures[each] for each in self._periods.get(key, [])]
        if periods and not any(each.stays and each.latest.value for each in periods):
            return False
        inside = (self._figures[each] for each in self._areas.get(key, []))
        return all(each.free or not each.number or not each.latest.value for each in inside)

    def _size(self, key: Key) -> tuple[float, Key]:
        return self._figures[key].latest.value or 0.0, key

    def _hide(self, key: Key) -> list[Key]:
        """Hide a figure, and all within it, of which it could be added up."""
        figure = self._figures[key]
        if not figure.free or not figure.latest.value:
            return []
        figure.shown, figure.stays = None, True
        inside = [each for part in self._areas.get(key, []) for each in self._hide(part)]
        return [key, *inside]

    def _give_way(self, key: Key) -> list[Key]:
        """Take back what a step would show; what it showed before stays."""
        figure = self._figures[key]
        if not figure.fresh or figure.shown == figure.before:
            return []
        figure.shown = figure.before
        figure.stays = figure.before is None
        inside = self._areas.get(key, []) if figure.stays else []
        return [key, *(each for part in inside for each in self._hide(part))]

    def _told(self, figure: _Figure) -> Published | None:
        """Return what a figure of this step becomes; None where it stays as it was."""
        if figure.stays:
            return hidden(figure.latest)
        if figure.shown is None or figure.shown == figure.before:
            return None
        return outward(self._privacy, figure.shown[0])


def current(
    releases: Mapping[Key, Sequence[Release]], key: Key, at_us: int, revision: int | None = None
) -> Published | None:
    """Return what was public at an instant of a figure, or of one revision of it; None: nothing."""
    found = [
        each.row
        for each in releases.get(key, ())
        if each.step_us <= at_us and revision in {None, each.row.revision}
    ]
    return found[-1] if found else None
