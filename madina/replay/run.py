"""A replay on a running platform, from the files to the last count of the ledger."""

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

import msgspec
import uvloop

from city.clock import MachineClock
from loadtest.replay.notes import Notes
from loadtest.replay.player import PlayError, PlayPlan, PlayProgress, PlayReport, play
from loadtest.replay.recording import Message, Recording
from loadtest.replay.tables import FileError
from madina.api import Api
from madina.errors import CommandError
from madina.mqtt_user import own_user
from madina.replay.outcome import Replayed, ReplayOutcome, counts, outcome_of, settled
from madina.replay.registering import register_devices, register_route
from madina.settings import Settings

__all__ = ["Prepared", "prepare", "replay"]

# Messages of a small recording are kept between the two passes; a large one is read again.
KEPT_BYTES: Final = 64 << 20


class Prepared(msgspec.Struct):
    """A recording that was read once.

    Attributes:
        kept: Its messages, in the order in which they are sent; None where they are too many.
        limit: At most so many are sent.
    """

    recording: Recording
    notes: Notes
    kept: list[Message] | None
    limit: int | None

    @property
    def count(self) -> int:
        """How many messages there are to send."""
        return min(self.notes.messages, self.limit or self.notes.messages)

    def messages(self) -> Iterator[Message]:
        """Return what is sent."""
        if self.kept is not None:
            return iter(self.kept)
        return islice(self.recording.messages(Notes()), self.limit)


def prepare(recording: Recording, *, limit: int | None, in_order: bool) -> Prepared:
    """Read everything once: what there is to register and to send.

    Args:
        recording: Files and mapping.
        limit: Send so many messages at most.
        in_order: Send in order of time, not of the files.

    Raises:
        CommandError: If a file is not what the mapping says.
    """
    notes = Notes()
    kept: list[Message] | None = []
    size = 0
    try:
        for message in recording.messages(notes):
            if kept is None:
                continue
            kept.append(message)
            size += len(message.payload) + len(message.topic)
            if size > KEPT_BYTES and not in_order:
                kept = None
    except FileError as error:
        raise CommandError(str(error)) from error
    if not notes.messages:
        why = ", ".join(f"{count} {reason}" for reason, count in notes.skipped_rows.items())
        raise CommandError(f"there is nothing to send in {notes.rows} rows{why and ': '}{why}")
    if kept is not None and in_order:
        kept.sort(key=lambda message: message.time_us)
    return Prepared(recording, notes, None if kept is None else kept[:limit], limit)


def replay(
    api: Api,
    settings: Settings,
    mqtt: str,
    prepared: Prepared,
    *,
    speed: float | None,
    progress: Callable[[PlayProgress], None],
) -> ReplayOutcome:
    """Register, publish and reconcile.

    Args:
        api: Of the running platform.
        settings: Whether devices need a user.
        mqtt: Address of its MQTT endpoint.
        prepared: What to send.
        speed: Times the recorded speed; None: as fast as it goes.
        progress: Called some times a second while messages are sent.

    Raises:
        CommandError: The API refuses, or the endpoint lets nobody in.
    """
    mapping = prepared.recording.mapping
    registered = register_devices(api, mapping, prepared.notes.devices.values())
    route = register_route(api, mapping)
    at = urlsplit(mqtt)
    user = own_user(api, settings, mapping.provider, f"replay-{mapping.provider}")
    plan = PlayPlan(
        host=at.hostname or "127.0.0.1",
        port=at.port or 1883,
        client_id=f"replay-{mapping.provider}",
        user=user and user.name,
        password=user and user.secret,
        speed=speed,
    )
    before = counts(api, mapping.provider, route)
    began_us = MachineClock().now_us()
    try:
        report = uvloop.run(_until_interrupted(plan, prepared.messages(), progress))
    except PlayError as error:
        raise CommandError(str(error)) from error
    sent = report.sent + report.resent
    after = settled(api, mapping.provider, route, before, sent)
    done = Replayed(
        provider=mapping.provider,
        route=route,
        notes=prepared.notes,
        registered=registered,
        began_us=began_us,
        report=report,
        before=before,
        after=after,
    )
    return outcome_of(api, done)


async def _until_interrupted(
    plan: PlayPlan, messages: Iterable[Message], progress: Callable[[PlayProgress], None]
) -> PlayReport:
    """Let Ctrl-C end the sending early, not the report."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    return await play(plan, messages, progress=progress, stop=stop)
