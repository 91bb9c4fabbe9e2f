"""Decisions are numbered without a gap and have the parts that a reader looks for."""

import re
from pathlib import Path

PARTS = ("Status: ", "## Context", "## Decision", "## Consequences", "## Alternatives")


def test_decisions_are_numbered_from_one_without_a_gap(root: Path) -> None:
    names = sorted(path.name for path in (root / "docs" / "decisions").glob("*.md"))
    numbers = [int(name[:4]) for name in names]
    assert numbers == list(range(1, len(names) + 1))
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names)


def test_every_decision_has_all_its_parts(root: Path) -> None:
    for path in (root / "docs" / "decisions").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        missing = [part for part in PARTS if part not in text]
        assert not missing, f"{path.name} lacks {missing}"
