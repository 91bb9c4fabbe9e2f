"""Commands as a shell runs them, in this process and on a data folder of their own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from madina.main import main


class Ended(msgspec.Struct):
    """How a command ended."""

    status: int
    out: str
    err: str

    # JSON of our own commands: tests look at its members, so its type is left open.
    def json(self) -> Any:  # noqa: ANN401
        assert self.status == 0, self.err
        return msgspec.json.decode(self.out)


Madina = Callable[..., Ended]


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def madina(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Madina]:
    """Return a function that runs a command on a data folder where nothing runs."""
    monkeypatch.setenv("MADINA_DATA_DIR", str(data_folder))

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["madina", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    yield run
    structlog.reset_defaults()
