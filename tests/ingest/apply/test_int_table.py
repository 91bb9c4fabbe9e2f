"""The table says what a dict would say, however keys collide and however far it grows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.apply.int_table import ABSENT, EMPTY, IntTable

pytestmark = pytest.mark.property

KEYS = st.one_of(
    st.integers(0, 50), st.integers(-(1 << 63), (1 << 63) - 1).filter(lambda key: key != EMPTY)
)


@given(puts=st.lists(st.tuples(KEYS, st.integers(0, 1 << 30)), max_size=200), asked=st.lists(KEYS))
def test_it_answers_as_a_dict(puts: list[tuple[int, int]], asked: list[int]) -> None:
    table, reference = IntTable(), dict[int, int]()
    for key, value in puts:
        table.put(key, value)
        reference[key] = value
    keys = [*asked, *reference]
    expected = [reference.get(key, ABSENT) for key in keys]
    assert table.find(np.array(keys, np.int64)).tolist() == expected
    assert [table.get(key) for key in keys] == expected
    assert len(table) == len(reference)


def test_it_grows_without_losing_any() -> None:
    table = IntTable()
    # Neighbours, and multiples of a power of two: what devices and quantities look like.
    keys = [slot << 22 | pair for slot in range(20_000) for pair in range(2)]
    for value, key in enumerate(keys):
        table.put(key, value)
    assert (table.find(np.array(keys, np.int64)) == np.arange(len(keys))).all()
    assert (table.find(np.array(keys, np.int64) + 2) == ABSENT).all()
