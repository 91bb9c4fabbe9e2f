"""The document of a mapping: what a route says of messages that nobody else can read.

Decoding it is checking it: whatever is wrong is told with the place where it stands, when it is
saved and again when it is used. Source: formats.md section 16.
"""

from functools import lru_cache
from typing import Annotated, Final, Literal, Union

import msgspec

from city.topics import TopicFilterError
from ingest.codecs.mapping.clock import PathTime
from ingest.codecs.mapping.devices import DevicePath, check_device, topic_pattern
from ingest.codecs.mapping.layout import METADATA_MAX, VALUES_MAX, Layout
from ingest.codecs.mapping.paths import compile_path
from ingest.codecs.mapping.values import PathValue

__all__ = [
    "COLUMNS_MAX",
    "BytesMapping",
    "CsvMapping",
    "JsonMapping",
    "LinesMapping",
    "MappingDocument",
    "Match",
    "PathMapping",
    "PayloadAt",
    "TextMapping",
    "mapping_name",
    "read_document",
]

COLUMNS_MAX: Final = 200
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Positions = dict[str, str]


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Topics of the messages: `+name` captures a level, a last `#name` the rest."""

    topic: str

    def __post_init__(self) -> None:
        """Refuse a filter that MQTT does not know."""
        try:
            topic_pattern(self.topic)
        except TopicFilterError as error:
            raise ValueError(f"`topic`: {error}") from None


class PayloadAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where bytes stand in a document, and how they are written."""

    path: str
    encoding: Literal["base64", "hex"] = "base64"

    def __post_init__(self) -> None:
        """Refuse a path that is none."""
        compile_path(self.path)


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every mapping says.

    Attributes:
        mapping: Its name; `madina/v1/{provider}/{device}/raw/{name}` chooses it.
        device: Text with `{captures}` of the topic, or a path; unset where the topic is our own.
    """

    mapping: Annotated[str, msgspec.Meta(pattern=NAME)]
    version: int = 1
    match: Match | None = None
    device: str | DevicePath | None = None

    def __post_init__(self) -> None:
        """Refuse captures that no level gives."""
        if isinstance(self.device, str):
            check_device(self.device, self.match.topic if self.match else "")


class PathMapping(_Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of documents, by paths.

    Attributes:
        records: JMESPath to an array of records; unset: the document is the one record.
        metadata: Name to path, or to names of paths (`position`: `lat`, `lon`).
    """

    records: str | None = None
    time: PathTime | None = None
    values: Annotated[list[PathValue], msgspec.Meta(max_length=VALUES_MAX)] = []
    metadata: Annotated[dict[str, str | Positions], msgspec.Meta(max_length=METADATA_MAX)] = {}

    def __post_init__(self) -> None:
        """Refuse paths that are none."""
        super().__post_init__()
        paths = [self.records, *self.metadata.values()]
        for each in paths:
            for path in each.values() if isinstance(each, dict) else [each]:
                if path is not None:
                    compile_path(path)


class JsonMapping(
    PathMapping,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="input",
    tag="json",
):
    """One JSON document.

    Attributes:
        payload: Where bytes stand in it; then `inner` says how they are laid out.
    """

    payload: PayloadAt | None = None
    inner: Layout | None = None

    def __post_init__(self) -> None:
        """Refuse half of a frame in a document."""
        super().__post_init__()
        if (self.payload is None) != (self.inner is None):
            raise ValueError("`payload` and `inner` go together")
        if not self.values and self.inner is None:
            raise ValueError("`values` are missing")


class _Valued(PathMapping, frozen=True, kw_only=True, forbid_unknown_fields=True):
    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.values:
            raise ValueError("`values` are missing")


class LinesMapping(
    _Valued, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="input", tag="ndjson"
):
    """Lines, each of which is a JSON document and a record."""


class TextMapping(
    _Valued, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="input", tag="text"
):
    """One value as text; its path is `@`."""


class CsvMapping(
    _Valued, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="input", tag="csv"
):
    """Rows, each of which is a record; paths are names of columns.

    Attributes:
        columns: Their names.
        header: The first row names columns, and is left out.
    """

    columns: Annotated[list[str], msgspec.Meta(min_length=1, max_length=COLUMNS_MAX)]
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    header: bool = False


class BytesMapping(
    Layout, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="input", tag="bytes"
):
    """A positional frame."""

    mapping: Annotated[str, msgspec.Meta(pattern=NAME)]
    version: int = 1
    match: Match | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        """Refuse captures that no level gives."""
        super().__post_init__()
        if self.device is not None:
            check_device(self.device, self.match.topic if self.match else "")


MappingDocument = Union[  # noqa: UP007 - msgspec takes it as a value
    JsonMapping, LinesMapping, TextMapping, CsvMapping, BytesMapping
]


class _Named(msgspec.Struct):
    mapping: str = ""


@lru_cache(maxsize=1024)
def read_document(options: bytes) -> MappingDocument:
    """Read the options of a route, as JSON.

    Raises:
        msgspec.ValidationError: With what is wrong, and where.
    """
    return msgspec.json.decode(options, type=MappingDocument)


@lru_cache(maxsize=1024)
def mapping_name(options: str) -> str:
    """Return the name of the mapping in the options of a route; empty where they have none."""
    try:
        return msgspec.json.decode(options, type=_Named).mapping
    except msgspec.MsgspecError:
        return ""
