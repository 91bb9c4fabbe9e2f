"""Every message has one device and one place on one connection, both ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stream.numbering import Numbering


@pytest.mark.property
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 500))
def test_numbers_in_the_fleet_and_on_connections_are_the_same_messages(
    devices: int, connections: int, due: int
) -> None:
    numbering = Numbering(devices, min(devices, connections))
    seen: dict[int, list[int]] = {}
    for number in range(due):
        connection, local = numbering.local(number)
        assert numbering.number(connection, local) == number
        seen.setdefault(connection, []).append(local)
    for connection, local in seen.items():
        assert local == list(range(numbering.count(connection, due)))
    places = np.array([numbering.local(number) for number in range(due)], dtype=np.int64)
    back = numbering.numbers(*places.reshape(-1, 2).T)
    assert back.tolist() == list(range(due))
    owned = [numbering.of_device(device, due) for device in range(devices)]
    assert sorted(np.concatenate(owned).tolist()) == list(range(due))
