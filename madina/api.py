"""The HTTP API as commands use it: of a running `madina up`, or made for one command.

One way of asking, because DuckDB admits one process: beside a running platform only its API can
answer, and without one the same application answers in this process.
"""

import asyncio
import contextlib
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from madina.admin_key import admin_key
from madina.data_folder import DataFolder
from madina.errors import CommandError, SetupError
from madina.settings import Settings, load_settings

__all__ = ["Api", "ComeAgainError", "Document", "api", "resource"]

T = TypeVar("T")
# What the API answers; commands look at the members that they print.
Document = dict[str, object]

TIMEOUT_S = 60
# What every list of the API allows.
PAGE = 200
# Answers that say: the same again later.
LATER = frozenset({429, 503})
LOG_AWAY = "urn:madina:problem:log_away"


class _Problem(msgspec.Struct, frozen=True):
    """The members of problem details (RFC 9457) that people are told."""

    type: str = ""
    detail: str = ""
    mend: str = ""


class _Page(msgspec.Struct, frozen=True):
    items: list[Document]
    next: str | None = None


class ComeAgainError(CommandError):
    """The API cannot do it now.

    Args:
        words: Why.
        retry_after_s: When it wants to be asked again; 0: it does not say.
    """

    def __init__(self, words: str, retry_after_s: float) -> None:
        super().__init__(words)
        self.retry_after_s = retry_after_s


class Api:
    """Calls of the API, each finished when it returns.

    Attributes:
        runs: The platform runs; otherwise nothing that needs its log can be done.
    """

    def __init__(self, client: httpx.AsyncClient, on: asyncio.Runner, *, runs: bool) -> None:
        self.runs = runs
        self._client = client
        self._on = on

    def get(self, path: str, parameters: Mapping[str, object] | None = None) -> Document:
        """Return one document.

        Args:
            path: Of the resource.
            parameters: Of the query; those that are None are left out, a list is repeated.

        Raises:
            CommandError: The API refuses, in its words.
        """
        return msgspec.json.decode(self._ask("GET", path, parameters), type=Document)

    def items(
        self, path: str, parameters: Mapping[str, object] | None = None, limit: int | None = None
    ) -> Iterator[Document]:
        """Yield the entries of a list, page after page.

        Args:
            path: Of the list.
            parameters: As of `get`.
            limit: At most so many; None for all of them.

        Raises:
            CommandError: The API refuses, in its words.
        """
        left, cursor = limit, None
        while left is None or left > 0:
            asked = {**(parameters or {}), "cursor": cursor, "limit": min(left or PAGE, PAGE)}
            page = msgspec.json.decode(self._ask("GET", path, asked), type=_Page)
            yield from page.items
            cursor = page.next
            if cursor is None:
                return
            left = None if left is None else left - len(page.items)

    def send(self, method: str, path: str, body: object | None = None) -> Document:
        """Change something; return what the API says about it.

        Raises:
            CommandError: The API refuses, in its words.
        """
        answer = self._ask(method, path, None, body)
        return msgspec.json.decode(answer, type=Document) if answer else {}

    def save(self, path: str, parameters: Mapping[str, object], file: Path) -> int:
        """Write what the API sends to a file, however long; return its bytes.

        Raises:
            CommandError: The API refuses, in its words, or the file cannot be written.
        """
        request = self._client.build_request("GET", path, params=_given(parameters))
        try:
            return self._on.run(self._saved(request, file))
        except httpx.TransportError as error:
            words = str(error) or type(error).__name__
            raise CommandError(f"the platform does not answer at {request.url}: {words}") from error
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error}") from error

    async def _saved(self, request: httpx.Request, file: Path) -> int:
        response = await self._client.send(request, stream=True)
        try:
            if not response.is_success:
                await response.aread()
                raise CommandError(self._words(response))
            size = 0
            # A file that was begun never stands under the name of a whole one.
            begun = file.with_name(f".{file.name}.part")
            with begun.open("wb") as to:
                async for part in response.aiter_bytes():
                    size += to.write(part)
            begun.replace(file)
            return size
        finally:
            await response.aclose()

    def _ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object] | None,
        body: object | None = None,
    ) -> bytes:
        content = None if body is None else msgspec.json.encode(body)
        request = self._client.build_request(
            method, path, params=_given(parameters), content=content
        )
        try:
            response = self._on.run(self._client.send(request))
        except httpx.TransportError as error:
            words = str(error) or type(error).__name__
            raise CommandError(f"the platform does not answer at {request.url}: {words}") from error
        if response.is_success:
            return response.content
        if response.status_code in LATER:
            told = response.headers.get("Retry-After", "")
            raise ComeAgainError(self._words(response), float(told) if told.isdigit() else 0.0)
        raise CommandError(self._words(response))

    def _words(self, response: httpx.Response) -> str:
        try:
            problem = msgspec.json.decode(response.content, type=_Problem)
        except msgspec.MsgspecError:
            problem = _Problem()
        if problem.type == LOG_AWAY and not self.runs:
            return "this needs the log, which does not run: start `madina up` first"
        detail = problem.detail or f"the API answered {response.status_code}"
        return detail if problem.mend in detail else f"{detail}: {problem.mend}"


def _given(parameters: Mapping[str, object] | None) -> dict[str, str | list[str]]:
    return {
        name: list(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType] - of any kind
        for name, value in (parameters or {}).items()
        if value is not None
    }


def resource(collection: str, name: str, *more: str) -> str:
    """Return the path of one thing; its name may hold any character."""
    return "/".join((collection, quote(name), *more))


@contextlib.contextmanager
def api(data_dir: Path | None) -> Generator[Api]:
    """Reach the API that settings name, or that of what runs on the data folder, or make one.

    Args:
        data_dir: What the command line said.

    Raises:
        SetupError: There is no data folder, or its store or registry cannot be opened.
    """
    settings = load_settings(data_dir).settings
    folder = DataFolder(settings.data_dir)
    if settings.api_url is not None:
        with _at(settings.api_url) as client, _calls(client, settings, runs=True) as calls:
            yield calls
        return
    if not folder.path.is_dir():
        raise SetupError(
            f"there is no data folder {folder.path}",
            "start `madina up` to make it, or set MADINA_DATA_DIR to another one",
        )
    run = folder.running()
    if run:
        found = _at(run.http)
    else:
        # Loads every room; a command beside a running platform need not wait for that.
        from madina.api_in_process import api_in_process  # noqa: PLC0415

        found = api_in_process(settings)
    with found as client, _calls(client, settings, runs=run is not None) as calls:
        yield calls


@contextlib.contextmanager
def _calls(client: httpx.AsyncClient, settings: Settings, *, runs: bool) -> Generator[Api]:
    client.headers["Authorization"] = f"Bearer {admin_key(settings)}"
    client.headers["Content-Type"] = "application/json"
    with asyncio.Runner() as on:
        try:
            yield Api(client, on, runs=runs)
        finally:
            on.run(client.aclose())


@contextlib.contextmanager
def _at(url: str) -> Generator[httpx.AsyncClient]:
    # Not through a proxy of the environment: it is the city's own.
    yield httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False)
