"""An inspection in words, for somebody who sees such traffic for the first time."""

from collections.abc import Iterator

from city.instants import to_text
from ingest.inspect.findings import Candidate, Findings, FoundQuantity, Group
from madina.output import print_table, printable
from madina.proposals.creating import Created

__all__ = ["print_created", "print_findings"]

DEVICES_SHOWN = 10
FAULTS_SHOWN = 5
SAMPLE_SHOWN = 160


def print_findings(findings: Findings) -> None:
    """Print what was found, a part a topic pattern."""
    patterns = "pattern" if len(findings.groups) == 1 else "patterns"
    more = " (more came than are looked at)" if findings.cut else ""
    print(f"{findings.messages} messages{more}, {len(findings.groups)} topic {patterns}")
    for group in findings.groups:
        print()
        _print_group(group)


def print_created(created: Created) -> None:
    """Print what became of a proposal."""
    for each in created.providers:
        print(printable(f"provider {each['name']} is registered"))
        if each.get("secret"):
            print(printable(f"  its devices' user {each['user']}, secret {each['secret']}"))
            print("  Keep the secret: nobody can ask for it again.")
    for name in created.routes:
        print(printable(f"route {name} is registered"))
    devices = f"{len(created.devices)} devices are registered"
    print(f"{devices}; {len(created.there)} things were there already")
    for name, fields in created.changed.items():
        print(printable(f"{name} is changed: {', '.join(fields)}"))


def _print_group(group: Group) -> None:
    print(printable(f"{group.pattern}   {group.messages} messages on {group.topics} topics"))
    print(printable(f"  {_verdict(group)} ({group.why})"))
    for sample in group.samples[:1]:
        text = " ".join(sample.payload.split())[:SAMPLE_SHOWN]
        print(printable(f"  sample of {sample.topic}: {text}"))
    for words, count in list(group.faults.items())[:FAULTS_SHOWN]:
        print(printable(f"  {count} cannot be read so: {words}"))
    for words in group.notes:
        print(printable(f"  note: {words}"))
    if len(group.candidates) > 1:
        print_table(("  read as", "samples", "would say"), map(_candidate, group.candidates))
    if group.quantities:
        print_table(
            ("  quantity", "unit", "sent as", "example", "confidence", "because"),
            map(_quantity, group.quantities),
        )
    if group.devices:
        print_table(("  device", "kind?", "messages", "every", "quantities"), _devices(group))


def _verdict(group: Group) -> str:
    if group.registered:
        return f"read by the route {group.route} as {group.codec}"
    if not group.codec:
        return "no proposal"
    if group.codec == "ignore":
        return (
            f"proposed: route {group.route}, counted and not stored; {group.confidence} confidence"
        )
    return (
        f"proposed: route {group.route} of provider {group.provider}, codec {group.codec}; "
        f"{group.confidence} confidence"
    )


def _candidate(found: Candidate) -> list[object]:
    said = ", ".join(
        f"{each.quantity}={each.value}{f' {each.unit}' if each.unit else ''}"
        + (f" at {to_text(each.time_us)}" if each.time_us is not None and not index else "")
        for index, each in enumerate(found.values[:4])
    )
    return [f"  {found.codec}", f"{found.read} of {found.of}", said or found.fault]


def _quantity(found: FoundQuantity) -> list[object]:
    return [f"  {found.quantity}", found.unit, found.sent_as, str(found.example),
            found.confidence, found.why]  # fmt: skip


def _devices(group: Group) -> Iterator[list[object]]:
    for each in group.devices[:DEVICES_SHOWN]:
        every = "" if each.interval_s is None else f"{each.interval_s:g} s"
        name = f"  {each.provider}/{each.id}"
        yield [name, each.kind, each.messages, every, ", ".join(each.quantities)]
    left = len(group.devices) - DEVICES_SHOWN
    if left > 0:
        yield [f"  and {left} more", "", "", "", ""]
