"""A log that lost its end, or all of it, numbers anew: nothing new is passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from conftest import LogWriter, RecordingApplying, Running, SharedStore

    Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
    Whole = Callable[[SharedStore, LogWriter], None]
    RunWorker = Callable[[RecordingApplying], AbstractAsyncContextManager[Running]]
    NewApplying = Callable[[], RecordingApplying]

pytestmark = pytest.mark.live


@pytest.mark.parametrize("new", [4, 40, 200])
@pytest.mark.parametrize("kept", [0, 1, 30, 80])
async def test_what_comes_after_a_lost_end_is_applied_once(  # noqa: PLR0913, PLR0917 - fixtures
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
    kept: int,
    new: int,
) -> None:
    await writer.make_stream()
    async with run_worker(new_applying()):
        await writer.write(80)
        await eventually(lambda: store.count == writer.count)
    await writer.lose_end(kept)
    await writer.write(new)
    async with run_worker(new_applying()):
        await eventually(lambda: store.count == writer.count)
        await writer.write(12)
        await eventually(lambda: store.count == writer.count)
    # The numbers are ahead of the log's now; the next worker finds that out by itself.
    await writer.write(8)
    async with run_worker(new_applying()):
        await eventually(lambda: store.count == writer.count)
    assert_whole(store, writer)


async def test_a_log_may_lose_its_end_while_the_worker_runs(
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream()
    async with run_worker(new_applying()):
        await writer.write(40)
        await eventually(lambda: store.count == writer.count)
        for kept in (17, 0):
            await writer.lose_end(kept)
            await writer.write(20)
            await eventually(lambda: store.count == writer.count)
    assert_whole(store, writer)


async def test_frames_without_messages_tell_nothing_and_hide_nothing(
    writer: LogWriter,
    store: SharedStore,
    run_worker: RunWorker,
    new_applying: NewApplying,
    eventually: Eventually,
    assert_whole: Whole,
) -> None:
    await writer.make_stream()
    async with run_worker(new_applying()):
        await writer.write(40)
        await writer.write_records(0)
        await eventually(lambda: store.marks.get(0) == 41)
        await eventually(lambda: store.count == writer.count)
    async with run_worker(new_applying()):
        await writer.write(4)
        await eventually(lambda: store.count == writer.count)
    # Still the log's own numbers.
    assert max(store.marks.values()) == 45
    await writer.lose_end(20)
    for _ in range(30):
        await writer.write_records(0)
    await writer.write(8)
    async with run_worker(new_applying()):
        await eventually(lambda: store.count == writer.count)
    assert_whole(store, writer)
