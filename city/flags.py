"""Quality flags of one observation: the QARTOD primary level (IOOS), five values and no others."""

import enum

__all__ = ["Flag"]


class Flag(enum.IntEnum):
    """What is known of a value's quality. Source: IOOS QARTOD primary level flags."""

    PASS = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9
