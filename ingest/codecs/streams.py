"""What a route says of senders that name only a number: which device and quantity that is.

Sentilo keeps quantities and units of sensors in its catalogue, SensorThings those of datastreams in
its service; a message has neither (formats.md sections 14 and 15).
"""

import msgspec

from city.identity import device_id
from city.quantities import QUANTITY_PATTERN
from city.units import ucum

__all__ = ["Meant"]


class Meant(msgspec.Struct, frozen=True):
    """What one stream of values is.

    Attributes:
        quantity: What it measures.
        unit: Of its numbers, as people write it; None where they have none.
        device: Whose it is; None where the message says so.
    """

    quantity: str
    unit: str | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would spoil every message in silence."""
        if not QUANTITY_PATTERN.fullmatch(self.quantity):
            raise ValueError(f"{self.quantity!r} is no quantity")
        if self.unit is not None and ucum(self.unit) is None:
            raise ValueError(f"{self.quantity!r} has {self.unit!r}, which is no unit we know")
        if self.device is not None and device_id(self.device) != self.device:
            raise ValueError(f"{self.device!r} is no id of a device")

    @property
    def ucum(self) -> str | None:
        """The UCUM code of the unit."""
        return None if self.unit is None else ucum(self.unit)
