"""Topic filters: MQTT 5.0 section 4.7, case by case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.topics import TopicFilterError, check_filter, filter_matches

LEVELS = st.lists(st.text("abc$ é", max_size=4).map(str.encode), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        (b"sport/tennis/player1/#", b"sport/tennis/player1"),
        (b"sport/tennis/player1/#", b"sport/tennis/player1/ranking"),
        (b"sport/tennis/player1/#", b"sport/tennis/player1/score/wimbledon"),
        (b"sport/tennis/+", b"sport/tennis/player1"),
        (b"sport/+", b"sport/"),
        (b"+/+", b"/finance"),
        (b"/+", b"/finance"),
        (b"#", b"a/b/c"),
        (b"$SYS/#", b"$SYS/monitor"),
    ],
)
def test_a_filter_matches_what_the_specification_says(topic_filter: bytes, topic: bytes) -> None:
    check_filter(topic_filter)
    assert filter_matches(topic_filter, topic)


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        (b"sport/tennis/+", b"sport/tennis/player1/ranking"),
        (b"sport/+", b"sport"),
        (b"+", b"/finance"),
        (b"#", b"$SYS/monitor"),
        (b"+/monitor", b"$SYS/monitor"),
        (b"a/b/#", b"a"),
        (b"a/b", b"a/B"),
    ],
)
def test_a_filter_leaves_everything_else_alone(topic_filter: bytes, topic: bytes) -> None:
    assert not filter_matches(topic_filter, topic)


@pytest.mark.parametrize("topic_filter", [b"", b"a/#/b", b"a#", b"a+/b", b"a\0b", b"##"])
def test_a_malformed_filter_is_refused_by_name(topic_filter: bytes) -> None:
    with pytest.raises(TopicFilterError) as refused:
        check_filter(topic_filter)
    assert refused.value.topic_filter == topic_filter


@given(LEVELS)
def test_a_topic_without_wildcards_matches_itself(levels: list[bytes]) -> None:
    topic = b"/".join(levels)
    assert filter_matches(topic, topic)
