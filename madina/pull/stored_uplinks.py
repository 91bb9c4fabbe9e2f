"""Uplinks that The Things Stack keeps, in order of time, page after page.

Source: The Things Stack, "Storage Integration", "Retrieve Messages": a stream of JSON objects, one
a line, each with `result` or, where it breaks off, `error`. Blocking.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import httpx
import msgspec

from city.instants import InstantError, text_us, to_text
from gateway.bridge.dialler import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PullError", "StoredUplink", "StoredUplinks", "Wanted"]

PATH: Final = "/api/v3/as/applications/{application}/packages/storage/uplink_message"
PAGE: Final = 1_000
TIMEOUT_S: Final = 60.0
# Answers after which the same question is asked again.
LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
TRIES: Final = 8
WAIT_MAX_S: Final = 300.0
WORDS_MAX: Final = 200


class PullError(Exception):
    """The server does not give what was asked for; in words, with what mends it."""


class Wanted(msgspec.Struct, frozen=True):
    """What to ask for.

    Attributes:
        server: Address of the cluster: `https://eu1.cloud.thethings.network`.
        key: API key with the right to read the application's traffic.
        from_us, to_us: Of the server's own times, the end excluded.
        page: Uplinks a request.
    """

    server: str
    application: str
    key: str
    from_us: int
    to_us: int
    page: int = PAGE


class StoredUplink(msgspec.Struct, frozen=True):
    """One uplink as it is kept: the JSON that a webhook would have sent, and when it came."""

    received_us: int
    device: str
    data: bytes


class _Line(msgspec.Struct, frozen=True):
    result: msgspec.Raw = msgspec.Raw(b"")
    error: dict[str, Any] | None = None


class _Ids(msgspec.Struct, frozen=True):
    device_id: str


class _Uplink(msgspec.Struct, frozen=True):
    received_at: str
    end_device_ids: _Ids


_line = msgspec.json.Decoder(_Line)
_uplink = msgspec.json.Decoder(_Uplink)


class StoredUplinks:
    """Reads what is wanted.

    Args:
        wanted: What.
        told: Hears in words why it waits.
        wait: Sleeps for some seconds.
    """

    def __init__(
        self,
        wanted: Wanted,
        told: Callable[[str], None],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wanted = wanted
        self._told = told
        self._wait = wait

    def pages(self) -> Iterator[list[StoredUplink]]:
        """Yield pages in order of time; each uplink once.

        Raises:
            PullError: The server refuses, or does not answer for long.
        """
        at_us, seen = self._wanted.from_us, set[bytes]()
        with httpx.Client(base_url=self._wanted.server, timeout=TIMEOUT_S) as client:
            while True:
                found = self._page(client, at_us)
                # The last page's last instant comes again: the server's `after` may include it.
                fresh = [each for each in found if each.data not in seen]
                if fresh:
                    yield fresh
                if len(found) < self._wanted.page:
                    return
                at_us = found[-1].received_us
                # Of the microsecond before too: the server counts in nanoseconds.
                seen = {each.data for each in found if each.received_us >= at_us - 1}
                if len(seen) == len(found):
                    words = f"more than {len(found)} uplinks of one instant, {to_text(at_us)}"
                    raise PullError(f"{words}: ask for larger pages")

    def _page(self, client: httpx.Client, from_us: int) -> list[StoredUplink]:
        backoff, tries = Backoff(), 0
        while True:
            try:
                return self._asked(client, from_us)
            except _LaterError as error:
                tries += 1
                if tries >= TRIES:
                    raise PullError(f"{error}; {tries} times in a row: try again later") from error
                wait_s = max(error.retry_after_s, backoff.next_s())
                self._told(f"{error}: waiting {wait_s:.0f} s")
                self._wait(min(wait_s, WAIT_MAX_S))

    def _asked(self, client: httpx.Client, from_us: int) -> list[StoredUplink]:
        wanted = self._wanted
        request = client.build_request(
            "GET",
            PATH.format(application=quote(wanted.application, safe="")),
            params={
                # A microsecond before: whether `after` takes its own instant is nowhere said.
                "after": to_text(from_us - 1),
                "before": to_text(wanted.to_us),
                "order": "received_at",
                "limit": str(wanted.page),
            },
            headers={
                "Authorization": f"Bearer {wanted.key}",
                "Accept": "text/event-stream",
            },
        )
        try:
            reply = client.send(request)
        except httpx.HTTPError as error:
            words = str(error) or type(error).__name__
            raise _LaterError(f"{wanted.server} does not answer: {words}") from error
        _check(reply, wanted)
        return [*_uplinks(reply.content)]


class _LaterError(Exception):
    def __init__(self, words: str, retry_after_s: float = 0.0) -> None:
        super().__init__(words)
        self.retry_after_s = retry_after_s


def _check(reply: httpx.Response, wanted: Wanted) -> None:
    status = reply.status_code
    if status in LATER:
        told = reply.headers.get("Retry-After", "")
        words = f"{wanted.server} answers {status}"
        raise _LaterError(words, float(told) if told.isdigit() else 0.0)
    if status in {401, 403}:
        raise PullError(
            f"{wanted.server} answers {status}: MADINA_TTS_KEY needs the right to read the traffic"
            f" of the application {wanted.application} (RIGHT_APPLICATION_TRAFFIC_READ)"
        )
    if status == 404:  # noqa: PLR2004 - HTTP
        raise PullError(
            f"{wanted.server} has no storage of an application {wanted.application}: is the"
            " Storage Integration switched on, and is this the application's cluster?"
        )
    if not reply.is_success:
        raise PullError(f"{wanted.server} answers {status}: {reply.text[:WORDS_MAX]}")


def _uplinks(data: bytes) -> Iterator[StoredUplink]:
    last_us = 0
    for text in filter(None, map(bytes.strip, data.splitlines())):
        found = _read(text)
        if found.received_us < last_us:
            raise PullError("the server does not keep the order of time that was asked for")
        last_us = found.received_us
        yield found


def _read(text: bytes) -> StoredUplink:
    try:
        line = _line.decode(text)
        if line.error is not None:
            words = line.error.get("message", "no reason is given")
            raise _LaterError(f"the server breaks off: {words}")
        found = _uplink.decode(line.result)
        received_us = text_us(found.received_at)
        return StoredUplink(received_us, found.end_device_ids.device_id, bytes(line.result))
    except (msgspec.MsgspecError, InstantError) as error:
        shown = text[:WORDS_MAX].decode(errors="replace")
        raise PullError(f"the server sends what is no stored uplink ({error}): {shown}") from error
