"""Civil times in the order of a recording give back the instants that they were written from."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.replay.moments import MomentError, MomentReader

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHANGES = [
    ("Europe/Madrid", datetime(2016, 10, 30, 1, tzinfo=UTC)),
    ("Europe/Madrid", datetime(2016, 3, 27, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2016, 11, 6, 6, tzinfo=UTC)),
    # Half an hour.
    ("Australia/Lord_Howe", datetime(2016, 4, 2, 15, tzinfo=UTC)),
]


def us(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


@given(
    clock=st.sampled_from(CHANGES),
    before_s=st.integers(10_000, 20_000),
    steps=st.lists(st.integers(60, 1_500), min_size=20, max_size=60),
)
@pytest.mark.property
def test_what_was_written_in_order_is_read_back(
    clock: tuple[str, datetime], before_s: int, steps: list[int]
) -> None:
    """Steps are shorter than any overlap, so that order tells its two halves apart."""
    zone, change = clock
    at = change - timedelta(seconds=before_s)
    reader = MomentReader("dd/MM/yyyy HH:mm:ss", zone, None)
    for step in steps:
        at += timedelta(seconds=step)
        written = at.astimezone(ZoneInfo(zone)).strftime("%d/%m/%Y %H:%M:%S")
        assert reader.read("a", written) == (us(at), None)


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        (["02:10", "02:40", "02:10", "02:40", "03:10"], [0, 0, 1, 1, 1]),
        (["02:59", "02:59"], [0, 1]),
        (["02:27", "02:29", "02:27"], [0, 0, 1]),
        (["02:50", "03:50"], [0, 1]),
    ],
)
def test_the_second_showing_begins_where_the_clock_goes_back(
    written: list[str], hours: list[int]
) -> None:
    reader = MomentReader("yyyy-MM-dd HH:mm", "Europe/Madrid", None)
    found = [reader.read("meter", f"2016-10-30 {text}")[0] for text in written]
    midnight = us(datetime(2016, 10, 30, tzinfo=UTC))
    wall = [int(text[:2]) * 3_600 + int(text[3:]) * 60 - 7_200 for text in written]
    assert found == [
        midnight + (second + hour * 3_600) * 1_000_000
        for second, hour in zip(wall, hours, strict=True)
    ]


def test_devices_have_clocks_of_their_own() -> None:
    reader = MomentReader("yyyy-MM-dd HH:mm", "Europe/Madrid", None)
    assert reader.read("a", "2016-10-30 02:30") == reader.read("b", "2016-10-30 02:30")


def test_a_civil_day_has_the_hours_that_it_has() -> None:
    reader = MomentReader("yyyy-MM-dd", "Europe/Zurich", "day")
    lengths = {
        day: (end or 0) - start
        for day in ("2021-03-28", "2021-06-01", "2021-10-31")
        for start, end in [reader.read("a", day)]
    }
    assert [length // 3_600_000_000 for length in lengths.values()] == [23, 24, 25]


@pytest.mark.parametrize(
    ("form", "zone", "text", "instant"),
    [
        ("rfc3339", "", "2019-04-09 01:00:00+00:00", "2019-04-09T01:00:00+00:00"),
        ("rfc3339", "", "2019-04-09T01:00:00.25+02:00", "2019-04-08T23:00:00.25+00:00"),
        ("epoch_ms", "", "1687514517004", "2023-06-23T10:01:57.004+00:00"),
        ("epoch_s", "", "1687514517", "2023-06-23T10:01:57+00:00"),
        ("yyyy-MM-dd HH", "+08:00", "2013-3-1 0", "2013-02-28T16:00:00+00:00"),
        ("yyyy-MM-dd HH:mm", "-03:30", "2013-03-01 24:00", "2013-03-02T03:30:00+00:00"),
        ("yyyyMMddHHmmss", "UTC", "20101130000000", "2010-11-30T00:00:00+00:00"),
        ("yyyy-MM-dd HH:mm", "Europe/Madrid", "2016-03-27 02:30", "2016-03-27T01:30:00+00:00"),
    ],
)
def test_formats(form: str, zone: str, text: str, instant: str) -> None:
    found, _ = MomentReader(form, zone, None).read("a", text)
    assert found == us(datetime.fromisoformat(instant))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("rfc3339", "2019-04-09 01:00:00"),
        ("epoch_ms", "1.5"),
        ("epoch_ms", "-1"),
        ("yyyy-MM-dd HH:mm", "2019-02-30 00:00"),
        ("yyyy-MM-dd HH:mm", "2019-02-03 24:01"),
        ("yyyy-MM-dd HH:mm", "1969-01-01 00:00"),
        ("yyyy-MM-dd HH:mm", "03/02/2019 00:00"),
        ("yyyy-MM-dd HH:mm", "\u0662019-02-03 00:00"),
    ],
)
def test_what_is_no_time(form: str, text: str) -> None:
    with pytest.raises(MomentError, match=r"\S"):
        MomentReader(form, "UTC", None).read("a", text)
