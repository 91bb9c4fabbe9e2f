"""Members of a Tasmota message, brought to measurements.

Source: formats.md section 11. Names of networks (SSId, BSSId) can locate people: never kept.
"""

import re
from typing import Any, Final, cast

from city.quantities import plain_name
from city.units import ucum
from ingest.codecs.flatten import ELEMENTS_MAX, flatten
from ingest.codecs.measures import Measures
from ingest.codecs.members import members_of, number_of, text_of_member
from ingest.codecs.profile import Profile
from ingest.codecs.tasmota.names import BLOCK, ENERGY, UNITS_OF

__all__ = ["Blocks"]

SWITCH: Final = re.compile(r"Switch(\d{1,2})|POWER(\d{0,2})", re.ASCII)
SWITCHED: Final = {"ON": True, "OFF": False}
COUNTER: Final = re.compile(r"C(\d{1,2})", re.ASCII)
# What tells of the message itself, or is read somewhere else.
NOT_SENSORS: Final = frozenset({"Time", "Epoch", "ZbReceived", *UNITS_OF})
NOT_MEASURED: Final = frozenset({"Id", "Device", "Name", "Endpoint", "LinkQuality", "Group"})
# The documentation says millivolts, its own example has volts: no board runs on 100 V.
MILLIVOLTS_FROM: Final = 100


class Blocks:
    """Reads the parts of one message.

    Attributes:
        metadata: What the blocks say of their sensors.
    """

    def __init__(self, sent: dict[str, Any], profile: Profile, measures: Measures) -> None:
        self._sent = sent
        self._profile = profile
        self._measures = measures
        self.metadata: dict[str, Any] = {}
        self._units = {
            name: ucum(text_of_member(sent.get(name)) or usual or "")
            for name, usual in UNITS_OF.items()
        }

    def sensors(self) -> None:
        """Read `SENSOR`, and what `STATUS8` and `STATUS10` hold."""
        for name, value in self._sent.items():
            if name in NOT_SENSORS:
                continue
            if SWITCH.fullmatch(name):
                self._switch(name, value)
            elif name == "ENERGY":
                self._energy(members_of(value))
            elif isinstance(value, dict):
                self._block(name, cast("dict[str, Any]", value))
            else:
                self._measures.ignored += 1

    def switches(self) -> None:
        """Read `RESULT`: of all answers to commands, only switches are measured."""
        for name, value in self._sent.items():
            if name.startswith("POWER") and SWITCH.fullmatch(name):
                self._switch(name, value)

    def state(self) -> None:
        """Read `STATE`: how the device is, not what it measures."""
        sent, wifi = self._sent, members_of(self._sent.get("Wifi"))
        supply = number_of(sent.get("Vcc"))
        millivolts = supply is not None and supply > MILLIVOLTS_FROM
        self._add("UptimeSec", "uptime", sent.get("UptimeSec"), "s")
        self._add("Vcc", "supply_voltage", supply, "mV" if millivolts else "V")
        self.switches()
        # RSSI is a percentage here, Signal the strength.
        self._add("Wifi.RSSI", "wifi_quality", wifi.get("RSSI"), "%")
        self._add("Wifi.Signal", "wifi_signal", wifi.get("Signal"), "dBm")

    def zigbee(self) -> None:
        """Read what a Zigbee device measured: one block without a name of a sensor."""
        for name, value in self._sent.items():
            if name not in NOT_MEASURED:
                self._member(name, value, "")

    def _block(self, key: str, block: dict[str, Any]) -> None:
        channel = f"_{plain_name(key) or ''}"
        for name, value in block.items():
            counter = COUNTER.fullmatch(name) if key == "COUNTER" else None
            if name == "Id":
                self.metadata.setdefault("sensor_ids", {})[key[:64]] = str(value)[:64]
            elif counter is not None:
                self._add(name, f"counter_{counter[1]}", value, None)
            else:
                self._member(name, value, channel)

    def _member(self, name: str, value: object, channel: str) -> None:
        known = BLOCK.get(name)
        if known is None:
            self._unlisted(name, value, channel)
            return
        quantity, unit = known
        self._add(name, f"{quantity}{channel}", value, self._units.get(unit or "", unit))

    def _unlisted(self, name: str, value: object, channel: str) -> None:
        """Read a member that the table has not: it keeps its name, without a unit."""

        def naming(raw: str) -> tuple[str | None, str | None]:
            plain = plain_name(raw)
            named = self._profile.names.get(raw)
            quantity = named or (plain and f"{plain}{channel}")
            return quantity, self._profile.unit(quantity) if quantity else None

        flatten({name: value}, naming, self._measures)

    def _energy(self, block: dict[str, Any]) -> None:
        for name, value in block.items():
            known = ENERGY.get(name)
            if known is None:
                if name != "TotalStartTime":
                    self._unlisted(name, value, "_energy")
            elif isinstance(value, list):
                phases = cast("list[Any]", value)[:ELEMENTS_MAX]
                for at, phase in enumerate(phases, start=1):
                    self._add(name, f"{known[0]}_{at}", phase, known[1])
            else:
                self._add(name, known[0], value, known[1])

    def _switch(self, name: str, value: object) -> None:
        match = SWITCH.fullmatch(name)
        assert match is not None, "asked before"
        number, power = match[1], match[2]
        quantity = f"switch_{number}" if number else f"power_{power}" if power else "power_state"
        on = SWITCHED.get(value, value) if isinstance(value, str) else value
        self._add(name, quantity, on, None)

    def _add(self, raw: str, quantity: str, value: object, unit: str | None) -> None:
        named = self._profile.names.get(raw) or quantity
        self._measures.add(raw, named, value, unit or self._profile.unit(named))
