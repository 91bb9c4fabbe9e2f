"""Ready PUBLISH packets of a fleet, made in blocks and made again where one has to be resent."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from loadtest.packets import Version, variable_integer
from loadtest.stream.content import FleetContent
from loadtest.stream.formats import Format, texts

__all__ = ["FleetPackets", "messages"]

# Small enough that making one delays nobody for long.
BLOCK: Final = 256
BLOCKS_KEPT: Final = 64
LENGTHS: Final = [variable_integer(length) for length in range(4_096)]
PUBLISH: Final = 0x30
V5: Final = 5

Message = tuple[bytes, bytes]


def messages(
    content: FleetContent, form: Format, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> list[Message | None]:
    """Return topic and payload of messages of a fleet; None where nothing is sent."""
    fates = content.fates(numbers)
    said = content.content(content.original(numbers, fates))
    variants = fates.variant.tolist()
    columns = [
        texts(column.tolist(), signal, 0)
        for signal, column in zip(content.kind.signals, said.values, strict=True)
    ]
    rows = zip(
        fates.void.tolist(),
        fates.malformed.tolist(),
        variants,
        said.devices.tolist(),
        said.sequences.tolist(),
        said.time_ms.tolist(),
        _rows(content, said.values, columns, variants),
        strict=True,
    )
    topic, payload = form.topic, form.payload
    made: list[Message | None] = []
    for void, malformed, variant, device, sequence, time_ms, values in rows:
        if void:
            made.append(None)
            continue
        whole = payload(variant, device, sequence, time_ms, values)
        made.append((topic(device), whole[: len(whole) * 2 // 3] if malformed else whole))
    return made


def _rows(
    content: FleetContent,
    values: list[np.ndarray[tuple[int], np.dtype[np.int64]]],
    columns: list[list[bytes]],
    variants: list[int],
) -> Iterator[tuple[bytes, ...]]:
    """Yield the values of each message as it writes them."""
    for at, row in enumerate(zip(*columns, strict=True)):
        if variants[at]:
            yield tuple(
                texts([int(column[at])], signal, variants[at])[0]
                for signal, column in zip(content.kind.signals, values, strict=True)
            )
        else:
            yield row


class FleetPackets:
    """The packets of the connections that a process has."""

    def __init__(
        self, content: FleetContent, form: Format, version: Version, *, worker: int, workers: int
    ) -> None:
        """Take those connections whose number is `worker` modulo `workers`."""
        self._content = content
        self._form = form
        self._worker = worker
        self._workers = workers
        self._block = BLOCK * workers
        self._blocks: dict[int, dict[int, Message | None]] = {}
        self._first = bytes((PUBLISH | content.rule.qos << 1,))
        self._more = (2 if content.rule.qos else 0) + (1 if version == V5 else 0) + 2

    def packet(self, number: int, middle: bytes) -> bytes:
        """Return the packet of a message of the fleet; empty where nothing is sent."""
        at = number // self._block
        block = self._blocks.get(at)
        if block is None:
            block = self._make(at)
        message = block[number]
        if message is None:
            return b""
        topic, payload = message
        size = len(topic) + len(payload) + self._more
        length = LENGTHS[size] if size < len(LENGTHS) else variable_integer(size)
        return b"%b%b%b%b%b%b" % (
            self._first, length, len(topic).to_bytes(2, "big"), topic, middle, payload
        )  # fmt: skip

    def _make(self, at: int) -> dict[int, Message | None]:
        if len(self._blocks) >= BLOCKS_KEPT:
            del self._blocks[next(iter(self._blocks))]
        last = min((at + 1) * self._block, self._content.curve.total)
        numbers = np.arange(at * self._block, last, dtype=np.int64)
        if self._workers > 1:
            numbering = self._content.numbering
            connections = numbers % numbering.devices % numbering.connections
            numbers = numbers[connections % self._workers == self._worker]
        made = dict(
            zip(numbers.tolist(), messages(self._content, self._form, numbers), strict=True)
        )
        self._blocks[at] = made
        return made
