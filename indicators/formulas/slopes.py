"""How fast something goes up or down, where single values may be wrong.

Source: indicators.md sections 8 and 9b (Theil-Sen).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["theil_sen"]


def theil_sen(time_us: NDArray[np.int64], value: NDArray[np.float64]) -> float:
    """Return the median of the slopes between every two values, per microsecond.

    Args:
        time_us: Two instants or more, each once, shape (n,).
        value: Of each instant, shape (n,).
    """
    later, earlier = np.triu_indices(len(value), 1)[::-1]
    slopes = (value[later] - value[earlier]) / (time_us[later] - time_us[earlier])
    return float(np.median(slopes))
