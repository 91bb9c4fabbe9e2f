"""What the documentation says of each contract: definition, source, a worked example, its mark."""

from collections.abc import Iterator
from typing import Final

from indicators.contracts import load
from indicators.contracts.model import Contract, Vector
from indicators.formula_words import formula_words

__all__ = ["contracts_text"]

# A vector that does not say its interval is of hours.
HOUR_S: Final = 3_600


def contracts_text() -> str:
    """Return a section for each contract, by id and version."""
    contracts = load()
    each = [version for name in contracts.ids() for version in contracts.versions(name)]
    return "\n".join(line for contract in each for line in _section(contract))


def _section(contract: Contract) -> Iterator[str]:
    mark = " · provisional" if contract.provisional else ""
    yield f"### {contract.title['en']} (`{contract.id}` {contract.version}){mark}"
    yield ""
    yield f"- Value: `{contract.unit}`; {', '.join(contract.grains)}; since {contract.valid_from}"
    yield f"- Definition: {formula_words(contract)}"
    if contract.inputs:
        yield f"- Inputs: {', '.join(f'`{e.quantity}` ({e.unit})' for e in contract.inputs)}"
    gates = ", ".join(f"{level} {share:g}" for level, share in contract.completeness.items())
    needed = gates or "what it is made of"
    yield f"- Needed: {needed}; places become a district by {_rule(contract)}"
    for source in contract.sources:
        where = ", ".join(filter(None, (source.document, source.section, source.url)))
        yield f"- Source: {where} ({source.mark})"
    for label in contract.kpi:
        number = f" {label.kpi_id}" if label.kpi_id else ""
        yield f"- Label: {label.kpi_scheme}{number}, {label.kpi_version} ({label.fit})"
    yield f"- Example: {_example(contract, contract.tests[0])}"
    yield ""


def _rule(contract: Contract) -> str:
    rule = contract.spatial.rule.replace("_", " ")
    return "nothing: only devices and places have it" if rule == "none" else f"`{rule}`"


def _example(contract: Contract, vector: Vector) -> str:
    minutes, seconds = divmod(vector.interval_s, 60)
    every = f"{seconds} s" if seconds else f"{minutes} min"
    if vector.interval_s == HOUR_S:
        every = "hour"
    given = "; ".join(f"`{name}` {text}" for name, text in vector.given.items())
    step = f", one each {every}" if contract.inputs else ""
    found = ", ".join(f"{name} {_shown(value)}" for name, value in vector.expect.items())
    return f"{given}{step} → {found}"


def _shown(value: float | str | list[str]) -> str:
    if isinstance(value, list):
        return " and ".join(value) or "none"
    return value if isinstance(value, str) else f"{value:g}"
