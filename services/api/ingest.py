"""`/v1/ingest/{route}`: messages over HTTP, by the way that MQTT messages go."""

import asyncio
import math
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from registry.registry import Registry
from services.asking import Document, answer
from services.authority import KEY_MAX, Running
from services.bodies import BODY_MAX_BYTES, divided, inflated, media_type
from services.body_limit import says_more
from services.problems import PROBLEMS, ProblemError
from services.running import Services
from services.senders import SIGNATURE, Sender, Target

__all__ = ["LevelParameters", "TakenDocument", "router", "send_messages", "send_messages_below"]

router = APIRouter(prefix="/v1/ingest", tags=["ingest"], responses=PROBLEMS)

READ_S: Final = 10.0
WORD_MAX: Final = 200

_bearer = HTTPBearer(auto_error=False, description="admin key, or a key that may send")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class TakenDocument(Document):
    """How many messages the log has now; what becomes of them is in the ledger and quarantine."""

    messages: int


class LevelParameters(BaseModel):
    """Levels of the topic that senders put into the query.

    Attributes:
        event: ChirpStack's: what the message tells.
        k, i: Key and device, of FIWARE's IoT Agents.
    """

    event: Annotated[str | None, Field(max_length=WORD_MAX)] = None
    k: Annotated[str | None, Field(max_length=WORD_MAX)] = None
    i: Annotated[str | None, Field(max_length=WORD_MAX)] = None

    def behind(self, path: str) -> list[str]:
        """Return what stands in place of the wildcards, in order."""
        levels = path.strip("/").split("/") if path.strip("/") else []
        if self.k is not None and self.i is not None:
            levels += [self.k, self.i, "attrs"]
        if self.event is not None:
            levels += ["event", self.event]
        return levels


Parameters = Annotated[LevelParameters, Query()]


@router.post("/{route}", response_model=TakenDocument, status_code=HTTPStatus.ACCEPTED)
async def send_messages(
    request: Request, running: Running, bearer: Bearer, route: str, asked: Parameters
) -> Response:
    """Send a message, a JSON array of them, or one a line (NDJSON), gzip or not.

    Answered when the log has all of it.
    """
    return await _send(request, running, bearer, route, asked.behind(""))


@router.post(
    "/{route}/{levels:path}", response_model=TakenDocument, status_code=HTTPStatus.ACCEPTED
)
async def send_messages_below(
    request: Request,
    running: Running,
    bearer: Bearer,
    route: str,
    levels: str,
    asked: Parameters,
) -> Response:
    """Send messages whose topic has levels in place of the wildcards of the route's pattern."""
    return await _send(request, running, bearer, route, asked.behind(levels))


async def _send(
    request: Request, running: Services, bearer: Bearer, route: str, levels: list[str]
) -> Response:
    signature = request.headers.get(SIGNATURE)
    body = b""
    if bearer is None and signature is not None:
        body = await _body(request)
        look = running.senders.by_signature
        sender = await running.threads.run(look, route, body, signature)
    else:
        key = "" if bearer is None else bearer.credentials[:KEY_MAX]
        sender = await running.threads.run(running.senders.by_key, key)
    _limit(running, sender)
    target = await running.threads.run(_target, running, sender, route, levels)
    kind = media_type(request.headers.get("Content-Type", ""))
    body = body or await _body(request)
    messages = divided(
        inflated(body, request.headers.get("Content-Encoding", "")),
        kind,
        whole_arrays=target.codec in running.parts.array_codecs,
        message_max_bytes=running.parts.uplink.max_message_bytes,
    )
    await running.uplink.send(sender.actor, target.topic, messages, kind)
    return answer(request, TakenDocument(messages=len(messages)), HTTPStatus.ACCEPTED)


def _target(running: Services, sender: Sender, route: str, levels: list[str]) -> Target:
    """Decide where messages go, and see that their shard is the one that gateways choose."""
    registry: Registry = running.parts.registry
    target = running.senders.target(sender, route, levels)
    running.uplink.use_rules(registry.shard_rules())
    return target


def _limit(running: Services, sender: Sender) -> None:
    wait_s = running.buckets.take(sender.actor, asyncio.get_running_loop().time())
    if wait_s:
        raise ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_requests",
            f"{sender.actor} sends more than {running.parts.http_ingest_rate:g} requests a second",
            mend="send several messages in a request, or raise MADINA_HTTP_INGEST_RATE",
            retry_after_s=math.ceil(wait_s),
        )


async def _body(request: Request) -> bytes:
    """Return what is sent, as it is sent.

    Raises:
        ProblemError: 413, if it is too long; 400, if it does not come.
    """
    # Who asks before sending (`Expect: 100-continue`) never sends it then.
    if says_more(request.headers, BODY_MAX_BYTES):
        raise _too_large()
    parts: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(READ_S):
            async for part in request.stream():
                length += len(part)
                if length > BODY_MAX_BYTES:
                    raise _too_large()
                parts.append(part)
    except TimeoutError:
        words = f"the body did not come within {READ_S:g} s"
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "too_slow", words, mend="send it again"
        ) from None
    return b"".join(parts)


def _too_large() -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"more than {BODY_MAX_BYTES:,} bytes as sent",
        mend="send it in several requests, or as gzip",
    )
