"""Clocks: whether the system keeps its own, and whether the log's agrees with it.

Messages without a time of their own take the gateway's, and times too far ahead are refused: a
clock that is wrong makes good devices look bad.
Source: adjtimex(2), the status bit STA_UNSYNC and `maxerror`.
"""

import ctypes
from typing import Final

import msgspec

from city.clock import US_PER_S
from madina.doctor.check import Check, Machine, error, ok, warning
from madina.doctor.log_server import ask_log
from madina.errors import SetupError

__all__ = ["SystemClock", "look", "of_log", "of_system"]

STA_UNSYNC: Final = 0x40
APART_US: Final = US_PER_S
MEND: Final = "run chrony or systemd-timesyncd (in a container: on its host)"


class SystemClock(msgspec.Struct, frozen=True):
    """What the kernel says about its clock."""

    synchronised: bool
    largest_error_us: int


class _Timex(ctypes.Structure):
    """<sys/timex.h>, as far as it is looked at; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def look(machine: Machine) -> list[Check]:
    """Look at the system's clock, and at the log's where there is one."""
    found = [of_system(_read())]
    url = machine.run.nats if machine.run else machine.settings.nats_url
    if url is not None:
        before_us = machine.clock.now_us()
        try:
            theirs_us = ask_log(url).time_us
        except SetupError:
            # The log server's own check says so.
            return found
        found.append(of_log(theirs_us, before_us, machine.clock.now_us()))
    return found


def of_system(clock: SystemClock | None) -> Check:
    """Judge what the kernel says; None where it says nothing."""
    if clock is None:
        return warning("clock", "the system does not say whether its clock is kept", MEND)
    if not clock.synchronised:
        return warning("clock", "nothing keeps this machine's clock in time", MEND)
    return ok("clock", f"kept in time, to {clock.largest_error_us / 1_000:.0f} ms")


def of_log(theirs_us: int, before_us: int, after_us: int) -> Check:
    """Judge the log server's time, which was asked between two instants of our own."""
    name = "clock of the log"
    if not theirs_us:
        return ok(name, "not told")
    apart_us = max(before_us - theirs_us, theirs_us - after_us, 0)
    if apart_us > APART_US:
        return error(name, f"{apart_us / US_PER_S:.1f} s apart from this machine's", MEND)
    return ok(name, "agrees with this machine's")


def _read() -> SystemClock | None:
    timex = _Timex()
    try:
        if ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0:
            return None
    except AttributeError:
        return None
    return SystemClock(not timex.status & STA_UNSYNC, timex.maxerror)
