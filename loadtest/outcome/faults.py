"""What came of faults: how long a part was away, and when the backlog was gone. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

__all__ = ["Backlog", "FaultOutcome", "caught_up"]

# Below so many messages nothing has piled up, however slow the load is.
LEAST_BACKLOG = 10


class Backlog(msgspec.Struct, frozen=True):
    """What waited at an instant.

    Attributes:
        elapsed_s: Since the first message was due.
        pending: Messages on the log that are not applied; None: the platform did not answer.
        waiting: Messages that were due and had no PUBACK.
    """

    elapsed_s: float
    pending: int | None
    waiting: int

    def is_more_than(self, messages: float) -> bool:
        """Say whether more waited than that, or nobody could tell."""
        return self.pending is None or self.pending + self.waiting > messages


class FaultOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One fault as it went.

    Attributes:
        name: `kill of gateway`.
        at_s, ended_s: Since the first message was due; the same for a kill, which is an instant.
        away_s: From a kill until the part had a process again; None: it is no kill, or the part
            was not back when the load ended.
        catch_up_s: From `ended_s` until no more waited than a second brings; None: not known.
    """

    name: str
    at_s: float
    ended_s: float
    away_s: float | None = None
    catch_up_s: float | None = None


def caught_up(
    faults: Mapping[int, FaultOutcome],
    backlog: Sequence[Backlog],
    rate_per_s: float,
    settled_s: float | None,
) -> dict[int, FaultOutcome]:
    """Return faults with the time that it took to catch up after each.

    A fault is caught up with when the backlog is gone for good, or until the next one begins.

    Args:
        faults: As they were done.
        backlog: In the order of time.
        rate_per_s: Messages a second that devices send: so many wait at any moment.
        settled_s: When nothing waited any more, load or not; None: not known.
    """
    usual = max(rate_per_s, LEAST_BACKLOG)
    starts = sorted(each.at_s for each in faults.values())
    return {
        place: msgspec.structs.replace(
            each, catch_up_s=_catch_up_s(each.ended_s, starts, backlog, usual, settled_s)
        )
        for place, each in faults.items()
    }


def _catch_up_s(
    ended_s: float,
    starts: list[float],
    backlog: Sequence[Backlog],
    usual: float,
    settled_s: float | None,
) -> float | None:
    next_s = min((start for start in starts if start > ended_s), default=float("inf"))
    after = [each for each in backlog if ended_s <= each.elapsed_s < next_s]
    behind = [at for at, each in enumerate(after) if each.is_more_than(usual)]
    if not behind:
        return 0.0 if after else _since(ended_s, settled_s)
    if behind[-1] + 1 < len(after):
        return after[behind[-1] + 1].elapsed_s - ended_s
    return _since(ended_s, settled_s)


def _since(ended_s: float, settled_s: float | None) -> float | None:
    return None if settled_s is None else max(0.0, settled_s - ended_s)
