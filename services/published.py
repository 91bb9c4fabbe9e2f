"""One published figure, found by what a person would call it: its area, period and revision."""

import msgspec

from indicators.areas import Area
from indicators.civil import Grain, Window
from indicators.contracts.model import version_of
from indicators.results import Results, ResultsQuery, Stored

__all__ = ["Figure", "find_figure"]

# More than anything was restated.
REVISIONS_MAX = 10_000


class Figure(msgspec.Struct, frozen=True):
    """Which figure.

    Attributes:
        version: Of the definition; None: the newest that the figure was computed with.
        revision: None: the latest.
    """

    indicator: str
    grain: Grain
    area: Area
    window: Window
    version: str | None = None
    revision: int | None = None


def find_figure(results: Results, figure: Figure, until_us: int) -> Stored | None:
    """Return a figure as it was published until an instant; None if it was not. Blocking."""
    query = ResultsQuery(
        figure.indicator,
        figure.grain,
        version=figure.version,
        areas=(str(figure.area),),
        from_us=figure.window.start_us,
        to_us=figure.window.start_us + 1,
        as_of_us=until_us,
        history=True,
        limit=REVISIONS_MAX,
    )
    found = [
        each for each in results.find(query) if figure.revision in (None, each.finding.row.revision)
    ]
    return max(found, key=_newest, default=None)


def _newest(stored: Stored) -> tuple[object, int]:
    row = stored.finding.row
    return version_of(row.version), row.revision
