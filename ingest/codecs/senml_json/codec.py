"""A SenML pack in JSON, with the rules that only JSON needs: RFC 8428 section 5."""

from typing import Any, Final, cast

from city.reasons import MessageReason
from ingest.codecs.binary_text import base64_bytes
from ingest.codecs.json_text import read_json
from ingest.codecs.own_topic import device_of_topic
from ingest.codecs.profile import Profile
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.senml import read_pack

__all__ = ["CODEC", "SenmlJsonCodec"]


class SenmlJsonCodec:
    """`ingest.codecs.seam.Codec` for SenML JSON."""

    options: Final = Profile
    reads_arrays: Final = True

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        if not message.payload.strip():
            return Decoded(device=device_of_topic(message.topic) or "")
        document = read_json(message.payload)
        if isinstance(document, list):
            records = cast("list[Any]", document)
        elif isinstance(document, dict):
            # A record alone is no pack, and understood all the same.
            records = [cast("dict[str, Any]", document)]
        else:
            raise MessageError(MessageReason.SENML_TYPE, "a pack has to be an array of objects")
        return read_pack([_with_bytes(each) for each in records], message)


def _with_bytes(record: Any) -> Any:  # noqa: ANN401 - an element of an array
    if not isinstance(record, dict) or "vd" not in record:
        return cast("object", record)
    sent = cast("dict[str, Any]", record)
    if not isinstance(sent["vd"], str):
        return sent
    return {**sent, "vd": base64_bytes(sent["vd"], "vd")}


CODEC: Final = SenmlJsonCodec()
