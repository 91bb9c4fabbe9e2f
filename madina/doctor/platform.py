"""The platform about itself: whether store and registry open, and what it finds wrong."""

from collections.abc import Iterator

import msgspec

from madina.api import Api, api
from madina.doctor.check import Check, Machine, Verdict
from madina.errors import CommandError, SetupError

__all__ = ["look"]


def look(machine: Machine) -> list[Check]:
    """Ask the platform; without one, see whether store and registry open."""
    if not machine.folder.path.is_dir():
        return []
    found: list[Check] = []
    try:
        with api(machine.folder.path) as platform:
            found.append(Check("store", "ok", "store and registry answer"))
            if platform.runs:
                found += [*_reasons(platform), _ledger(platform)]
    except (SetupError, CommandError) as error:
        found.append(Check("store", "error", str(error)))
    return found


def _reasons(platform: Api) -> Iterator[Check]:
    """Say what the platform itself finds wrong: the same as `/readyz`."""
    reasons = msgspec.convert(platform.get("/v1/status")["reasons"], list[dict[str, str]])
    for each in reasons:
        verdict: Verdict = "error" if each["level"] == "error" else "warning"
        yield Check(each["part"], verdict, each["words"])
    if not reasons:
        yield Check("platform", "ok", "runs, and messages get through")


def _ledger(platform: Api) -> Check:
    difference = msgspec.convert(platform.get("/v1/ledger")["difference"], dict[str, int])
    if any(difference.values()):
        return Check("ledger", "error", f"does not add up: {difference}; please report it")
    return Check("ledger", "ok", "adds up")
