"""One child process: started, read, waited for, stopped."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from madina.supervisor.death import die_with_parent
from madina.supervisor.log_file import RotatedFile

__all__ = ["Child", "ChildSpec"]

READ_BYTES = 64 << 10
TAIL_BYTES = 4 << 10
PROBE_INTERVAL_S = 0.05


class ChildSpec(msgspec.Struct, frozen=True):
    """How to start one child.

    Attributes:
        name: For people, and of its log file.
        command: Program and arguments; `--ready-fd N` is added where there is no `probe`.
        environment: On top of ours.
        probe: Says whether it serves, for programs that do not say so themselves.
        stop_s: How long it may take to end after SIGTERM.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = {}
    probe: Callable[[], Awaitable[bool]] | None = None
    stop_s: float = 10


class Child:
    """A running process; its output goes to a file, and its last words are kept."""

    def __init__(self, spec: ChildSpec, process: Process, ready: asyncio.StreamReader) -> None:
        self.spec = spec
        self._process = process
        self._ready = ready
        self._tail = b""

    @classmethod
    async def start(cls, spec: ChildSpec) -> "Child":
        """Start the process, in a session of its own so that Ctrl-C reaches only us."""
        reader, transport, writing = await _pipe()
        command = [*spec.command] if spec.probe else [*spec.command, "--ready-fd", str(writing)]
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                env={**os.environ, **spec.environment},
                start_new_session=True,
                pass_fds=() if spec.probe else (writing,),
                preexec_fn=die_with_parent(),
            )
        except BaseException:
            transport.close()
            raise
        finally:
            os.close(writing)
        return cls(spec, process, reader)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def last_words(self) -> str:
        """The last line that it wrote; empty where it wrote none."""
        lines = self._tail.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    async def ready(self) -> bool:
        """Wait until it serves; False where it ended before."""
        if self.spec.probe is None:
            return bool(await self._ready.readline())
        while self._process.returncode is None:
            if await self.spec.probe():
                return True
            await asyncio.sleep(PROBE_INTERVAL_S)
        return False

    async def run(self, logs: Path) -> int:
        """Copy its output to its log file until it ends; return its exit status."""
        assert self._process.stdout is not None, "the output is a pipe"
        file = RotatedFile(logs / f"{self.spec.name}.log")
        try:
            while read := await self._process.stdout.read(READ_BYTES):
                file.write(read)
                self._tail = (self._tail + read)[-TAIL_BYTES:]
        finally:
            file.close()
        return await self._process.wait()

    async def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL where it takes too long."""
        self._send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), self.spec.stop_s)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)
        await self._process.wait()

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


async def _pipe() -> tuple[asyncio.StreamReader, asyncio.ReadTransport, int]:
    """Return our end of a new pipe as a stream, and the descriptor of the other end."""
    reading, writing = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
    )
    return reader, transport, writing
