"""A plan as one page with pictures."""

from collections.abc import Sequence
from html import escape
from typing import Final

from loadtest.capacity.limits import Limit
from loadtest.capacity.needs import Needs
from loadtest.capacity.plan import Plan
from loadtest.capacity.words import HEADS, headline, measured, quantity, tables
from loadtest.page import Chart, Trace, page, picture, table

__all__ = ["plan_html"]

PARTS: Final = (
    ("gateways", "gateway_cores", "#0b7285"),
    ("log", "log_cores", "#f08c00"),
    ("ingest", "ingest_cores", "#5f3dc4"),
    ("store", "store_cores", "#2b8a3e"),
)
REACHED, AHEAD, BUILT = "#c92a2a", "#9aa5b1", "#0b7285"


def plan_html(plan: Plan) -> str:
    """Return the page of a plan."""
    first, *rest = [
        f"<h2>{escape(title)}</h2>{table(heads, rows, sentences=heads[0] != '')}"
        for title, heads, rows in tables(plan)
    ]
    body = "".join(
        (
            "<h1>Capacity plan</h1>",
            f'<p class="quiet">{escape(headline(plan))}</p>',
            f"<p>{escape(measured(plan))} What follows is arithmetic over them.</p>",
            _tiles(plan),
            picture(_cores(plan.city)),
            picture(_limits(plan)),
            first,
            *rest,
        )
    )
    return page("Capacity plan", body)


def _tiles(plan: Plan) -> str:
    edge = plan.federation[1]
    tiles = [
        ("devices of a city", quantity(plan.ask.devices_a_city)),
        ("messages a second, all cities", quantity(edge.messages_per_s)),
        ("cores of a city, concentrators", quantity(plan.city[1].cores)),
        ("cores, all cities", quantity(edge.cores)),
        ("disk of observations, all cities", quantity(edge.raw_bytes, "B")),
        ("power, all cities", quantity(edge.kilowatts * 1_000, "W")),
    ]
    cells = (
        f'<div class="tile">{escape(name)}<b>{escape(value)}</b></div>' for name, value in tiles
    )
    return f'<div class="tiles">{"".join(cells)}</div>'


def _cores(city: Sequence[Needs]) -> Chart:
    names = [HEADS[each.level] for each in city]
    data: list[Trace] = [
        {
            "type": "bar",
            "name": name,
            "x": names,
            "y": [getattr(each, field) for each in city],
            "marker": {"color": colour},
        }
        for name, field, colour in PARTS
    ]
    layout: dict[str, object] = {
        "barmode": "stack",
        "height": 340,
        "yaxis": {"title": {"text": "cores"}},
        "legend": {"orientation": "h", "y": -0.15},
        "margin": {"l": 64, "r": 24, "t": 20, "b": 48},
    }
    return Chart("Cores of one city", "At the peak, by how devices reach it.", data, layout)


def _limits(plan: Plan) -> Chart:
    here = plan.ask.devices_a_city
    colours = [_colour(each, here) for each in plan.limits]
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "y": [each.what for each in plan.limits],
        "x": [each.devices for each in plan.limits],
        "marker": {"color": colours},
        "showlegend": False,
    }
    layout: dict[str, object] = {
        "height": 380,
        "xaxis": {"type": "log", "title": {"text": "devices of one city"}},
        "yaxis": {"automargin": True},
        "shapes": [
            {"type": "line", "x0": here, "x1": here, "yref": "paper", "y0": 0, "y1": 1,
             "line": {"color": REACHED, "width": 2, "dash": "dot"}}
        ],
        "margin": {"l": 24, "r": 24, "t": 20, "b": 56},
    }  # fmt: skip
    words = (
        "Each bar is a size at which something of today's design is full; the line is this plan's"
        " city. Teal: going beyond works today. Red: passed, and not built. Grey: ahead."
    )
    return Chart("Where today's design ends", words, [bars], layout)


def _colour(limit: Limit, devices: float) -> str:
    if limit.works:
        return BUILT
    return REACHED if devices > limit.devices else AHEAD
