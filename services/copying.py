"""Copies of store and registry while they run: one at a time, in a thread of its own.

Where the copy is made and what is in it is the composition root's; here it is begun, watched and
given up.
"""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Literal

import msgspec
import structlog

if TYPE_CHECKING:
    from services.parts import ServicesParts

__all__ = ["CopyBusyError", "CopyState", "Copying", "NoCopyError"]

log = structlog.get_logger(__name__)

ID_BYTES = 8
# An interrupted stretch of some million rows may take so long to end.
END_S = 30.0


class NoCopyError(Exception):
    """This process has nothing that it could copy."""


class CopyBusyError(Exception):
    """Another copy is being made."""


class _EndedError(Exception):
    """The process ends."""


class CopyState(msgspec.Struct, frozen=True):
    """How far a copy is.

    Attributes:
        folder: Where it is, on the machine of this process.
        share: From 0 to 1.
        words: Why it failed.
    """

    id: str
    state: Literal["running", "done", "failed"]
    folder: str
    share: float = 0.0
    words: str = ""


class Copying:
    """The one copy that is being made, or was made last."""

    def __init__(self, parts: ServicesParts) -> None:
        self._copy = parts.copy
        self._state: CopyState | None = None
        self._thread: threading.Thread | None = None
        self._ending = False

    def begin(self) -> CopyState:
        """Begin a copy and return at once.

        Raises:
            NoCopyError: There is nothing to copy here.
            CopyBusyError: Another one is being made.
        """
        if self._copy is None:
            raise NoCopyError
        if self._thread is not None and self._thread.is_alive():
            raise CopyBusyError
        name = secrets.token_hex(ID_BYTES)
        self._state = CopyState(name, "running", str(self._copy.folder(name)))
        self._thread = threading.Thread(target=self._work, args=(self._state,), name="copying")
        self._thread.start()
        return self._state

    def state(self, name: str) -> CopyState | None:
        """Return how far a copy is; None where nobody knows of it."""
        return self._state if self._state is not None and self._state.id == name else None

    def close(self) -> None:
        """Give up what is being made."""
        self._ending = True
        if self._thread is not None:
            self._thread.join(END_S)

    def _work(self, begun: CopyState) -> None:
        assert self._copy is not None, "begin looks"

        def told(share: float) -> None:
            if self._ending:
                raise _EndedError
            self._state = msgspec.structs.replace(begun, share=share)

        try:
            self._copy.make(begun.id, told)
        except Exception as error:
            # The boundary of the thread: whatever it is, who asked has to hear of it.
            log.exception("copy.failed")
            words = str(error) or type(error).__name__
            self._state = msgspec.structs.replace(begun, state="failed", words=words)
            return
        self._state = msgspec.structs.replace(begun, state="done", share=1.0)
