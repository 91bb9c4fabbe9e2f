"""Ids as ChirpStack v3 writes them: hexadecimal digits, or base64 of the bytes.

Source: formats.md section 6. Which of the two is told by the length alone: base64 of 8 bytes has
12 characters and of 4 bytes 8, of which two are padding.
"""

import re
from typing import Final

from ingest.codecs.binary_text import base64_bytes
from ingest.codecs.seam import MessageError

__all__ = ["hexadecimal"]

HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def hexadecimal(sent: object, size: int) -> str | None:
    """Return an id in lower-case hexadecimal digits; the text as it stands where it is neither.

    Args:
        sent: The member.
        size: Bytes of the id.
    """
    if not isinstance(sent, str) or not sent:
        return None
    if len(sent) == 2 * size and HEX.fullmatch(sent):
        return sent.lower()
    try:
        found = base64_bytes(sent, "id")
    except MessageError:
        return sent
    return found.hex() if len(found) == size else sent
