"""What an import would do, row by row, before it does it; and doing it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from madina.api import Api, Document
from madina.errors import CommandError
from madina.progress import Progress
from madina.registers.cells import MEMBERS, NEEDED
from madina.registers.mapping import Mapping
from madina.registers.rows import Row, read_rows

__all__ = ["PlannedRow", "Verdict", "apply_plan", "counts_of", "plan_import"]

Verdict = Literal["new", "changed", "unchanged", "wrong"]
VERDICTS: Final[tuple[Verdict, ...]] = ("new", "changed", "unchanged", "wrong")
# Each is registered whole or not at all; short enough to answer within a second or two.
AT_ONCE: Final = 5_000


class PlannedRow(msgspec.Struct):
    """One row of the file and what becomes of it.

    Attributes:
        where: For people: `line 5`.
        fields: Which members change.
        words: What is wrong.
        members: What the API is told of the device.
        calibration: What it is told of its correction.
    """

    where: str
    device: str
    verdict: Verdict = "wrong"
    fields: list[str] = []
    words: str = ""
    members: Document = {}
    calibration: Document | None = None


class _Answer(msgspec.Struct):
    verdict: Verdict
    fields: list[str] = []
    words: str = ""


def plan_import(
    platform: Api, path: Path, mapping: Mapping, progress: Progress
) -> list[PlannedRow]:
    """Read a register and compare it with what is registered; nothing is changed.

    Raises:
        CommandError: The file cannot be read at all, or the API refuses.
    """
    rows = read_rows(path, mapping)
    _check_columns(path, rows, mapping)
    planned = [_planned(row, mapping) for row in rows]
    _find_doubles(planned)
    asked = [each for each in planned if not each.words]
    done = 0
    for some in _chunks(asked):
        body = {"items": [each.members for each in some]}
        answer = platform.send("POST", "/v1/devices/plan", body)
        answers = msgspec.convert(answer["items"], list[_Answer])
        for each, found in zip(some, answers, strict=True):
            each.verdict, each.fields, each.words = found.verdict, found.fields, found.words
        done += len(some)
        if len(asked) > AT_ONCE:
            progress.share("compared", done / len(asked))
    return planned


def apply_plan(platform: Api, planned: list[PlannedRow], progress: Progress) -> None:
    """Register what is new and change what differs.

    Raises:
        CommandError: The API refuses; what was done before stays, and doing it again goes on.
    """
    wanted = [each for each in planned if each.verdict in {"new", "changed"}]
    done = 0
    for some in _chunks(wanted):
        platform.send("PATCH", "/v1/devices", {"items": [each.members for each in some]})
        done += len(some)
        if len(wanted) > AT_ONCE:
            progress.share("registered", done / len(wanted))
    corrections = [each.calibration for each in planned if each.calibration is not None]
    if corrections:
        _calibrate(platform, corrections)


def counts_of(planned: Iterable[PlannedRow]) -> dict[str, int]:
    """Return how many rows there are of each verdict."""
    counts = Counter[str](each.verdict for each in planned)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def _calibrate(platform: Api, corrections: list[Document]) -> None:
    same = ("device", "quantity", "valid_from")
    known = {tuple(each[name] for name in same) for each in platform.items("/v1/calibrations")}
    for each in corrections:
        if tuple(each[name] for name in same) not in known:
            platform.send("POST", "/v1/calibrations", each)


def _check_columns(path: Path, rows: list[Row], mapping: Mapping) -> None:
    """Refuse a file whose columns are none of ours: a misspelt one would be lost in silence."""
    if not rows:
        raise CommandError(f"{path} has no rows")
    if not mapping.identity:
        return
    found = rows[0].cells.keys()
    for column in NEEDED:
        if column not in found:
            words = "name its columns in a mapping (--map)"
            raise CommandError(f"{path} has no column {column!r}: {words}")
    for column in sorted(found - MEMBERS.keys()):
        raise CommandError(f"{path} has a column {column!r}, which is none of {', '.join(MEMBERS)}")


def _planned(row: Row, mapping: Mapping) -> PlannedRow:
    found = PlannedRow(row.where, mapping.device(row.cells), words=row.fault)
    if row.fault:
        return found
    try:
        cells = mapping.cells(row.cells)
        found.members = {member: _member(member, cell) for member, cell in cells.items()}
        found.device = "/".join(str(found.members.get(member) or "?") for member in NEEDED)
        found.calibration = mapping.calibration(row.cells, found.device)
    except ValueError as error:
        found.words = str(error)
    missing = [member for member in NEEDED if not found.members.get(member)]
    if missing and not found.words:
        found.words = f"{' and '.join(missing)} missing"
    return found


def _member(member: str, cell: object) -> object:
    try:
        return MEMBERS[member](cell)
    except ValueError as error:
        raise ValueError(f"{member}: {error}") from None


def _find_doubles(planned: list[PlannedRow]) -> None:
    """Call wrong what names a device of a row before: nobody can say which of them is meant."""
    first: dict[str, str] = {}
    for each in planned:
        if each.words:
            continue
        before = first.setdefault(each.device, each.where)
        if before != each.where:
            each.words = f"the same device as {before}"


def _chunks(rows: list[PlannedRow]) -> Iterator[list[PlannedRow]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
