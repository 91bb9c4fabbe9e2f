"""A simulation as one page with its picture."""

from html import escape
from typing import Final

from loadtest.page import Chart, Trace, page, picture, table
from loadtest.simulate.run import Outcome
from loadtest.simulate.words import PLACES, fields

__all__ = ["outcome_html"]

COLOURS: Final = {
    "devices": "#c92a2a",
    "gateway": "#0b7285",
    "log": "#f08c00",
    "ingest": "#5f3dc4",
}
# More points than a screen has columns show nothing more.
POINTS: Final = 2_000


def outcome_html(found: Outcome, measured: str) -> str:
    """Return the page of an outcome.

    Args:
        found: What came of it.
        measured: Where its unit costs are from.
    """
    body = "".join(
        (
            "<h1>What one machine would do</h1>",
            f'<p class="quiet">{escape(measured)}</p>',
            table(("figure", "value"), fields(found), sentences=True),
            picture(_queues(found)),
        )
    )
    return page("Simulated load", body)


def _queues(found: Outcome) -> Chart:
    shown = found.queues[:: max(1, len(found.queues) // POINTS)]
    times = [each.elapsed_s for each in shown]
    data: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": words,
            "x": times,
            "y": [getattr(each, place) for each in shown],
            "stackgroup": "waiting",
            "line": {"width": 1, "color": COLOURS[place]},
        }
        for place, words in PLACES.items()
    ]
    layout: dict[str, object] = {
        "height": 420,
        "xaxis": {"title": {"text": "seconds"}},
        "yaxis": {"title": {"text": "messages"}},
        "shapes": [
            {"type": "rect", "x0": each.at_s, "x1": each.ends_s, "yref": "paper", "y0": 0, "y1": 1,
             "fillcolor": "#c92a2a", "opacity": 0.12, "line": {"width": 0}}
            for each in found.load.standstills
        ],
        "legend": {"orientation": "h", "y": -0.2},
        "margin": {"l": 72, "r": 24, "t": 20, "b": 56},
    }  # fmt: skip
    words = "Messages that are due and not applied, by where they wait; red: a part stands still."
    return Chart("Where messages wait", words, data, layout)
