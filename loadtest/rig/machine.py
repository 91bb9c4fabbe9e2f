"""What a machine is and what its processes use: /proc, as proc(5) describes it."""

import os
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

__all__ = [
    "Machine",
    "PartTick",
    "ProcessWatch",
    "folder_bytes",
    "revision",
    "rss_bytes",
    "stolen",
    "this_machine",
]

TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat behind the name: utime and stime.
UTIME, STIME = 11, 12
KIB: Final = 1_024
# Fields of the first line of /proc/stat: all of them are time, this one was taken by others.
STEAL: Final = 8


class Machine(msgspec.Struct, frozen=True):
    """Where a run was made.

    Attributes:
        load: Processes that wanted a processor over the minute before.
    """

    processor: str
    cores: int
    memory_bytes: int
    kernel: str
    python: str
    load: float


class PartTick(msgspec.Struct, frozen=True):
    """What a process had used at an instant; sums since it started."""

    elapsed_s: float
    cpu_s: float
    rss_bytes: int


class ProcessWatch:
    """Follows named processes; one that ends and comes again under its name goes on.

    Attributes:
        ticks: By name.
    """

    def __init__(self) -> None:
        self.ticks: dict[str, list[PartTick]] = {}
        self._before: dict[str, tuple[int, float]] = {}

    def look(self, elapsed_s: float, pids: dict[str, int]) -> None:
        """Note what each of them uses now."""
        for name, pid in pids.items():
            with suppress(OSError, IndexError, ValueError):
                self._note(name, pid, elapsed_s)

    def _note(self, name: str, pid: int, elapsed_s: float) -> None:
        used_s = _cpu_s(pid)
        known = self.ticks.setdefault(name, [])
        last_pid, ended_s = self._before.get(name, (pid, 0.0))
        if last_pid != pid and known:
            ended_s = known[-1].cpu_s
        self._before[name] = (pid, ended_s)
        known.append(PartTick(elapsed_s, ended_s + used_s, rss_bytes(pid)))


def this_machine() -> Machine:
    """Return what is known about this machine."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=platform.release(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
    )


def revision() -> str:
    """Return which version of the program this is: of the checkout, where it runs from one."""
    with suppress(OSError):
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if described.stdout.strip():
            return described.stdout.strip()
    with suppress(PackageNotFoundError):
        return version("madina")
    return "unknown"


def stolen() -> tuple[float, float]:
    """Return processor time that other machines on this host took, and all of it, in ticks."""
    with suppress(OSError, IndexError, ValueError):
        fields = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()
        times = [float(each) for each in fields[1:9]]
        return times[STEAL - 1], sum(times)
    return 0.0, 0.0


def folder_bytes(path: Path) -> int:
    """Return what the files below a folder take on the disk."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            # Files come and go under a running platform.
            with suppress(OSError):
                total += (Path(folder) / name).stat().st_blocks * 512
    return total


def _cpu_s(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[UTIME]) + int(fields[STIME])) / TICKS_A_SECOND


def rss_bytes(pid: int) -> int:
    """Return the memory that a process has now."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * KIB
    return 0


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
