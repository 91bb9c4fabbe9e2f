"""The pictures of a run, as the JSON that Plotly draws."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from loadtest.outcome.run import LoadRun
from loadtest.page import Chart, Trace
from loadtest.rig.machine import PartTick
from loadtest.timing import TimingsRecord, histogram_of

__all__ = ["charts_of"]

Figure = Callable[[Sequence[PartTick]], tuple[list[float], list[float]]]
MS_PER_S: Final = 1_000
# The same thing has the same colour in every picture.
DUE, DONE, LATE, MIDDLE, GENERATOR = "#9aa5b1", "#0b7285", "#c92a2a", "#f08c00", "#5f3dc4"
SERIES: Final = ("#0b7285", "#f08c00", "#5f3dc4", "#2b8a3e", "#c92a2a", "#1864ab", "#a61e4d")
FAULT: Final = "rgba(201, 42, 42, 0.8)"
OUTAGE: Final = "rgba(201, 42, 42, 0.12)"
PHASE: Final = "rgba(154, 165, 177, 0.5)"
# Shares of messages that took longer: 1 in 1 to 1 in 1,000,000.
HDR_POINTS: Final = 61


def charts_of(run: LoadRun) -> list[Chart]:
    """Return the pictures of a run; those of the platform only where it was ours."""
    return [*_charts(run)]


def _charts(run: LoadRun) -> Iterator[Chart]:
    yield _rates(run)
    if not run.bottleneck:
        yield _over_time(run)
        yield _hdr(run)
    yield _backlog(run)
    if run.reading is not None:
        yield _seen(run)
    if run.parts:
        yield _parts(run, "Processors", "Cores in use by each process.", "cores", _cores)
        yield _parts(run, "Memory", "Resident memory of each process.", "MiB", _mebibytes)
    if run.disk_bytes:
        seconds, sizes = [*run.disk_bytes], [each / 2**20 for each in run.disk_bytes.values()]
        words = "What the data folder takes."
        yield Chart(
            "Disk", words, [_line("data folder", seconds, sizes, DONE)], _layout(run, "MiB")
        )


def _rates(run: LoadRun) -> Chart:
    seconds = [each.elapsed_s for each in run.history]
    lines = [
        _line("due", *_per_second(seconds, [each.due for each in run.history]), DUE),
        _line("sent", *_per_second(seconds, [each.sent for each in run.history]), MIDDLE),
        _line("acknowledged", *_per_second(seconds, [each.acked for each in run.history]), DONE),
    ]
    words = "Messages a second. Acknowledged follows due where the platform keeps up."
    return Chart("Rates", words, lines, _layout(run, "messages a second"))


def _over_time(run: LoadRun) -> Chart:
    record = run.latency
    columns = _percentiles(record, (0.5, 0.99, 1.0))
    lines = [
        _line("p50", columns[0], columns[1], DONE),
        _line("p99", columns[0], columns[2], MIDDLE),
        _line("longest", columns[0], columns[3], LATE),
    ]
    words = "From when a message was due until its PUBACK, by when it was due."
    return Chart("Latency over time", words, lines, _layout(run, "ms", log=True))


def _hdr(run: LoadRun) -> Chart:
    records = (
        ("from due", run.latency, DONE),
        ("from sending (what a closed loop reports)", run.service, DUE),
        ("the generator's own lateness", run.lag, GENERATOR),
    )
    lines = [_line(name, *_tail(record), colour) for name, record, colour in records]
    layout = _layout(run, "ms", log=True, shaded=False)
    layout["xaxis"] = {
        "type": "log",
        "title": {"text": "percentile"},
        "tickvals": [1, 10, 100, 1_000, 10_000, 100_000],
        "ticktext": ["0", "90", "99", "99.9", "99.99", "99.999"],
    }
    words = "How many took longer. Where the two upper lines part, a closed loop would have lied."
    return Chart("Latency by percentile", words, lines, layout)


def _backlog(run: LoadRun) -> Chart:
    seconds = [each.elapsed_s for each in run.history]
    waiting = [each.waiting for each in run.history]
    words = "Messages that are due and not done: what the platform, or the generator, is behind."
    data = [_line("waiting", seconds, waiting, LATE)]
    late = [each.lag_s * MS_PER_S for each in run.history]
    data.append({**_line("generator late, ms", seconds, late, GENERATOR), "yaxis": "y2"})
    layout = _layout(run, "messages")
    layout["yaxis2"] = {"overlaying": "y", "side": "right", "title": {"text": "ms"},
                        "rangemode": "tozero", "showgrid": False}  # fmt: skip
    return Chart("Backlog", words, data, layout)


def _seen(run: LoadRun) -> Chart:
    assert run.reading is not None
    lines: list[Trace] = []
    for name, record, colour in (
        ("due to visible by SSE, p99", run.reading.visible, DONE),
        ("age of the newest when asked for, p99", run.reading.freshness, MIDDLE),
        ("answer of the API, p99", run.reading.answers, DUE),
    ):
        columns = _percentiles(record, (0.99,))
        lines.append(_line(name, columns[0], columns[1], colour))
    words = "As readers see it. The age of the newest is at least as long as a device's interval."
    return Chart("Visible and fresh", words, lines, _layout(run, "ms", log=True))


def _parts(run: LoadRun, title: str, words: str, unit: str, figure: Figure) -> Chart:
    lines = [
        _line(name, *figure(ticks), SERIES[at % len(SERIES)])
        for at, (name, ticks) in enumerate(sorted(run.parts.items()))
    ]
    return Chart(title, words, lines, _layout(run, unit))


def _cores(ticks: Sequence[PartTick]) -> tuple[list[float], list[float]]:
    return _per_second([each.elapsed_s for each in ticks], [each.cpu_s for each in ticks])


def _mebibytes(ticks: Sequence[PartTick]) -> tuple[list[float], list[float]]:
    return [each.elapsed_s for each in ticks], [each.rss_bytes / 2**20 for each in ticks]


def _per_second(seconds: Sequence[float], sums: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the growth a second of a sum, at the end of each interval."""
    if len(seconds) < 2:  # noqa: PLR2004 - a difference needs two
        return [], []
    growth = np.diff(np.array(sums, dtype=np.float64)) / np.maximum(np.diff(seconds), 1e-9)
    return [*seconds[1:]], growth.round(3).tolist()


def _percentiles(record: TimingsRecord, shares: Sequence[float]) -> list[list[float]]:
    """Return the starts of intervals, then the percentiles of each in ms."""
    columns: list[list[float]] = [[] for _ in range(len(shares) + 1)]
    for number in sorted(record.intervals):
        counts = record.intervals[number]
        values = sorted(counts)
        reached = np.cumsum([counts[value] for value in values])
        columns[0].append(number * record.interval_s)
        for column, share in zip(columns[1:], shares, strict=True):
            wanted = math.ceil(share * int(reached[-1]))
            at = int(np.searchsorted(reached, wanted))
            column.append(values[at] / MS_PER_S)
    return columns


def _tail(record: TimingsRecord) -> tuple[list[float], list[float]]:
    """Return 1 in how many took longer than how many ms."""
    histogram = histogram_of([record.hdr])
    total = histogram.get_total_count()
    if not total:
        return [], []
    odds = [each for each in np.logspace(0, 6, HDR_POINTS).tolist() if each <= total]
    levels = [100.0 * (1.0 - 1.0 / each) for each in odds]
    found = histogram.get_percentile_to_value_dict(levels)
    return odds, [found[level] / MS_PER_S for level in levels]


def _line(name: str, xs: Sequence[float], ys: Sequence[float], colour: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [round(float(x), 3) for x in xs],
        "y": [round(float(y), 4) for y in ys],
        "line": {"color": colour, "width": 1.8},
    }


def _layout(
    run: LoadRun, unit: str, *, log: bool = False, shaded: bool = True
) -> dict[str, object]:
    """Return axes, with outages shaded and the starts of phases as lines."""
    vertical: dict[str, object] = {"title": {"text": unit}, "rangemode": "tozero"}
    if log:
        vertical = {"title": {"text": unit}, "type": "log"}
    shapes: list[dict[str, object]] = []
    notes: list[dict[str, object]] = []
    for window in run.windows if shaded else ():
        if window.instant:
            line = {"color": FAULT, "width": 1.5}
            shapes.append(_shape("line", window.start_s, window.start_s) | {"line": line})
        else:
            shapes.append(_shape("rect", window.start_s, window.end_s) | {"fillcolor": OUTAGE})
        notes.append(_note(window.name, window.start_s, 0.98))
    for span in run.spans if shaded else ():
        line = {"color": PHASE, "width": 1, "dash": "dot"}
        shapes.append(_shape("line", span.start_s, span.start_s) | {"line": line})
        notes.append(_note(span.name, span.start_s, 1.06))
    return {
        "xaxis": {"title": {"text": "seconds"}},
        "yaxis": vertical,
        "shapes": shapes,
        "annotations": notes,
        "legend": {"orientation": "h", "y": -0.26},
        "margin": {"l": 64, "r": 56, "t": 28, "b": 72},
        "height": 340,
    }


def _shape(kind: str, start_s: float, end_s: float) -> dict[str, object]:
    across: dict[str, object] = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1}
    return {**across, "type": kind, "x0": start_s, "x1": end_s, "line": {"width": 0}}


def _note(text: str, start_s: float, y: float) -> dict[str, object]:
    place = {"x": start_s, "xref": "x", "y": y, "yref": "paper", "xanchor": "left"}
    return {**place, "text": text, "showarrow": False, "font": {"size": 10, "color": "#66717d"}}
