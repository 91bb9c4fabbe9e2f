"""Keys that stand in topics are kept nowhere, and a replay works without them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from city.reasons import MessageReason
from registry.records import DeviceDraft, RouteDraft

if TYPE_CHECKING:
    from conftest import Bench

KEY = "s3cret-key"
TOPIC, MASKED = f"/ul/{KEY}/tank-9/attrs", "/ul/***/tank-9/attrs"
OPTIONS: dict[str, Any] = {"api_keys": [hashlib.sha256(KEY.encode()).hexdigest()]}


def kept(bench: Bench) -> str:
    """Return everything that is written of messages in quarantine."""
    return repr([msgspec.structs.asdict(each) for each in bench.quarantine(None)])


def test_a_key_is_kept_nowhere_and_a_replay_works_without_it(bench: Bench) -> None:
    with structlog.testing.capture_logs() as logs:
        bench.send((TOPIC, b"level|3.5"))
    entry = bench.quarantine()[0]
    assert (entry.reason, entry.topic) == (MessageReason.NO_ROUTE, MASKED)
    route = RouteDraft("agent", "/ul/+/+/attrs", "ultralight", "water", options=OPTIONS)
    bench.registry.routes.create("test", route)
    bench.registry.devices.create("test", DeviceDraft("water", "tank-9"))
    bench.reload()
    bench.replay()
    assert [each.value for each in bench.stored("tank-9", "water")] == [3.5]
    bench.send(("/ul/wrong-key/tank-9/attrs", b"level|4"))
    assert [each.reason for each in bench.quarantine()] == [MessageReason.UNKNOWN_API_KEY]
    for secret in (KEY, "wrong-key"):
        assert secret not in kept(bench)
        assert secret not in repr(logs)
