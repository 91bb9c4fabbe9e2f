"""The balance: what it calls a difference."""

from hypothesis import given
from hypothesis import strategies as st

from city.ledger import Balance, MessageCounts, ObservationCounts

COUNTS = st.integers(0, 10**12)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_a_balance_whose_parts_add_up_has_no_difference(
    accepted: int, quarantined: int, duplicate: int, pending: int
) -> None:
    received = accepted + quarantined + duplicate + pending
    balance = Balance(
        MessageCounts(received, accepted, quarantined, duplicate, pending),
        ObservationCounts(accepted + quarantined, accepted, quarantined, 0),
    )
    assert (balance.difference.messages, balance.difference.observations) == (0, 0)


def test_a_lost_message_shows_as_a_positive_difference() -> None:
    balance = Balance(MessageCounts(received=10, accepted=9), ObservationCounts())
    assert balance.difference.messages == 1


def test_an_observation_counted_twice_shows_as_a_negative_difference() -> None:
    balance = Balance(MessageCounts(), ObservationCounts(decoded=1, stored=2))
    assert balance.difference.observations == -1
