"""The inspector with damaged traffic: it says something of whatever boxes send."""

import random
from pathlib import Path

import msgspec

from city.topics import check_filter
from fuzz.mutation import mutate
from fuzz.report import Decided
from ingest.codecs.catalogue import find_codecs, options_fault
from ingest.inspect.findings import Findings, Heard
from ingest.inspect.inspector import Inspector

__all__ = ["InspectorTarget"]

SAMPLES = Path(__file__).parents[1] / "tests" / "data" / "samples"
RECEIVED_US = 1_772_619_330_000_000
MESSAGES = 4
OWN = (
    ("airbox/a1/data", b'{"pm25": 7.5, "temp_c": "21,5", "ts": 1772619330, "unit": "ug/m3"}'),
    ("park/p7/bays/0113/state", b'{"status": "BUSY", "v": -999, "gw": {"rssi": -97}}'),
    ("hall/thermo-1/temp", b"22,5"),
    ("bins/batch", b'[{"id": "b1", "fill_pct": "12,5"}, {"id": "b2", "fill_pct": "80"}]'),
    ("weather/w1/lines", b'{"ts": 1772619330, "temp": 21.5}\n{"ts": 1772619390, "temp": 21.6}\n'),
    ("river/r4/rows", b"time;level;temp\n04.03.2026 11:15;1,25;8,5\n04.03.2026 11:30;1,26;8,4\n"),
    ("soil/s2/values", b'{"readings": [{"name": "temp", "value": 9.5}], "ts": 1772619330}'),
)


class InspectorTarget:
    """Some messages of all formats and of boxes of nobody's, damaged."""

    name = "inspector"

    def __init__(self) -> None:
        self._codecs = find_codecs()
        self._samples = [*OWN, *_samples()]

    def make(self, rng: random.Random) -> bytes:
        """Return topics and payloads in MessagePack. See `Target.make`."""
        return msgspec.msgpack.encode([self._message(rng) for _ in range(rng.randint(1, MESSAGES))])

    def _message(self, rng: random.Random) -> tuple[str, bytes]:
        topic, payload = rng.choice(self._samples)
        if rng.random() < 0.2:
            topic = mutate(topic.encode(), rng).decode(errors="ignore")
        # No broker lets such topics through.
        topic = "".join(each for each in topic if each not in "+#\0") or "a"
        return topic, mutate(payload, rng) if rng.random() < 0.8 else payload

    def check(self, data: bytes) -> Decided:
        """Inspect some messages. See `Target.check`."""
        messages = msgspec.msgpack.decode(data, type=list[tuple[str, bytes]])
        heard = [Heard(topic, payload, RECEIVED_US) for topic, payload in messages]
        findings = Inspector(self._codecs, "Europe/Zurich").look(heard)
        assert sum(each.messages for each in findings.groups) == len(heard)
        self._hold(findings)
        proposed = sum(each.messages for each in findings.groups if each.codec)
        return Decided(accepted=proposed, refused=len(heard) - proposed)

    def _hold(self, findings: Findings) -> None:
        """Hold what is proposed to what a route may be."""
        msgspec.json.encode(findings)
        for group in findings.groups:
            check_filter(group.pattern.encode())
            if group.codec in self._codecs:
                assert options_fault(self._codecs, group.codec, group.options) is None


def _samples() -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for path in sorted(SAMPLES.glob("*/*.in")):
        meta = msgspec.json.decode(path.with_suffix(".meta.json").read_bytes())
        payload = path.read_bytes()
        if meta["encoding"] == "hex":
            payload = bytes.fromhex(payload.decode())
        found.append((meta.get("topic", "a/b/c/d"), payload))
    assert found, f"no samples under {SAMPLES}"
    return found
