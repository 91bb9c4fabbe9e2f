"""What a check found, and what it may look at."""

from collections.abc import Callable
from typing import Literal

import msgspec

from city.clock import Clock
from madina.data_folder import DataFolder, RunFile
from madina.errors import CommandError, SetupError
from madina.settings import Settings

__all__ = ["Check", "Machine", "Topic", "Verdict", "checked", "error", "ok", "warning"]

Verdict = Literal["ok", "warning", "error"]


class Check(msgspec.Struct, frozen=True):
    """What one check found.

    Attributes:
        words: For people; of an error or a warning with what mends it.
    """

    name: str
    verdict: Verdict
    words: str


class Machine(msgspec.Struct, frozen=True):
    """What is looked at.

    Attributes:
        run: What runs on the data folder; None where nothing does.
    """

    settings: Settings
    folder: DataFolder
    run: RunFile | None
    clock: Clock


Topic = Callable[[Machine], "list[Check]"]


def ok(name: str, words: str) -> Check:
    """Return a check that found nothing to mend."""
    return Check(name, "ok", words)


def warning(name: str, words: str, mend: str) -> Check:
    """Return a check that found something to think about."""
    return Check(name, "warning", f"{words}: {mend}")


def error(name: str, words: str, mend: str) -> Check:
    """Return a check that found something to mend: the command then ends with status 1."""
    return Check(name, "error", f"{words}: {mend}")


def checked(name: str, look: Callable[[], str]) -> Check:
    """Return what a look says, or why it cannot be so."""
    try:
        return Check(name, "ok", look())
    except (SetupError, CommandError) as reason:
        return Check(name, "error", str(reason))
