"""A bounded part of `make fuzz`, always the same bytes; and what it does when something escapes."""

import random

import pytest

from fuzz.codecs import Codecs
from fuzz.frames import Frames
from fuzz.inspector import InspectorTarget
from fuzz.mutation import mutate
from fuzz.native import Native
from fuzz.report import Budget, Decided, Report
from fuzz.target import EscapeError, Target, run_target

CASES = 20_000
TARGETS: list[type[Target]] = [Frames, Native, Codecs, InspectorTarget]
# Each case is several messages, read as every format that could be.
FEWER: dict[type[Target], int] = {InspectorTarget: 2_000}


def run(target: Target, seed: int, cases: int) -> Report:
    return run_target(target, random.Random(seed), Budget(cases=cases, seconds=60), print_nothing)


def print_nothing(_: Report) -> None:
    """Leave progress out."""


@pytest.mark.parametrize("new", TARGETS, ids=lambda new: new.__name__)
def test_nothing_escapes(new: type[Target]) -> None:
    cases = FEWER.get(new, CASES)
    report = run(new(), 20261124, cases)
    assert report.cases >= cases
    # A target that reads everything, or nothing, tries nothing out.
    assert report.accepted > cases / 20
    assert report.refused > cases / 20


@pytest.mark.parametrize("new", TARGETS, ids=lambda new: new.__name__)
def test_a_seed_gives_the_same_bytes_again(new: type[Target]) -> None:
    inputs = [[new().make(random.Random(seed)) for _ in range(5)] for seed in (1, 1, 2)]
    assert inputs[0] == inputs[1] != inputs[2]


class Careless:
    """Reads bytes as if nobody were hostile."""

    name = "careless"

    def make(self, rng: random.Random) -> bytes:
        return mutate(b"12345678", rng)

    def check(self, data: bytes) -> Decided:
        int(data.decode())
        return Decided(accepted=1)


def test_what_escapes_is_kept_and_escapes_again() -> None:
    with pytest.raises(EscapeError, match=r"careless: \d+ bytes escaped after") as caught:
        run(Careless(), 1, CASES)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(ValueError, match=r"invalid|decode"):
        Careless().check(caught.value.data)


def test_damage_is_of_every_kind() -> None:
    rng, whole = random.Random(1), bytes(range(64))
    damaged = [mutate(whole, rng) for _ in range(2_000)]
    sizes = {len(each) - len(whole) for each in damaged}
    assert whole in damaged
    assert min(sizes) < -16
    assert max(sizes) > 16
    assert len({each for each in damaged if len(each) == len(whole)}) > 300
