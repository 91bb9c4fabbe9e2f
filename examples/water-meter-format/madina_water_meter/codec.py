"""`seconds;litres` a line, ASCII: the district water meter.

Source: the meter's data sheet (invented for the example).
"""

import re
from typing import Final

import msgspec

from city.identity import device_id
from city.reasons import MessageReason
from ingest.codecs.envelope import text_of
from ingest.codecs.seam import Arrived, CodedObservation, Decoded, MessageError

__all__ = ["CODEC", "WaterMeterCodec", "WaterMeterOptions"]

# A pattern, not int(): that also reads "1_000", " 7" and digits of other scripts.
LINE: Final = re.compile(r"([0-9]{1,11});([0-9]{1,12})")
MICROS: Final = 1_000_000


class WaterMeterOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a route may say to this format.

    Attributes:
        quantity: What the meter counts.
    """

    quantity: str = "volume"


class WaterMeterCodec:
    """`ingest.codecs.seam.Codec` for the meter; the last level of the topic names the device."""

    options: Final = WaterMeterOptions

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        device = device_id(message.topic.rpartition("/")[2])
        if device is None:
            words = f"no device can be named by {message.topic!r}"
            raise MessageError(MessageReason.BAD_DEVICE_ID, words)
        options = msgspec.convert(message.options, WaterMeterOptions)
        lines = text_of(message.payload).splitlines()
        found = [_reading(line, at, device, options) for at, line in enumerate(lines, start=1)]
        return Decoded(found, device=device)


def _reading(text: str, number: int, device: str, options: WaterMeterOptions) -> CodedObservation:
    match = LINE.fullmatch(text)
    if match is None:
        words = f"line {number} is {text[:64]!r}, no `seconds;litres`"
        raise MessageError(MessageReason.MISSING_FIELD, words, device=device)
    # The unit as it was sent: cubic metres are made of it behind the codec.
    return CodedObservation(device, options.quantity, int(match[2]), "L", int(match[1]) * MICROS)


CODEC: Final = WaterMeterCodec()
