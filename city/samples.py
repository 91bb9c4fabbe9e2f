"""What a parked message says, read for people before its device is known."""

from typing import Literal

import msgspec

__all__ = ["Sample", "SampledValue", "TimeUnit"]

TimeUnit = Literal["s", "ms", "us", "ns", "iso8601"]


class SampledValue(msgspec.Struct, frozen=True):
    """One observation that the message would be.

    Attributes:
        unit: UCUM code, as sent, else the canonical one of the quantity; None where nobody knows.
        time_us: As sent; None where the message has no time.
    """

    device: str
    quantity: str
    unit: str | None
    value: float | int | bool | str
    time_us: int | None


class Sample(msgspec.Struct, frozen=True):
    """What a route makes of a message now.

    Attributes:
        time_unit: In what the sender seems to write times; None where nothing looks like one.
        fault: Why it cannot be read; empty where it can.
    """

    values: tuple[SampledValue, ...] = ()
    time_unit: TimeUnit | None = None
    fault: str = ""
