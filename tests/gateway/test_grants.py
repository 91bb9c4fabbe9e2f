"""Who gets in and what they may publish: the decisions alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.access import AccessEntry, new_entry, new_secret
from city.topics import filter_matches
from gateway.grants import ANYTHING, Anonymous, Doorkeeper, Grant, Login, Refused

SECRET = new_secret()
ENTRIES = {
    "acme": new_entry("acme", SECRET, provider="acme"),
    "gone": AccessEntry("gone", "acme", disabled=True),
}


class Known:
    """Users in memory."""

    def __init__(self, *, known: bool = True) -> None:
        self.known = known

    def user(self, name: str) -> AccessEntry | None:
        return ENTRIES.get(name) if self.known else None


def login(
    user: str | None = None,
    secret: bytes | None = None,
    certificate: str | None = None,
    *,
    near: bool = False,
) -> Login:
    return Login(user, secret, certificate, near)


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        (login("acme", SECRET.encode()), "acme"),
        (login("acme", b"wrong", near=True), Refused.CREDENTIALS),
        (login("acme", None), Refused.CREDENTIALS),
        (login("nobody", SECRET.encode()), Refused.CREDENTIALS),
        (login(certificate="acme"), "acme"),
        # The certificate counts, whatever user it says it is.
        (login("acme", SECRET.encode(), certificate="nobody"), Refused.CREDENTIALS),
        (login(certificate="gone"), Refused.DISABLED),
        (login(near=True), ""),
        (login(), Refused.ANONYMOUS),
    ],
)
def test_a_login_is_decided_by_what_it_shows(shown: Login, answer: str | Refused) -> None:
    found = Doorkeeper(Known(), "loopback", proxied=False).admit(shown)
    assert (found.user if isinstance(found, Grant) else found) == answer


@pytest.mark.parametrize(("anonymous", "proxied"), [("never", False), ("loopback", True)])
def test_nobody_is_anonymous_where_that_is_off_or_a_proxy_hides_who_is_near(
    anonymous: Anonymous, proxied: bool
) -> None:
    doorkeeper = Doorkeeper(Known(), anonymous, proxied=proxied)
    assert doorkeeper.admit(login(near=True)) is Refused.ANONYMOUS


def test_a_device_is_asked_to_come_again_while_the_users_are_not_known() -> None:
    doorkeeper = Doorkeeper(Known(known=False), "loopback", proxied=False)
    assert doorkeeper.admit(login("acme", SECRET.encode())) is Refused.UNKNOWN_YET


LEVELS = st.sampled_from(["a", "b", "", "+", "$x"])
FILTERS = st.tuples(
    st.lists(LEVELS, min_size=1, max_size=3), st.sampled_from([list[str](), ["#"]])
).map(lambda parts: "/".join([*parts[0], *parts[1]]).encode())
TOPICS = st.lists(st.sampled_from(["a", "b", "", "$x"]), min_size=1, max_size=4).map(
    lambda levels: "/".join(levels).encode()
)


@given(filters=st.lists(FILTERS, max_size=3), topic=TOPICS)
def test_a_grant_allows_what_one_of_its_filters_matches(filters: list[bytes], topic: bytes) -> None:
    allowed = any(filter_matches(each, topic) for each in filters)
    assert Grant("acme", tuple(filters)).allows(topic) is allowed


def test_nobody_in_particular_may_publish_anything() -> None:
    assert ANYTHING.allows(b"any/topic")
