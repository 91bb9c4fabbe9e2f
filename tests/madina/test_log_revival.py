"""A log is started anew only where it refuses for want of space that is there."""

import pytest

from city.gateway_state import GatewayState, LogState
from madina.supervisor.log_revival import is_stuck

MIB = 1 << 20
WORDS = "[ERR] JetStream failed to store a msg: write 1.blk: no space left on device"
FULL = "the log refuses frames: write 1.blk: no space left on device"
SLOW = "the log has not answered for 3 s"


@pytest.mark.parametrize(
    ("log", "reason", "words", "free_mib", "stuck"),
    [
        (LogState.SLOW, SLOW, WORDS, 100, True),
        (LogState.FULL, FULL, "", 100, True),
        # Still full: it would only fail again.
        (LogState.SLOW, SLOW, WORDS, 1, False),
        # Slow for another reason, which a start does not change.
        (LogState.SLOW, SLOW, "[INF] Server is ready", 100, False),
        (LogState.FULL, "the log refuses frames: maximum bytes exceeded", WORDS, 100, False),
        # Devices wait for the reserve: it is not the log's turn yet.
        (LogState.FULL, "9 MiB of disk are free, the reserve is 16 MiB", WORDS, 9, False),
        # It is being started already.
        (LogState.AWAY, "not connected", WORDS, 100, False),
        (LogState.READY, "", WORDS, 100, False),
    ],
)
def test_a_log_that_is_stuck_is_told_from_one_that_is_full_or_slow(
    log: LogState, reason: str, words: str, free_mib: int, *, stuck: bool
) -> None:
    state = GatewayState(name="g", epoch=1, time_us=1, log=log, reason=reason)
    assert is_stuck(state, words, free_mib * MIB) is stuck
