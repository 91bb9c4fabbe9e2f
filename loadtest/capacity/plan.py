"""A whole plan: what one city needs, what all of them need, and where today's design ends. Pure."""

import msgspec

from loadtest.capacity.ask import Ask, checked
from loadtest.capacity.calibration import Calibration
from loadtest.capacity.limits import Limit, limits_of
from loadtest.capacity.needs import LEVELS, Needs, needs_of, summed
from loadtest.capacity.sources import SOURCES, Assumption, assumptions
from loadtest.rig.machine import Machine

__all__ = ["BYTES_A_DEVICE", "Plan", "plan_of"]

# Of ingest for each device; printed by `make bench BENCH=growth`, in docs/bench.md.
BYTES_A_DEVICE = 578.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked and what it takes.

    Attributes:
        measured_on, measured_at: Where and when costs were measured.
        city: Of one city, by level.
        federation: Of all cities together, by level; each city is an installation of its own.
        limits: Of one city, as it grows.
        sources: What the keys of limits' sources mean.
    """

    ask: Ask
    measured_on: Machine
    measured_at: str
    revision: str
    city: list[Needs]
    federation: list[Needs]
    limits: list[Limit]
    assumptions: list[Assumption]
    sources: dict[str, str]


def plan_of(ask: Ask, calibration: Calibration, bytes_a_device: float = BYTES_A_DEVICE) -> Plan:
    """Plan.

    Args:
        ask: What is wanted.
        calibration: What a message costs.
        bytes_a_device: Memory of ingest for each device.

    Raises:
        AskError: What was asked means nothing.
    """
    checked(ask, [*calibration.codecs])
    city = [needs_of(ask, calibration, level, bytes_a_device) for level in LEVELS]
    limits = limits_of(ask, calibration, bytes_a_device)
    return Plan(
        ask=ask,
        measured_on=calibration.machine,
        measured_at=calibration.made_at,
        revision=calibration.revision,
        city=city,
        federation=[summed(each, ask.cities) for each in city],
        limits=limits,
        assumptions=assumptions(ask, calibration, bytes_a_device),
        sources={name: SOURCES[name] for name in sorted({each.source for each in limits})},
    )
