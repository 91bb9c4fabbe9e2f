"""Every rule between a frame and the store, on a real store and registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from city.flags import Flag
from city.frame import Control, ControlKind, RecordFlag
from city.reasons import MessageReason, ObservationReason
from city.replay import ReplayRequest
from city.scope import EVERYTHING
from ingest.codecs.seam import Arrived, CodedObservation, Decoded, Rejection
from registry.records import DeviceDraft, RouteDraft
from store.interface import LedgerQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

MINUTE_MS = 60_000
NOW_US = 1_772_619_330_000_000
NOW_MS = NOW_US // 1_000
SHARD = 3


def up(device: str = "a", provider: str = "acme") -> str:
    return f"madina/v1/{provider}/{device}/up"


def reading(
    value: object, at_ms: object = NOW_MS, q: str = "pm10", **more: object
) -> dict[str, object]:
    head = {} if at_ms is None else {"t": at_ms}
    return {**head, "obs": [{"q": q, "v": value, **more}]}


class Mended:
    """A codec that cannot read one of two quantities until it is mended."""

    mended = False

    def decode(self, message: Arrived) -> Decoded:
        sent = [CodedObservation("a", q, 1.0, time_us=NOW_US) for q in ("pm10", "pm2_5")]
        bad = [] if self.mended else [Rejection("pm2_5", ObservationReason.NONFINITE, "no number")]
        return Decoded(sent[: 2 - len(bad)], bad)


class Broken:
    def decode(self, message: Arrived) -> Decoded:
        raise RuntimeError("a defect")


class Named:
    """The same frame by two gateways: one name, two times and values."""

    def decode(self, message: Arrived) -> Decoded:
        value = float(message.payload)
        at_us = NOW_US + int(message.payload)
        sent = CodedObservation("a", "pm10", value, time_us=at_us)
        return Decoded([sent], message_id="frame-1")


SENTILO = {"sensor": "b", "observations": [{"value": "1"}]}


def raw(codec: str) -> str:
    return f"madina/v1/acme/a/raw/{codec}"


class Two:
    def decode(self, message: Arrived) -> Decoded:
        return Decoded(
            [CodedObservation(d, "pm10", v, time_us=NOW_US) for d, v in (("a", 1.0), ("b", 2.0))]
        )


def test_a_plain_message_is_stored_in_the_canonical_unit(bench: Bench) -> None:
    bench.register("a")
    applied = bench.send((up(), reading(0.0125, u="mg/m3")))
    found = bench.stored()[0]
    assert (found.value, found.unit, found.time_us) == (12.5, "ug/m3", NOW_US)
    assert (applied.messages, applied.observations) == (1, 1)
    assert applied.live[0].value == 12.5
    assert applied.live[0].kind == "air"
    assert bench.ledger.messages.accepted == 1


def test_the_same_again_is_a_duplicate_also_after_a_restart(bench: Bench) -> None:
    bench.register("a")
    bench.send((up(), reading(1)), (up(), reading(1)))
    bench.send((up(), reading(2, NOW_MS + 1)))
    bench.send((up(), reading(1)))
    bench.reload()
    bench.send((up(), reading(2, NOW_MS + 1)), (up(), reading(1)))
    assert bench.values() == [1.0, 2.0]
    assert bench.ledger.messages.duplicate == 4
    assert bench.ledger.observations.duplicate == 4


def test_another_value_at_the_same_time_is_a_conflict_and_counted_once(bench: Bench) -> None:
    bench.register("a")
    bench.send((up(), reading(1)))
    bench.send((up(), reading(2)), (up(), reading(2)))
    bench.send((up(), reading(2)))
    found = bench.stored()
    assert [each.value for each in found] == [1.0, 2.0]
    assert found[1].flag == Flag.FAIL
    assert "conflict" in (found[1].metadata or "")
    assert bench.ledger.messages.accepted == 2
    assert bench.ledger.observations.duplicate == 2


def test_a_late_observation_is_stored_once(bench: Bench) -> None:
    bench.register("a")
    bench.send((up(), reading(1)))
    bench.send((up(), reading(5, NOW_MS - MINUTE_MS)), (up(), reading(5, NOW_MS - MINUTE_MS)))
    assert bench.values() == [5.0, 1.0]
    assert bench.ledger.messages.duplicate == 1


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("elsewhere/1", b"1", MessageReason.NO_ROUTE),
        ("madina/v1/indicators/a/up", b"{}", MessageReason.NO_ROUTE),
        ("madina/v1/acme/a/raw/nonsense", b"1", MessageReason.NO_CODEC),
        (up(), b"x" * 300_000, MessageReason.OVERSIZE),
        (up(), b"\x1f\x8bnot gzip", MessageReason.DECOMPRESS),
        (up(), b'{"obs": "\xff"}', MessageReason.UTF8),
        (up(), b'{"obs": "\0"}', MessageReason.NUL_BYTE),
        (up(), b"{", MessageReason.JSON_SYNTAX),
        (up(), b'{"obs":[{"q":"pm10","v":NaN}]}', MessageReason.JSON_NONFINITE),
        (up(), b'{"obs":[],"obs":[]}', MessageReason.JSON_DUPLICATE_KEY),
        (up(), b"[" * 40 + b"]" * 40, MessageReason.JSON_DEPTH),
        (up(), b"{}", MessageReason.MISSING_FIELD),
        (up("a%00b\x01"), b"{}", MessageReason.BAD_DEVICE_ID),
        (up(), {"obs": [{"q": "pm10", "v": 1}], "dev": "b"}, MessageReason.DEVICE_MISMATCH),
        (raw("influx"), b"air,device=a pm10=1\nair,device=b pm10=1", MessageReason.DEVICE_MISMATCH),
        (raw("sentilo"), {"sensors": [SENTILO]}, MessageReason.DEVICE_MISMATCH),
        (raw("ngsi-ld"), {"id": "b", "type": "Air", "pm10": 1}, MessageReason.DEVICE_MISMATCH),
        (raw("cayenne-lpp"), b"\xff", MessageReason.LPP_TRUNCATED),
        (up("nobody"), reading(1), MessageReason.UNKNOWN_DEVICE),
        (up(), reading(1, 1.5), MessageReason.BAD_TIME),
        (up(), {"obs": [{"q": "pm10", "v": 1}] * 1_001}, MessageReason.TOO_MANY),
        (up(), {"obs": []}, MessageReason.NO_OBSERVATIONS),
        (up(), {"ver": 2, "obs": []}, MessageReason.NATIVE_VERSION),
    ],
)
def test_what_cannot_be_accepted_waits_with_its_reason_and_bytes(
    bench: Bench, topic: str, payload: bytes | dict[str, object], reason: MessageReason
) -> None:
    bench.register("a")
    bench.send((up(), reading(1)), (topic, payload), (up(), reading(2, NOW_MS + 1)))
    sent = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    entry = bench.quarantine()[0]
    assert (entry.reason, entry.topic, entry.length) == (reason, topic, len(sent))
    assert sent.startswith(entry.payload)
    assert entry.words
    assert entry.client == "client-1"
    assert bench.ledger.messages.quarantined == 1
    assert bench.values() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"q": "pm10", "v": "high"}, ObservationReason.TYPE_MISMATCH),
        ({"q": "occupied", "v": 1}, ObservationReason.TYPE_MISMATCH),
        ({"q": "pm10", "v": 1, "u": "V"}, ObservationReason.UNIT_MISMATCH),
        ({"q": "pm10", "v": 1, "u": "furlong"}, ObservationReason.UNIT_MISMATCH),
        ({"q": "Bad Name", "v": 1}, ObservationReason.BAD_QUANTITY),
        ({"q": "pm10", "v": [1]}, ObservationReason.NESTED_ARRAY),
        ({"q": "label", "v": "x" * 1_025}, ObservationReason.TEXT_TOO_LONG),
        ({"q": "pm10", "v": 1 << 70}, ObservationReason.INTEGER_RANGE),
        ({"q": "pm10", "v": 1, "t": NOW_MS + 20 * 365 * 86_400_000}, ObservationReason.TIME_FUTURE),
    ],
)
def test_a_bad_observation_is_rejected_and_the_rest_is_stored(
    bench: Bench, bad: dict[str, object], reason: ObservationReason
) -> None:
    bench.register("a")
    good = {"q": "temperature", "v": 20}
    bench.send((up(), {"t": NOW_MS, "obs": [good, bad]}))
    entry = bench.quarantine("partial")[0]
    assert entry.reasons[0][0] == reason
    assert bench.values() == [20.0]
    assert bench.ledger.messages.accepted == 1
    assert bench.ledger.observations.rejected == 1


def test_a_clock_that_was_never_set_gives_the_receive_time(bench: Bench) -> None:
    bench.register("a")
    bench.send((up(), reading(1, 5_000)))
    found = bench.stored()[0]
    assert found.time_us == NOW_US
    assert "clock_not_set" in (found.metadata or "")
    assert "1970-01-01T00:00:05" in (found.metadata or "")


def test_a_clock_that_is_ahead_gives_the_receive_time_and_a_suspect(bench: Bench) -> None:
    bench.register("a")
    bench.send((up(), reading(1, NOW_MS + 10 * MINUTE_MS)), (up(), reading(2, NOW_MS + MINUTE_MS)))
    found = bench.stored()
    assert [(each.value, each.flag) for each in found] == [(1.0, 3), (2.0, 2)]
    assert "time_future" in (found[0].metadata or "")


def test_values_keep_their_types(bench: Bench) -> None:
    bench.register("a")
    big = (1 << 60) + 1
    bench.send(
        (up(), reading(value=True, q="occupied")),
        (up(), reading("open", q="state")),
        (up(), reading(big, q="counter")),
    )
    assert bench.values() == [True, "open", big]
    bench.reload()
    bench.send((up(), reading(big, q="counter")), (up(), reading("open", q="state")))
    assert bench.ledger.messages.duplicate == 2


def test_messages_without_time_are_duplicates_by_id_or_by_what_the_sender_says(
    bench: Bench,
) -> None:
    bench.register("a")
    named: dict[str, object] = {"id": "m-1", "obs": [{"q": "pm10", "v": 1}]}
    bench.send((up(), named))
    bench.send((up(), named), received_us=NOW_US + 1_000_000)
    bench.send((up(), reading(3, None)), received_us=NOW_US + 2_000_000)
    bench.send((up(), reading(3, None)), received_us=NOW_US + 3_000_000)
    dup = RecordFlag.DUP | RecordFlag.QOS_1
    bench.reload()
    bench.send((up(), reading(3, None)), flags=dup, received_us=NOW_US + 4_000_000)
    bench.send((up(), reading(4, None)), flags=dup, received_us=NOW_US + 5_000_000)
    found = bench.stored()
    assert [each.value for each in found] == [1.0, 3.0, 3.0, 4.0]
    assert "possible_duplicate" in (found[3].metadata or "")
    assert bench.ledger.messages.duplicate == 2


def test_a_parked_device_is_back_filled_once_it_is_accepted(bench: Bench) -> None:
    for minute in range(3):
        bench.send((up("new"), reading(minute, NOW_MS + minute)))
    assert bench.ledger.messages.quarantined == 3
    bench.registry.accept([("acme", "new")])
    bench.send((up("new"), reading(2, NOW_MS + 2)))
    bench.replay(ReplayRequest(reason="unknown_device", provider="acme", device="new"))
    bench.replay()
    assert bench.values("new") == [0.0, 1.0, 2.0]
    ledger = bench.ledger.messages
    assert (ledger.received, ledger.accepted, ledger.duplicate, ledger.quarantined) == (4, 3, 1, 0)
    assert {each.state for each in bench.quarantine(None)} == {"replayed"}


def test_a_replay_that_is_refused_again_stays_held(bench: Bench) -> None:
    bench.send((up("new"), reading(1)))
    bench.registry.devices.create("test", DeviceDraft("acme", "new", status="pending"))
    bench.replay()
    entry = bench.quarantine()[0]
    assert "waits for somebody" in entry.words
    assert bench.ledger.messages.quarantined == 1


def test_a_partial_message_is_completed_by_a_replay_and_counted_once(bench: Bench) -> None:
    bench.register("a")
    codec = Mended()
    bench.codecs["mended"] = codec
    bench.reload()
    bench.registry.routes.create("test", RouteDraft("new", "x/+", "mended", "acme"))
    bench.send(("x/a", b"any"))
    bench.replay()
    ledger = bench.ledger.observations
    assert (ledger.decoded, ledger.stored, ledger.rejected) == (2, 1, 1)
    codec.mended = True
    bench.replay()
    ledger = bench.ledger.observations
    assert (ledger.decoded, ledger.stored, ledger.rejected) == (2, 2, 0)
    assert [each.state for each in bench.quarantine(None)] == ["replayed"]
    assert bench.ledger.messages.accepted == 1


def test_a_message_that_names_itself_is_a_duplicate_whatever_its_time(bench: Bench) -> None:
    bench.register("a")
    bench.codecs["named"] = Named()
    bench.reload()
    bench.registry.routes.create("test", RouteDraft("new", "x/+", "named", "acme"))
    bench.send(("x/a", b"7"), ("x/a", b"8"))
    bench.reload()
    bench.send(("x/a", b"9"))
    assert bench.values() == [7.0]
    assert bench.ledger.messages.duplicate == 2


def test_a_message_of_which_nothing_can_be_stored_is_found_again_by_its_id(bench: Bench) -> None:
    bench.register("a")
    odd = {**reading([1, 2], q="level"), "id": "row-7"}
    bench.send((up(), odd))
    bench.reload()
    bench.send((up(), odd))
    assert [each.state for each in bench.quarantine(None)] == ["partial"]
    assert (bench.ledger.messages.accepted, bench.ledger.messages.duplicate) == (1, 1)
    assert (bench.ledger.observations.rejected, bench.ledger.observations.duplicate) == (1, 1)


def test_recorded_times_are_believed_however_old_or_far_ahead(bench: Bench) -> None:
    bench.register("a")
    old_ms, ahead_ms = 946_684_800_000, 4_000_000_000_000
    bench.registry.routes.create(
        "test", RouteDraft("old", "madina/v1/acme/+/up", "native", "acme", recorded=True)
    )
    bench.send((up(), reading(1, old_ms)), (up(), reading(2, ahead_ms)))
    assert [(each.time_us, each.flag) for each in bench.stored()] == [
        (old_ms * 1_000, 2),
        (ahead_ms * 1_000, 2),
    ]


def test_a_codec_that_fails_parks_its_messages(bench: Bench) -> None:
    bench.codecs["broken"] = Broken()
    bench.reload()
    bench.registry.routes.create("test", RouteDraft("new", "x/+", "broken", "acme"))
    bench.send(("x/a", b"any"))
    assert bench.quarantine()[0].reason == MessageReason.CODEC_ERROR


def test_only_the_unknown_ones_of_several_devices_are_rejected(bench: Bench) -> None:
    bench.register("a")
    bench.codecs["two"] = Two()
    bench.reload()
    bench.registry.routes.create("test", RouteDraft("new", "x/+", "two", "acme"))
    bench.send(("x/a", b"any"))
    assert bench.quarantine("partial")[0].reasons == (("unknown_device", "pm10"),)
    bench.registry.accept([("acme", "b")])
    bench.replay()
    assert bench.values("b") == [2.0]
    assert bench.ledger.observations.rejected == 0


def test_dropped_entries_stay_counted_and_are_not_replayed(bench: Bench) -> None:
    bench.send((up("new"), reading(1)))
    bench.ask(ControlKind.DROP, ReplayRequest(ids=(bench.quarantine()[0].id,)))
    bench.registry.accept([("acme", "new")])
    bench.replay()
    assert bench.values("new") == []
    assert bench.ledger.messages.quarantined == 1
    assert bench.quarantine("dropped")


def test_a_request_that_nobody_can_read_changes_nothing(bench: Bench) -> None:
    bench.send((up("new"), reading(1)))
    bench.registry.accept([("acme", "new")])
    control = Control(ControlKind.REPLAY, "ana", NOW_US, "not json")
    bench.applier.apply([bench.frame(controls=(control,))])
    assert bench.store.marks() == {SHARD: 2}
    assert len(bench.quarantine()) == 1


def test_accepting_registers_every_new_device_of_a_batch(
    new_bench: Callable[..., Bench],
) -> None:
    bench = new_bench("accept")
    bench.send(*[(up(f"d{n}"), reading(n)) for n in range(50)])
    bench.send((up("odd"), reading(1, q="Bad Name")))
    assert bench.ledger.messages.accepted == 51
    assert bench.values("d49") == [49.0]


def test_a_change_of_routes_or_devices_is_seen_by_the_next_batch(bench: Bench) -> None:
    bench.register("a")
    bench.send((up(), reading(1)))
    bench.registry.devices.change("test", EVERYTHING, ("acme", "a"), {"status": "retired"})
    bench.send((up(), reading(2, NOW_MS + 1)))
    assert "retired" in bench.quarantine()[0].words
    bench.registry.routes.create("test", RouteDraft("quiet", "madina/v1/acme/a/up", "ignore", None))
    bench.send((up(), reading(3, NOW_MS + 2)))
    assert bench.ledger.messages.accepted == 2
    assert bench.values() == [1.0]


def test_topics_of_one_device_in_two_routes_are_counted_under_their_own(bench: Bench) -> None:
    bench.register("a")
    route = RouteDraft("plant", "plant/#", "native", "acme")
    bench.registry.routes.create("test", route)
    other = "plant/hall/1/a/up"
    for minute in range(3):
        at_ms = NOW_MS + minute * 60_000
        bench.send((up("a"), reading(minute, at_ms)), (other, reading(minute, at_ms + 1)))
    rows = bench.store.ledger_rows(EVERYTHING, LedgerQuery())
    assert {each.route: each.accepted for each in rows} == {"native": 3, "plant": 3}
    assert len(bench.values()) == 6
