"""The part of a batch that pages are told at once: the newest observations, one a series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from city.live import LiveObservation
from ingest.apply.watermarks import Verdict

if TYPE_CHECKING:
    from ingest.apply.batching import Digest
    from ingest.apply.memory import Memory

__all__ = ["LIVE_MAX", "live_sample"]

# Of one batch: each costs about a microsecond, and pages show hundreds.
LIVE_MAX: Final = 200

_value = msgspec.json.Decoder(bool | int | str)


def live_sample(digest: Digest, memory: Memory) -> list[LiveObservation]:
    """Return the last stored observations of a batch, at most `LIVE_MAX`, in log order."""
    rows = digest.rows
    stored: list[int] = np.flatnonzero(digest.verdicts == Verdict.STORED)[-LIVE_MAX:].tolist()
    sample: dict[int, LiveObservation] = {}
    for at in stored:
        series = int(rows.series[at])
        slot, quantity = memory.book.name(series)
        provider, device = memory.view.name(slot)
        other = None if rows.other is None else rows.other[at]
        sample[series] = LiveObservation(
            provider=provider,
            device=device,
            quantity=quantity,
            value=float(rows.value[at]) if other is None else _value.decode(other),
            time_us=int(rows.time_us[at]),
            received_us=int(rows.received_us[at]),
            flag=int(rows.flag[at]),
            unit=memory.book.unit(series).unit,
            end_us=None if rows.end_us is None else rows.end_us[at],
            kind=memory.view.kind(slot),
            metadata=None if rows.metadata is None else rows.metadata[at],
        )
    return list(sample.values())
