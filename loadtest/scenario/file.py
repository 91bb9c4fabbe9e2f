"""Reads scenario files: YAML to structs, and an error names the line and the member."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import yaml

from loadtest.scenario.model import Fault, FleetRule, Scenario, seconds_of

__all__ = ["ScenarioError", "find_scenario", "read_scenario", "ready_names", "scenario_schema"]

SCHEMA_ID: Final = "https://json-schema.org/draft/2020-12/schema"
MEMBER: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")
# From this many connections on a process of the generator has no files left.
CONNECTIONS_MAX: Final = 1_000_000


class ScenarioError(ValueError):
    """A scenario that cannot be run; the words say where and what to write instead."""


def ready_names() -> list[str]:
    """Return the scenarios that come with the program, by name."""
    folder = files("loadtest.scenario") / "ready"
    return sorted(each.name.removesuffix(".yaml") for each in folder.iterdir())


def find_scenario(name: str) -> Scenario:
    """Return a scenario by its name, or by the path of its file.

    Raises:
        ScenarioError: There is none, or it cannot be run.
    """
    if name in ready_names():
        text = (files("loadtest.scenario") / "ready" / f"{name}.yaml").read_text(encoding="utf-8")
        return read_scenario(text, f"{name}.yaml")
    path = Path(name)
    if not path.is_file():
        raise ScenarioError(f"no scenario {name!r}: a file, or one of {', '.join(ready_names())}")
    try:
        return read_scenario(path.read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{name} cannot be read: {error}") from error


def read_scenario(text: str, where: str) -> Scenario:
    """Return what a file says.

    Args:
        text: YAML.
        where: The file's name, for errors.

    Raises:
        ScenarioError: It is no YAML, or no scenario.
    """
    try:
        node: yaml.Node | None = yaml.SafeLoader(text).get_single_node()
        document: object = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{where}:{line}: {error.problem or 'no YAML'}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{where}: {error}") from error
    try:
        scenario = msgspec.convert(document, Scenario)
    except msgspec.ValidationError as error:
        words, _, path = str(error).rpartition(" - at `$")
        path = path.rstrip("`") if words else ""
        line = _line_of(node, path)
        raise ScenarioError(f"{where}:{line}: {path[1:] or 'file'}: {words or error}") from error
    for path, words in _senseless(scenario):
        raise ScenarioError(f"{where}:{_line_of(node, path)}: {path[1:]}: {words}")
    return scenario


def scenario_schema() -> dict[str, object]:
    """Return the JSON schema of scenario files."""
    return {"$schema": SCHEMA_ID, **msgspec.json.schema(Scenario)}


def _line_of(node: yaml.Node | None, path: str) -> int:
    """Return the line of a member, or of the nearest one around it that is there."""
    line = 1 if node is None else node.start_mark.line + 1
    for name, index in MEMBER.findall(path):
        found = _below(node, name, index)
        if found is None:
            break
        line, node = found
    return line


def _below(node: yaml.Node | None, name: str, index: str) -> tuple[int, yaml.Node] | None:
    if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
        value = node.value[int(index)]
        return value.start_mark.line + 1, value
    if name and isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key.start_mark.line + 1, value
    return None


def _senseless(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield what no type can forbid: where, and why it cannot be."""
    try:
        ZoneInfo(scenario.clock.timezone)
    except (ValueError, OSError, KeyError):
        yield ".clock.timezone", f"{scenario.clock.timezone!r} is no time zone"
    names = [fleet.name for fleet in scenario.fleets]
    for at, fleet in enumerate(scenario.fleets):
        path = f".fleets[{at}]"
        if names.index(fleet.name) < at:
            yield f"{path}.name", f"there are two fleets {fleet.name!r}"
        yield from ((path + below, words) for below, words in _senseless_fleet(fleet))
    if not sum(seconds_of(phase.seconds) for phase in scenario.phases):
        yield ".phases", "they last no time at all"
    whole_s = sum(seconds_of(each.seconds) * getattr(each, "steps", 1) for each in scenario.phases)
    for at, fault in enumerate(scenario.faults):
        path = f".faults[{at}]"
        yield from ((path + below, words) for below, words in _senseless_fault(fault, whole_s))


def _senseless_fault(fault: Fault, whole_s: float) -> Iterator[tuple[str, str]]:
    lasts_s = seconds_of(fault.lasts)
    if seconds_of(fault.at) + lasts_s >= whole_s:
        yield ".at", f"it is not over when the phases are, after {whole_s:g} s"
    if fault.do == "kill" and lasts_s:
        yield ".lasts", "a killed part is back when its supervisor has started it: leave it away"
    if fault.do != "kill" and not lasts_s:
        yield ".lasts", f"a {fault.do} that lasts no time at all: say how long"
    if fault.do in {"kill", "freeze"} and fault.part is None:
        yield "", f"a {fault.do} of what? say `part`"
    if fault.do not in {"kill", "freeze"} and fault.part is not None:
        yield ".part", f"a {fault.do} has no part: leave it away"
    yield from ((".proxy" if fault.proxy else "", words) for words in _senseless_way(fault))


def _senseless_way(fault: Fault) -> Iterator[str]:
    """Yield what is wrong with the network that a fault is about."""
    if fault.do == "cut" and (fault.link is None) == (fault.proxy is None):
        yield "a cut has a `link` or a `proxy`, one of the two"
    if fault.do in {"delay", "refuse"} and fault.proxy is None:
        yield f"a {fault.do} is done by a `proxy`: say where it is told what to do"
    if fault.do != "cut" and fault.link is not None:
        yield "only a cut has a `link`"
    if fault.do not in {"cut", "delay", "refuse"} and fault.proxy is not None:
        yield f"a {fault.do} has no `proxy`"
    if (fault.do == "delay") != bool(seconds_of(fault.by)):
        yield "a delay says `by` how much, and nothing else does"


def _senseless_fleet(fleet: FleetRule) -> Iterator[tuple[str, str]]:
    every_s = seconds_of(fleet.every)
    if every_s <= 0:
        yield ".every", "devices cannot send without a pause"
    if fleet.mode == "connection" and fleet.connections not in {None, fleet.devices}:
        yield ".connections", "in mode connection each device has one: leave it away"
    if fleet.connections is not None and fleet.connections > fleet.devices:
        yield ".connections", f"more than the {fleet.devices} devices"
    if fleet.mode == "connection" and fleet.devices > CONNECTIONS_MAX:
        yield ".devices", f"more than {CONNECTIONS_MAX} connections: use mode multiplexed"
    if fleet.together is not None and not 0 < seconds_of(fleet.together) <= every_s:
        yield ".together", "longer than 0 and not longer than `every`"
    if fleet.format in {"chirpstack-v3", "influx"} and fleet.habits.wrong_unit:
        yield ".habits.wrong_unit", "this format has no units"
    if fleet.format != "native" and fleet.habits.other_unit:
        yield ".habits.other_unit", "this format has no other units"
