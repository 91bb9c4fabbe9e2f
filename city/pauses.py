"""Times in which a device is not expected to report: what they take from times and waits. Pure."""

from collections.abc import Iterable, Sequence

__all__ = ["END_US", "Pauses", "due_after", "merged_pauses", "overlap_us"]

# Beginning and end in microseconds, the end excluded; in order, and none touches another.
Pauses = tuple[tuple[int, int], ...]
# Later than anything: a pause until further notice ends there.
END_US = 1 << 62


def merged_pauses(each: Iterable[tuple[int, int]]) -> Pauses:
    """Return pauses in order, those that touch as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(each):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def overlap_us(pauses: Sequence[tuple[int, int]], start_us: int, end_us: int) -> int:
    """Return how much of a time pauses take."""
    return sum(max(0, min(end, end_us) - max(start, start_us)) for start, end in pauses)


def due_after(pauses: Sequence[tuple[int, int]], start_us: int, wait_us: int) -> int:
    """Return when a wait that begins at an instant is over, were time to stand still in pauses."""
    due_us = start_us + wait_us
    for start, end in pauses:
        if start >= due_us:
            break
        if end > start_us:
            due_us += end - max(start, start_us)
    return due_us
