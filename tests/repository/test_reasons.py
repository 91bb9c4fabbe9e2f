"""Every reason that a message or an observation can be refused for is named in a test."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from city.reasons import MessageReason, Note, ObservationReason

ROOT = Path(__file__).parents[2]
FILES = (("tests", "*.py"), ("tests/data", "*.json"), ("ingest/codecs", "*.json"))
TOLD = "\n".join(
    path.read_text(encoding="utf-8")
    for folder, pattern in FILES
    for path in sorted((ROOT / folder).rglob(pattern))
    if path != Path(__file__)
)


@pytest.mark.parametrize("reason", [*MessageReason, *ObservationReason, *Note])
def test_a_test_names_it(reason: StrEnum) -> None:
    kind = type(reason).__name__
    named = rf'\b{kind}\.{reason.name}\b|\bReason\.{reason.name}\b|"{reason.value}["(:\s]'
    assert re.search(named, TOLD), f"{kind}.{reason.name} is in no test"
