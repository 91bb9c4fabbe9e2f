"""What an edge node has said of itself, for as long as its session lasts.

Two records a node, since one is large and changes with births only, the other small and changes
with each message: names, types and units; and the sequence. Both are bounded.
"""

from typing import Final

import msgspec

from ingest.codecs.sparkplug_b.payload import Metric

__all__ = ["METRICS_MAX", "Births", "Known", "Node", "Session"]

SEQUENCES: Final = 256
# Of a node and all its devices.
METRICS_MAX: Final = 20_000
# Devices of a node that wait for their birth; more than that are found by a person.
WAITING_MAX: Final = 256
# Devices of a node whose death is remembered; beyond that silence tells.
OFFLINE_MAX: Final = 4_096


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A metric as its birth told it."""

    name: str
    kind: int | None
    unit: str | None


class Births(msgspec.Struct, array_like=True):
    """What is known of the metrics of a node.

    Attributes:
        devices: Device to its metrics by name; the node itself is one.
        aliases: Alias to device and name; unique within the node.
    """

    devices: dict[str, dict[str, Known]] = {}
    aliases: dict[int, tuple[str, str]] = {}


class Session(msgspec.Struct, array_like=True):
    """How far a node has come.

    Attributes:
        seq: Of its last message; -1 for none.
        digest: Of that message, to know it again.
        bd_seq: Which session this is; a late will names another.
        asked_us: When a rebirth was last asked for.
        waiting: Devices of which something waits in quarantine for a birth.
        offline: Devices, and the node itself, that died and were not born again.
    """

    seq: int = -1
    digest: int = 0
    bd_seq: int | None = None
    asked_us: int = 0
    waiting: list[str] = []
    offline: list[str] = []


class Node:
    """One edge node, and what of it has changed since it was last kept."""

    def __init__(self, births: Births | None = None, session: Session | None = None) -> None:
        """Begin with what was kept, or with nothing."""
        self.births = births or Births({}, {})
        self.session = session or Session(waiting=[], offline=[])
        self.born_anew = False

    def size(self) -> int:
        """Return how many metrics are known."""
        return sum(map(len, self.births.devices.values()))

    def follows(self, seq: int | None, digest: int) -> bool:
        """Take the sequence of a message; say whether none is missing before it."""
        session = self.session
        wanted = (session.seq + 1) % SEQUENCES
        again = seq == session.seq and digest == session.digest
        if seq is not None:
            session.seq, session.digest = seq % SEQUENCES, digest
        return again or seq is None or seq == wanted

    def begin(self, seq: int | None, digest: int, bd_seq: int | None) -> None:
        """Forget all that was known: the node was born again."""
        self.births = Births({}, {})
        session = self.session
        session.seq, session.digest, session.bd_seq = (seq or 0) % SEQUENCES, digest, bd_seq
        self.born_anew = True

    def learn(self, device: str, metrics: list[Metric]) -> None:
        """Take the metrics of a device's birth."""
        self.forget(device)
        self.births.devices[device] = {
            each.name: Known(each.name, each.kind, each.unit) for each in metrics if each.name
        }
        for each in metrics:
            if each.alias is not None and each.name:
                self.births.aliases[each.alias] = (device, each.name)
        self.born_anew = True

    def forget(self, device: str) -> None:
        """Take back the birth of a device."""
        if self.births.devices.pop(device, None) is not None:
            kept = {alias: of for alias, of in self.births.aliases.items() if of[0] != device}
            self.births.aliases = kept
            self.born_anew = True

    def end(self) -> None:
        """Take back all births: the node is gone."""
        self.births = Births({}, {})
        self.session.seq = -1
        self.born_anew = True

    def die(self, device: str) -> bool:
        """Take a device's death; say whether it was not known to be dead."""
        offline = self.session.offline
        if device in offline or len(offline) >= OFFLINE_MAX:
            return False
        offline.append(device)
        return True

    def revive(self, device: str) -> bool:
        """Take a device's birth; say whether it was dead."""
        if device not in self.session.offline:
            return False
        self.session.offline.remove(device)
        return True

    def known(self, device: str, metric: Metric) -> Known | None:
        """Return what a birth told of a metric; None where none did."""
        name = metric.name
        if not name and metric.alias is not None:
            owner, name = self.births.aliases.get(metric.alias, ("", ""))
            device = owner or device
        return self.births.devices.get(device, {}).get(name)

    def wait(self, device: str) -> None:
        """Remember that something of a device waits for a birth."""
        waiting = self.session.waiting
        if device not in waiting and len(waiting) < WAITING_MAX:
            waiting.append(device)

    def released(self) -> list[str]:
        """Return devices that waited and are born now; they wait no more."""
        found = [each for each in self.session.waiting if each in self.births.devices]
        if found:
            self.session.waiting = [each for each in self.session.waiting if each not in found]
        return found
