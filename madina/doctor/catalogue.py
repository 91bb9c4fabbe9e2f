"""Every topic of `madina doctor`, in the order in which it tells. A new one is one line here."""

from collections.abc import Iterator
from typing import Final

from city.clock import Clock
from madina.data_folder import DataFolder
from madina.doctor import (
    brokers,
    certificates,
    clocks,
    disk,
    exposure,
    influx,
    limits,
    permissions,
    platform,
    ports,
    versions,
)
from madina.doctor.check import Check, Machine, Topic
from madina.settings import Settings

__all__ = ["TOPICS", "checks"]

TOPICS: Final[tuple[Topic, ...]] = (
    versions.look,
    clocks.look,
    permissions.look,
    disk.look,
    limits.look,
    ports.look,
    exposure.look,
    certificates.look,
    brokers.look,
    influx.look,
    platform.look,
)


def checks(settings: Settings, clock: Clock) -> Iterator[Check]:
    """Look at everything, one after the other; a data folder that is not there is not made."""
    folder = DataFolder(settings.data_dir)
    run = folder.running() if folder.path.is_dir() else None
    machine = Machine(settings, folder, run, clock)
    for look in TOPICS:
        yield from look(machine)
