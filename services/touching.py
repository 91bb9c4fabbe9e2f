"""Which hours of a device a change of what is known of it touches: no more than were measured.

A change may be said to hold since ever. What was never measured was never published either, and
must not be published as missing because of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from city.scope import EVERYTHING
from indicators.touched import Touched
from store.interface import ObservationQuery

if TYPE_CHECKING:
    from store.interface import Store

__all__ = ["expected_hours", "measured_hours"]

# Of one quantity: a century.
HOURS_MAX: Final = 1_000_000

Name = tuple[str, str]


def measured_hours(store: Store, device: Name, quantity: str, from_us: int, to_us: int) -> Touched:
    """Return the hours in which a device measured something. Blocking.

    Args:
        store: Where observations are.
        device: Provider and id.
        quantity: Which of its quantities.
        from_us: From which time of observations on,
        to_us: and before which.
    """
    query = ObservationQuery(*device, quantity, max(from_us, 0), to_us, HOURS_MAX)
    found = store.aggregates(EVERYTHING, query, "hour")
    return Touched.hours((each.series, each.start_us) for each in found)


def expected_hours(store: Store, device: Name, from_us: int, to_us: int) -> Touched:
    """Return every hour since a device was first heard, measured or not. Blocking."""
    first = store.observations(EVERYTHING, ObservationQuery(*device, limit=1))
    if not first:
        return Touched.hours(())
    series = [each.series for each in store.series() if (each.provider, each.device) == device]
    return Touched.within(series, max(from_us, first[0].time_us), to_us)
