"""The way of messages as processes: devices, gateway, log, ingest, store, on cores they share."""

import random
from collections.abc import Generator
from typing import Any, Final

import simpy

from loadtest.simulate.costs import Costs, Design
from loadtest.simulate.load import Load
from loadtest.simulate.stations import Cores, Gate, Waiting

__all__ = ["Pipeline"]

# The generator's own step; every instant of it is real messages that became due.
STEP_S: Final = 0.005
# What a device writes at once is what became due in this time (`loadtest.generator`).
TICK_S: Final = 0.001
TIMER_S: Final = 0.02
MICROS: Final = 1e6

Steps = Generator[simpy.Event, Any, None]


class Pipeline:
    """One machine under one load.

    Attributes:
        sent, taken, logged, applied: Messages that have come so far: written by devices, read by
            the gateway, on the log, in the store.
        log: Frames on the log that ingest has not read.
        read: Frames that ingest has read and not begun.
        commits: When each was over, and what was applied then.
        cores: What was used of them.
    """

    def __init__(self, load: Load, costs: Costs, design: Design, seed: int) -> None:
        self.env = simpy.Environment()
        self._load, self._costs, self._design = load, costs, design
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self.sent = self.taken = self.logged = self.applied = 0
        self.commits: list[tuple[float, int]] = []
        self.cores = Cores(self.env, costs.cores)
        self._frames = [Waiting(self.env) for _ in range(design.shards)]
        self._open = [0] * design.shards
        self._lingering = False
        # Messages since the last checkpoint: nobody knows how many there were at the start.
        self._unfolded = 0.0
        if costs.checkpoint is not None:
            self._unfolded = self._random.uniform(0, costs.checkpoint.messages)
        self.log, self.read = Waiting(self.env), Waiting(self.env)
        self._log_server = simpy.Resource(self.env, 1)
        # One interpreter for ingest's thread and everything else of the node.
        self._interpreter = simpy.Resource(self.env, 1)
        self._gates = {
            part: Gate(self.env, part, load.standstills)
            for part in ("gateway", "log", "ingest", "store")
        }
        lanes = [self._lane(waiting) for waiting in self._frames]
        fixed = [costs.generator, costs.gateway, costs.log]
        timers = [self._timers(each.fixed_cores) for each in fixed]
        timers.append(self._timers(costs.reading.fixed_cores, self._interpreter))
        for steps in (
            self._devices(), self._gateway(), *lanes, self._reader(), self._ingest(), *timers
        ):  # fmt: skip
            self.env.process(steps)

    def _message_bytes(self) -> float:
        return self._costs.message_bytes + self._design.frame_overhead

    def _devices(self) -> Steps:
        """Write what is due, as far as the windows let."""
        cost = self._costs.generator
        while True:
            yield self.env.timeout(STEP_S)
            room = self._design.window - (self.sent - self.logged)
            messages = max(0, min(int(self._load.due(self.env.now)) - self.sent, room))
            yield from self.cores.use(messages * cost.us_a_message / MICROS)
            self.sent += messages

    def _gateway(self) -> Steps:
        """Read what has come once a beat, or at once where that is much, and fill frames."""
        cost, design = self._costs.gateway, self._design
        size = self._message_bytes()
        # What one turn of all connections brings, at most, and what makes none of them wait.
        most = int(design.connections * design.read_bytes / size)
        long_per_s = design.connections * design.long_bytes / size / TICK_S
        wait_s, read_s = design.beat_s, 0.0
        while True:
            yield self.env.timeout(wait_s)
            yield from self._gates["gateway"].passed()
            messages = min(self.sent - self.taken, most)
            yield from self.cores.use(messages * cost.us_a_message / MICROS)
            self.taken += messages
            self._fill(messages, int(design.frame_bytes / size))
            long = messages >= long_per_s * (self.env.now - read_s)
            read_s = self.env.now
            self._seal_after(design.linger_s if long else design.read_out_s)
            wait_s = STEP_S if long else design.beat_s

    def _fill(self, messages: int, most: int) -> None:
        """Spread messages over the shards' frames."""
        share, more = divmod(messages, len(self._open))
        for shard in range(len(self._open)):
            self._open[shard] += share + (shard < more)
            while self._open[shard] >= most:
                self._open[shard] -= most
                self._frames[shard].put(most)

    def _seal_after(self, seconds: float) -> None:
        if not self._lingering and any(self._open):
            self._lingering = True
            self.env.process(self._seal(seconds))

    def _seal(self, seconds: float) -> Steps:
        yield self.env.timeout(seconds)
        self._lingering = False
        for shard, messages in enumerate(self._open):
            if messages:
                self._open[shard] = 0
                self._frames[shard].put(messages)

    def _lane(self, waiting: Waiting) -> Steps:
        """Send one frame of a shard after the other to the log."""
        cost = self._costs.log
        while True:
            while not waiting.frames:
                yield waiting.changed
            yield from self._gates["log"].passed()
            messages = waiting.frames[0]
            request = self._log_server.request()
            with request:
                yield request
                yield from self.cores.use(messages * cost.us_a_message / MICROS)
            waiting.take(1, 0)
            self.logged += messages
            self.log.put(messages)

    def _reader(self) -> Steps:
        """Read frames ahead of ingest, as many as it may hold."""
        cost, most = self._costs.reading, self._design.ahead_bytes / self._message_bytes()
        while True:
            while not self.log.frames:
                yield self.log.changed
            while self.read.messages >= most:
                yield self.read.changed
            yield from self._gates["ingest"].passed()
            messages = self.log.frames[0]
            yield from self.cores.use(messages * cost.us_a_message / MICROS, self._interpreter)
            self.log.take(1, 0)
            self.read.put(messages)

    def _ingest(self) -> Steps:
        """Apply batch after batch; a rest between two lets frames gather."""
        design = self._design
        most = design.batch_bytes / self._message_bytes()
        while True:
            while not self.read.frames:
                yield self.read.changed
            yield from self._gates["ingest"].passed()
            next_s = self.env.now + design.rest_s
            yield from self._apply(sum(self.read.take(design.batch_frames, most)))
            while self.env.now < next_s and len(self.read.frames) < design.batch_frames:
                yield self.env.timeout(next_s - self.env.now) | self.read.changed

    def _apply(self, messages: int) -> Steps:
        costs = self._costs
        yield from self.cores.use(costs.work.seconds(messages), self._interpreter)
        yield from self._gates["ingest"].passed()
        yield from self._gates["store"].passed()
        times = self._random.choice(costs.spread)
        cpu_s, wait_s = self._checkpoint(messages)
        yield from self.cores.use(costs.commit.seconds(messages) * times + cpu_s)
        yield self.env.timeout(costs.wait.seconds(messages) * times + wait_s)
        self.applied += messages
        self.commits.append((self.env.now, self.applied))

    def _checkpoint(self, messages: int) -> tuple[float, float]:
        """Return what this commit does beside: processor time, and waiting."""
        found = self._costs.checkpoint
        if found is None or self._unfolded + messages < found.messages:
            self._unfolded += messages
            return 0.0, 0.0
        self._unfolded = 0.0
        return found.cpu_s, found.wait_s

    def _timers(self, fixed_cores: float, lock: simpy.Resource | None = None) -> Steps:
        """Do what a part does however few messages come."""
        while True:
            yield self.env.timeout(TIMER_S)
            yield from self.cores.use(fixed_cores * TIMER_S, lock)
