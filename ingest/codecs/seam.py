"""What a codec gets and what it returns; all that a new format has to know of the rest.

Source: formats.md section 0.2. A codec is pure: the same message gives the same answer.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from city.flags import Flag
from city.presence import Presence
from city.reasons import MessageReason, ObservationReason
from city.requests import Request

__all__ = [
    "Arrived",
    "Codec",
    "CodedObservation",
    "Decoded",
    "MessageError",
    "Rejection",
    "Released",
    "Remembered",
    "Remembering",
    "RememberingCodec",
    "Value",
]

Value = float | int | bool | str


class Arrived(msgspec.Struct, frozen=True):
    """One message, unpacked.

    Attributes:
        topic: As published.
        payload: Without compression and byte-order mark.
        received_us: When the gateway read it.
        provider: Whose device it is, as the route or the topic says.
        content_type: MQTT 5 property; empty where there was none.
        timezone: IANA zone of times without an offset.
        options: Of the route, for this codec.
        vouched: A person had it replayed, so that a secret masked in its topic is believed.
        bridge: Client identifier of the bridge that it came through, which can carry a request
            back to its sender; empty: none.
        again: It waited in quarantine and is read once more: it says nothing new of the present.
    """

    topic: str
    payload: bytes
    received_us: int
    provider: str
    content_type: str = ""
    timezone: str = "UTC"
    options: dict[str, Any] = {}
    vouched: bool = False
    bridge: str = ""
    again: bool = False


class CodedObservation(msgspec.Struct, frozen=True):
    """One observation as it was sent.

    Attributes:
        device: Id by formats.md 0.3.
        unit: UCUM code as sent; None where none was sent, or none that we know.
        time_us: Start of what it speaks of; None where nothing was sent.
        end_us: End of the interval that starts at `time_us`.
        metadata: What else is known; kept with the observation.
    """

    device: str
    quantity: str
    value: Value
    unit: str | None = None
    time_us: int | None = None
    end_us: int | None = None
    flag: Flag = Flag.NOT_EVALUATED
    metadata: dict[str, Any] = {}


class Rejection(msgspec.Struct, frozen=True):
    """One measurement of a well-formed message that cannot be an observation.

    Attributes:
        quantity: Its name as far as it is known, as sent.
        words: For people.
    """

    quantity: str
    reason: ObservationReason
    words: str


class Decoded(msgspec.Struct, frozen=True):
    """What a message holds. Neither observations nor rejections: a control message.

    Attributes:
        message_id: The sender's own, for finding duplicates.
        near_ids: Ids by which a repetition may be known as well, where an id holds for a time only.
        device: Whom a message without observations is about; empty where nobody knows.
        ignored: Members that the format does not know.
    """

    observations: list[CodedObservation] = []
    rejected: list[Rejection] = []
    message_id: str | None = None
    device: str = ""
    ignored: int = 0
    near_ids: tuple[str, ...] = ()


class MessageError(ValueError):
    """A message that cannot be read as a whole; it goes to quarantine.

    Attributes:
        words: What is wrong and where, for people.
    """

    def __init__(self, reason: MessageReason, words: str, *, device: str = "") -> None:
        super().__init__(f"{reason}: {words}")
        self.reason = reason
        self.words = words
        self.device = device


class Codec(Protocol):
    """One format.

    One that takes options says as what type they are decoded, in an attribute `options`: then a
    route that cannot be followed is refused when it is saved. One that reads a JSON array as a
    single message says `reads_arrays = True`: others get its elements one by one.
    """

    def decode(self, message: Arrived) -> Decoded:
        """Read a message.

        Raises:
            MessageError: If it cannot be read.
        """
        ...


class Released(msgspec.Struct, frozen=True):
    """Messages in quarantine that can be read now.

    Attributes:
        reasons: Why they wait.
    """

    provider: str
    device: str
    reasons: tuple[str, ...]


class Remembered(msgspec.Struct, frozen=True):
    """What the messages of a batch leave behind.

    Attributes:
        records: Key to value, of what has changed: kept in the transaction of the batch.
        requests: To be sent once the batch is kept.
        released: To be read again once the batch is kept.
        presence: Devices that went offline or came back, oldest first.
    """

    records: dict[str, bytes] = {}
    requests: list[Request] = []
    released: list[Released] = []
    presence: list[Presence] = []


class Remembering(Protocol):
    """Reads messages of one worker in log order, with what came before: a codec with memory.

    What it remembers depends on the messages and nothing else, so that a worker that takes over
    from the kept records decides as the one before would have.
    """

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        ...

    def take(self) -> Remembered:
        """Return what has to be kept and done since the last call."""
        ...


@runtime_checkable
class RememberingCodec(Protocol):
    """A format whose messages mean something only with those before.

    As a `Codec` it reads a message as the first of its sender.
    """

    def remember(self, records: Mapping[str, bytes]) -> Remembering:
        """Return a reader that begins with what was kept."""
        ...
