"""Shards and subjects: what everybody on the log has to agree on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.scope import EVERYTHING, Scope
from city.subjects import frame_subject, gateway_token, shard_filter, shard_of


@pytest.mark.parametrize(
    ("topic", "shard"),
    [(b"madina/v1/acme/meter-7/up", 12), (b"zigbee2mqtt/Living room", 1), (b"", 0)],
)
def test_a_topic_keeps_its_shard_for_ever(topic: bytes, shard: int) -> None:
    assert shard_of(topic, 16) == shard


@given(st.binary(max_size=20).filter(lambda level: b"/" not in level))
def test_everything_a_native_device_publishes_lands_in_one_shard(device: bytes) -> None:
    up = shard_of(b"madina/v1/acme/" + device + b"/up", 64)
    assert up == shard_of(b"madina/v1/acme/" + device + b"/raw/senml", 64)


@pytest.mark.parametrize("rest", [b"NDATA/plc-1", b"DDATA/plc-1/pump", b"NDEATH/plc-1"])
def test_everything_a_sparkplug_node_publishes_lands_in_one_shard(rest: bytes) -> None:
    assert shard_of(b"spBv1.0/water/" + rest, 64) == shard_of(b"spBv1.0/water/NBIRTH/plc-1", 64)
    assert shard_of(b"spBv1.0/water/NBIRTH/plc-1", 64) != shard_of(b"spBv1.0/w/NBIRTH/plc-1", 64)


@given(st.binary(max_size=600), st.integers(1, 1_024))
def test_a_shard_is_one_of_those_there_are(topic: bytes, shards: int) -> None:
    assert 0 <= shard_of(topic, shards) < shards


@given(st.text(max_size=40))
def test_a_gateway_name_is_one_token_of_a_subject(name: str) -> None:
    subject = frame_subject(3, gateway_token(name), 1)
    assert subject.count(".") == 4
    assert subject.startswith(shard_filter(3).removesuffix(">"))


def test_a_scope_admits_its_providers_and_no_others() -> None:
    assert EVERYTHING.admits("acme")
    assert Scope(frozenset({"acme"})).admits("acme")
    assert not Scope(frozenset({"acme"})).admits("globex")
