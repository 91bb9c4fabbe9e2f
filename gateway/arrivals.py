"""How fast new connections are served: a bucket of tokens that fills at the allowed rate.

A city's devices come back all at once after an outage. Those that find no token wait for theirs
unread, which costs a device nothing; only a queue that is too long is refused.
"""

__all__ = ["Arrivals"]

# The bucket holds what comes in this time, so that a quiet minute allows no flood after it.
BURST_S = 1.0
# Who would wait longer is refused: it has its own time-out.
LONGEST_WAIT_S = 5.0


class Arrivals:
    """Gives each new connection its time; pure, `now_s` is any clock that only goes forward."""

    __slots__ = ("_rate_per_s", "_served_s")

    def __init__(self, rate_per_s: float) -> None:
        self._rate_per_s = rate_per_s
        # When the last connection was, or will be, served; the bucket is full before it.
        self._served_s = float("-inf")

    def use_rate(self, rate_per_s: float) -> None:
        """Serve at another rate from now on."""
        self._rate_per_s = rate_per_s

    def wait_s(self, now_s: float) -> float | None:
        """Return how long a new connection waits to be served; None: it is refused."""
        served_s = max(self._served_s, now_s - BURST_S) + 1 / self._rate_per_s
        wait_s = served_s - now_s
        if wait_s > LONGEST_WAIT_S:
            return None
        self._served_s = served_s
        return max(wait_s, 0.0)
