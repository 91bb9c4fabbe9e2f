"""Why a store refuses to open or to write; nothing was written where one of these is raised."""

from collections.abc import Mapping

__all__ = [
    "FencedError",
    "RowsRefusedError",
    "StoreBusyError",
    "StoreLockedError",
    "StoreVersionError",
]


class StoreBusyError(Exception):
    """The store cannot take a batch now and nothing was written: try again later."""

    def __init__(self, *, store: str, cause: str, retry_after_s: float) -> None:
        super().__init__(f"{store} cannot write now: {cause}; retry in {retry_after_s:g} s")
        self.store = store
        self.cause = cause
        self.retry_after_s = retry_after_s


class RowsRefusedError(Exception):
    """The store will never take some observations of a batch: write it again without them.

    Attributes:
        observations, conflicts: The store's words by row of the batch's tables.
    """

    def __init__(
        self, *, store: str, observations: Mapping[int, str], conflicts: Mapping[int, str]
    ) -> None:
        count = len(observations) + len(conflicts)
        words = next(iter([*observations.values(), *conflicts.values()]), "")
        super().__init__(f"{store} refuses {count} observations; the first: {words}")
        self.observations = observations
        self.conflicts = conflicts


class FencedError(Exception):
    """Another owner has moved the shard's mark; nothing was written."""

    def __init__(self, *, shard: int, expected: int, found: int) -> None:
        super().__init__(f"shard {shard}: mark is {found}, not {expected}: another owner wrote")
        self.shard = shard
        self.expected = expected
        self.found = found


class StoreVersionError(Exception):
    """The store was written by a newer version of madina."""


class StoreLockedError(Exception):
    """Another process has the store open.

    Attributes:
        holder: Process id of the other one; None where it cannot be known.
    """

    def __init__(self, *, store: str, holder: int | None) -> None:
        by = "another process" if holder is None else f"process {holder}"
        super().__init__(f"{store} is in use by {by}")
        self.store = store
        self.holder = holder
