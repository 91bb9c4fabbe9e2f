"""How often Python looks for cycles in a process that holds much and makes few.

With the interpreter's own thresholds it looks after each 700 objects, which was a fifth of what
applying a batch of messages cost.
"""

import gc

__all__ = ["collect_less"]

THRESHOLDS = (20_000, 50, 50)


def collect_less() -> None:
    """Look seldom from now on; call it once everything that stays is there."""
    gc.collect()
    gc.set_threshold(*THRESHOLDS)
