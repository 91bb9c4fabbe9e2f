"""What every part of the pipeline is made of: cores that are shared, and gates that can be shut."""

from collections.abc import Generator
from typing import Any, Final

import simpy

from loadtest.simulate.load import Part, Standstill

__all__ = ["Cores", "Gate", "Waiting"]

# As long as one of several that want a core keeps it, about as a kernel does.
SLICE_S: Final = 0.002

Steps = Generator[simpy.Event, Any, None]


class Cores:
    """Processors that all parts share, in short slices, in turn."""

    def __init__(self, env: simpy.Environment, count: int) -> None:
        self._env = env
        self._cores = simpy.Resource(env, count)
        self.used_s = 0.0

    def use(self, seconds: float, lock: simpy.Resource | None = None) -> Steps:
        """Take so much processor time, slice after slice.

        Args:
            seconds: Of one core.
            lock: That each slice needs as well, as an interpreter has one for all its threads.
        """
        left_s = seconds
        while left_s > 0:
            slice_s = min(SLICE_S, left_s)
            if lock is None:
                yield from self._slice(slice_s)
            else:
                held = lock.request()
                with held:
                    yield held
                    yield from self._slice(slice_s)
            left_s -= slice_s

    def _slice(self, slice_s: float) -> Steps:
        core = self._cores.request()
        with core:
            yield core
            yield self._env.timeout(slice_s)
        self.used_s += slice_s


class Gate:
    """Where a part waits while it stands still."""

    def __init__(
        self, env: simpy.Environment, part: Part, standstills: tuple[Standstill, ...]
    ) -> None:
        self._env = env
        self._shut = [each for each in standstills if each.part == part]

    def passed(self) -> Steps:
        """Wait until the part goes on."""
        while True:
            ends_s = [
                each.ends_s for each in self._shut if each.at_s <= self._env.now < each.ends_s
            ]
            if not ends_s:
                return
            yield self._env.timeout(max(ends_s) - self._env.now)


class Waiting:
    """A queue of frames, each a number of messages.

    Attributes:
        frames: The first is the oldest.
        messages: In all of them.
    """

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self.frames: list[int] = []
        self.messages = 0
        self.changed = env.event()

    def put(self, messages: int) -> None:
        """Queue a frame."""
        self.frames.append(messages)
        self.messages += messages
        self._tell()

    def take(self, most_frames: int, most_messages: float) -> list[int]:
        """Take the oldest frames, one at least, within both bounds."""
        taken: list[int] = []
        for each in self.frames[:most_frames]:
            if taken and sum(taken) + each > most_messages:
                break
            taken.append(each)
        del self.frames[: len(taken)]
        self.messages -= sum(taken)
        self._tell()
        return taken

    def _tell(self) -> None:
        changed, self.changed = self.changed, self._env.event()
        changed.succeed()
