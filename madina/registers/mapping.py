"""How somebody else's register becomes ours: which column is which member. A TOML file. Pure."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from city.clock import US_PER_S
from city.instants import to_text
from madina.errors import CommandError
from madina.registers.cells import MEMBERS, NEEDED
from madina.registers.swiss import from_lv95, read_point

__all__ = ["Correction", "Mapping", "Position", "read_mapping"]

Cells = dict[str, object]
DAYS: Final = ("installed_on", "retired_on")


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column with a position as well-known text, `POINT (x y)`.

    Attributes:
        system: `lv95` (metres on the Swiss map), or `wgs84` (longitude, latitude).
    """

    column: str
    system: Literal["lv95", "wgs84"]


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """Columns that say what a quantity's values have to be multiplied by, and when.

    Attributes:
        since, until: Columns; an empty cell of `until` is until further notice.
        timezone: By whose clock they are.
    """

    quantity: str
    factor: str
    since: str
    until: str | None = None
    timezone: str = "UTC"


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a register's columns mean.

    Attributes:
        columns: Member to column; a list of columns for `tags`.
        constants: Member to what all rows have.
        values: Member to what its cells are called in the file, and mean.
        retired_when: A column; rows in which it is not empty are retired.
        day_format: Of days that are not written 2026-03-04, as of `strptime`.
        delimiter: Between cells of CSV.
        sheet: Of a workbook; None: its first.
        items: Of JSON: the member that holds the list of rows; None: the document is the list.
    """

    columns: dict[str, str | list[str]] = {}
    constants: dict[str, str | int | float] = {}
    values: dict[str, dict[str, str]] = {}
    position: Position | None = None
    correction: Correction | None = None
    retired_when: str | None = None
    day_format: str | None = None
    delimiter: str = ","
    sheet: str | None = None
    items: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for member in (*self.columns, *self.constants, *self.values):
            if member not in MEMBERS:
                raise ValueError(f"{member!r} is none of {', '.join(MEMBERS)}")

    @property
    def identity(self) -> bool:
        """Say whether the file's columns are our members."""
        return not self.columns and not self.constants

    def device(self, row: Cells) -> str:
        """Return the name of a row's device as far as it says one, for people."""
        parts: list[str] = []
        for member in NEEDED:
            column = self.columns.get(member, member)
            cell = self.constants.get(member, row.get(str(column)))
            parts.append(str(cell or "?"))
        return "/".join(parts)

    def cells(self, row: Cells) -> Cells:
        """Return the cells of our members.

        Raises:
            ValueError: If one cannot be found out.
        """
        if self.identity:
            return {name: cell for name, cell in row.items() if name in MEMBERS}
        found: Cells = dict(self.constants)
        for member, column in self.columns.items():
            found[member] = self._cell(member, row, column)
        if self.position is not None:
            found["lat"], found["lon"] = self._position(row, self.position)
        if self.retired_when is not None:
            found["status"] = "retired" if row.get(self.retired_when) else "active"
        return found

    def _cell(self, member: str, row: Cells, column: str | list[str]) -> object:
        if isinstance(column, list):
            return [cell for each in column if (cell := row.get(each))]
        cell = row.get(column)
        if member in self.values:
            meanings = self.values[member]
            if str(cell) not in meanings:
                raise ValueError(f"{member}: {str(cell)[:60]} is none of {', '.join(meanings)}")
            return meanings[str(cell)]
        if member in DAYS and self.day_format is not None and cell:
            return self._instant(cell).date()
        return cell

    def _instant(self, cell: object) -> datetime:
        assert self.day_format is not None, "asked for where there is one"
        try:
            found = datetime.strptime(str(cell), self.day_format).replace(tzinfo=UTC)
        except ValueError:
            raise ValueError(f"{str(cell)[:60]!r} is not written as {self.day_format}") from None
        return found

    def _position(self, row: Cells, position: Position) -> tuple[object, object]:
        cell = row.get(position.column)
        if not cell:
            return None, None
        x, y = read_point(str(cell))
        return from_lv95(x, y) if position.system == "lv95" else (y, x)

    def calibration(self, row: Cells, device: str) -> Cells | None:
        """Return what the API is told of a row's correction; None where there is none.

        Raises:
            ValueError: If it cannot be read.
        """
        rule = self.correction
        if rule is None or not row.get(rule.factor):
            return None
        factor, since = float(str(row[rule.factor])), row.get(rule.since)
        if not since:
            raise ValueError(f"{rule.since}: empty, but {rule.factor} is {factor:g}")
        until = row.get(rule.until) if rule.until else None
        return {
            "device": device,
            "quantity": rule.quantity,
            "factor": factor,
            "valid_from": self._moment(since, rule),
            "valid_until": self._moment(until, rule) if until else None,
            "note": "from the register",
        }

    def _moment(self, cell: object, rule: Correction) -> str:
        if self.day_format is None:
            found = datetime.fromisoformat(str(cell))
        else:
            found = self._instant(cell)
        local = found.replace(tzinfo=ZoneInfo(rule.timezone))
        return to_text(int(local.timestamp()) * US_PER_S)


def read_mapping(path: Path | None) -> Mapping:
    """Read a mapping; without one, columns are called as our members are.

    Raises:
        CommandError: If it cannot be read.
    """
    if path is None:
        return Mapping()
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Mapping)
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
