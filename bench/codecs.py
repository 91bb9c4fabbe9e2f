"""Codecs: CPU a message of every format there is, on the cases that their folders show.

A format's figure is the mean over the accepted cases in its folder, decoded one after the other by
the codec alone; `native` is read one by one here, while ingest reads plain messages in bulk
(`pipeline`). Every message is verified once against what its case says.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bench.pairs import CONTROL_RANGE
from bench.progress import say
from bench.result import ROOT, BenchFailed, BenchResult, Goal
from city.instants import text_us
from ingest.codecs.catalogue import find_codecs
from ingest.codecs.seam import Arrived, Codec, MessageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MOST_US", "measure", "sample_messages"]

CODECS: Final = ROOT / "ingest" / "codecs"
# No format may cost more without a reason that stands in docs/bench.md.
MOST_US: Final = 40.0
MICROS: Final = 1e6
# Rounds of all formats in turn, so that a slow minute of the machine meets every one.
ROUNDS: Final = 9
# Seconds of one round of one format, where nobody says otherwise.
ROUND_S: Final = 0.1
# What the native format leaves out of its cases, since it is always the same.
TOPIC: Final = "madina/v1/city/device-1/up"
RECEIVED_AT: Final = "2026-03-04T10:15:31.250Z"


def sample_messages(name: str) -> list[tuple[Arrived, int]]:
    """Return the cases of a format, and how many observations each has."""
    folders = sorted((CODECS / name.replace("-", "_") / "cases").glob("*/"))
    return [(_arrived(each), len(_read(each / "expected.json"))) for each in folders]


def measure(seconds: float | None) -> BenchResult:
    """Measure every format in turn, several times."""
    round_s = ROUND_S if seconds is None else seconds / ROUNDS
    found = find_codecs()
    work = {name: _verified(name, found[name]) for name in sorted(found)}
    costs: dict[str, list[float]] = {name: [] for name in work}
    for number in range(ROUNDS):
        for name, messages in work.items():
            costs[name].append(_cost(found[name], messages, round_s))
        say(f"round {number + 1}/{ROUNDS}")
    middle = {name: median(each) for name, each in costs.items()}
    slowest = max(middle, key=lambda name: middle[name])
    # Rounds of one format over the median of all its rounds: 1 on a quiet machine.
    control = median(max(each) / median(each) for each in costs.values())
    noisy = control > CONTROL_RANGE[1]
    return BenchResult(
        bench="codecs",
        unit=f"us a message, the slowest format ({slowest})",
        value=middle[slowest],
        samples=[{"side": name, "costs": each} for name, each in costs.items()],
        goals=[
            Goal(f"codecs {name}", cost, f"<= {MOST_US:g} us", cost <= MOST_US and not noisy)
            for name, cost in middle.items()
        ],
        extra={**middle, "control": control, "noisy": noisy},
    )


def _verified(name: str, codec: Codec) -> list[Arrived]:
    """Return the messages of a format that hold observations.

    Raises:
        BenchFailed: If there is none, or one is not read as it says.
    """
    messages: list[Arrived] = []
    for message, wanted in sample_messages(name):
        try:
            seen = len(codec.decode(message).observations)
        except MessageError as error:
            raise BenchFailed(f"{name} refuses a case of its own: {error}") from error
        if seen != wanted:
            raise BenchFailed(f"{name} reads {seen} observations where {wanted} were sent")
        if seen:
            messages.append(message)
    if not messages:
        raise BenchFailed(f"{name} has no case with observations")
    return messages


def _cost(codec: Codec, messages: list[Arrived], seconds: float) -> float:
    """Return microseconds of CPU a message."""
    count = 0
    began = time.process_time()
    while (spent := time.process_time() - began) < seconds or not count:
        for message in messages:
            codec.decode(message)
        count += len(messages)
    return spent / count * MICROS


def _arrived(folder: Path) -> Arrived:
    """Return the message of a case, as its route would hand it to the codec."""
    path = folder / "message.json"
    said: dict[str, Any] = _read(path) if path.exists() else {}
    route: dict[str, Any] = said.get("route", {})
    options = {
        name: value
        for part in (route, said.get("options", {}), said.get("profile", {}))
        for name, value in part.items()
        if name != "timezone"
    }
    if "mapping" in said:
        options |= _read(folder / said["mapping"])
    payload_path = next(folder.glob("payload.*"))
    payload = payload_path.read_bytes()
    if payload_path.suffix == ".hex":
        payload = bytes.fromhex(payload.decode())
    return Arrived(
        said.get("topic", TOPIC),
        payload,
        text_us(said.get("received_at", RECEIVED_AT)),
        "city",
        timezone=route.get("timezone", "UTC"),
        options=options,
    )


def _read(path: Path) -> Any:  # noqa: ANN401 - any JSON
    return msgspec.json.decode(path.read_bytes())
