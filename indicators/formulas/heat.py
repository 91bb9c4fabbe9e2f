"""The heat index of the US National Weather Service, from temperature and moisture of one mast.

In degrees Fahrenheit inside, as it was published. Below 80 F its simple form is averaged with the
temperature once more, as the service's page says. Source: indicators.md section 11a (SR 90-23,
wpc.ncep.noaa.gov/html/heatindex_equation.shtml); vapour pressure: section 11b.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from city.clock import US_PER_S
from city.flags import Flag
from city.pauses import merged_pauses
from indicators.civil import Window, parts
from indicators.columns import Observations, expected_parts, gate, gate_of
from indicators.contracts.shapes import HeatIndex
from indicators.exact import half_up, settled
from indicators.formulas.asked import Asked
from indicators.formulas.bands import band_of
from indicators.formulas.means import incomplete, suspect_marks
from indicators.rows import Outcome

__all__ = ["heat_index", "heat_index_f", "humidity_of", "joined"]

US_PER_HOUR: Final = 3_600 * US_PER_S
Numbers = NDArray[np.float64]

COLD_F: Final = 40.0
WARM_F: Final = 80.0
# A sensor may read a little above saturation; what is further above is not moisture.
SATURATED, IMPOSSIBLE = 100.0, 103.0


def heat_index(asked: Asked, formula: HeatIndex, seen: Sequence[Observations]) -> Outcome:
    """Return the mean index of an hour's samples, or the greatest of a civil day's valid hours.

    Args:
        asked: An hour or a civil day.
        formula: Of its contract.
        seen: Usable temperatures (Cel), and relative humidities (%) or dew points (Cel).
    """
    felt = _felt(formula, *seen)
    if asked.grain == "hour":
        found = gate(felt, asked.window, asked.share("hour"))
        hours = [asked.window]
    else:
        whole = list(parts(asked.window, US_PER_HOUR, asked.zone))
        hours = [hour for hour in whole if gate(felt, hour, asked.share("hour")).passed]
        found = gate_of(len(hours), expected_parts(felt, whole), asked.share("day"))
    if not found.passed:
        return incomplete(found)
    felt_f = max(_mean(felt, hour) for hour in hours)
    celsius = (felt_f - 32) * 5 / 9
    band = band_of(asked.contract.bands, settled(felt_f))
    return Outcome(
        value=float(half_up(settled(celsius), asked.contract.rounding.digits)),
        unrounded=celsius,
        band=band.label if band else None,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        marks=suspect_marks(felt, hours),
    )


def heat_index_f(temperature_f: Numbers, humidity: Numbers) -> Numbers:
    """Return the heat index (F) of temperatures (F) and relative humidities (%, up to 100)."""
    t, rh = temperature_f, humidity
    simple = (0.5 * (t + 61 + (t - 68) * 1.2 + rh * 0.094) + t) / 2
    full = (
        -42.379 + 2.04901523 * t + 10.14333127 * rh - 0.22475541 * t * rh
        - 0.00683783 * t**2 - 0.05481717 * rh**2 + 0.00122874 * t**2 * rh
        + 0.00085282 * t * rh**2 - 0.00000199 * t**2 * rh**2
    )  # fmt: skip
    dry = (rh < 13) & (t >= WARM_F) & (t <= 112)  # noqa: PLR2004 - as published
    damp = (rh > 85) & (t >= WARM_F) & (t <= 87)  # noqa: PLR2004 - as published
    root = np.sqrt(np.maximum(17 - np.abs(t - 95), 0) / 17)
    full = full - np.where(dry, (13 - rh) / 4 * root, 0.0)
    full = full + np.where(damp, (rh - 85) / 10 * ((87 - t) / 5), 0.0)
    found = np.where(simple < WARM_F, simple, full)
    return np.where(t <= COLD_F, t, found)


def humidity_of(temperature: Numbers, dew_point: Numbers) -> Numbers:
    """Return relative humidity (%) of temperature and dew point (Cel): a ratio of pressures."""
    return 100 * np.exp(
        17.27 * dew_point / (237.7 + dew_point) - 17.27 * temperature / (237.7 + temperature)
    )


def joined(
    first: Observations, second: Observations, within_us: int
) -> tuple[Observations, Observations]:
    """Return the observations of two series that lie in the same stretch of time, in pairs.

    Stretches start at whole multiples of `within_us`; of several in one the first counts.
    """
    _, one, other = np.intersect1d(
        first.time_us // within_us, second.time_us // within_us, return_indices=True
    )
    return _rows(first, one), _rows(second, other)


def _rows(seen: Observations, wanted: NDArray[np.intp]) -> Observations:
    mask = np.zeros(len(seen), dtype=np.bool_)
    mask[wanted] = True
    return seen.where(mask)


def _felt(formula: HeatIndex, air: Observations, moisture: Observations) -> Observations:
    """Return the index (F) of each pair of samples as a series of its own."""
    air, moisture = joined(air, moisture, formula.join_s * US_PER_S)
    humid = moisture.value
    if formula.moisture == "dew_point":
        humid = humidity_of(air.value, humid)
    possible = humid <= IMPOSSIBLE
    index = heat_index_f(1.8 * air.value + 32, np.minimum(humid, SATURATED))
    suspect = (air.flag == Flag.SUSPECT) | (moisture.flag == Flag.SUSPECT)
    flags = np.where(suspect, np.uint8(Flag.SUSPECT), air.flag)
    both = Observations(
        air.time_us,
        index,
        flags,
        air.length_us,
        max(air.interval_us, moisture.interval_us),
        merged_pauses([*air.pauses, *moisture.pauses]),
    )
    return both.where(possible)


def _mean(felt: Observations, hour: Window) -> float:
    inside = felt.within(hour).value.tolist()
    return math.fsum(inside) / len(inside)
