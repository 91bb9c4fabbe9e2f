"""Recorded files under a mapping: every row becomes a message, or is noted with a reason."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from city.identity import device_id, eui
from city.instants import to_text
from loadtest.replay.mapping import STEP, Mapping
from loadtest.replay.moments import MomentError, MomentReader
from loadtest.replay.notes import Notes, Skipped
from loadtest.replay.register import Register
from loadtest.replay.tables import BadRow, FileError, Row, read_rows
from loadtest.replay.templates import Fields, Template, field_of, fits, text_of
from loadtest.replay.values import OddValueError, ValueReader

__all__ = ["Message", "Recording"]

US_PER_MS: Final = 1_000
# A device's part of the topic is one level.
NO_LEVEL: Final = frozenset("/+#\0")
NO_TOPIC: Final = frozenset("+#\0")


class Message(msgspec.Struct, frozen=True, gc=False):
    """What a device would have published, and when."""

    topic: bytes
    payload: bytes
    time_us: int


class Recording:
    """Files of one family; each pass over them gives the same messages in the same order."""

    def __init__(self, mapping: Mapping, paths: Sequence[Path]) -> None:
        """Take the files in the order in which they are played.

        Raises:
            FileError: If all of them describe devices.
        """
        rule = mapping.register
        self.mapping = mapping
        self.register = [path for path in paths if rule and rule.describes(path.name)]
        self.readings = [path for path in paths if path not in self.register]
        if not self.readings:
            names = ", ".join(path.name for path in paths)
            raise FileError(f"these files describe devices and hold no readings: {names}")

    def messages(self, notes: Notes) -> Iterator[Message]:
        """Yield every message in the order of the files; what is not one goes to the notes.

        Raises:
            FileError: If a file is not what the mapping says.
        """
        register = Register(self.mapping)
        for path in self.register:
            register.read(path)
        reading = _Reading(self.mapping, notes, register)
        needed = self.mapping.columns()
        for path in self.readings:
            for row in read_rows(path, self.mapping, needed):
                if isinstance(row, BadRow):
                    notes.rows += 1
                    notes.skip(Skipped(row.file, row.number, "", "", "bad_row", row.words))
                    continue
                for part in _parts(row, self.mapping.each):
                    message = reading.message(part)
                    if message is not None:
                        yield message
        reading.finish()


class _UnsentError(Exception):
    """A row that becomes no message."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


class _Reading:
    """One pass."""

    def __init__(self, mapping: Mapping, notes: Notes, register: Register) -> None:
        self._mapping = mapping
        self._notes = notes
        self._register = register
        self._id = Template(mapping.device.id)
        self._time = Template(mapping.time.text)
        self._moments = MomentReader(mapping.time.format, mapping.time.zone, mapping.time.covers)
        missing = frozenset(mapping.missing)
        self._values = [ValueReader(rule, missing) for rule in mapping.values]
        self._topic = Template(mapping.message.topic) if mapping.message else None
        self._steps = mapping.device.interval == STEP

    def message(self, row: Row) -> Message | None:
        """Return the message of a row; None where the notes have the reason."""
        self._notes.rows += 1
        try:
            message = self._raw(row) if self._topic else self._native(row)
        except _UnsentError as unsent:
            self._skip(row, unsent.reason, str(unsent))
            return None
        self._notes.messages += 1
        return message

    def finish(self) -> None:
        """Add what is known only at the end."""
        self._notes.faults += self._register.faults
        for facts in self._notes.devices.values():
            if self._steps:
                facts.interval_s = self._notes.usual_step_s(facts.id)

    def _native(self, row: Row) -> Message:
        # First of all, so that devices are known of which there is no reading.
        device = self._device(row.fields)
        self._refuse(row.fields)
        observations, is_odd = self._observations(row)
        start_us, end_us = self._moment(row.fields, device)
        body: dict[str, Any] = {"t": _written(start_us), "obs": observations}
        if end_us is not None:
            for each in observations:
                each["e"] = _written(end_us)
        metadata = {
            name: found
            for name, column in self._mapping.metadata.items()
            if (found := field_of(row.fields, column)) is not None
        }
        if metadata:
            body["meta"] = metadata
        payload = msgspec.json.encode(body)
        if is_odd:
            # Ingest may reject all of it; a repetition is then found by nothing but its id.
            body["id"] = hashlib.blake2b(payload, digest_size=8).hexdigest()
            payload = msgspec.json.encode(body)
        topic = f"madina/v1/{self._mapping.provider}/{device}/up"
        return Message(topic.encode(), payload, start_us)

    def _raw(self, row: Row) -> Message:
        assert self._topic is not None
        device = self._device(row.fields)
        self._refuse(row.fields)
        topic = self._topic.fill(row.fields)
        if topic is None or NO_TOPIC & {*topic}:
            raise _UnsentError("bad_topic", f"its topic is {topic!r}")
        start_us, _ = self._moment(row.fields, device)
        return Message(topic.encode(), row.raw, start_us)

    def _refuse(self, fields: Fields) -> None:
        for rule in self._mapping.skip:
            if fits(rule.when, fields):
                said = [f"{name} is {text_of(field_of(fields, name))}" for name in rule.when]
                raise _UnsentError(rule.reason, ", ".join(said))

    def _observations(self, row: Row) -> tuple[list[dict[str, Any]], bool]:
        """Return the measurements of a row, and whether one is no scalar."""
        found: list[dict[str, Any]] = []
        spoken_of = is_odd = False
        for reader in self._values:
            if not reader.speaks_of(row.fields):
                continue
            spoken_of = True
            value = reader.value_of(row.fields)
            if reader.is_missing(value):
                self._notes.missing[reader.column] += 1
                continue
            try:
                found.append(reader.observation(row.fields, value))
            except OddValueError as error:
                reason, _, words = str(error).partition(" ")
                self._skip(row, reason, words, reader.column)
                continue
            is_odd = is_odd or isinstance(value, dict | list)
        if not found:
            words = "every value is missing" if spoken_of else "no rule of `values` speaks of it"
            raise _UnsentError("no_value" if spoken_of else "no_rule", words)
        return found, is_odd

    def _device(self, fields: Fields) -> str:
        """Return the device's level of the topic, and note a device that is new."""
        level = self._id.fill(fields)
        if level in self._notes.devices:
            return level
        name = None
        if level is not None and not NO_LEVEL & {*level}:
            name = device_id((eui(level) or level) if self._topic else level)
        if level is None or name is None:
            raise _UnsentError("bad_device_id", f"no device can be called {level!r}")
        self._notes.devices[level] = self._register.facts(name, fields)
        return level

    def _moment(self, fields: Fields, device: str) -> tuple[int, int | None]:
        text = self._time.fill(fields)
        if text is None:
            raise _UnsentError("no_time", f"{self._mapping.time.text} is empty")
        try:
            moment = self._moments.read(device, text)
        except MomentError as error:
            raise _UnsentError("bad_time", str(error)) from None
        if self._steps:
            self._notes.step(self._notes.devices[device].id, moment[0])
        return moment

    def _skip(self, row: Row, reason: str, words: str, column: str = "") -> None:
        self._notes.skip(Skipped(row.file, row.number, row.key, column, reason, words))


def _parts(row: Row, each: str) -> Iterator[Row]:
    """Yield a row, or one for each member of the object or array that holds several readings."""
    if not each:
        yield row
        return
    found = field_of(row.fields, each)
    if isinstance(found, dict):
        members = [*cast("dict[str, object]", found).items()]
    else:
        listed = cast("list[object]", found) if isinstance(found, list) else [None]
        members = [(str(at), member) for at, member in enumerate(listed, 1)]
    for key, member in members:
        own = cast("dict[str, object]", member) if isinstance(member, dict) else {}
        yield Row(row.file, row.number, {**row.fields, **own, "key": key}, key=key)


def _written(instant_us: int) -> int | str:
    """Return a time as native JSON has it: milliseconds, or text where there are finer digits."""
    millis, finer = divmod(instant_us, US_PER_MS)
    return to_text(instant_us) if finer else millis
