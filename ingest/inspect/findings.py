"""What an inspection says: traffic by topic pattern, what it seems to be, and what to register."""

from typing import Any, Literal

import msgspec

from city.samples import SampledValue

__all__ = [
    "Candidate",
    "Confidence",
    "Findings",
    "FoundDevice",
    "FoundQuantity",
    "Group",
    "Heard",
    "Shown",
]

# high: a signature or a name that leaves no choice; medium: by convention; low: only a guess.
Confidence = Literal["high", "medium", "low"]


class Heard(msgspec.Struct, frozen=True):
    """One message, as it was published."""

    topic: str
    payload: bytes
    received_us: int
    content_type: str = ""


class Shown(msgspec.Struct, frozen=True):
    """The beginning of a message for people: text, or hexadecimal where it is none."""

    topic: str
    payload: str
    length: int


class Candidate(msgspec.Struct, frozen=True):
    """What one codec makes of the samples.

    Attributes:
        read, of: How many samples it reads with at least one observation, of how many.
        values: Of the first sample that it reads.
        fault: Why it cannot read one; empty where it reads all.
    """

    codec: str
    read: int
    of: int
    values: list[SampledValue] = []
    fault: str = ""


class FoundQuantity(msgspec.Struct, frozen=True):
    """A quantity that the proposal reads.

    Attributes:
        sent_as: Path or name in the payload; empty where the format has names of its own.
        unit: UCUM code; None where nobody knows.
        why: What the unit rests on.
    """

    quantity: str
    unit: str | None
    example: float | int | bool | str
    confidence: Confidence
    why: str
    sent_as: str = ""


class FoundDevice(msgspec.Struct, frozen=True):
    """A device that was heard.

    Attributes:
        kind: Guessed by its quantities; empty where they tell nothing.
        interval_s: How often it reports, seconds; None where too little was heard.
    """

    provider: str
    id: str
    kind: str
    messages: int
    quantities: list[str]
    interval_s: float | None = None


class Group(msgspec.Struct, frozen=True):
    """Messages of one topic pattern.

    Attributes:
        pattern: MQTT topic filter.
        route: Name of the route that reads it, or that is proposed.
        registered: That route is there already.
        codec: Empty where nothing can be proposed: a person has to say what it is.
        options: Of the route.
        why: What the choice of the codec rests on.
        faults: What could not be read as proposed, and how often.
        notes: What a person has to know or decide: what the proposal does not read, and why.
    """

    pattern: str
    messages: int
    topics: int
    route: str
    registered: bool
    codec: str
    provider: str
    options: dict[str, Any]
    confidence: Confidence
    why: str
    samples: list[Shown]
    candidates: list[Candidate]
    quantities: list[FoundQuantity]
    devices: list[FoundDevice]
    faults: dict[str, int] = {}
    notes: list[str] = []


class Findings(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        messages: How many were looked at.
        cut: More came than are looked at.
    """

    messages: int
    groups: list[Group]
    cut: bool = False
