"""What devices say: the same by seed whoever asks, spoilt as often as the scenario says."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from loadtest.city.chance import pick
from loadtest.packets import packet_ids
from loadtest.scenario.file import read_scenario
from loadtest.stream.chance import picks
from loadtest.stream.content import FleetContent
from loadtest.stream.formats import format_of
from loadtest.stream.packets import FleetPackets, messages

NOW_MS = 1_772_600_000_000
ALL_HABITS = (
    "{duplicates: 0.1, malformed: 0.05, wrong_unit: 0.1, other_unit: 0.1, stuck: 0.1, dead: 0.2,"
    " missing: 0.1, skew: 2s, drift_per_day: 0.1}"
)


def content(fleet: str, seed: int = 1, clock: str = "{}") -> FleetContent:
    text = (
        f"name: x\nseed: {seed}\nclock: {clock}\nfleets:\n - {{name: a, {fleet}}}\n"
        "phases:\n - {kind: hold, seconds: 60s}\n"
    )
    asked = read_scenario(text, "x")
    return FleetContent(asked.fleets[0], asked, NOW_MS)


def packets(of: FleetContent, worker: int = 0, workers: int = 1) -> Callable[[int], bytes]:
    form = format_of(of.rule.format, of.kind.signals, of.rule.provider, "a", 8)
    made = FleetPackets(of, form, 4, worker=worker, workers=workers)
    (middle,) = packet_ids(1, qos=1, version=4)
    return lambda number: made.packet(number, middle)


def test_columns_draw_the_numbers_that_single_messages_draw() -> None:
    at = np.array([0, 1, 77, 10**12])
    expected = [pick(5, each) for each in at.tolist()]
    assert picks(np.array([5], dtype=np.uint64), at).tolist() == pytest.approx(expected)


def test_the_same_seed_is_the_same_bytes_in_any_order_and_however_processes_share_them() -> None:
    fleet = f"devices: 90, every: 1s, mode: multiplexed, connections: 7, habits: {ALL_HABITS}"
    whole = packets(content(fleet))
    expected = [whole(number) for number in range(5_400)]
    again = packets(content(fleet))
    assert [again(number) for number in reversed(range(5_400))] == expected[::-1]
    shares = [packets(content(fleet), worker, 3) for worker in range(3)]
    shared = [shares[number % 90 % 7 % 3](number) for number in range(5_400)]
    assert shared == expected
    other = packets(content(fleet, seed=2))
    assert [other(number) for number in range(90)] != expected[:90]


def test_habits_are_as_frequent_as_the_scenario_says() -> None:
    made = content(f"devices: 2000, every: 1s, habits: {ALL_HABITS}")
    numbers = np.arange(2_000 * 20, dtype=np.int64)
    fates = made.fates(numbers)
    assert fates.malformed.mean() == pytest.approx(0.05, rel=0.15)
    # Every second message may be a repetition; a fifth of the devices die within the minute.
    assert fates.repeat.mean() == pytest.approx(0.1 / 2 * 0.9 * 0.85, rel=0.15)
    assert fates.void.mean() == pytest.approx(0.1 + 0.9 * 0.2 / 6, rel=0.2)
    assert np.bincount(fates.variant) / len(numbers) == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def test_a_repetition_is_the_message_before_once_more() -> None:
    made = content("devices: 50, every: 1s, habits: {duplicates: 0.5, skew: 1s}")
    form = format_of("native", made.kind.signals, "load", "a", 8)
    numbers = np.arange(50 * 40, dtype=np.int64)
    found = messages(made, form, numbers)
    repeats = np.flatnonzero(made.fates(numbers).repeat)
    assert len(repeats) > 100
    assert all(found[at] == found[at - 50] for at in repeats.tolist())


def test_parking_says_something_only_where_it_has_changed() -> None:
    made = content("devices: 20, every: 10s, kind: parking", clock="{speed: 60}")
    numbers = np.arange(120, dtype=np.int64)
    void = made.fates(numbers).void
    assert not void[:20].any()
    values = np.array(made.content(numbers).values)
    same = (values[:, 20:] == values[:, :-20]).all(axis=0)
    assert (void[20:] == same).all()


def test_the_day_on_which_clocks_change_has_its_hours() -> None:
    # Madrid, 29 March 2026: 02:00 becomes 03:00.
    made = content(
        "devices: 1, every: 1s",
        clock="{start: '2026-03-29T00:00', speed: 3600, timezone: Europe/Madrid}",
    )
    time_s = made.clock.time_s(np.arange(25.0))
    assert datetime.fromtimestamp(time_s[0], UTC).isoformat() == "2026-03-28T23:00:00+00:00"
    local = made.clock.local(time_s)
    assert local.hour[:4].tolist() == [0, 1, 3, 4]
    assert (local.days[22], local.days[23]) == (local.days[0], local.days[0] + 1)
    assert local.weekend[0]


@pytest.mark.timeout(60)
def test_ten_million_devices_need_no_memory_of_their_own() -> None:
    program = (
        "import numpy as np\n"
        "from loadtest.scenario.file import read_scenario\n"
        "from loadtest.stream.content import FleetContent\n"
        "from loadtest.stream.formats import format_of\n"
        "from loadtest.stream.packets import messages\n"
        "text = 'name: x\\nfleets:\\n - {name: a, devices: 10000000, every: 15m,'\n"
        "text += ' mode: virtual}\\n'\n"
        "asked = read_scenario(text + 'phases:\\n - {kind: hold, seconds: 15m}\\n', 'x')\n"
        "made = FleetContent(asked.fleets[0], asked, 1772600000000)\n"
        "form = format_of('native', made.kind.signals, 'load', 'a', 8)\n"
        "topics = {t for start in range(0, made.curve.total, 50021)\n"
        "          for t, _ in messages(made, form, np.arange(start, start + 9))}\n"
        # Not getrusage: its peak is inherited from the process that started this one.
        "peak = next(each for each in open('/proc/self/status') if each.startswith('VmHWM'))\n"
        "print(made.curve.total, len(topics), int(peak.split()[1]) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    total, topics, mebibytes = map(int, done.stdout.split())
    assert total == 10_000_000
    assert topics == 200 * 9
    assert mebibytes < 200
