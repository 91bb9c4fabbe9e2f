"""Devices that data name: what a row says of them, and what files that describe devices add."""

from pathlib import Path
from typing import Final

from loadtest.replay.mapping import STEP, Mapping
from loadtest.replay.notes import DeviceFacts
from loadtest.replay.tables import BadRow, read_rows
from loadtest.replay.templates import Fields, Template

__all__ = ["Register"]

WORDS_MAX: Final = 200
LATITUDE_MAX: Final = 90.0
LONGITUDE_MAX: Final = 180.0
YEAR_S: Final = 366 * 86_400.0


class Register:
    """What is known of devices beyond their readings.

    Attributes:
        faults: What of it could not be used, in words.
    """

    def __init__(self, mapping: Mapping) -> None:
        rule = mapping.device
        self.faults: list[str] = []
        self._mapping = mapping
        self._key = Template(rule.key or rule.id)
        self._rows: dict[str, Fields] = {}

    def read(self, path: Path) -> None:
        """Take a file that describes devices.

        Raises:
            FileError: If it cannot be read, or lacks a column.
        """
        rule = self._mapping.register
        assert rule is not None
        key = Template(rule.key)
        texts = (rule.key, rule.name, rule.lat, rule.lon, *rule.tags)
        needed = frozenset(name for text in texts for name in Template(text).fields)
        for row in read_rows(path, self._mapping, needed):
            if isinstance(row, BadRow):
                self.faults.append(f"{row.file} row {row.number}: {row.words}")
                continue
            name = key.fill(row.fields)
            if name is None:
                self.faults.append(f"{row.file} row {row.number}: no {rule.key}")
            else:
                self._rows.setdefault(name, row.fields)

    def facts(self, device: str, fields: Fields) -> DeviceFacts:
        """Return what is known of a device.

        Args:
            device: As the registry has it.
            fields: The first row that names it.
        """
        rule, more = self._mapping.device, self._mapping.register
        facts = DeviceFacts(
            device,
            name=_words(rule.name, fields),
            kind=rule.kind,
            interval_s=self._interval_s(fields),
            tags=_tags(rule.tags, fields),
        )
        self._place(facts, rule.lat, rule.lon, fields)
        known = self._rows.get(self._key.fill(fields) or "")
        if more is not None and known is not None:
            facts.name = _words(more.name, known) or facts.name
            facts.tags += _tags(more.tags, known)
            self._place(facts, more.lat, more.lon, known)
        return facts

    def _interval_s(self, fields: Fields) -> float | None:
        interval = self._mapping.device.interval
        if not isinstance(interval, str):
            return interval
        found = None if interval == STEP else _number(interval, fields)
        return found if found is not None and 0 < found <= YEAR_S else None

    def _place(self, facts: DeviceFacts, lat: str, lon: str, fields: Fields) -> None:
        if not lat:
            return
        found = _number(lat, fields), _number(lon, fields)
        if found[0] is None or found[1] is None:
            columns = " and ".join(Template(lat).fields + Template(lon).fields)
            self.faults.append(f"{facts.id}: there is no position in {columns}")
        elif abs(found[0]) > LATITUDE_MAX or abs(found[1]) > LONGITUDE_MAX:
            self.faults.append(f"{facts.id}: {found[0]}, {found[1]} is no place on earth")
        else:
            facts.lat, facts.lon = found


def _words(text: str, fields: Fields) -> str:
    return (Template(text).fill(fields) or "")[:WORDS_MAX] if text else ""


def _tags(texts: list[str], fields: Fields) -> tuple[str, ...]:
    return tuple(filter(None, (_words(text, fields) for text in texts)))


def _number(text: str, fields: Fields) -> float | None:
    found = Template(text).fill(fields)
    try:
        return None if found is None else float(found)
    except ValueError:
        return None
