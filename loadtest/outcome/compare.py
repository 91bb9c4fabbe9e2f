"""Two runs against each other, with confidence: intervals of a run are drawn again and again.

Messages of one second share its troubles, so it is intervals that are drawn, not messages.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, chapters 8 and 13 (blocks,
percentile intervals).
"""

from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from loadtest.outcome.run import LoadRun
from loadtest.timing import TimingsRecord

__all__ = ["Comparison", "compared"]

DRAWS: Final = 1_000
SEED: Final = 20_261_125
PERCENTILES: Final = (50.0, 99.0, 99.9)
# A difference that no reader could use, even where it is certain.
SMALL: Final = 0.02

Column = NDArray[np.float64]


class Comparison(msgspec.Struct, frozen=True):
    """One figure of two runs.

    Attributes:
        change: Of the second against the first, as a share.
        low, high: 95 % confidence interval of the change.
        verdict: What it means; `same` where the interval holds 0 or the change is small.
    """

    figure: str
    before: float
    after: float
    change: float
    low: float
    high: float
    verdict: Literal["better", "worse", "same"]


def compared(before: LoadRun, after: LoadRun) -> list[Comparison]:
    """Compare the second run with the first; a latency that one refuses to tell is left out."""
    found: list[Comparison] = []
    if not before.bottleneck and not after.bottleneck:
        found += _timed("PUBACK", before.latency, after.latency)
        if before.reading is not None and after.reading is not None:
            found += _timed("visible", before.reading.visible, after.reading.visible)
    found.append(_compared("acknowledged/s", _rates(before), _rates(after), more_is_better=True))
    for name in sorted(before.parts.keys() & after.parts.keys()):
        costs = _cpu(before, name), _cpu(after, name)
        found.append(_compared(f"{name} CPU, us a message", *costs, more_is_better=False))
    return found


def _timed(name: str, before: TimingsRecord, after: TimingsRecord) -> list[Comparison]:
    if not before.intervals or not after.intervals:
        return []
    figures = [_percentiles(each, side) for side, each in enumerate((before, after))]
    return [
        _verdict(
            f"{name} p{level:g}, ms",
            figures[0][:, at],
            figures[1][:, at],
            more_is_better=False,
        )
        for at, level in enumerate(PERCENTILES)
    ]


def _percentiles(record: TimingsRecord, side: int) -> Column:
    """Return percentiles in ms: of the whole run in the first row, of draws in the others."""
    values = np.array(sorted({value for each in record.intervals.values() for value in each}))
    places = {value: at for at, value in enumerate(values.tolist())}
    table = np.zeros((len(record.intervals), len(values)))
    for row, counts in enumerate(record.intervals.values()):
        for value, count in counts.items():
            table[row, places[value]] = count
    weights = _weights(len(table), side)
    reached: Column = np.cumsum(weights @ table, axis=1)
    found = np.empty((len(weights), len(PERCENTILES)))
    for row in range(len(reached)):
        sums: Column = reached[row]
        wanted = np.ceil(np.array(PERCENTILES) / 100 * float(sums[-1]))
        found[row] = values[np.minimum(np.searchsorted(sums, wanted), len(values) - 1)]
    return found / 1_000.0


def _compared(name: str, before: Column, after: Column, *, more_is_better: bool) -> Comparison:
    """Compare the means of columns, each entry an interval's."""
    drawn = [
        _weights(len(each), side) @ each / max(1, len(each))
        for side, each in enumerate((before, after))
    ]
    return _verdict(name, drawn[0], drawn[1], more_is_better=more_is_better)


def _verdict(name: str, before: Column, after: Column, *, more_is_better: bool) -> Comparison:
    base = np.where(before > 0, before, np.nan)
    changes = (after[: len(base)] - base) / base
    change = float(np.nan_to_num(changes[0]))
    low, high = (float(each) for each in np.nanpercentile(np.nan_to_num(changes[1:]), (2.5, 97.5)))
    verdict: Literal["better", "worse", "same"] = "same"
    if low * high > 0 and abs(change) > SMALL:
        verdict = "better" if (change > 0) == more_is_better else "worse"
    return Comparison(name, float(before[0]), float(after[0]), change, low, high, verdict)


def _weights(count: int, side: int) -> Column:
    """Return how often each interval is drawn; in the first row each once."""
    chance = np.random.default_rng((SEED, side))
    drawn = chance.multinomial(count, np.full(count, 1.0 / count), size=DRAWS)
    return np.vstack([np.ones((1, count)), drawn.astype(np.float64)])


def _rates(run: LoadRun) -> Column:
    acked = np.array([each.acked for each in run.history], dtype=np.float64)
    seconds = np.array([each.elapsed_s for each in run.history])
    if len(acked) < 2:  # noqa: PLR2004 - a difference needs two
        return np.zeros(1)
    return np.diff(acked) / np.diff(seconds)


def _cpu(run: LoadRun, name: str) -> Column:
    """Return microseconds of CPU a message, by second; seconds without any are left out."""
    used = np.array([each.cpu_s for each in run.parts[name]])
    acked = np.array([each.acked for each in run.history], dtype=np.float64)
    count = min(len(used), len(acked))
    messages = np.diff(acked[-count:])
    kept = messages > 0
    if not kept.any():
        return np.zeros(1)
    return np.diff(used[-count:])[kept] * 1e6 / messages[kept]
