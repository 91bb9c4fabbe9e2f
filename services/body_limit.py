"""Refuses bodies that are too long, in the shape of every other problem.

The framework's own limit answers with plain text where a length was said beforehand.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from services.problems import ProblemError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit", "says_more"]


def says_more(headers: Headers, most_bytes: int) -> bool:
    """Say whether a request tells that its body is longer, before any of it comes."""
    told = headers.get("Content-Length", "")
    return told.isdecimal() and int(told) > most_bytes


class BodyLimit:
    """ASGI middleware: answers 413 to what says that it is longer, before any of it comes.

    Whoever reads a body that becomes longer without having said so gets the framework's error.

    Args:
        app: What answers everything else.
        most_bytes: The longest body.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif says_more(Headers(scope=scope), self._most_bytes):
            await self._refusal().response()(scope, receive, send)
        else:
            await self._app(scope, self._counting(receive), send)

    def _counting(self, receive: Receive) -> Receive:
        length = 0

        async def counted() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > self._most_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._words())
            return message

        return counted

    def _refusal(self) -> ProblemError:
        return ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            self._words(),
            mend="send it in several requests; POST /v1/ingest takes gzip",
        )

    def _words(self) -> str:
        return f"more than {self._most_bytes:,} bytes as sent"
