"""Which of a device's messages are sent, in which order: first what is missing, then live. Pure.

Only a coarser part of the past is filled in. A device sends its past before its present, so its
newest stored observation always says from where the next start has to fill.
"""

from typing import Final

from loadtest.city.devices import CityDevice, Fault

__all__ = ["Agenda"]

FILLED_S: Final = 48 * 3_600
# How long before the start the silent device was last heard.
SILENT_S: Final = 6 * 3_600


class Agenda:
    """The messages of one device from a start on: entry 0 is the first that is sent.

    Attributes:
        filled: How many of them lie in the past.
    """

    def __init__(self, device: CityDevice, start_s: float, last_s: float | None) -> None:
        """Plan from a start.

        Args:
            device: Whose messages.
            start_s: Seconds since 1970.
            last_s: When the device's newest stored observation was; None where there is none.
        """
        self._device = device
        self._live_from = device.first_after(start_s)
        self._step = device.kind.filled_every_s // device.kind.every_s
        since_s = max(start_s - FILLED_S, last_s or 0.0)
        until = self._live_from
        if device.fault is Fault.SILENT:
            until = device.first_after(start_s - SILENT_S)
        # A device whose times are not believed would have its whole past at one instant.
        if device.fault in {Fault.CLOCK_1970, Fault.UNKNOWN}:
            until = 0
        self._first = -(-device.first_after(since_s) // self._step) * self._step
        self.filled = max(0, -(-(until - self._first) // self._step))

    def number(self, entry: int) -> int:
        """Return the number of a message by its place in the order."""
        if entry < self.filled:
            return self._first + entry * self._step
        return self._live_from + entry - self.filled

    def due(self, now_s: float) -> int:
        """Return how many entries are due: the past always is."""
        if self._device.fault is Fault.SILENT:
            return self.filled
        return self.filled + max(0, self._device.first_after(now_s) - self._live_from)
