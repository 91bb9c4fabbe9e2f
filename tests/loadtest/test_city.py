"""The made-up city: the same by seed, believable by the hour, and bad where it is meant to be."""

import itertools
import statistics
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.quantities import QUANTITY_PATTERN, quantity_of
from loadtest.city.agenda import Agenda
from loadtest.city.chance import drift, pick
from loadtest.city.devices import City, CityDevice, Fault
from loadtest.city.kinds import KINDS, PROVIDERS
from loadtest.city.moment import Profile, sun_height
from loadtest.city.streets import PLACES

UTC_ZONE = ZoneInfo("UTC")
CITY = City(7, UTC_ZONE)
# A Tuesday.
MIDNIGHT = datetime(2026, 6, 16, tzinfo=UTC).timestamp()
SATURDAY = MIDNIGHT + 4 * 86_400
HOUR = 3_600


class Item(msgspec.Struct, forbid_unknown_fields=True):
    q: str
    v: float
    u: str


class Native(msgspec.Struct, forbid_unknown_fields=True):
    t: int
    obs: list[Item]


def said(device: CityDevice, time_s: float, city: City = CITY) -> dict[str, float]:
    payload = city.payload(device, device.first_after(time_s - device.kind.every_s))
    return {item.q: item.v for item in msgspec.json.decode(payload, type=Native).obs}


def healthy(kind: str) -> list[CityDevice]:
    return [each for each in CITY.devices if each.kind.name == kind and each.fault is None]


def mean(kind: str, quantity: str, time_s: float) -> float:
    return statistics.fmean(said(device, time_s)[quantity] for device in healthy(kind))


def faulty(fault: Fault) -> CityDevice:
    (found,) = (device for device in CITY.devices if device.fault is fault)
    return found


def test_there_are_seven_kinds_of_several_providers_and_enough_devices() -> None:
    assert [kind.name for kind in KINDS] == [
        "air", "noise", "traffic", "parking", "waste", "water", "light",
    ]  # fmt: skip
    assert {kind.provider for kind in KINDS} == set(PROVIDERS)
    assert len(CITY.devices) >= 200
    assert len({device.topic for device in CITY.devices}) == len(CITY.devices)


def test_quantities_and_units_are_those_that_the_platform_knows() -> None:
    for signal in (signal for kind in KINDS for signal in kind.signals):
        known = quantity_of(signal.quantity)
        assert QUANTITY_PATTERN.fullmatch(signal.quantity)
        assert known is not None, signal.quantity
        assert known.unit == signal.unit


def test_places_differ_and_every_district_has_devices_of_every_kind() -> None:
    assert len({place.name for place in PLACES}) == len(PLACES)
    assert len({(place.lat, place.lon) for place in PLACES}) == len(PLACES)
    seen = Counter((device.kind.name, device.place.district) for device in CITY.devices)
    assert len(seen) == len(KINDS) * len({place.district for place in PLACES})


@pytest.mark.property
@given(st.integers(0, 225), st.integers(0, 10**8), st.integers(0, 2**40))
def test_a_message_is_the_same_whenever_it_is_made(at: int, number: int, seed: int) -> None:
    first, second = City(seed, UTC_ZONE), City(seed, UTC_ZONE)
    assert first.payload(first.devices[at], number) == second.payload(second.devices[at], number)


def test_another_seed_is_another_city() -> None:
    other = City(8, UTC_ZONE)
    pairs = zip(
        healthy("air"), (each for each in other.devices if each.fault is None), strict=False
    )
    assert all(
        said(ours, MIDNIGHT) != said(theirs, MIDNIGHT, other)
        for ours, theirs in pairs
        if theirs.kind.name == "air"
    )


@pytest.mark.parametrize(
    ("kind", "quantity", "high_h", "low_h", "at_least"),
    [
        ("traffic", "vehicles", 8, 3, 8.0),
        ("traffic", "speed", 3, 17, 10.0),
        ("noise", "laeq", 17, 3, 8.0),
        ("air", "no2", 8, 3, 10.0),
        ("light", "dimming", 1, 12, 50.0),
        ("water", "flow", 7, 3, 1.0),
    ],
)
def test_days_have_their_rhythm(
    kind: str, quantity: str, high_h: int, low_h: int, at_least: float
) -> None:
    high = mean(kind, quantity, MIDNIGHT + high_h * HOUR)
    low = mean(kind, quantity, MIDNIGHT + low_h * HOUR)
    assert high - low >= at_least


def test_weekends_have_no_morning_rush() -> None:
    workday = mean("traffic", "vehicles", MIDNIGHT + 8 * HOUR)
    assert mean("traffic", "vehicles", SATURDAY + 8 * HOUR) < workday / 2


def test_rush_hour_follows_the_local_clock() -> None:
    summer = City(7, ZoneInfo("Europe/Madrid"))
    device = next(each for each in summer.devices if each.kind.name == "traffic")
    local_eight = MIDNIGHT + 6 * HOUR
    assert said(device, local_eight, summer)["speed"] < said(device, local_eight)["speed"]


@pytest.mark.parametrize("device", healthy("parking"), ids=lambda device: device.id)
def test_a_car_park_has_as_many_spaces_at_any_time(device: CityDevice) -> None:
    totals = set[float]()
    for hour in range(24):
        values = said(device, MIDNIGHT + hour * HOUR)
        assert min(values.values()) >= 0
        totals.add(sum(values.values()))
    assert len(totals) == 1


def test_a_meter_never_runs_backwards_and_agrees_with_its_flow() -> None:
    device = healthy("water")[0]
    readings = [said(device, MIDNIGHT + minute * 60) for minute in range(0, 3 * 1440, 10)]
    volumes = [values["volume"] for values in readings]
    assert volumes == sorted(volumes)
    through = statistics.fmean(values["flow"] for values in readings) * 72
    assert volumes[-1] - volumes[0] == pytest.approx(through, rel=0.02)


def test_bins_fill_up_and_are_emptied() -> None:
    for device in healthy("waste"):
        levels = [said(device, MIDNIGHT + hour * HOUR)["fill_level"] for hour in range(24 * 8)]
        drops = [after for before, after in itertools.pairwise(levels) if after < before]
        assert all(0 <= level <= 100 for level in levels)
        assert 1 <= len(drops) <= 4
        assert all(after < 10 for after in drops)


def test_the_sun_is_up_for_longer_in_june_and_highest_near_noon() -> None:
    def hours_of_light(month: int) -> float:
        start = datetime(2026, month, 21, tzinfo=UTC).timestamp()
        return sum(sun_height(start + minute * 60) > 0 for minute in range(1440)) / 60

    assert hours_of_light(6) == pytest.approx(14.9, abs=0.3)
    assert hours_of_light(12) == pytest.approx(9.4, abs=0.3)
    highest = max(range(24), key=lambda hour: sun_height(MIDNIGHT + hour * HOUR))
    assert highest in {12, 13}


def test_a_stuck_sensor_says_one_thing_for_ever() -> None:
    device = faulty(Fault.STUCK)
    assert len({tuple(said(device, MIDNIGHT + h * HOUR).items()) for h in range(48)}) == 1


def test_a_clock_that_was_never_set_says_1970() -> None:
    device = faulty(Fault.CLOCK_1970)
    payload = CITY.payload(device, device.first_after(MIDNIGHT))
    assert (
        datetime.fromtimestamp(msgspec.json.decode(payload, type=Native).t / 1000, UTC).year == 1970
    )


def test_one_in_twenty_messages_of_the_broken_sender_is_cut_off() -> None:
    device = faulty(Fault.MALFORMED)
    first = device.first_after(MIDNIGHT)
    cut = sum(not CITY.payload(device, first + at).endswith(b"]}") for at in range(2_000))
    assert 60 <= cut <= 140


@pytest.mark.parametrize("last_s", [None, MIDNIGHT - 60 * 86_400])
def test_two_days_are_filled_in_the_order_of_time(last_s: float | None) -> None:
    device = healthy("air")[0]
    agenda = Agenda(device, MIDNIGHT, last_s)
    times = [device.time_s(agenda.number(entry)) for entry in range(agenda.filled + 3)]
    assert agenda.filled == 48 * HOUR // device.kind.filled_every_s
    assert times == sorted(set(times))
    assert times[0] > MIDNIGHT - 48 * HOUR
    assert times[agenda.filled - 1] <= MIDNIGHT < times[agenda.filled]


def test_only_the_gap_since_the_last_run_is_filled() -> None:
    device = healthy("noise")[0]
    agenda = Agenda(device, MIDNIGHT, MIDNIGHT - HOUR)
    assert agenda.filled == 12
    assert device.time_s(agenda.number(0)) > MIDNIGHT - HOUR
    assert Agenda(device, MIDNIGHT, MIDNIGHT).filled == 0


def test_live_messages_become_due_as_time_passes() -> None:
    device = healthy("parking")[0]
    agenda = Agenda(device, MIDNIGHT, None)
    assert agenda.due(MIDNIGHT) == agenda.filled
    assert agenda.due(MIDNIGHT + 10 * device.kind.every_s) == agenda.filled + 10


def test_the_silent_device_ends_hours_before_the_start() -> None:
    device = faulty(Fault.SILENT)
    agenda = Agenda(device, MIDNIGHT, None)
    assert device.time_s(agenda.number(agenda.filled - 1)) <= MIDNIGHT - 6 * HOUR
    assert agenda.due(MIDNIGHT + 30 * 86_400) == agenda.filled


@pytest.mark.parametrize("fault", [Fault.CLOCK_1970, Fault.UNKNOWN])
def test_a_device_whose_times_cannot_be_kept_has_no_past(fault: Fault) -> None:
    agenda = Agenda(faulty(fault), MIDNIGHT, None)
    assert agenda.filled == 0
    assert agenda.due(MIDNIGHT + HOUR) > 0


def test_the_past_of_the_whole_city_is_as_large_as_promised() -> None:
    filled = sum(Agenda(device, MIDNIGHT, None).filled for device in CITY.devices)
    assert 60_000 <= filled <= 100_000


@pytest.mark.property
@given(st.integers(0, 2**60), st.floats(0, 1e9), st.floats(60, 1e6))
def test_chance_stays_in_its_bounds(key: int, time_s: float, period_s: float) -> None:
    assert -1 <= pick(key, int(time_s)) <= 1
    assert -1 <= drift(key, time_s, period_s) <= 1


def test_drift_has_no_jumps() -> None:
    values = [drift(5, second, 3_600) for second in range(0, 36_000, 10)]
    assert max(abs(a - b) for a, b in itertools.pairwise(values)) < 0.01


@pytest.mark.property
@given(st.floats(0, 30_000))
def test_a_profiles_sum_is_the_area_below_it(days: float) -> None:
    profile = Profile(workday="111113897655565456788643")
    step = 1e-4
    slope = (profile.until(days + step) - profile.until(days)) / (step * 24)
    assert slope == pytest.approx(profile.at((days + step / 2) % 1.0 * 24, weekend=False), abs=2e-3)
