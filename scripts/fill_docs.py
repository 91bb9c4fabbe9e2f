"""Fill the parts of the documentation that the code knows better; `--check` only says what differs.

A generated part stands between `<!-- from: NAME -->` and `<!-- end -->`.
"""

import ast
import importlib.metadata
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer
from typer.core import TyperGroup

from loadtest.capacity.ask import Ask
from loadtest.capacity.plan import plan_of
from loadtest.capacity.words import markdown
from loadtest.simulate.costs import costs_of
from loadtest.simulate.load import Load, Standstill
from loadtest.simulate.run import simulate
from loadtest.simulate.words import fields
from madina.commands.load_plan import example_calibration
from madina.main import COMMANDS, build
from madina.settings import Settings, variable
from scripts.indicator_docs import contracts_text
from services.app import api_description

__all__ = [
    "PARTS",
    "calls_table",
    "capacity_plan",
    "command_rows",
    "commands_table",
    "events_table",
    "fill",
    "formats_table",
    "main",
    "openapi_text",
    "settings_table",
    "simulated_load",
]

ROOT = Path(__file__).parents[1]
ROOMS = (
    "city",
    "store",
    "registry",
    "link",
    "indicators",
    "gateway",
    "ingest",
    "services",
    "loadtest",
    "madina",
)
LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error"}
CODECS = ROOT / "ingest" / "codecs"
BENCH = ROOT / "docs" / "bench.md"
# A fact in the README of a format, and a format's figure among those of the benches.
FACT = re.compile(r"^- (topic|source): (.*)$", re.MULTILINE)
COST = re.compile(r"^\| \| codecs ([\w-]+): ([\d.]+) \|", re.MULTILINE)
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


def events_table() -> str:
    """Return a table of every event that is logged: name, level, members, and by which room."""
    found = {
        event for room in ROOMS for path in (ROOT / room).rglob("*.py") for event in _events(path)
    }
    rows = ["| event | level | members | room |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{name}` | {level} | {members} | {room} |"
        for name, level, members, room in sorted(found)
    ]
    return "\n".join(rows) + "\n"


def _events(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield what a module logs: calls of `log.LEVEL` with a name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name("log"), attr=level),
                args=[ast.Constant(str(name)), *_],
            ) if level in LEVELS:
                members = ", ".join(f"`{keyword.arg}`" for keyword in node.keywords if keyword.arg)
                yield name, LEVELS[level], members, path.relative_to(ROOT).parts[0]
            case _:
                pass


def calls_table() -> str:
    """Return a table of every call of the API."""
    rows = ["| call | does | key |", "| --- | --- | --- |"]
    for path, methods in _description()["paths"].items():
        for method, call in methods.items():
            does = call.get("description", "").partition("\n")[0]
            security = call.get("security", [])
            key = "" if not security else "for exact figures" if {} in security else "yes"
            rows.append(f"| `{method.upper()} {path}` | {does} | {key} |")
    return "\n".join(rows) + "\n"


def formats_table() -> str:
    """Return a table of every format, from its folder and the last measured figures."""
    costs = dict(COST.findall(BENCH.read_text(encoding="utf-8")))
    rows = [
        "| codec | format | topic | sample | CPU a message | source |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for folder in sorted(each.parent for each in CODECS.glob("*/codec.py")):
        name = folder.name.replace("_", "-")
        text = (folder / "README.md").read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix(f"# {name}: ")
        facts = {fact: said.replace("../../../docs/", "") for fact, said in FACT.findall(text)}
        sample = next(iter(sorted(folder.glob("cases/*/payload.*")))).relative_to(ROOT)
        cost = f"{costs[name]} µs" if name in costs else ""
        rows.append(
            f"| [`{name}`](../{folder.relative_to(ROOT)}/README.md) | {title} | {facts['topic']} |"
            f" [{sample.parent.name}](../{sample}) | {cost} | {facts['source']} |"
        )
    return "\n".join(rows) + "\n"


def openapi_text() -> str:
    """Return the description of the API for programs."""
    return json.dumps(_description(), indent=1, ensure_ascii=False) + "\n"


def _description() -> dict[str, Any]:
    return api_description(importlib.metadata.version("madina"))


def capacity_plan() -> str:
    """Return the plan of 500 billion devices by the calibration that comes along."""
    ask = Ask(devices=500e9, cities=10_000)
    return "\n" + markdown(plan_of(ask, example_calibration())) + "\n"


def simulated_load() -> str:
    """Return what a machine would do with an outage, by the calibration that comes along."""
    load = Load(rate_per_s=40_000, standstills=(Standstill("store", 10.0, 10.0),))
    rows = fields(simulate(load, costs_of(example_calibration())))
    lines = ["", "| figure | value |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows), "", ""])


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": settings_table,
    "commands": commands_table,
    "events": events_table,
    "calls": calls_table,
    "formats": formats_table,
    "capacity": capacity_plan,
    "simulated": simulated_load,
    "contracts": contracts_text,
}
OPENAPI: Final = ROOT / "docs" / "openapi.json"


def fill(text: str) -> str:
    """Return a document with its generated parts made again."""
    return PART.sub(lambda found: found[1] + PARTS[found[2]]() + found[3], text)


def main() -> int:
    """Fill every document; with `--check` change nothing and exit with 1 where one differs."""
    check = sys.argv[1:] == ["--check"]
    stale: list[Path] = []
    for path in [*sorted(ROOT.glob("docs/**/*.md")), OPENAPI]:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        filled = openapi_text() if path == OPENAPI else fill(text)
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
