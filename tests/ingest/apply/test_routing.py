"""Which route a topic takes."""

import pytest

from ingest.apply.routing import Router
from ingest.codecs.catalogue import find_codecs
from registry.facts import Route

ROUTES = [
    Route("all", "#", "ignore", "city", recorded=False, timezone=None, revision=1),
    Route("native", "madina/v1/+/+/up", "native", None, recorded=False, timezone=None, revision=2),
    Route("one", "madina/v1/acme/x/up", "native", None, recorded=True, timezone=None, revision=3),
    Route("plus", "a/+/c", "native", "city", recorded=False, timezone="Asia/Tokyo", revision=4),
    Route("hash", "a/#", "other", "city", recorded=False, timezone=None, revision=5),
    Route("twin", "a/+/c", "other", "city", recorded=False, timezone=None, revision=6),
]


@pytest.mark.parametrize(
    ("topic", "route", "codec", "provider"),
    [
        ("madina/v1/acme/y/up", "native", "native", "acme"),
        ("madina/v1/acme/x/up", "one", "native", "acme"),
        ("a/b/c", "plus", "native", "city"),
        ("a/b/c/d", "hash", "other", "city"),
        ("z", "all", "ignore", "city"),
    ],
)
def test_the_most_specific_route_wins(topic: str, route: str, codec: str, provider: str) -> None:
    lane = Router(ROUTES, find_codecs(), "UTC").lane(topic)
    assert lane is not None
    assert (lane.route, lane.codec, lane.provider) == (route, codec, provider)


def test_topics_of_our_own_name_their_codec() -> None:
    router = Router(ROUTES[1:2], find_codecs(), "Europe/Madrid")
    raw = router.lane("madina/v1/acme/y/raw/native")
    status = router.lane("madina/v1/acme/y/status")
    assert raw is not None
    assert raw.reader is not None
    assert raw.timezone == "Europe/Madrid"
    assert status is not None
    assert status.codec == "ignore"
    senml = router.lane("madina/v1/acme/y/raw/senml")
    assert senml is not None
    assert senml.codec == "senml-json"
    assert router.lane("madina/v1/acme/y/cmd") is None
    assert router.lane("madina/v1/indicators/y/up") is None
    assert router.lane("elsewhere") is None


def test_a_zone_of_the_route_wins() -> None:
    lane = Router(ROUTES, find_codecs(), "UTC").lane("a/b/c")
    assert lane is not None
    assert lane.timezone == "Asia/Tokyo"


def test_a_mapping_reads_topics_of_our_own_that_name_it() -> None:
    options = '{"mapping": "vendor-x", "input": "json"}'
    route = Route(
        "x", "x/#", "mapping", "city", recorded=False, timezone=None, revision=1, options=options
    )
    router = Router([route], find_codecs(), "UTC")
    lane = router.lane("madina/v1/acme/y/raw/vendor-x")
    assert lane is not None
    assert (lane.codec, lane.route, lane.provider) == ("mapping", "x", "acme")
    assert lane.options["mapping"] == "vendor-x"
    other = router.lane("madina/v1/acme/y/raw/vendor-y")
    assert other is not None
    assert other.reader is None
