"""MQTT topic filters: who may publish where, and which topics a rule speaks of.

Source: MQTT 5.0 section 4.7 (the same words in 3.1.1). Bytes in UTF-8; no I/O, no state.
"""

import re
from collections.abc import Sequence

__all__ = [
    "MASK",
    "TopicFilterError",
    "check_filter",
    "filled_filter",
    "filter_matches",
    "masked_topic",
    "specificity",
]

# What stands for a secret wherever a topic is kept or shown.
MASK = "***"
# FIWARE's IoT Agents: the level before the device is a key that devices share.
KEYED = re.compile(
    r"(/(?:ul|json)/)[^/]+(/.*)"
    r"|((?:ul|json)/)[^/]+(/[^/]*/(?:attrs|cmd|cmdexe|configuration)(?:/.*)?)",
    re.DOTALL,
)
RANKS = {"+": 1, "#": 2}
SINGLE = b"+"
MULTI = b"#"


class TopicFilterError(ValueError):
    """A topic filter that MQTT does not know."""

    def __init__(self, topic_filter: bytes, cause: str) -> None:
        super().__init__(f"topic filter {topic_filter.decode(errors='replace')!r}: {cause}")
        self.topic_filter = topic_filter
        self.cause = cause


def check_filter(topic_filter: bytes) -> None:
    """Say whether a filter is well-formed.

    Raises:
        TopicFilterError: If it is empty, holds U+0000 or has a wildcard inside a level.
    """
    if not topic_filter or b"\0" in topic_filter:
        raise TopicFilterError(topic_filter, "empty or with a NUL character")
    levels = topic_filter.split(b"/")
    if MULTI in levels[:-1]:
        raise TopicFilterError(topic_filter, "`#` stands only at the end")
    for level in levels:
        if len(level) > 1 and (SINGLE in level or MULTI in level):
            raise TopicFilterError(topic_filter, f"wildcard inside the level {level!r}")


def filter_matches(topic_filter: bytes, topic: bytes) -> bool:
    """Say whether a topic name is one that a well-formed filter speaks of.

    `a/#` matches `a` as well; a wildcard in the first level does not match `$...`.
    """
    if topic[:1] == b"$" and topic_filter[:1] in (SINGLE, MULTI):
        return False
    wanted = topic_filter.split(b"/")
    levels = topic.split(b"/")
    if wanted[-1] == MULTI:
        wanted.pop()
        if len(levels) < len(wanted):
            return False
        levels = levels[: len(wanted)]
    return len(levels) == len(wanted) and all(
        want in (SINGLE, level) for want, level in zip(wanted, levels, strict=True)
    )


def specificity(topic_filter: str) -> list[int]:
    """Return what sorts filters, most specific first.

    Level by level a name goes before `+`, and `+` before `#`.
    """
    return [RANKS.get(level, 0) for level in topic_filter.split("/")]


def filled_filter(topic_filter: str, levels: Sequence[str]) -> str | None:
    """Return the topic that a filter becomes when levels stand in place of its wildcards.

    `+` takes one level, `#` all that are left; None where there are too few or too many, or where
    one cannot be a level.
    """
    left = [*levels]
    if any(not level or set(level) & set("+#\0/") for level in left):
        return None
    topic: list[str] = []
    for level in topic_filter.split("/"):
        if level == "#":
            topic += left
            left = []
        elif level != "+":
            topic.append(level)
        elif left:
            topic.append(left.pop(0))
        else:
            return None
    return None if left or not topic else "/".join(topic)


def masked_topic(topic: str) -> str:
    """Return a topic as it may be kept and shown: without the key that some formats put there."""
    keyed = KEYED.fullmatch(topic)
    if keyed is None:
        return topic
    before, behind = (keyed[1], keyed[2]) if keyed[1] else (keyed[3], keyed[4])
    return f"{before}{MASK}{behind}"
