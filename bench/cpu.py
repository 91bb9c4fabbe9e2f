"""What processes use: processor time and memory, from /proc (proc(5))."""

import os
from pathlib import Path

__all__ = ["cpu_s", "peak_rss_bytes", "rss_bytes"]

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
