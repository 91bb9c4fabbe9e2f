"""What a batch brings beside observations, as points of the books: series, quarantine, keys.

Points of a term count where their position does; see `store.influx.commits`. Keys of messages
without a time follow from the log alone, as observations do, and belong to no term.
"""

import base64
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from store.influx.line_protocol import tag, text
from store.influx.observation_lines import FRAME_SPAN_NS, FRAME_STEP_NS, NS_PER_US
from store.influx.positions import position
from store.interface import ORIGIN_SHARDS, QuarantineEntry, RecentKey, Resolution, Series

__all__ = [
    "LEDGER",
    "QUARANTINE",
    "RECENT",
    "RESOLUTIONS",
    "RETIRED",
    "SERIES",
    "entry_lines",
    "owner_tags",
    "payload_of",
    "recent_lines",
    "resolution_lines",
    "series_line",
]

SERIES: Final = "series"
QUARANTINE: Final = "quarantine"
RESOLUTIONS: Final = "resolutions"
RECENT: Final = "recent"
LEDGER: Final = "ledger"
RETIRED: Final = "counts"

# A string field is documented to hold 64 KB.
PAYLOAD_CHUNK: Final = 45_000


def owner_tags(shard: int, term: str) -> str:
    """Write the tags of what a term writes of a shard."""
    return f"shard={shard},term={tag(term)}"


def series_line(owner: str, at: int, number: int, series: Series, made_us: int) -> str:
    """Write a series.

    Args:
        owner: Tags of the shard and term.
        at: Position of the commit that it comes with.
        number: Counts what the term has written; the point's time.
        series: What it is.
        made_us: When its first message came, by which every process numbers series alike.
    """
    unit = "" if series.unit is None else f",unit={text(series.unit)}"
    return (
        f"{SERIES},{owner} provider={text(series.provider)},device={text(series.device)},"
        f"quantity={text(series.quantity)},kind={text(series.kind)}{unit},"
        f"at={at}i,made={made_us}i {number}"
    )


def entry_lines(
    owner: str, at: int, after_ns: int, entries: Sequence[QuarantineEntry]
) -> tuple[list[str], int]:
    """Write quarantine entries, each at its time of receipt or just behind the one before it.

    Returns:
        The lines, and the time of the last one.
    """
    lines: list[str] = []
    for entry in entries:
        after_ns = max(entry.received_us * NS_PER_US, after_ns + 1)
        lines.append(f"{QUARANTINE},{owner} {_entry_fields(entry)},at={at}i,settled=0i {after_ns}")
    return lines, after_ns


def _entry_fields(entry: QuarantineEntry) -> str:
    payload = base64.b64encode(entry.payload).decode()
    chunks = [payload[at : at + PAYLOAD_CHUNK] for at in range(0, len(payload) or 1, PAYLOAD_CHUNK)]
    fields = {name: getattr(entry, name) for name in QuarantineEntry.__struct_fields__}
    del fields["payload"]
    fields["reasons"] = msgspec.json.encode(entry.reasons).decode()
    fields |= {f"payload{number}": chunk for number, chunk in enumerate(chunks)}
    del fields["shard"]
    return ",".join(
        f"{name}={value}i" if isinstance(value, int) else f"{name}={text(value)}"
        for name, value in fields.items()
    )


def payload_of(row: dict[str, str | None]) -> bytes:
    """Return the payload that a row of quarantine holds."""
    chunks: list[str] = []
    while chunk := row.get(f"payload{len(chunks)}"):
        chunks.append(chunk)
    return base64.b64decode("".join(chunks))


def resolution_lines(
    owner: str, at: int, number: int, resolutions: Iterable[Resolution]
) -> list[str]:
    """Write what became of entries; `number` counts what the term has written."""
    return [
        f"{RESOLUTIONS},{owner} id={text(each.id)},state={text(each.state)},"
        f"reason={text(each.reason)},words={text(each.words)},resolved={each.resolved_us}i,"
        f"at={at}i {nth}"
        for nth, each in enumerate(resolutions, number)
    ]


def recent_lines(keys: Iterable[RecentKey], usual_origin: int, part: int) -> list[str]:
    """Write keys of a part of their frames; those of one frame in their order."""
    seen: dict[int, int] = {}
    lines: list[str] = []
    for key in keys:
        origin = key.origin or usual_origin
        nth = seen[origin] = seen.get(origin, -1) + 1
        sequence, shard = divmod(origin, ORIGIN_SHARDS)
        shift_ns = (sequence * FRAME_STEP_NS + nth) % FRAME_SPAN_NS
        place = position(sequence, part) * ORIGIN_SHARDS + shard
        lines.append(
            f"{RECENT},device={tag(key.device)},provider={tag(key.provider)}"
            f' key="{key.key:016x}",place={place}i {key.received_us * NS_PER_US + shift_ns}'
        )
    return lines
