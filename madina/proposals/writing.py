"""An inspection as a TOML file: what would be created, and beside it why, and how sure. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import tomlkit

from city.topics import MASK
from ingest.inspect.findings import Findings, FoundQuantity, Group
from madina.output import printable

__all__ = ["proposal_text"]

SAMPLE_SHOWN = 160
FAULTS_SHOWN = 5
HEAD = (
    "What `madina inspect` proposes. Read it, change what is wrong, delete what you do not want;",
    "then create it: madina inspect --apply THIS-FILE",
)


def proposal_text(findings: Findings, about: str) -> str:
    """Return a proposal for everything that no route reads yet.

    Args:
        findings: Of an inspection.
        about: What was looked at, for people.
    """
    groups = [each for each in findings.groups if not each.registered]
    lines = [*_comments(*HEAD, about)]
    providers = dict.fromkeys(each.provider for each in groups if each.codec)
    for provider in providers:
        lines += ["", "[[providers]]", f"name = {_written(provider)}", 'title = ""', 'contact = ""']
    for group in groups:
        lines += ["", *_route(group)]
    for group in groups:
        lines += _devices(group)
    return "\n".join(lines) + "\n"


def _route(group: Group) -> Iterator[str]:
    yield from _comments(
        f"{group.messages} messages on {group.topics} topics; "
        f"{group.confidence} confidence: {group.why}"
    )
    for sample in group.samples[:1]:
        text = " ".join(sample.payload.split())[:SAMPLE_SHOWN]
        yield from _comments(f"{sample.topic}: {text}")
    for words, count in list(group.faults.items())[:FAULTS_SHOWN]:
        yield from _comments(f"{count} of them cannot be read so: {words}")
    yield from _comments(*(f"note: {words}" for words in group.notes))
    if group.codec and MASK not in group.pattern:
        yield from _table(group)
    else:
        yield from _comments(f"nothing is proposed for {group.pattern}")


def _table(group: Group) -> Iterator[str]:
    yield "[[routes]]"
    yield f"name = {_written(group.route)}"
    for member in ("pattern", "codec", "provider"):
        yield f"{member} = {_written(getattr(group, member))}"
    if "values" not in group.options:
        yield from _comments(*map(_quantity, group.quantities))
    if group.options:
        yield "[routes.options]"
    for name, option in group.options.items():
        if name == "values":
            yield from _values(option, group.quantities)
        elif option != {}:
            yield f"{name} = {_written(option)}"


def _values(values: Sequence[dict[str, Any]], found: Sequence[FoundQuantity]) -> Iterator[str]:
    """Yield the values of a mapping, a line each, behind what they rest on."""
    said = {(each.sent_as, each.quantity): each for each in found}
    yield "values = ["
    for value in values:
        about = said.get((value.get("path", ""), value["quantity"]))
        if about is not None:
            yield f"    # {printable(_quantity(about))}"
        yield f"    {_written(value)},"
    yield "]"


def _devices(group: Group) -> Iterator[str]:
    for each in group.devices:
        yield ""
        yield from _comments(f"{each.messages} messages: {', '.join(each.quantities)}")
        yield "[[devices]]"
        yield f"provider = {_written(each.provider)}"
        yield f"id = {_written(each.id)}"
        yield f"kind = {_written(each.kind)}"
        if each.interval_s is not None:
            yield f"expected_interval_s = {_written(each.interval_s)}"


def _quantity(found: FoundQuantity) -> str:
    unit = f" in {found.unit}" if found.unit else ""
    return f"{found.quantity}{unit}, as in {found.example}; {found.confidence}: {found.why}"


def _comments(*lines: str) -> Iterator[str]:
    for line in lines:
        yield f"# {printable(line)}"


def _written(value: object) -> str:
    """Return a value as TOML on one line."""
    if not isinstance(value, dict):
        return tomlkit.item(value).as_string()
    table = tomlkit.inline_table()
    for name, member in cast("dict[str, object]", value).items():
        table[name] = member
    return table.as_string()
