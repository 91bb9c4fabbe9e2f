"""Whether messages get through: each child serves before the parts have found each other."""

import asyncio
import contextlib

import httpx
import msgspec

__all__ = ["why_not_ready"]

LOOK_EVERY_S = 0.1


class _Ready(msgspec.Struct, frozen=True):
    """What `/readyz` answers."""

    reasons: list[dict[str, str]] = []


async def why_not_ready(url: str, timeout_s: float) -> str:
    """Wait until a platform says that messages get through.

    Args:
        url: Of its API.
        timeout_s: How long at most.

    Returns:
        Empty; or what it said last, where it takes longer.
    """
    words = "it does not answer"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s), httpx.AsyncClient(trust_env=False) as client:
            while True:
                words = await _ask(client, f"{url}/readyz")
                if not words:
                    break
                await asyncio.sleep(LOOK_EVERY_S)
    return words


async def _ask(client: httpx.AsyncClient, url: str) -> str:
    try:
        answer = await client.get(url)
        if answer.is_success:
            return ""
        reasons = msgspec.json.decode(answer.content, type=_Ready).reasons
    except (httpx.TransportError, msgspec.MsgspecError) as error:
        return f"{url}: {error}"
    return "; ".join(each.get("words", "") for each in reasons) or f"{url} gives no reason"
