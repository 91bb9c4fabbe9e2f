"""Fill the parts of the documentation that the code knows better; `--check` only says what differs.

A generated part stands between `<!-- from: NAME -->` and `<!-- end -->`.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import typer
from typer.core import TyperGroup

from madina.main import COMMANDS, build
from madina.settings import Settings, variable

__all__ = ["PARTS", "command_rows", "commands_table", "fill", "main", "settings_table"]

ROOT = Path(__file__).parents[1]
PART = re.compile(r"(<!-- from: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings_table() -> str:
    """Return a table of every setting."""
    defaults = Settings.model_validate({}).model_dump(mode="json")
    rows = ["| setting | default | means |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if defaults[name] is None else f"`{defaults[name]}`"
        rows.append(f"| `{variable(name)}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def commands_table() -> str:
    """Return a table of every command."""
    rows = ["| command | does |", "| --- | --- |"]
    rows += command_rows("madina", typer.main.get_group(build(list(COMMANDS))))
    return "\n".join(rows) + "\n"


def command_rows(prefix: str, group: TyperGroup) -> Iterator[str]:
    """Return a row for each command of a group, groups in it spread out."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from command_rows(f"{prefix} {name}", command)
        elif not command.hidden:
            yield f"| `{prefix} {name}` | {(command.help or '').splitlines()[0]} |"


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": settings_table,
    "commands": commands_table,
}


def fill(text: str) -> str:
    """Return a document with its generated parts made again."""
    return PART.sub(lambda found: found[1] + PARTS[found[2]]() + found[3], text)


def main() -> int:
    """Fill every document; with `--check` change nothing and exit with 1 where one differs."""
    check = sys.argv[1:] == ["--check"]
    stale: list[Path] = []
    for path in sorted(ROOT.glob("docs/**/*.md")):
        text = path.read_text(encoding="utf-8")
        filled = fill(text)
        if filled != text:
            stale.append(path)
            if not check:
                path.write_text(filled, encoding="utf-8")
    for path in stale:
        print(f"{'stale' if check else 'filled'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("MADINA_")]:
        del os.environ[name]
    sys.exit(main())
