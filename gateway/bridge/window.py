"""What one connection has in flight: acknowledged in the order of receipt, and never twice.

MQTT-4.6.0-2 and -3 hold a client to the order in which messages came, while the log confirms them
shard by shard. Packets are handled as integers, four bytes each, so that a whole read costs a few
calls into C.
"""

from __future__ import annotations

from array import array
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Window", "packets"]

# An unsigned integer of four bytes: the length of a PUBACK or PUBREC without properties.
FOUR_BYTES = "I"


def packets(acknowledgements: bytes) -> array[int]:
    """Return acknowledgements as one integer a packet."""
    found: array[int] = array(FOUR_BYTES)
    found.frombytes(acknowledgements)
    return found


class Window:
    """Acknowledgements that wait: for the log, or for those before them."""

    __slots__ = ("_held", "_logged", "_order")

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._held: set[int] = set()
        self._logged: set[int] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, packet: int) -> bool:
        return packet in self._held

    def admits(self, found: Sequence[int]) -> bool:
        """Say whether all of a read's packets are new: not held already, none of them twice."""
        return self._held.isdisjoint(found) and len(set(found)) == len(found)

    def hold(self, found: Sequence[int]) -> None:
        """Remember packets that were admitted, in their order."""
        self._order.extend(found)
        self._held.update(found)

    def confirm(self, found: Sequence[int]) -> bytes:
        """Note that the log has messages; return what may be sent now."""
        order, logged = self._order, self._logged
        logged.update(found)
        ready: array[int] = array(FOUR_BYTES)
        while order and order[0] in logged:
            ready.append(order.popleft())
        logged.difference_update(ready)
        self._held.difference_update(ready)
        return ready.tobytes()
