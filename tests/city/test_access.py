"""Access entries: what a user may do, and that secrets stay secret."""

import pytest

from city.access import (
    AccessLimits,
    ShardRule,
    ShardRules,
    decode_entry,
    decode_limits,
    decode_routes,
    encode_access,
    new_entry,
    new_secret,
    user_key,
)
from city.topics import TopicFilterError


def test_a_secret_opens_its_own_entry_and_no_other() -> None:
    secret = new_secret()
    entry = new_entry("acme", secret, provider="acme")
    assert entry.opens_with(secret.encode())
    assert not entry.opens_with(secret[:-1].encode())
    assert not new_entry("acme", new_secret(), provider="acme").opens_with(secret.encode())


def test_an_entry_without_a_secret_opens_with_nothing() -> None:
    entry = decode_entry(b'{"user":"meter","provider":"acme"}')
    assert not entry.opens_with(b"")


def test_the_secret_is_not_in_the_entry() -> None:
    secret = new_secret()
    assert secret.encode() not in encode_access(new_entry("acme", secret, provider="acme"))


def test_an_entry_survives_the_bucket() -> None:
    entry = new_entry("acme", new_secret(), provider="acme", device="m1", topics=("spBv1.0/g/#",))
    assert decode_entry(encode_access(entry)) == entry


def test_a_provider_may_publish_its_own_part_and_its_routes() -> None:
    entry = new_entry("acme", "s", provider="acme", topics=("tele/+/SENSOR",))
    assert entry.filters() == (b"madina/v1/acme/#", b"tele/+/SENSOR")


def test_a_device_may_publish_its_own_part_only() -> None:
    entry = new_entry("acme-m1", "s", provider="acme", device="m1")
    assert entry.filters() == (b"madina/v1/acme/m1/#",)


@pytest.mark.parametrize("provider", ["", "+", "a/b", "#"])
def test_a_provider_that_would_open_more_than_one_level_is_refused(provider: str) -> None:
    with pytest.raises(TopicFilterError):
        new_entry("acme", "s", provider=provider)


def test_a_key_holds_only_what_a_bucket_allows() -> None:
    assert user_key("métier 7") == "user.6dc3a974696572" + "2037"


def test_the_first_matching_rule_names_the_levels_that_decide_the_shard() -> None:
    rules = ShardRules((ShardRule("spBv1.0/#", (2, 4)), ShardRule("#", (1,))))
    assert rules.key_of(b"spBv1.0/group/NDATA/edge/device") == b"group/edge"
    assert rules.key_of(b"spBv1.0/group/NDATA/edge") == b"group/edge"
    assert rules.key_of(b"tele/plug/SENSOR") == b"tele"
    assert ShardRules().key_of(b"tele/plug/SENSOR") == b"tele/plug/SENSOR"


def test_rules_and_limits_survive_the_bucket() -> None:
    rules = ShardRules((ShardRule("spBv1.0/#", (2, 4)),))
    limits = AccessLimits(max_connections=10)
    assert decode_routes(encode_access(rules)) == rules
    assert decode_limits(encode_access(limits)) == limits
