"""What is known of a route's devices and their network server does not tell: names, units, payload.

Source: formats.md sections 0.4, 4 to 6 and 10, which speak of the profile of a device. Profiles are
not in the registry yet: the options of the route say the same for all of its devices.
"""

from functools import lru_cache
from typing import Literal, TypeVar, cast

import msgspec

from city.quantities import QUANTITY_PATTERN, plain_name, quantity_name
from city.reasons import MessageReason
from city.units import ucum
from ingest.codecs.mapping.layout import Layout
from ingest.codecs.seam import Arrived, MessageError

__all__ = ["Profile", "options_of", "profile_of"]


class Profile(msgspec.Struct, frozen=True):
    """Options of a route for codecs of devices behind a network server.

    Attributes:
        names: Name as sent, or as `plain_name` writes it, to quantity.
        units: Quantity, with or without channel, to the unit of its numbers.
        payload_codec: What reads raw payloads, a codec or one of `layouts`; one for all, or by
            LoRaWAN port (`{"2": "..."}`).
        layouts: Layouts of raw payloads by name: see `ingest.codecs.mapping`.
        tts_payload: Which of two objects of The Things Stack is read.
        time: Whose clock is believed where the server and its gateways both have one.
        data: How ChirpStack v3 writes the payload; None: as the message looks.
        lpp_time: A unix time in Cayenne LPP is the time of the frame, not a value.
        lpp_signed_vi: Voltage and current in Cayenne LPP have a sign.
        lpp_strip_zeros: Zeros behind the last value in Cayenne LPP are padding.
    """

    names: dict[str, str] = {}
    units: dict[str, str] = {}
    payload_codec: str | dict[str, str] | None = None
    layouts: dict[str, Layout] = {}
    tts_payload: Literal["decoded", "normalized"] = "decoded"
    time: Literal["server", "gateway"] = "server"
    data: Literal["base64", "hex"] | None = None
    lpp_time: bool = False
    lpp_signed_vi: bool = False
    lpp_strip_zeros: bool = False

    def __post_init__(self) -> None:
        """Refuse what would spoil every message in silence."""
        for name, quantity in self.names.items():
            if not QUANTITY_PATTERN.fullmatch(quantity):
                raise ValueError(f"`names`: {name!r} becomes {quantity!r}, which is no quantity")
        for quantity, unit in self.units.items():
            if ucum(unit) is None:
                raise ValueError(f"`units`: {quantity!r} has {unit!r}, which is no unit we know")

    def quantity(self, raw: str) -> str | None:
        """Return the quantity that a name stands for; None where it gives no name."""
        plain = plain_name(raw)
        named = self.names.get(raw) or (self.names.get(plain) if plain else None)
        return quantity_name(raw) if named is None else named

    def unit(self, quantity: str) -> str | None:
        """Return the unit of a quantity's numbers, UCUM; None where nobody said one."""
        text = self.units.get(quantity) or self.units.get(quantity.rpartition("_")[0])
        return None if text is None else ucum(text)

    def codec_for(self, port: int | None) -> str | None:
        """Return the name of the codec for payloads of a LoRaWAN port; None where none is set."""
        if isinstance(self.payload_codec, dict):
            return self.payload_codec.get(str(port))
        return self.payload_codec


Options = TypeVar("Options", bound=msgspec.Struct)


def profile_of(message: Arrived) -> Profile:
    """Read the options of a message's route that all formats share.

    Raises:
        MessageError: `no_codec`, since the codec cannot be set as the route wants it.
    """
    return options_of(message, Profile)


def options_of(message: Arrived, kind: type[Options]) -> Options:
    """Read the options of a message's route for a format that has some of its own.

    Args:
        message: What arrived.
        kind: The format's options, beside those that all share.

    Raises:
        MessageError: `no_codec`, since the codec cannot be set as the route wants it.
    """
    try:
        return cast("Options", _options(msgspec.json.encode(message.options), kind))
    except msgspec.ValidationError as error:
        words = f"the options of the route cannot be followed: {error}"
        raise MessageError(MessageReason.NO_CODEC, words) from None


@lru_cache(maxsize=1024)
def _options(options: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct:
    return msgspec.json.decode(options, type=kind)
