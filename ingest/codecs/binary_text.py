"""Bytes that devices write as text: base64 of either alphabet, hexadecimal digits.

Source: formats.md section 20, lines 43 and 44.
"""

import base64
import binascii
import re
from typing import Final

from city.reasons import MessageReason
from ingest.codecs.seam import MessageError

__all__ = ["base64_bytes", "hex_bytes"]

SPACE: Final = re.compile(r"[ \t\r\n]+")
TO_STANDARD: Final = str.maketrans("-_", "+/")
# Base64 digits stand in groups of four; a lone one behind the last group holds no byte.
GROUP: Final = 4


def base64_bytes(text: str, where: str) -> bytes:
    """Read base64, standard or URL alphabet; padding may be missing, white space is left out.

    Args:
        text: What was sent.
        where: Member that holds it, for people.

    Raises:
        MessageError: `base64`.
    """
    digits = SPACE.sub("", text).translate(TO_STANDARD)
    if digits.endswith("="):
        digits = digits.removesuffix("=").removesuffix("=")
    padded = digits + "=" * (-len(digits) % GROUP)
    try:
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MessageError(MessageReason.BASE64, f"`{where}`: {error}") from None


def hex_bytes(text: str, where: str) -> bytes:
    """Read pairs of hexadecimal digits, white space is left out.

    Raises:
        MessageError: `base64`, the one reason there is for bytes that are no text of bytes.
    """
    try:
        return bytes.fromhex(SPACE.sub("", text))
    except ValueError:
        words = f"`{where}` has to be pairs of hexadecimal digits"
        raise MessageError(MessageReason.BASE64, words) from None
