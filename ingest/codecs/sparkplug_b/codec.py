"""One Sparkplug message, read with what its edge node has said before.

Source: formats.md section 7. Nothing here waits for a clock: what comes after a gap is read at
once, and what cannot be read without a birth waits in quarantine until one comes.
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from city.clock import US_PER_S
from city.presence import Presence
from city.reasons import MessageReason, ObservationReason
from city.requests import Request
from ingest.codecs.profile import Profile, options_of
from ingest.codecs.seam import (
    Arrived,
    Decoded,
    MessageError,
    Released,
    Remembered,
    Remembering,
)
from ingest.codecs.sparkplug_b.metrics import bd_seq_of, read_metrics, time_us_of
from ingest.codecs.sparkplug_b.payload import Payload, read_payload
from ingest.codecs.sparkplug_b.rebirth import rebirth_request
from ingest.codecs.sparkplug_b.session import METRICS_MAX, Births, Node, Session
from ingest.codecs.sparkplug_b.topic import NamedBy, named_by

__all__ = ["CODEC", "SparkplugCodec", "SparkplugMemory", "SparkplugOptions"]

BIRTHS: Final = "births "
SESSION: Final = "session "
BIRTH_TYPES: Final = frozenset({"NBIRTH", "DBIRTH"})
DEATH_TYPES: Final = frozenset({"NDEATH", "DDEATH"})
TALK: Final = frozenset({"STATE", "NCMD", "DCMD"})
# A node is asked once in so long: a city of nodes must not be asked in a storm.
ASK_EVERY_US: Final = 30 * US_PER_S
DIGEST_BYTES: Final = 7
# Reasons of what is read again once a birth has come.
WAITS: Final = (
    MessageReason.SPARKPLUG_NO_BIRTH.value,
    ObservationReason.SPARKPLUG_UNKNOWN_ALIAS.value,
)


class SparkplugOptions(Profile, frozen=True):
    """Options of a route for Sparkplug.

    Attributes:
        ask_rebirth: A bridge may ask edge nodes to tell again what they have (`NCMD`).
    """

    ask_rebirth: bool = False


class SparkplugCodec:
    """`ingest.codecs.seam.Codec` for Sparkplug B; one that remembers."""

    options: Final = SparkplugOptions

    def decode(self, message: Arrived) -> Decoded:
        """Read a message that nothing came before. See `Codec.decode`."""
        return self.remember({}).decode(message)

    def remember(self, records: Mapping[str, bytes]) -> Remembering:
        """Return a reader that knows what was kept. See `RememberingCodec.remember`."""
        return SparkplugMemory(records)


class SparkplugMemory:
    """`ingest.codecs.seam.Remembering`: the nodes of one worker."""

    def __init__(self, records: Mapping[str, bytes]) -> None:
        """Take what was kept; a node is looked at when it speaks."""
        self._records = dict(records)
        self._nodes: dict[str, Node] = {}
        self._spoke: set[str] = set()
        self._requests: list[Request] = []
        self._presence: list[Presence] = []

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        named = named_by(message.topic)
        if named.kind in TALK or not message.payload:
            return Decoded(device=named.device)
        try:
            return _Reading(self, message, named).decoded()
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=named.device) from None

    def take(self) -> Remembered:
        """Return what has to be kept and done since the last time. See `Remembering.take`."""
        released: list[Released] = []
        records: dict[str, bytes] = {}
        spoke, self._spoke = sorted(self._spoke), set()
        for key in spoke:
            node = self._nodes[key]
            # Kept as still waiting: after a crash before they are read again, they are found anew.
            records[f"{SESSION}{key}"] = msgspec.msgpack.encode(node.session)
            if node.born_anew:
                records[f"{BIRTHS}{key}"] = msgspec.msgpack.encode(node.births)
                node.born_anew = False
            found = node.released()
            released += [Released(key.partition("/")[0], each, WAITS) for each in found]
            if found:
                self._spoke.add(key)
        requests, self._requests = self._requests, []
        presence, self._presence = self._presence, []
        return Remembered(records, requests, released, presence)

    def node(self, key: str) -> Node:
        """Return a node, as it was kept or as new."""
        node = self._nodes.get(key)
        if node is None:
            births = self._records.pop(f"{BIRTHS}{key}", None)
            session = self._records.pop(f"{SESSION}{key}", None)
            node = self._nodes[key] = Node(
                msgspec.msgpack.decode(births, type=Births) if births else None,
                msgspec.msgpack.decode(session, type=Session) if session else None,
            )
        return node

    def spoke(self, key: str) -> None:
        """Note that what is known of a node has changed."""
        self._spoke.add(key)

    def ask(self, request: Request) -> None:
        """Note a request."""
        self._requests.append(request)

    def present(self, presence: Presence) -> None:
        """Note that a device went offline or came back."""
        self._presence.append(presence)


class _Reading:
    """One message of an edge node or one of its devices."""

    def __init__(self, memory: SparkplugMemory, message: Arrived, named: NamedBy) -> None:
        self._memory = memory
        self._message = message
        self._named = named
        self._options = options_of(message, SparkplugOptions)
        self._key = f"{message.provider}/{named.node}"
        self._node = memory.node(self._key)
        self._payload = read_payload(message.payload)

    def decoded(self) -> Decoded:
        """Read it, and remember what it says.

        Raises:
            MessageError: `sparkplug_no_birth`, `bad_time` or `too_many`.
        """
        if not self._message.again:
            self._memory.spoke(self._key)
            self._remember()
        if self._named.kind in DEATH_TYPES:
            return Decoded(device=self._named.device)
        born = self._named.device in self._node.births.devices
        if not born and self._named.kind not in BIRTH_TYPES:
            raise self._no_birth()
        return self._observations()

    def _remember(self) -> None:
        kind, node, payload = self._named.kind, self._node, self._payload
        digest = int.from_bytes(
            hashlib.blake2b(self._message.payload, digest_size=DIGEST_BYTES).digest(), "big"
        )
        if kind == "NDEATH":
            self._death(payload)
            return
        if kind == "NBIRTH":
            node.begin(payload.seq, digest, bd_seq_of(payload))
        elif not node.follows(payload.seq, digest):
            self._ask()
        if kind == "DBIRTH" and self._named.node not in node.births.devices:
            raise self._no_birth()
        if kind in BIRTH_TYPES:
            self._birth(payload)
        elif kind == "DDEATH":
            node.forget(self._named.device)
            self._gone([self._named.device])

    def _birth(self, payload: Payload) -> None:
        if self._node.size() + len(payload.metrics) > METRICS_MAX:
            words = f"the edge node has more than {METRICS_MAX} metrics"
            raise MessageError(MessageReason.TOO_MANY, words)
        self._node.learn(self._named.device, payload.metrics)
        if self._node.revive(self._named.device):
            self._present(self._named.device, 0)

    def _death(self, payload: Payload) -> None:
        # A broker may deliver the will of a session that is long over: its number tells.
        bd_seq = bd_seq_of(payload)
        if bd_seq is not None and bd_seq == self._node.session.bd_seq:
            born = [each for each in self._node.births.devices if each != self._named.node]
            self._node.end()
            self._gone([self._named.node, *born])

    def _gone(self, devices: list[str]) -> None:
        """Note deaths, as of their arrival: a will says when its session began."""
        for device in devices:
            if self._node.die(device):
                self._present(device, self._message.received_us)

    def _present(self, device: str, offline_us: int) -> None:
        self._memory.present(Presence(self._message.provider, device, offline_us))

    def _observations(self) -> Decoded:
        birth = self._named.kind in BIRTH_TYPES
        lookup = None if birth else partial(self._node.known, self._named.device)
        measures, unknown = read_metrics(self._payload, self._options, lookup)
        if unknown and not self._message.again:
            self._wait()
        time_us = time_us_of(self._payload.time_ms)
        return measures.decoded(self._named.device, time_us=time_us, metadata={})

    def _no_birth(self) -> MessageError:
        if not self._message.again:
            self._wait()
        words = f"nothing is known of {self._named.device}: its birth has not come, or a death has"
        return MessageError(MessageReason.SPARKPLUG_NO_BIRTH, words)

    def _wait(self) -> None:
        self._node.wait(self._named.device)
        self._ask()

    def _ask(self) -> None:
        """Ask the node to be born again, where somebody can carry that to it."""
        message, session = self._message, self._node.session
        rested = message.received_us - session.asked_us >= ASK_EVERY_US
        if message.bridge and self._options.ask_rebirth and rested:
            session.asked_us = message.received_us
            request = rebirth_request(message.bridge, self._named, message.received_us)
            self._memory.ask(request)


CODEC: Final = SparkplugCodec()
