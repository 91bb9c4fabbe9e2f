"""The HTTP of one server: lines in, answers out, and what its refusals mean for us.

Every version is written by line protocol and read by InfluxQL. `books` is a retention policy of
1.x; where buckets have no policies, it is a bucket of that name (`city/books`), which the
compatible `/query` of 2.x and 3.x finds by the same two words.
"""

import gzip
from collections.abc import Iterable, Sequence
from typing import Any, Final

import httpx
import msgspec

from store.errors import StoreBusyError
from store.influx.address import InfluxAddress

__all__ = ["DATA", "Answer", "Connection", "DeniedError", "RefusedError", "rows_of"]

# The observations' own policy: the database's default.
DATA: Final = ""
TIMEOUT_S: Final = 30.0
CONNECT_S: Final = 5.0
RETRY_AFTER_S: Final = 0.2
GZIP_LEVEL: Final = 1
# Below, a packet is a packet.
GZIP_LEAST: Final = 1_024
OK: Final = range(200, 300)
DENIED: Final = frozenset({401, 403})
REFUSED: Final = frozenset({400, 413, 422})


class RefusedError(Exception):
    """The server did not take some lines and will not take them later either."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class DeniedError(StoreBusyError):
    """The server does not let this user or token in; somebody has to mend that."""


class Answer(msgspec.Struct):
    """One series of an answer; of rows without tags the only one."""

    columns: list[str]
    values: list[list[Any]] = []
    name: str = ""
    tags: dict[str, str] = {}

    def rows(self) -> Iterable[dict[str, Any]]:
        """Return values by column."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.values)


class _Result(msgspec.Struct):
    series: list[Answer] = []
    error: str | None = None
    statement_id: int = 0


class _Document(msgspec.Struct):
    results: list[_Result] = []
    error: str | None = None


_documents = msgspec.json.Decoder(_Document)


class Connection:
    """Keep-alive connections to one server; any thread may use them."""

    def __init__(self, address: InfluxAddress, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        headers = {"Authorization": f"Token {address.token}"} if address.token else {}
        auth = (address.user, address.password) if address.user else None
        timeout = httpx.Timeout(timeout_s, connect=CONNECT_S)
        # No proxy of the environment: it would be asked for a database next door.
        self._client = httpx.Client(
            base_url=address.url, headers=headers, auth=auth, timeout=timeout, trust_env=False
        )

    def write(self, policy: str, lines: bytes) -> None:
        """Write lines of line protocol with times in nanoseconds.

        Raises:
            StoreBusyError: The server does not answer or cannot take them now.
            RefusedError: It will not take one of them; the others may have been written.
        """
        headers: dict[str, str] = {}
        if self.address.gzip and len(lines) >= GZIP_LEAST:
            lines, headers = gzip.compress(lines, GZIP_LEVEL), {"Content-Encoding": "gzip"}
        path, parameters = self._write_target(policy)
        reply = self._send("POST", path, params=parameters, content=lines, headers=headers)
        if reply.status_code in OK:
            return
        words = _words(reply)
        # An older server says 500 where a policy is missing, 404 where a database is.
        if reply.status_code in REFUSED and "timeout" not in words:
            raise RefusedError(words)
        raise self._busy(words, reply)

    def ask(self, policy: str, statement: str) -> list[Answer]:
        """Return the series that a statement selects."""
        return self.ask_all(policy, [statement])[0]

    def ask_all(self, policy: str, statements: Sequence[str]) -> list[list[Answer]]:
        """Return the series that each statement selects, in one request.

        Raises:
            StoreBusyError: The server does not answer, or cannot.
        """
        parameters = {"db": self.address.database, "epoch": "ns", "chunked": "true"}
        if policy:
            parameters["rp"] = policy
        reply = self._send("POST", "/query", params=parameters, data={"q": ";".join(statements)})
        if reply.status_code not in OK:
            raise self._busy(_words(reply))
        found: list[list[Answer]] = [[] for _ in statements]
        # One document a chunk; a series that is longer than a chunk comes in several.
        for line in reply.content.splitlines():
            document = _documents.decode(line)
            for result in document.results:
                if result.error is not None:
                    raise self._busy(result.error)
                found[result.statement_id] += result.series
        return found

    def rows(self, policy: str, statement: str) -> list[dict[str, Any]]:
        """Return the rows that a statement selects, whatever series they are of."""
        return rows_of(self.ask(policy, statement))

    def command(self, statement: str) -> list[Answer]:
        """Do what a statement says that is about no database."""
        return self.ask(DATA, statement)

    def version(self) -> str:
        """Return what the server calls itself."""
        reply = self._send("GET", "/ping")
        return reply.headers.get("X-Influxdb-Version", "unknown")

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _write_target(self, policy: str) -> tuple[str, dict[str, str]]:
        of = self.address
        if of.version == 1:
            parameters = {"db": of.database, "precision": "ns"}
            return "/write", {**parameters, "rp": policy} if policy else parameters
        bucket = f"{of.database}/{policy}" if policy else of.database
        return "/api/v2/write", {"org": of.org, "bucket": bucket, "precision": "ns"}

    def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        try:
            reply = self._client.request(method, path, **parts)
        except httpx.HTTPError as error:
            raise self._busy(str(error) or type(error).__name__) from error
        if reply.status_code in DENIED:
            raise DeniedError(
                store=self.address.name, cause=_words(reply), retry_after_s=RETRY_AFTER_S
            )
        return reply

    def _busy(self, cause: str, reply: httpx.Response | None = None) -> StoreBusyError:
        """Return what to raise; a server that says in seconds when to come back is believed."""
        told = "" if reply is None else reply.headers.get("Retry-After", "")
        retry_s = float(told) if told.isdigit() else RETRY_AFTER_S
        return StoreBusyError(store=self.address.name, cause=cause, retry_after_s=retry_s)


def rows_of(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return the rows of some series by column."""
    return [row for answer in answers for row in answer.rows()]


def _words(reply: httpx.Response) -> str:
    """Return what the server says: 1.x calls it `error`, 2.x and 3.x `message`."""
    try:
        said = msgspec.json.decode(reply.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        said = {}
    words = said.get("error") or said.get("message") or reply.text.strip()
    return str(words) or f"HTTP {reply.status_code}"
