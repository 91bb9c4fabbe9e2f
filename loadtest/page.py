"""A page that needs nothing from the internet: Plotly's script is inside of it."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import msgspec
import plotly.offline

__all__ = ["Chart", "Trace", "page", "picture", "table"]

Trace = dict[str, object]
STYLE: Final = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 24px; max-width: 1180px; background: #fbfcfd; color: #1f2933;
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 26px; } h2 { margin: 28px 0 6px; font-size: 18px; }
p { margin: 4px 0 8px; } .quiet { color: #66717d; }
.verdict { margin: 16px 0; padding: 12px 16px; border-left: 5px solid #2b8a3e;
  background: #ebfbee; }
.verdict.bad { border-color: #c92a2a; background: #fff0f0; }
.verdict ul { margin: 4px 0; padding-left: 20px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 10px; }
.tile { padding: 10px 14px; border: 1px solid #e1e7ec; border-radius: 6px; background: #fff; }
.tile b { display: block; font-size: 21px; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; background: #fff; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px; white-space: nowrap; border: 1px solid #e1e7ec; text-align: right; }
th:first-child, td:first-child { text-align: left; } th { background: #f1f4f7; font-weight: 600; }
table.sentences td, table.sentences th { white-space: normal; text-align: left; }
.scroll { overflow-x: auto; } .chart { background: #fff; border: 1px solid #e1e7ec; }
pre { padding: 12px; overflow-x: auto; border: 1px solid #e1e7ec; background: #fff;
  font-size: 13px; }
"""
DRAW: Final = """
for (const chart of document.querySelectorAll(".chart")) {
  const {data, layout} = JSON.parse(chart.firstElementChild.textContent);
  chart.replaceChildren();
  Plotly.newPlot(chart, data, {...layout, paper_bgcolor: "#fff", plot_bgcolor: "#fff"},
    {displaylogo: false, responsive: true});
}
"""


class Chart(msgspec.Struct, frozen=True):
    """One picture.

    Attributes:
        words: What to see in it, for people.
        data, layout: Of Plotly.
    """

    title: str
    words: str
    data: list[Trace]
    layout: dict[str, object]


def page(title: str, body: str) -> str:
    """Return a whole document."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>{body}<script>{plotly.offline.get_plotlyjs()}</script><script>{DRAW}</script>"
        "</body></html>"
    )


def picture(chart: Chart) -> str:
    """Return a chart with its title and words."""
    encoded = msgspec.json.encode({"data": chart.data, "layout": chart.layout}).decode()
    # A script ends at the first "</", wherever it stands.
    safe = encoded.replace("</", "<\\/")
    return (
        f"<h2>{escape(chart.title)}</h2><p>{escape(chart.words)}</p>"
        f'<div class="chart"><script type="application/json">{safe}</script></div>'
    )


def table(
    heads: Sequence[str], rows: Iterable[Sequence[object]], *, sentences: bool = False
) -> str:
    """Return a table that scrolls by itself where it is wide; sentences are broken instead."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    kind = ' class="sentences"' if sentences else ""
    return f'<div class="scroll"><table{kind}><tr>{head}</tr>{body}</table></div>'
