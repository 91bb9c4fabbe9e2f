"""Formulas of water: what registers say was used."""

from indicators.contracts.part import Part

__all__ = ["RegisterUse"]


class RegisterUse(Part, frozen=True, tag="register_use", tag_field="name"):
    """What a cumulative register says was used in a window.

    A device's traits: `register_modulus` (none: its register does not begin again), `max_rate`,
    `install_reading` (none: what it showed when it was installed or reset is not known).

    Attributes:
        max_rate: What can flow at most, in the register's unit an hour, where no trait says it.
        edge_intervals: A difference across an edge of the window is split in proportion to time
            where it spans at most so many nominal intervals.
        before_h: How long before the window the register is read, so that a step backwards there
            is known for one.
    """

    max_rate: float
    edge_intervals: float = 2.5
    before_h: int = 48
