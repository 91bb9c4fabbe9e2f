"""What processes use: processor time and memory, from /proc (proc(5))."""

import os
from pathlib import Path

import msgspec

__all__ = ["MachineTime", "cpu_s", "machine_s", "peak_rss_bytes", "rss_bytes"]

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat behind the name: utime, stime, and the same of children that ended.
UTIME, STIME, CUTIME, CSTIME = 11, 12, 13, 14
KIB = 1024


def cpu_s(pid: int) -> float:
    """Return the processor seconds of a process, its threads and its ended children.

    Ticks of 10 ms: measure for seconds.

    Raises:
        FileNotFoundError: If there is no such process.
    """
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = stat.rpartition(")")[2].split()
    ticks = sum(int(fields[at]) for at in (UTIME, STIME, CUTIME, CSTIME))
    return ticks / TICKS_A_SECOND


class MachineTime(msgspec.Struct, frozen=True):
    """What all processors together did since the start of the machine, seconds.

    Attributes:
        busy_s: For programs and the kernel.
        stolen_s: For other machines on the same host.
        all_s: Idle time too.
    """

    busy_s: float
    stolen_s: float
    all_s: float

    def since(self, before: "MachineTime") -> "MachineTime":
        """Return what came between another look and this one."""
        return MachineTime(
            self.busy_s - before.busy_s,
            self.stolen_s - before.stolen_s,
            max(1 / TICKS_A_SECOND, self.all_s - before.all_s),
        )


def machine_s() -> MachineTime:
    """Return what all processors together did: the first line of /proc/stat."""
    fields = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()[1:9]
    user, nice, system, idle, waiting, irq, soft, stolen = (
        int(each) / TICKS_A_SECOND for each in fields
    )
    busy_s = user + nice + system + irq + soft
    return MachineTime(busy_s, stolen, busy_s + stolen + idle + waiting)


def rss_bytes(pid: int) -> int:
    """Return the memory that a process has now."""
    return _status(pid, "VmRSS")


def peak_rss_bytes(pid: int) -> int:
    """Return the most memory that a process ever had."""
    return _status(pid, "VmHWM")


def _status(pid: int, member: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{member}:"):
            return int(line.split()[1]) * KIB
    return 0
