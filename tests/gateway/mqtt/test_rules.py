"""docs/mqtt-rules.md leaves no rule of the two specifications out, and each test in it exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "mqtt-rules.md").read_text(encoding="utf-8")

# How many numbered rules each section has (appendix B of MQTT 5.0 and of 3.1.1). Some sections of
# the standards do not begin at 1.
RULES_5 = (
    "1.5.4:3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:2-6 2.2.2:1 3.1.0:2 3.1.2:30 3.1.3:12 3.1.4:6 3.2.0:2 "
    "3.2.2:22 3.3.1:13 3.3.2:20 3.3.4:10 3.4.2:3 3.5.2:3 3.6.1:1 3.6.2:3 3.7.2:3 3.8.1:1 3.8.3:5 "
    "3.8.4:8 3.9.2:2 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.11.2:2 3.11.3:2 3.12.4:1 3.14.0:1 "
    "3.14.1:1 3.14.2:4 3.14.4:3 3.15.1:1 3.15.2:3 4.1.0:2 4.2.0:1 4.3.1:1 4.3.2:5 4.3.3:13 4.4.0:2 "
    "4.5.0:2 4.6.0:6 4.7.0:1 4.7.1:2 4.7.2:1 4.7.3:4 4.8.2:6 4.9.0:3 4.12.0:7 4.12.1:2 4.13.1:1 "
    "4.13.2:1 6.0.0:4"
)
RULES_3 = (
    "1.5.3:3 2.2.2:2 2.3.1:7 3.1.0:2 3.1.2:24 3.1.3:11 3.1.4:5 3.2.0:1 3.2.2:6 3.3.1:12 3.3.2:3 "
    "3.3.4:1 3.3.5:2 3.6.1:1 3.8.1:1 3.8.3:4 3.8.4:6 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.12.4:1 "
    "3.14.1:1 3.14.4:3 4.1.0:2 4.3.1:1 4.3.2:2 4.3.3:2 4.4.0:1 4.5.0:2 4.6.0:6 4.7.1:3 4.7.2:1 "
    "4.7.3:4 4.8.0:2 6.0.0:4 7.0.0:2 7.1.1:1 7.1.2:1"
)


def rows() -> list[list[str]]:
    """Return the cells of every line of the tables of rules."""
    start = PAGE.index("## Rules that we are held to")
    lines = [
        line for line in PAGE[start:].splitlines() if re.match(r"\| (\d+\.\d+\.\d+-|- \|)", line)
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named(column: int) -> list[str]:
    """Return the rules in a column, ranges written out."""
    found: list[str] = []
    for row in rows():
        for part in row[column].split(", "):
            if part == "-":
                continue
            section, numbers = part.split("-")
            first, _, last = numbers.partition("..")
            found += [f"{section}-{n}" for n in range(int(first), int(last or first) + 1)]
    return found


def expected(table: str) -> list[str]:
    found: list[str] = []
    for each in table.split():
        section, numbers = each.split(":")
        first, _, last = numbers.rpartition("-")
        found += [f"{section}-{n}" for n in range(int(first or 1), int(last) + 1)]
    return found


@pytest.mark.parametrize(("column", "table"), [(0, RULES_5), (1, RULES_3)], ids=["5.0", "3.1.1"])
def test_every_rule_is_named_once(column: int, table: str) -> None:
    rules = named(column)
    assert sorted(rules) == sorted(expected(table))


def test_every_test_of_the_page_exists() -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "gateway").rglob("test_*.py")
    )
    defined = set(re.findall(r"def (test_\w+)\(", tests))
    held = [row for row in rows() if len(row) == 5]
    assert len(held) > 70
    for row in held:
        names = re.findall(r"`(test_\w+)`", row[4])
        assert names, row
        assert set(names) <= defined, row
