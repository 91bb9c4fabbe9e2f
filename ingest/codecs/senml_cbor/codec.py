"""A SenML pack in CBOR: numbers stand for labels. Source: RFC 8428 section 6, table 4."""

from typing import Any, Final, cast

from city.reasons import MessageReason
from ingest.codecs.own_topic import device_of_topic
from ingest.codecs.profile import Profile
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.senml import LABELS, read_pack
from ingest.codecs.senml_cbor.reader import read_cbor

__all__ = ["CODEC", "SenmlCborCodec"]

NUMBERED: Final = {
    -6: "bs", -5: "bv", -4: "bu", -3: "bt", -2: "bn", -1: "bver",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip


class SenmlCborCodec:
    """`ingest.codecs.seam.Codec` for SenML CBOR."""

    options: Final = Profile

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        device = device_of_topic(message.topic) or ""
        if not message.payload:
            return Decoded(device=device)
        try:
            return read_pack([_labelled(each) for each in _records(message.payload)], message)
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=error.device or device) from None


def _records(payload: bytes) -> list[Any]:
    document = read_cbor(payload)
    if not isinstance(document, list):
        raise MessageError(MessageReason.SENML_TYPE, "a pack has to be an array of maps")
    return cast("list[Any]", document)


def _labelled(record: Any) -> Any:  # noqa: ANN401 - an element of an array
    """Return a record under the labels that JSON has; anything but a map as it is."""
    if not isinstance(record, dict):
        return cast("object", record)
    return {_label(key): value for key, value in cast("dict[Any, Any]", record).items()}


def _label(key: int | str) -> str:
    if isinstance(key, int):
        return NUMBERED.get(key) or str(key)
    if key in LABELS:
        words = f"the label {key!r} has to be written as a number"
        raise MessageError(MessageReason.SENML_LABEL, words)
    return key


CODEC: Final = SenmlCborCodec()
