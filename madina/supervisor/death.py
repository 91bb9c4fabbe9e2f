"""Children die with their supervisor, whatever killed it (prctl(2), PR_SET_PDEATHSIG)."""

import ctypes
import os
import signal
from collections.abc import Callable

__all__ = ["die_with_parent"]

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with_parent() -> Callable[[], None]:
    """Return what a child runs between fork and exec, so that the kernel kills it with us.

    SIGKILL, because nothing is left that could wait for an orderly end, and a kill of any of our
    processes at any moment loses nothing that was acknowledged.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def prepare() -> None:
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0 or os.getppid() != parent:
            os._exit(1)

    return prepare
