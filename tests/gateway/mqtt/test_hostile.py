"""Hostile bytes: a share of what `make fuzz` tries, with seeds that do not change."""

import random

import pytest

from fuzz.endpoint import Endpoint
from fuzz.oracle import Oracle, disagreement, seeds
from fuzz.target import Target

CASES = 4_000


@pytest.mark.parametrize("target", [Endpoint(), Oracle()], ids=["endpoint", "oracle"])
def test_nothing_escapes(target: Target) -> None:
    rng = random.Random(20_261_124)
    accepted = refused = 0
    for _ in range(CASES):
        decided = target.check(target.make(rng))
        accepted += decided.accepted
        refused += decided.refused
    # Both happen, or the inputs prove nothing.
    assert accepted > CASES / 10
    assert refused > CASES / 10


def test_undamaged_packets_are_read_as_their_writer_meant_them() -> None:
    for data in seeds():
        assert not disagreement(data)


def test_a_difference_would_be_found() -> None:
    (plain, *_) = seeds()
    other = plain[:-1] + b"!"
    assert Oracle().check(other).accepted
    # 3.1.1: an oracle of 5.0 cannot read it, and we do not say that we can.
    assert not disagreement(bytes.fromhex("10 0f 0004 4d515454 04 02 003c 0003 646576"))
