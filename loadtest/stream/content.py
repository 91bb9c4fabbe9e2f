"""What the messages of a fleet say, and which of them are spoilt on purpose: columns, by seed.

Everything is a function of the fleet's rule, the seed and a message's number. Nothing is kept, so
ten million devices cost what one does, and a verdict knows what was sent without having seen it.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from loadtest.scenario.curve import RateCurve, curve_of
from loadtest.scenario.model import FleetRule, Scenario, seconds_of
from loadtest.stream.chance import drifts, keys_of, picks, shares
from loadtest.stream.city_time import CityTime, LocalTime
from loadtest.stream.kinds import KINDS, Signal
from loadtest.stream.numbering import Numbering, sizes_of

__all__ = ["OTHER_UNIT", "PLAIN", "WRONG_UNIT", "Content", "Fates", "FleetContent"]

Numbers = NDArray[np.int64]
Column = NDArray[np.float64]
Marks = NDArray[np.bool_]

PLAIN: Final = 0
OTHER_UNIT: Final = 1
WRONG_UNIT: Final = 2
MS_PER_S: Final = 1_000
DAY_S: Final = 86_400
HOUR_S: Final = 3_600
WEATHER_S: Final = 30 * HOUR_S
DISTRICT_S: Final = 5 * HOUR_S
DISTRICTS: Final = 12
FESTIVAL: Final = 0.5
# Salts of what chance decides.
REPEAT, CUT, MISSING, STUCK, DIES, DEATH, UNIT, SKEW, SIZE, DRIFT = range(1, 11)


class Fates(msgspec.Struct, frozen=True):
    """What is done to messages.

    Attributes:
        void: Never sent.
        repeat: The device's message before is sent once more instead.
        malformed: Cut off.
        variant: Of the units: `PLAIN`, `OTHER_UNIT` or `WRONG_UNIT`.
    """

    void: Marks
    repeat: Marks
    malformed: Marks
    variant: NDArray[np.int8]


class Content(msgspec.Struct, frozen=True):
    """What messages say.

    Attributes:
        time_ms: As the devices say it.
        values: By signal: whole numbers, in units of its last digit.
    """

    devices: Numbers
    sequences: Numbers
    time_ms: Numbers
    values: list[Numbers]


class FleetContent:
    """A fleet of a scenario from a moment on.

    Attributes:
        curve: When its messages are due.
        numbering: Whose they are.
        clock: What time the devices think it is.
    """

    def __init__(self, rule: FleetRule, scenario: Scenario, now_ms: int) -> None:
        self.rule = rule
        self.curve: RateCurve = curve_of(rule, scenario)
        self.numbering: Numbering = sizes_of(rule.devices, rule.mode, rule.connections)
        self.clock = CityTime(scenario.clock, now_ms)
        self.kind = KINDS[rule.kind]
        self._name = f"fleet {rule.name}"
        self._seed = scenario.seed
        self._day = self.kind.day()
        self._city = keys_of(scenario.seed, "weather", np.zeros(1, dtype=np.int64))
        self._districts = keys_of(scenario.seed, "district", np.arange(DISTRICTS))

    def fates(self, numbers: Numbers) -> Fates:
        """Return what is done to messages of the fleet."""
        devices, sequences = self.numbering.of(numbers)
        keys = self._keys(devices)
        habits = self.rule.habits
        missing = _happens(keys, sequences, MISSING, habits.missing)
        cut = _happens(keys, sequences, CUT, habits.malformed)
        before_is_whole = ~(
            _happens(keys, sequences - 1, MISSING, habits.missing)
            | _happens(keys, sequences - 1, CUT, habits.malformed)
        )
        repeat = _happens(keys, sequences, REPEAT, habits.duplicates) & before_is_whole & ~missing
        # One of an even number is never a repetition, so nothing is repeated twice.
        repeat &= sequences % 2 == 1
        void = missing | self._dead(keys, numbers)
        if self.kind.on_change:
            repeat[:] = False
            void |= self._unchanged(numbers, sequences)
        unit = shares(keys, UNIT << 32)
        variant = np.where(unit < habits.wrong_unit, WRONG_UNIT, PLAIN)
        other = (unit >= habits.wrong_unit) & (unit < habits.wrong_unit + habits.other_unit)
        variant[other] = OTHER_UNIT
        return Fates(void, repeat, cut & ~repeat, variant.astype(np.int8))

    def content(self, numbers: Numbers) -> Content:
        """Return what messages of the fleet say; of a repetition ask for the one before."""
        devices, sequences = self.numbering.of(numbers)
        keys = self._keys(devices)
        time_s = self.clock.time_s(self.curve.due_s(numbers))
        skew_s = seconds_of(self.rule.habits.skew)
        said_s = time_s + picks(keys, SKEW << 32) * skew_s if skew_s else time_s
        stuck = shares(keys, STUCK << 32) < self.rule.habits.stuck
        seen_s, seen = time_s, sequences
        if stuck.any():
            seen_s, seen = time_s.copy(), sequences.copy()
            seen_s[stuck], seen[stuck] = self.clock.epoch_s, 0
        local = self.clock.local(seen_s)
        busy = self._busy(local) * (1.0 + 0.4 * picks(keys, SIZE << 32))
        values = [
            self._measured(signal, at, keys, devices, seen, seen_s, busy)
            for at, signal in enumerate(self.kind.signals)
        ]
        return Content(devices, sequences, np.floor(said_s * MS_PER_S).astype(np.int64), values)

    def original(self, numbers: Numbers, fates: Fates) -> Numbers:
        """Return the messages whose content is sent: of a repetition the one before."""
        return np.where(fates.repeat, numbers - self.rule.devices, numbers)

    def _keys(self, devices: Numbers) -> NDArray[np.uint64]:
        return keys_of(self._seed, self._name, devices)

    def _busy(self, local: LocalTime) -> Column:
        row = local.weekend.astype(np.int64)
        whole = np.minimum(local.hour.astype(np.int64), 23)
        here, there = self._day[row, whole], self._day[row, whole + 1]
        busy = here + (there - here) * (local.hour - whole)
        return np.where(local.festival, busy + FESTIVAL, busy)

    def _measured(  # noqa: PLR0913, PLR0917 - columns that belong together
        self,
        signal: Signal,
        at: int,
        keys: NDArray[np.uint64],
        devices: Numbers,
        sequences: Numbers,
        time_s: Column,
        busy: Column,
    ) -> Numbers:
        value = signal.base + signal.swing * busy
        if signal.weather:
            value += signal.weather * drifts(self._city, time_s, WEATHER_S)
        if signal.district:
            district = self._districts[devices % DISTRICTS]
            value += signal.district * drifts(district, time_s, DISTRICT_S)
        if signal.noise:
            value += signal.noise * picks(keys, sequences * 16 + at)
        if signal.per_hour:
            hours = (time_s - self.clock.epoch_s) / HOUR_S
            value += signal.per_hour * hours * (1.0 + 0.4 * picks(keys, SIZE << 32))
        if self.rule.habits.drift_per_day:
            days = (time_s - self.clock.epoch_s) / DAY_S
            most = self.rule.habits.drift_per_day * abs(signal.swing or signal.base)
            value += picks(keys, DRIFT << 32) * most * days
        return np.rint(np.maximum(value, signal.least) * 10**signal.digits).astype(np.int64)

    def _dead(self, keys: NDArray[np.uint64], numbers: Numbers) -> Marks:
        if not self.rule.habits.dead:
            return np.zeros(len(numbers), dtype=np.bool_)
        dies = shares(keys, DIES << 32) < self.rule.habits.dead
        return dies & (self.curve.due_s(numbers) > shares(keys, DEATH << 32) * self.curve.end_s)

    def _unchanged(self, numbers: Numbers, sequences: Numbers) -> Marks:
        """Return which messages say nothing new; a device's first one always does."""
        before = np.maximum(numbers - self.rule.devices, 0)
        now, then = self.content(numbers).values, self.content(before).values
        same = np.logical_and.reduce([a == b for a, b in zip(now, then, strict=True)])
        return same & (sequences > 0)


def _happens(keys: NDArray[np.uint64], sequences: Numbers, salt: int, share: float) -> Marks:
    if not share:
        return np.zeros(len(sequences), dtype=np.bool_)
    return shares(keys, sequences * 16 + (salt << 40)) < share
