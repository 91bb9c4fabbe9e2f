"""Which of two connections of one client gives way, when they are at different processes."""

import pytest

from gateway.takeover import SETTLING_US, Recent

NOW_US = 1_772_619_330_000_000
CLIENT = b"meter"


@pytest.mark.parametrize(
    ("ours_us", "theirs_us", "gives_way"),
    [
        (NOW_US - SETTLING_US - 1, NOW_US, True),
        # Clocks of hosts differ: an old connection gives way whatever the other clock says.
        (NOW_US - SETTLING_US - 1, NOW_US - 60_000_000, True),
        (NOW_US - 5, NOW_US, True),
        (NOW_US - 5, NOW_US - 10, False),
        (NOW_US - 5, NOW_US - 5, False),
    ],
)
def test_the_later_connection_stays(ours_us: int, theirs_us: int, gives_way: bool) -> None:
    recent = Recent()
    recent.note(CLIENT, ours_us)
    assert recent.gives_way(CLIENT, theirs_us, NOW_US) is gives_way


def test_of_two_young_connections_exactly_one_gives_way() -> None:
    here, there = Recent(), Recent()
    here.note(CLIENT, NOW_US)
    there.note(CLIENT, NOW_US + 7)
    assert here.gives_way(CLIENT, NOW_US + 7, NOW_US + 9)
    assert not there.gives_way(CLIENT, NOW_US, NOW_US + 9)


def test_what_nobody_remembers_gives_way() -> None:
    assert Recent().gives_way(CLIENT, NOW_US, NOW_US)


def test_memory_is_of_the_last_seconds_only() -> None:
    recent = Recent()
    for number in range(1_000):
        recent.note(b"%d" % number, NOW_US + number * SETTLING_US)
    assert recent.remembered <= 4
