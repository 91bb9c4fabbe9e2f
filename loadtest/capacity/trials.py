"""The short runs of a calibration, as scenarios: what is measured by which. Pure."""

from typing import Final, Literal

import msgspec

from loadtest.capacity.calibration import PartRates, part_rates
from loadtest.outcome.run import LoadRun
from loadtest.scenario.model import Budgets, FleetRule, Hold, Reading, Scenario, seconds_of

__all__ = ["FORMATS", "Trial", "steady_rates", "trials", "wire_bytes"]

Format = Literal["native", "senml-json", "chirpstack-v3", "influx"]
FORMATS: Final[tuple[Format, ...]] = ("native", "senml-json", "influx", "chirpstack-v3")
# Concentrators and devices behind them; devices with a connection each. Every device has been heard
# before costs are counted: its first message makes series.
CARRIERS, CARRIED, OWN = 20, 400, 2_000
# None is heard more than ten times a second: LoRaWAN's frame counters say no more.
CARRIED_LORAWAN = 4_000
# Slow to quick: far enough apart for a line, both below what one core of the node can do.
SLOW: Final = 0.25
OWN_SLOW, OWN_QUICK = 0.08, 0.3
# Below it a platform is behind, and what it costs is not what it would.
KEPT_UP: Final = 0.9


class Trial(msgspec.Struct, frozen=True):
    """One run.

    Attributes:
        role: `own` and `carried` are run slow and quick for a line; `format` once.
    """

    role: Literal["own-slow", "own", "carried-slow", "carried", "format"]
    format: Format
    scenario: Scenario


def trials(rate_per_s: float, seconds: float) -> list[Trial]:
    """Return what is run, in this order.

    Args:
        rate_per_s: Of the quick runs; those with a connection a device are slower.
        seconds: How long each run lasts.
    """
    # Connections first: memory that a process has taken once it keeps.
    return [
        _own("own-slow", rate_per_s * OWN_SLOW, seconds),
        _own("own", rate_per_s * OWN_QUICK, seconds),
        _carried("carried-slow", "native", rate_per_s * SLOW, seconds),
        *(
            _carried("carried" if name == "native" else "format", name, rate_per_s, seconds)
            for name in FORMATS
        ),
    ]


def steady_rates(trial: Trial, run: LoadRun) -> PartRates | str:
    """Return what a run used, or why it says nothing about the platform."""
    if run.bottleneck:
        return f"{run.bottleneck[0]}: wait until the machine is less busy, or give a smaller --rate"
    if run.complaints:
        return run.complaints[0]
    acked = {each.elapsed_s: each.acked for each in run.history}
    until_s = seconds_of(trial.scenario.phases[0].seconds) + 1
    rates = part_rates(run.parts, acked, until_s)
    return "too short to measure: give more --seconds" if rates is None else _kept_up(trial, rates)


def _kept_up(trial: Trial, rates: PartRates) -> PartRates | str:
    fleet = trial.scenario.fleets[0]
    wanted = fleet.devices / seconds_of(fleet.every)
    if rates.messages_per_s >= wanted * KEPT_UP:
        return rates
    return (
        f"{wanted:,.0f} messages a second were due and {rates.messages_per_s:,.0f} were"
        " acknowledged. Costs are measured where a platform keeps up: give a smaller --rate"
    )


def wire_bytes(messages: list[tuple[bytes, bytes] | None]) -> float:
    """Return the mean bytes of topic and payload."""
    sizes = [len(each[0]) + len(each[1]) for each in messages if each is not None]
    return sum(sizes) / len(sizes)


def _own(role: Literal["own-slow", "own"], rate_per_s: float, seconds: float) -> Trial:
    fleet = FleetRule(name=role, devices=OWN, every=OWN / rate_per_s, provider="calibration")
    return Trial(role, "native", _scenario(fleet, seconds))


def _carried(
    role: Literal["carried-slow", "carried", "format"],
    name: Format,
    rate_per_s: float,
    seconds: float,
) -> Trial:
    devices = CARRIED_LORAWAN if name == "chirpstack-v3" else CARRIED
    fleet = FleetRule(
        name=f"{role}-{name}",
        devices=devices,
        every=devices / rate_per_s,
        mode="multiplexed",
        connections=CARRIERS,
        provider="calibration",
        format=name,
        in_flight=1_000,
    )
    return Trial(role, name, _scenario(fleet, seconds))


def _scenario(fleet: FleetRule, seconds: float) -> Scenario:
    return Scenario(
        name=f"calibrate-{fleet.name}"[:31],
        fleets=[fleet],
        phases=[Hold(seconds=seconds)],
        reading=Reading(devices=0),
        checked=0,
        # Costs are measured here, not latencies: late by a tenth of a run would be too late.
        budgets=Budgets(lag_p99=max(0.1, seconds / 10)),
    )
