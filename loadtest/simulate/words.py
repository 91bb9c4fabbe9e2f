"""What a simulation came to, as words and tables. Pure."""

from typing import Final

from loadtest.simulate.run import Outcome

__all__ = ["PLACES", "fields", "queue_rows"]

PLACES: Final = {
    "devices": "with devices, not sent",
    "gateway": "sent, not on the log",
    "log": "on the log, not read",
    "ingest": "read, not applied",
}
ROWS: Final = 20


def fields(found: Outcome) -> list[tuple[str, str]]:
    """Return the figures of an outcome, name and value."""
    load = found.load
    backlog = f"p50 {found.backlog_p50:,.0f}, p99 {found.backlog_p99:,.0f} messages"
    devices = "devices on the same machine" if found.costs.generator.us_a_message else "no devices"
    used = f"{found.cores:.2f} of {found.costs.cores} in use, {devices}"
    words = [
        ("load", f"{load.rate_per_s:,.0f} messages a second for {load.seconds:g} s"),
        ("applied", f"{found.applied_per_s:,.0f} messages a second"),
        ("most", f"{found.saturation_per_s:,.0f} messages a second, flooded"),
        ("used", f"{load.rate_per_s / found.saturation_per_s:.0%} of that"),
        ("backlog", f"{backlog}, due and not applied"),
        ("cores", used),
        ("all applied", "never" if found.lasted_s is None else f"after {found.lasted_s:.1f} s"),
    ]
    if load.standstills:
        stood = (f"{each.part} {each.lasts_s:g} s at {each.at_s:g} s" for each in load.standstills)
        words += [
            ("standstill", ", ".join(stood)),
            ("caught up", "never" if found.drain_s is None else f"after {found.drain_s:.1f} s"),
            ("lost capacity", f"{found.lost_capacity:,.0f} messages it could have applied"),
        ]
    return words


def queue_rows(found: Outcome) -> list[tuple[object, ...]]:
    """Return where messages waited over time, some twenty rows."""
    step = max(1, len(found.queues) // ROWS)
    return [
        (round(each.elapsed_s, 1), *(getattr(each, place) for place in PLACES))
        for each in found.queues[::step]
    ]
