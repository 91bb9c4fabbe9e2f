"""Which device a message is of: arithmetic, so that ten million devices need no memory.

The messages of a fleet are numbered in the order in which they are due. Devices take turns, and
each device belongs to the connection whose number is its own modulo the connections.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["Numbering", "sizes_of"]

Numbers = NDArray[np.int64]
FEWEST: Final = 8


class Numbering(msgspec.Struct, frozen=True):
    """Devices over connections.

    A message has a number in the fleet, and one on its connection, both in the order in which
    they are due.
    """

    devices: int
    connections: int

    def share(self, connection: int) -> int:
        """Return how many devices a connection carries."""
        return -(-(self.devices - connection) // self.connections)

    def count(self, connection: int, due: int) -> int:
        """Return how many of the fleet's first messages are a connection's."""
        turns, rest = divmod(due, self.devices)
        return turns * self.share(connection) + max(0, -(-(rest - connection) // self.connections))

    def number(self, connection: int, local: int) -> int:
        """Return the number in the fleet of a connection's message."""
        turn, place = divmod(local, self.share(connection))
        return turn * self.devices + connection + place * self.connections

    def numbers(self, connections: Numbers, local: Numbers) -> Numbers:
        """Return the numbers in the fleet of connections' messages."""
        turn, place = np.divmod(local, -(-(self.devices - connections) // self.connections))
        return turn * self.devices + connections + place * self.connections

    def of(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Return device and sequence number of messages of the fleet."""
        sequences, devices = np.divmod(numbers, self.devices)
        return devices, sequences

    def of_device(self, device: int, due: int) -> Numbers:
        """Return the numbers of a device's messages among the fleet's first ones."""
        return np.arange(device, due, self.devices, dtype=np.int64)

    def local(self, number: int) -> tuple[int, int]:
        """Return connection and number on it of a message of the fleet."""
        turn, device = divmod(number, self.devices)
        connection = device % self.connections
        return connection, turn * self.share(connection) + device // self.connections


def sizes_of(devices: int, mode: str, connections: int | None) -> Numbering:
    """Return how devices are spread; see `FleetRule.connections`."""
    if mode == "connection":
        return Numbering(devices, devices)
    at_most = 1_000 if mode == "multiplexed" else 100_000
    # Never so few that several processes could not share them.
    return Numbering(devices, connections or max(min(FEWEST, devices), -(-devices // at_most)))
