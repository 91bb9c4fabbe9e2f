"""Tables keep every word, and print nothing that a terminal would obey."""

import pytest

from madina.output import print_fields, print_table


def test_no_heading_and_no_cell_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [f"a-long-heading-{n}" for n in range(20)]
    print_table(columns, [[n * 10**9 for n in range(20)]])
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == columns
    assert row.split() == [str(n * 10**9) for n in range(20)]


def test_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "count"), [("a", 5), ("b", 1_000)])
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "name  count",
        "a         5",
        "b      1000",
    ]


def test_what_devices_chose_stays_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("topic",), [("[red]a\x1b]0;title\x07 :warning:",)])
    print_fields([("topic", "\x1b[2J[/]")])
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\x07" not in printed
    assert "[red]a" in printed
    assert ":warning:" in printed
    assert "[2J[/]" in printed
