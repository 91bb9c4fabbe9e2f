"""Small made-up files and mappings."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from loadtest.replay.mapping import read_mapping
from loadtest.replay.notes import Notes
from loadtest.replay.recording import Message, Recording

AIR = """
provider = "test-air"
format = "csv"
missing = ["NA"]
values = [
    { column = "PM2.5", quantity = "pm2_5", unit = "ug/m3" },
    { column = "wind", quantity = "wind_direction", unit = "deg", map = { N = 0, NNE = 22.5 } },
]
[device]
id = "{station}"
interval = "step"
[time]
text = "{day} {hour}"
format = "yyyy-MM-dd HH"
zone = "+08:00"
"""


class Read:
    """One pass over a recording."""

    def __init__(self, recording: Recording) -> None:
        self.notes = Notes()
        self.messages: list[Message] = [*recording.messages(self.notes)]

    @property
    def payloads(self) -> list[object]:
        return [msgspec.json.decode(each.payload) for each in self.messages]

    @property
    def topics(self) -> list[str]:
        return [each.topic.decode() for each in self.messages]

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        return [(each.row, each.column, each.reason) for each in self.notes.skipped]


ReadFiles = Callable[..., Read]


@pytest.fixture
def air() -> str:
    return AIR


@pytest.fixture
def read(tmp_path: Path) -> ReadFiles:
    """Return a function that reads files (name to text) under a mapping."""

    def reading(mapping: str, **files: str | bytes) -> Read:
        paths: list[Path] = []
        for name, text in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return Read(Recording(read_mapping(mapping.encode()), paths))

    return reading
