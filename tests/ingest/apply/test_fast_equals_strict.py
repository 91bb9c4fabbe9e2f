"""Whatever is sent, the fast path and the single-message path decide the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.apply.fast import FastPath
from registry.records import DeviceDraft, RouteDraft

if TYPE_CHECKING:
    from conftest import Bench, NewBench

    from ingest.apply.routing import Router

pytestmark = pytest.mark.property

NOW_MS = 1_772_619_330_000
TIMES = st.one_of(
    st.integers(NOW_MS - 5, NOW_MS + 5),
    st.sampled_from([0, NOW_MS - 86_400_000, NOW_MS + 10**6, NOW_MS + 10**12, 2**63, None, "x"]),
    st.sampled_from(["2026-03-04T10:15:30Z", "2026-03-04T11:15:30.001+01:00", "2026-03-04T10:15"]),
)
VALUES = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.5, -0.0, 1e300, 2**53, 2**53 + 2, 2**63, 2**70, True, "x", "", None, [1]]),
)
OBSERVATION = st.fixed_dictionaries(
    {"q": st.sampled_from(["pm10", "occupied", "other", "temperature", "Bad"]), "v": VALUES},
    optional={
        "u": st.sampled_from(["ug/m3", "mg/m3", "Cel", "[degF]", "V", "mV", "furlong", None]),
        "f": st.sampled_from([1, 3, 7]),
        "e": st.just(NOW_MS + 60_000),
        "t": TIMES,
    },
)
MESSAGE = st.fixed_dictionaries(
    {"obs": st.lists(OBSERVATION, max_size=3)},
    optional={"t": TIMES, "id": st.sampled_from(["a", "b", ""]), "meta": st.just({"rssi": -70})},
)
PAYLOAD = st.one_of(
    st.builds(msgspec.json.encode, MESSAGE),
    st.sampled_from([b"", b"{", b'{"obs":[{"q":"pm10","v":1}],"obs":[]}', b"\xef\xbb\xbf{}"]),
)
FRAMES = st.lists(
    st.lists(st.tuples(st.sampled_from(["a", "b", "nobody"]), PAYLOAD), min_size=1, max_size=6),
    min_size=1,
    max_size=4,
)


@given(frames=FRAMES, recorded=st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_paths_decide_the_same(
    frames: list[list[tuple[str, bytes]]],
    recorded: bool,
    tmp_path_factory: pytest.TempPathFactory,
    bench_in: NewBench,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fast = decided(frames, bench_in(tmp_path_factory.mktemp("fast")), recorded=recorded)
        patch.setattr(FastPath, "_owner", nobody)
        strict = decided(frames, bench_in(tmp_path_factory.mktemp("strict")), recorded=recorded)
    assert fast == strict


def nobody(path: FastPath, topic: bytes, router: Router) -> None:
    """Say of every topic that the fast path has nothing to do with it."""


def decided(frames: list[list[tuple[str, bytes]]], bench: Bench, *, recorded: bool) -> object:
    """Return all that a store holds after some frames."""
    try:
        if recorded:
            route = RouteDraft("old", "madina/v1/acme/+/up", "native", "acme", recorded=True)
            bench.registry.routes.create("test", route)
        for device in ("a", "b"):
            bench.registry.devices.create("test", DeviceDraft("acme", device))
        for frame in frames:
            bench.send(*[(f"madina/v1/acme/{device}/up", payload) for device, payload in frame])
        observations = [
            [
                (each.quantity, repr(each.value), each.unit, each.time_us, each.flag, each.metadata)
                for each in bench.stored(device)
            ]
            for device in ("a", "b")
        ]
        held = [(each.id, each.state, each.reason, each.words) for each in bench.quarantine(None)]
        return [sorted(each, key=repr) for each in observations], sorted(held), bench.ledger
    finally:
        bench.store.close()
        bench.registry.close()
