"""What an ingest worker tells about itself once a second, for pages and metrics.

Core NATS, never stored: who does not listen misses it, and the next one comes a second later.
"""

import msgspec

__all__ = [
    "INGEST_STATES",
    "IngestState",
    "decode_ingest_state",
    "encode_ingest_state",
    "ingest_subject",
]

# Subscribe to this for the states of all workers.
INGEST_STATES = "madina.ingest.*.state"


class IngestState(msgspec.Struct, frozen=True):
    """One look at ingest.

    Attributes:
        name: Of the worker; of several workers together empty.
        started: It has read the store once.
        log_words, store_words: What is wrong between ingest and the log or the store, for people;
            empty when all is well.
        messages_per_s, observations_per_s: Applied and stored, over the last seconds.
        work_s, commit_s: How long the last batch took to decode and to commit.
        oldest_us: When the log took the oldest frame that waits; 0 when none does.
        waiting_frames: Read from the log and not applied.
        owned: How many shards it owns.
        batches: Since its start.
        messages, committed_s: Of all of them: applied, and how long commits took.
        worked_cpu_s, committed_cpu_s: Processor time of decoding and commits, in ingest's thread.
    """

    name: str = ""
    started: bool = False
    log_words: str = ""
    store_words: str = ""
    messages_per_s: float = 0.0
    observations_per_s: float = 0.0
    work_s: float = 0.0
    commit_s: float = 0.0
    oldest_us: int = 0
    waiting_frames: int = 0
    owned: int = 0
    batches: int = 0
    messages: int = 0
    committed_s: float = 0.0
    worked_cpu_s: float = 0.0
    committed_cpu_s: float = 0.0


_state = msgspec.json.Decoder(IngestState)


def ingest_subject(worker: str) -> str:
    """Return the subject on which a worker tells its state."""
    return f"madina.ingest.{worker}.state"


def encode_ingest_state(state: IngestState) -> bytes:
    """Write a state as JSON."""
    return msgspec.json.encode(state)


def decode_ingest_state(data: bytes) -> IngestState:
    """Read a state.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _state.decode(data)
