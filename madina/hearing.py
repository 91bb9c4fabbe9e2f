"""Traffic to inspect: what our own log has taken lately, or what another broker is sent now."""

import asyncio
import sys
from urllib.parse import quote

from nats.aio.client import Client
from nats.errors import Error as NatsError

from city.clock import US_PER_S, MachineClock
from gateway.bridge.broker import Broker, BrokerUrlError, parse_broker
from gateway.bridge.overhear import Overheard, OverhearError, overhear
from ingest.inspect.findings import Heard
from ingest.inspect.listening import MESSAGES_MAX, Traffic, hear
from ingest.log.api import LogError
from madina.data_folder import DataFolder
from madina.errors import CommandError
from madina.log_client import log_client
from madina.settings import Settings

__all__ = ["heard_at_broker", "heard_on_log"]


def heard_at_broker(url: str, topic_filter: str, seconds: float) -> Traffic:
    """Return what a broker is sent on some topics from now on.

    Raises:
        CommandError: The URL names none, or the broker cannot be listened to.
    """
    broker = _broker(url, topic_filter)
    words = f"listening to {broker.address} for {seconds:g} s; Ctrl-C ends it"
    print(words, file=sys.stderr, flush=True)
    try:
        found = overhear(broker, seconds, MESSAGES_MAX, MachineClock().now_us)
    except OverhearError as error:
        raise CommandError(str(error)) from error
    return Traffic([_message(each) for each in found], cut=len(found) >= MESSAGES_MAX)


def _broker(url: str, topic_filter: str) -> Broker:
    if "topic=" in url:
        raise CommandError("topics stand in the filter, not in the broker's URL")
    named = f"{url}{'&' if '?' in url else '?'}topic={quote(topic_filter, safe='/+$')}"
    try:
        return parse_broker(named)
    except BrokerUrlError as error:
        raise CommandError(str(error)) from error


def _message(found: Overheard) -> Heard:
    topic = found.topic.decode(errors="replace")
    return Heard(topic, found.payload, found.received_us, found.content_type)


async def heard_on_log(settings: Settings, topic_filter: bytes, seconds: float) -> Traffic:
    """Return what came lately; where nothing did, what comes until the time is over.

    Raises:
        CommandError: The log does not run, or cannot be read.
    """
    run = DataFolder(settings.data_dir).running()
    url = settings.nats_url or (run.nats if run else None)
    if url is None:
        raise CommandError("this needs the log, which does not run: start `madina up` first")
    try:
        async with log_client(url) as client:
            return await _heard(client, settings.shards, topic_filter, seconds)
    except (OSError, NatsError, LogError, TimeoutError) as error:
        words = str(error) or type(error).__name__
        raise CommandError(f"the log cannot be read ({words}): see MADINA_NATS_URL") from error


async def _heard(client: Client, shards: int, topic_filter: bytes, seconds: float) -> Traffic:
    since_us = MachineClock().now_us() - round(seconds * US_PER_S)
    traffic = await hear(client, shards, topic_filter, since_us)
    if traffic.messages:
        return traffic
    # All of the time: the first message is of one device, and a pattern is of many.
    words = f"nothing came in the last {seconds:g} s: listening for as long; Ctrl-C ends it"
    print(words, file=sys.stderr, flush=True)
    await asyncio.sleep(seconds)
    return await hear(client, shards, topic_filter, since_us)
