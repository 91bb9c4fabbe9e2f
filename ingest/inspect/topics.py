"""Topics to patterns: which levels name a device, and which are always the same. Pure.

A level that looks like an id becomes `+`; words stay, unless what stands beside and below them is
alike. The first level always stays: no proposal takes everything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from city.quantities import quantity_name, quantity_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

__all__ = ["FIXED", "is_quantity_word", "topic_patterns"]

# Where a format's own documents say how its topics are built; source: formats.md 4, 5, 7 to 9, 11.
FIXED: Final = {
    "sparkplug-b": ("spBv1.0/#",),
    "tts-v3": ("v3/+/devices/+/up",),
    "chirpstack-v4": ("application/+/device/+/event/+",),
    "chirpstack-v3": ("application/+/device/+/event/+", "application/+/device/+/rx"),
    "ultralight": ("/ul/+/+/attrs/#", "ul/+/+/attrs/#"),
    "iota-json": ("/json/+/+/attrs/#", "json/+/+/attrs/#"),
    "tasmota": ("tele/+/SENSOR",),
}
VERSION: Final = re.compile(r"v\d+(?:\.\d+)*")


def is_quantity_word(level: str) -> bool:
    """Say whether a level names a quantity that is known, as in `hall/thermo-1/temp`."""
    name = quantity_name(level)
    return name is not None and quantity_of(name) is not None


def topic_patterns(topics: Iterable[tuple[str, Hashable]]) -> list[str]:
    """Return topic filters, each topic fitting one, for topics with what their messages look like.

    Args:
        topics: Topic and anything that is equal for messages that look alike.
    """
    by_length: dict[int, set[tuple[tuple[str, ...], Hashable]]] = defaultdict(set)
    for topic, shape in topics:
        levels = tuple(topic.split("/"))
        by_length[len(levels)].add((levels, shape))
    return [
        "/".join(pattern)
        for _, items in sorted(by_length.items())
        for pattern in sorted(_patterns(items, 0))
    ]


def _is_id(level: str) -> bool:
    digits = any(each.isdigit() for each in level)
    return digits and not VERSION.fullmatch(level) and not is_quantity_word(level)


def _patterns(
    items: set[tuple[tuple[str, ...], Hashable]], depth: int
) -> dict[tuple[str, ...], frozenset[Hashable]]:
    """Return patterns of the levels from a depth on, with the shapes below each."""
    buckets: dict[str, set[tuple[tuple[str, ...], Hashable]]] = defaultdict(set)
    for levels, shape in items:
        level = levels[depth]
        buckets["+" if depth and _is_id(level) else level].add((levels, shape))
    if all(len(levels) == depth + 1 for levels, _ in items):
        below = {
            level: {(): frozenset(shape for _, shape in found)} for level, found in buckets.items()
        }
    else:
        below = {level: _patterns(found, depth + 1) for level, found in buckets.items()}
    return _merged(below, depth)


def _merged(
    below: dict[str, dict[tuple[str, ...], frozenset[Hashable]]], depth: int
) -> dict[tuple[str, ...], frozenset[Hashable]]:
    """Make `+` of words that have the same below them."""
    alike: dict[Hashable, list[str]] = defaultdict(list)
    for level, suffixes in below.items():
        alike[frozenset(suffixes.items())].append(level)
    found: dict[tuple[str, ...], frozenset[Hashable]] = {}
    for levels in alike.values():
        words = any(is_quantity_word(each) for each in levels)
        merge = depth > 0 and len(levels) > 1 and not words
        for level in ["+"] if merge else levels:
            for suffix, shapes in below[levels[0] if merge else level].items():
                pattern = (level, *suffix)
                found[pattern] = found.get(pattern, frozenset()) | shapes
    return found
