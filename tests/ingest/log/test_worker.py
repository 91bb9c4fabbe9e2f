"""The worker against a real nats-server: every message once and in order, whatever happens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from city.live import LiveObservation, decode_live
from city.requests import Request, decode_request
from city.subjects import LIVE_SUBJECT, REQUEST_SUBJECT
from ingest.log.api import LogVersionError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from conftest import LogWriter, RecordingApplying, Running, SharedStore

    Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
    Whole = Callable[[SharedStore, LogWriter], None]
    RunWorker = Callable[[RecordingApplying], AbstractAsyncContextManager[Running]]
    NewWorker = Callable[[RecordingApplying], Running]
    RunInThread = Callable[
        [RecordingApplying], AbstractContextManager[Callable[[], AbstractContextManager[None]]]
    ]
    NewApplying = Callable[[], RecordingApplying]

pytestmark = pytest.mark.live


async def test_frames_are_applied_once_and_in_order(
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream()
    async with run_worker(new_applying()) as worker:
        await writer.write(20)
        await eventually(lambda: store.count == writer.count)
        await writer.write(20)
        await eventually(lambda: store.count == writer.count)
        await eventually(lambda: worker.board.status.owned == (0, 1, 2, 3))
        assert worker.board.status.words == ""
        assert worker.board.status.messages_per_s > 0
    assert_whole(store, writer)


async def test_the_worker_waits_for_the_gateway_to_make_the_stream(
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
) -> None:
    async with run_worker(new_applying()) as worker:
        await eventually(lambda: "is not there yet" in worker.board.status.words)
        await writer.make_stream()
        await writer.write(4)
        await eventually(lambda: store.count == writer.count)


async def test_a_stream_without_direct_reads_is_one_clear_error(
    writer: LogWriter, new_worker: NewWorker, new_applying: NewApplying
) -> None:
    await writer.make_stream(allow_direct=False)
    with pytest.raises(LogVersionError, match="allow_direct"):
        await asyncio.wait_for(new_worker(new_applying()).run(), 20)


async def test_a_clean_stop_hands_the_shards_over_at_once(
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream()
    async with run_worker(new_applying()):
        await writer.write(20)
        await eventually(lambda: store.count == writer.count)
    await writer.write(20)
    async with run_worker(new_applying()):
        await eventually(lambda: store.count == writer.count)
    assert_whole(store, writer)


async def test_a_killed_worker_leaves_nothing_behind_that_the_next_does_not_read(  # noqa: PLR0913, PLR0917 - fixtures
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    run_and_kill_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream()
    first = new_applying()
    async with run_and_kill_worker(first):
        await writer.write(20)
        await eventually(lambda: store.count == writer.count)
        first.go.clear()
        await writer.write(40)
        await eventually(first.standing.is_set)
        first.busy = 1_000
    assert store.count == 60
    # Nothing new arrives: what the dead worker was given comes again.
    async with run_worker(new_applying()):
        await eventually(lambda: store.count == writer.count)
    assert_whole(store, writer)


async def test_a_worker_that_stood_still_is_fenced_when_it_goes_on(  # noqa: PLR0913, PLR0917 - fixtures
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    run_in_thread: RunInThread,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream()
    slow, quick = new_applying(), new_applying()
    with run_in_thread(slow) as frozen:
        await writer.write(20)
        await eventually(lambda: store.count == writer.count)
        slow.go.clear()
        await writer.write(20)
        await eventually(slow.standing.is_set)
        async with run_worker(quick):
            with frozen():
                await eventually(lambda: store.count == writer.count)
            await writer.write(40)
            slow.go.set()
            await eventually(lambda: slow.fenced > 0)
            await eventually(lambda: store.count == writer.count)
    assert_whole(store, writer)


async def test_a_busy_store_gets_the_same_frames_again(
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream()
    applying = new_applying()
    applying.busy = 5
    async with run_worker(applying) as worker:
        await writer.write(12)
        await eventually(lambda: "told so" in worker.board.status.store_words)
        await eventually(lambda: store.count == writer.count)
        assert worker.board.status.store == "ready"
    assert_whole(store, writer)


async def test_catching_up_takes_large_batches(
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream()
    await writer.write(5_000, messages=2)
    applying = new_applying()
    async with run_worker(applying):
        await eventually(lambda: store.count == writer.count)
    assert_whole(store, writer)
    assert len(applying.batches) < 500


async def test_the_log_forgets_only_what_is_applied(
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream(max_bytes=1_000_000)
    async with run_worker(new_applying()):
        for _ in range(15):
            await writer.write(10, size=4_000)
            await eventually(lambda: store.count == writer.count)
            await eventually_below(writer, 600_000)
    assert_whole(store, writer)


async def eventually_below(writer: LogWriter, size_bytes: int) -> None:
    async with asyncio.timeout(10):
        while await writer.stream_bytes() > size_bytes:
            await asyncio.sleep(0.02)


async def test_stored_observations_are_told_on_the_live_subject(
    writer: LogWriter,
    run_worker: RunWorker,
    new_applying: NewApplying,
) -> None:
    await writer.make_stream()
    told = await writer.client.subscribe(LIVE_SUBJECT)  # pyright: ignore[reportUnknownMemberType] - nats-py
    applying = new_applying()
    observation = LiveObservation("acme", "m-1", "temperature", 21.5, 1, 2, 1)
    applying.live = [observation] * 700
    async with run_worker(applying):
        await writer.write(1)
        first = decode_live((await told.next_msg(10)).data)
        second = decode_live((await told.next_msg(10)).data)
    assert [*first, *second] == [observation] * 700


async def test_requests_to_devices_are_told_once_the_batch_is_kept(
    writer: LogWriter,
    run_worker: RunWorker,
    new_applying: NewApplying,
) -> None:
    await writer.make_stream()
    told = await writer.client.subscribe(REQUEST_SUBJECT)  # pyright: ignore[reportUnknownMemberType] - nats-py
    applying = new_applying()
    request = Request("madina-1", "spBv1.0/water/NCMD/plc-1", b"\x08\x01")
    applying.requests = [request]
    async with run_worker(applying):
        await writer.write(1)
        found = decode_request((await told.next_msg(10)).data)
    assert found == request
