"""PUBLISH in bulk: one pass over what was read, columns instead of an object a message.

The hot path. `PublishReader.read` takes complete PUBLISH packets of QoS 0 and 1 without properties
and with a remaining length of one or two bytes, and stops at anything else: a packet of another
kind or shape, a faulty one, the end of the data. The caller decodes that one packet by `decode` and
comes back. Endpoint and bridge share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from city.frame import RecordFlag
from gateway.mqtt.reasons import Level

if TYPE_CHECKING:
    from city.frame import Extras

__all__ = ["Batch", "PublishReader", "record_flag"]

# Not to be read in bulk.
OTHER = 0xFF
NO_IDENTIFIER = b"\0\0"
# Continuation bit of a remaining length.
MORE = 0x80
# What no packet that is read in bulk can hold: a topic longer than two bytes of length allow.
NEVER: Final = b"\xff\xff" + b"#" * 16_384
PUBACK = b"\x40\x02"


def record_flag(qos: int, *, retain: bool, dup: bool) -> int:
    """Return what a frame keeps of a PUBLISH's first byte: `RecordFlag` bits."""
    return qos | retain * RecordFlag.RETAIN | dup * RecordFlag.DUP


def _bulk_flag(first: int) -> int:
    """Return the record flags of a first byte; `OTHER` where it does not begin a plain PUBLISH."""
    qos, retain, dup = first >> 1 & 3, bool(first & 1), bool(first & 8)
    if first >> 4 != 3 or qos > 1 or (dup and not qos):  # noqa: PLR2004 - PUBLISH
        return OTHER
    return record_flag(qos, retain=retain, dup=dup)


FLAGS: Final = bytes(map(_bulk_flag, range(256)))


class Batch:
    """Messages of one read, in columns as `city.intake.Intake.take` wants them.

    Attributes:
        size_bytes: What the packets took on the wire.
        fresh: Topics that differ from the one before; nobody has checked them yet.
    """

    __slots__ = ("acknowledgements", "extras", "flags", "fresh", "payloads", "size_bytes", "topics")

    def __init__(self) -> None:
        self.topics: list[bytes] = []
        self.payloads: list[bytes] = []
        self.flags = bytearray()
        self.acknowledgements: list[bytes] = []
        self.extras: list[Extras] = []
        self.fresh: list[bytes] = []
        self.size_bytes = 0

    def add(self, topic: bytes, payload: bytes, flag: int, acknowledgement: bytes) -> None:
        """Append a message that was not read in bulk."""
        self.topics.append(topic)
        self.payloads.append(payload)
        self.flags.append(flag)
        self.acknowledgements.append(acknowledgement)
        self.size_bytes += len(topic) + len(payload)

    def cut(self, index: int) -> None:
        """Take back the message at a place and all after it."""
        del self.topics[index:], self.payloads[index:]
        del self.flags[index:], self.acknowledgements[index:]

    def remove(self, index: int) -> None:
        """Take back one message that has no extras, nor has any after it."""
        del self.topics[index], self.payloads[index]
        del self.flags[index], self.acknowledgements[index]


class PublishReader:
    """Reads one connection's PUBLISH packets; remembers its last topic."""

    __slots__ = ("_known", "_least_high", "_most_high", "_topic", "_with_properties")

    def __init__(self, level: Level, max_packet: int) -> None:
        """Take the longest packet allowed, bytes; at least `wire.SHORTEST_MAX_PACKET`."""
        self._with_properties = level == Level.V5
        # 5.0 forbids a length longer than it needs to be, 3.1.1 does not.
        self._least_high = int(level == Level.V5)
        # Second byte of a remaining length that is surely within the limit.
        self._most_high = min(127, (max_packet - 131) // 128)
        self._known = NEVER
        self._topic = b""

    def forget(self) -> None:
        """Report the next topic as fresh, whatever it is."""
        self._known = NEVER

    def read(self, data: bytes, at: int, batch: Batch) -> int:
        """Append plain PUBLISH packets to a batch; return where the first other packet begins.

        Topics that differ from the one before are in `batch.fresh`: they are of the right length
        and nothing else is known of them.
        """
        end = self._scan(data, at, batch)
        batch.size_bytes += end - at
        fresh, topics = batch.fresh, batch.topics
        if fresh and not (topics and topics[-1] is self._topic):
            # The packet that stopped the scan had a topic of its own: it does not count yet.
            fresh.pop()
            self._known = NEVER
        return end

    def _scan(self, data: bytes, at: int, batch: Batch) -> int:  # noqa: C901, PLR0912, PLR0915 - the hot loop: no calls
        topics, payloads, flags = batch.topics, batch.payloads, batch.flags
        acknowledgements, fresh = batch.acknowledgements, batch.fresh
        known, topic, with_properties = self._known, self._topic, self._with_properties
        least_high, most_high = self._least_high, self._most_high
        known_size, begins_with, size = len(known), data.startswith, len(data)
        try:
            while at < size:
                flag = FLAGS[data[at]]
                if flag == OTHER:
                    break
                length, start = data[at + 1], at + 2
                if length >= MORE:
                    high = data[start]
                    if not least_high <= high <= most_high:
                        break
                    start += 1
                    length += (high << 7) - MORE
                stop = start + length
                if stop > size:
                    break
                if begins_with(known, start):
                    end = start + known_size
                else:
                    end = start + 2 + (data[start] << 8) + data[start + 1]
                    known = data[start:end]
                    known_size, topic = end - start, known[2:]
                    fresh.append(topic)
                acknowledgement = b""
                if flag & 3:
                    identifier = data[end : end + 2]
                    if identifier == NO_IDENTIFIER:
                        break
                    acknowledgement = PUBACK + identifier
                    end += 2
                if with_properties:
                    if data[end]:
                        break
                    end += 1
                if end > stop:
                    break
                topics.append(topic)
                payloads.append(data[end:stop])
                flags.append(flag)
                acknowledgements.append(acknowledgement)
                at = stop
        except IndexError:
            pass  # The data end within a header.
        self._known, self._topic = known, topic
        return at
