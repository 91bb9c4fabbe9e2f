"""What of personal data may leave: the rule for one figure, for what hides together, for a change.

A figure that was computed is a `ResultRow`. What leaves is a `Published` row, which is made in two
ways only: `exact`, for whom may read the observations themselves, and `indicators.release` for
everybody else. Source: indicators.md section 15e.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NewType

import msgspec

from indicators.areas import Area, Member
from indicators.civil import Grain
from indicators.contracts.model import Privacy
from indicators.exact import fraction, half_up
from indicators.rows import ResultRow

__all__ = [
    "CELL", "Cell", "Published", "amount_of", "cell_of", "exact", "guarded", "hidden",
    "may_leave", "may_restate", "may_stay_hidden", "outward", "read_cell",
]  # fmt: skip

Published = NewType("Published", ResultRow)

# Member of a lineage.
CELL: Final = "cell"
# To what counts of people are rounded.
ROUNDED_TO: Final = 5
# One alone could be subtracted out of a total.
HIDDEN_TOGETHER: Final = 2
# The shortest public period of a household's use is a day.
TOO_SHORT: Final[frozenset[Grain]] = frozenset({"5min", "15min", "hour"})


class Cell(msgspec.Struct, frozen=True):
    """Who stands behind a computed figure; kept with it, and never shown to the public.

    Attributes:
        contributors: Devices (meters, counters) that had a value.
        largest: The greatest of their values, in the unit of the figure.
        part_of: The next larger areas, whose totals it is a part of.
    """

    contributors: int
    largest: float
    part_of: tuple[str, ...]


def guarded(privacy: Privacy) -> bool:
    """Say whether anything of an indicator has to be hidden."""
    return privacy.kind != "none"


def exact(row: ResultRow) -> Published:
    """Let a figure leave as it was computed: its reader may read the observations themselves."""
    return Published(row)


def cell_of(area: Area, found: Sequence[tuple[Member, ResultRow]]) -> Cell:
    """Return who stands behind an area's figure.

    Args:
        area: Of the figure.
        found: Its devices, and what each came to.
    """
    amounts = [abs(amount_of(row)) for _, row in found if row.value is not None]
    totals = {str(each) for member, _ in found for each in _larger(area, member)}
    return Cell(len(amounts), max(amounts, default=0.0), tuple(sorted(totals)))


def _larger(area: Area, member: Member) -> list[Area]:
    site = member.site
    chain = [
        *([Area("place", site.place)] if site.place is not None else []),
        *([Area("district", site.district)] if site.district is not None else []),
        Area("city"),
    ]
    inside = {"device": 0, "place": 1 if site.place is not None else 0, "district": len(chain) - 1}
    return chain[inside[area.kind] :][:1] if area.kind in inside else []


def read_cell(lineage: dict[str, Any]) -> Cell | None:
    """Return who stands behind a figure; None where it was computed without saying so."""
    known = lineage.get(CELL)
    return None if known is None else msgspec.convert(known, Cell)


def may_leave(privacy: Privacy, grain: Grain, row: ResultRow, cell: Cell | None) -> bool:
    """Say whether a figure may be shown by itself; one that says nothing may.

    A figure of which nobody knows who stands behind it stays.
    """
    # Providers cut across districts: what two such totals differ by could be one device.
    if row.value is None or cell is None or row.area.startswith("provider:"):
        return row.value is None
    amount = amount_of(row)
    if privacy.kind == "counts":
        return amount == 0 or amount >= privacy.k
    return grain not in TOO_SHORT and _enough(privacy, cell.contributors, cell.largest, amount)


def may_stay_hidden(
    privacy: Privacy,
    parts: Sequence[tuple[ResultRow, Cell | None]],
    rest: tuple[ResultRow, Cell] | None = None,
    *,
    over_time: bool,
) -> bool:
    """Say whether the hidden parts of a total that is shown may be known together.

    Their sum is the total less the parts that are shown, so it obeys what a figure obeys, and
    there are at least two of them.

    Args:
        privacy: Of the contract.
        parts: The hidden ones.
        rest: What no part is known of yet, as one row of the devices behind it.
        over_time: They are periods of one area, and not areas of one period.
    """
    hiding = [*parts, *([] if rest is None else [rest])]
    some = [(amount_of(row), cell) for row, cell in hiding if row.value]
    if not some:
        return True
    count = len(some) if rest is None else len(some) - 1 + rest[1].contributors
    amount = math.fsum(each for each, _ in some)
    cells = [cell for _, cell in some if cell is not None]
    if count < HIDDEN_TOGETHER or len(cells) < len(some):
        return False
    if privacy.kind == "counts":
        return amount >= privacy.k
    # The same meters stand behind every period; who is largest in each may be one and the same.
    together = max if over_time else sum
    largest = sum if over_time else max
    return _enough(
        privacy,
        together(each.contributors for each in cells),
        largest(each.largest for each in cells),
        amount,
    )


def may_restate(
    privacy: Privacy, shown: tuple[ResultRow, Cell], new: tuple[ResultRow, Cell]
) -> bool:
    """Say whether the difference to what was shown may be known.

    A household's share is all of a difference that one late meter makes, however many others
    there are; counts are near the limit below twice of it.
    """
    (before, was), (after, is_now) = shown, new
    if after.value is None or before.value is None:
        return True
    if privacy.kind == "households":
        return abs(is_now.contributors - was.contributors) >= privacy.k
    change = abs(amount_of(after) - amount_of(before))
    near = min(amount_of(after), amount_of(before)) < 2 * privacy.k
    return change >= privacy.k or not near


def outward(privacy: Privacy, row: ResultRow) -> Published:
    """Write a figure that may leave as the public gets it: counts of people in fives."""
    if row.value is None or privacy.kind != "counts":
        return Published(row)
    value = float(half_up(fraction(row.value) / ROUNDED_TO, 0)) * ROUNDED_TO
    return Published(msgspec.structs.replace(row, value=value, unrounded=None))


def hidden(row: ResultRow) -> Published:
    """Write a figure that stays: it says that it does, which is neither 0 nor `incomplete`."""
    return Published(
        msgspec.structs.replace(
            row,
            value=None,
            unrounded=None,
            band=None,
            main_input=None,
            reason="suppressed",
            marks=(),
        )
    )


def _enough(privacy: Privacy, contributors: int, largest: float, amount: float) -> bool:
    few = contributors < privacy.k
    share = 1.0 if privacy.dominance is None else privacy.dominance
    return not few and largest <= share * abs(amount)


def amount_of(row: ResultRow) -> float:
    """Return a figure before it was rounded; 0 where it says nothing."""
    return (row.value or 0.0) if row.unrounded is None else row.unrounded
