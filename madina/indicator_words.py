"""An explanation of a number as people read it on a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from madina.output import print_fields, print_table

__all__ = ["print_explanation"]

ROW = ("value", "unrounded", "band", "main_input", "state", "reason", "marks", "revision")


def print_explanation(found: Mapping[str, Any]) -> None:
    """Print an answer of `/v1/indicators/{id}/explain`, the answer first and then its reasons."""
    row = found["value"]
    print_fields(_head(found, row))
    if found["components"]:
        _titled("made of", ("indicator", "value", "band", "completeness"), found["components"])
    _print_inputs(found["inputs"])
    _titled(
        "revisions",
        ("revision", "value", "completeness", "cause", "reason", "computed_at"),
        found["revisions"],
    )
    _print_ledger(found["ledger"])
    for each in found["inputs"]:
        if "items" in each:
            columns = ("time", "value", "unit", "flag", "received_at")
            _titled(f"observations of {each['device']}, {each['quantity']}", columns, each["items"])


def _head(found: Mapping[str, Any], row: Mapping[str, Any]) -> list[tuple[str, object]]:
    complete = f"{row['completeness']:.0%}, {row['n_used']} of {row['n_expected']}"
    sources = [
        " ".join(filter(None, (each["document"], each["section"], f"({each['mark']})")))
        for each in found["sources"]
    ]
    return [
        ("indicator", f"{found['indicator']}: {found['title']}"),
        ("area", row["area"]),
        ("period", f"{row['start']} to {row['end']} ({row['tz']})"),
        *((name, _text(row[name])) for name in ROW if row[name] not in (None, [])),
        ("unit", found["unit"]),
        ("completeness", complete + (", so no value is published" if row["value"] is None else "")),
        ("formula", found["formula"]),
        ("definition", f"version {found['version']}, sha256 {found['hash'][:16]}"),
        *(("source", source) for source in sources),
    ]


def _print_inputs(inputs: Sequence[Mapping[str, Any]]) -> None:
    columns = ("device", "quantity", "observations", "used", "excluded", "interval", "parts")
    rows = [
        (
            each["device"],
            each["quantity"],
            each["observations"],
            each["used"],
            _excluded(each),
            f"{each['interval_s']:g} s{'' if each['interval_declared'] else ', not declared'}",
            _parts(each["parts"]),
        )
        for each in inputs
    ]
    print("\ninputs")
    print_table(columns, rows)
    for each in inputs:
        for one in each["corrections"]:
            until = one["end"] or "further notice"
            words = f"{one['factor']:g} x value {one['offset']:+g}, {one['start']} until {until}"
            print(f"calibrated: {each['device']} {each['quantity']} = {words}")


def _excluded(each: Mapping[str, Any]) -> str:
    words = [f"{part['count']} {part['reason']}" for part in each["excluded"]]
    if each["conflicts"]:
        words.append(f"{each['conflicts']} later values for a time that had one")
    return "; ".join(words) or "none"


def _parts(parts: Sequence[Mapping[str, Any]]) -> str:
    """Say how many hours or periods were complete enough, and name the first that were not."""
    missing = [part for part in parts if not part["counted"]]
    words = f"{len(parts) - len(missing)} of {len(parts)} complete enough"
    if not missing:
        return words
    first = missing[0]
    return f"{words}; {first['start']} has {first['used']} of {first['expected']}"


def _print_ledger(ledger: Mapping[str, Any]) -> None:
    print(f"\nledger, {ledger['since']} to {ledger['until']} (when the inputs were received)")
    columns = ("provider", "received", "accepted", "quarantined", "duplicate")
    print_table(columns, [[line[name] for name in columns] for line in ledger["providers"]])
    pending = ledger["pending"]
    waiting = "not known, the log does not answer" if pending is None else str(pending)
    print(f"messages that wait on the log now: {waiting}")
    for device, count in ledger["held"].items():
        print(f"in quarantine of {device}: {count}, see `madina quarantine list`")


def _titled(title: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    print(f"\n{title}")
    print_table(columns, [[_text(row.get(name)) for name in columns] for row in rows])


def _text(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - of any kind
    return value
