"""Payloads in the formats that devices really use: encoders of the rig's own.

One that shared code with the platform's codecs would share its mistakes. Pure.
Source: formats.md sections 1 (native), 3 (SenML JSON), 6 (ChirpStack v3), and RFC 8428; InfluxDB's
line protocol reference.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Protocol
from zlib import crc32

from loadtest.stream.content import OTHER_UNIT, PLAIN, WRONG_UNIT
from loadtest.stream.kinds import Signal

__all__ = ["Format", "Route", "format_of", "texts"]

MS_PER_S: Final = 1_000
# Rendered once; nearly all values of all kinds lie below.
TABLE_SIZE: Final = 10_000
WRONG: Final = "V"
SENML_UNITS: Final = frozenset({"Cel", "V", "W", "dB", "m3", "%", "ug/m3", "km/h"})
EUI_START: Final = 0x24E1_0000_0000_0000
STEM_MASK: Final = 0xFFFF
COUNTER_MS: Final = 100
COUNTER_MASK: Final = 0xFFFF_FFFF
Route = tuple[str, str]


class Format(Protocol):
    """One format of one fleet."""

    def name(self, device: int) -> str:
        """Return the device's id in the platform."""
        ...

    def topic(self, device: int) -> bytes:
        """Return where a device publishes."""
        ...

    def payload(
        self, variant: int, device: int, sequence: int, time_ms: int, values: Sequence[bytes]
    ) -> bytes:
        """Return what it publishes; `values` as `texts` writes them, in the order of signals."""
        ...

    def route(self) -> Route | None:
        """Return the topic filter and the codec that have to be registered; None: none has to."""
        ...


def format_of(name: str, signals: Sequence[Signal], provider: str, stem: str, width: int) -> Format:
    """Return the encoder of a fleet.

    Args:
        name: Of the format, as in a scenario.
        signals: What the devices measure.
        provider: Whose they are.
        stem: What the devices' ids begin with.
        width: Digits of the numbers in them.
    """
    made = {
        "native": _Native,
        "senml-json": _SenmlJson,
        "influx": _Influx,
        "chirpstack-v3": _ChirpStackV3,
    }
    return made[name](signals, provider, stem, width)


def texts(values: list[int], signal: Signal, variant: int) -> list[bytes]:
    """Write values of a signal, whole numbers in units of its last digit, as decimal numbers."""
    if variant == OTHER_UNIT and signal.other is not None:
        _, factor, offset = signal.other
        scale = 10**signal.digits
        return [b"%.9g" % (value / scale * factor + offset) for value in values]
    table = _tables.get(signal.digits)
    if table is None:
        table = [_decimal(value, signal.digits) for value in range(TABLE_SIZE)]
        _tables[signal.digits] = table
    return [
        table[value] if 0 <= value < TABLE_SIZE else _decimal(value, signal.digits)
        for value in values
    ]


# Filled on first use: a process needs two or three of them.
_tables: dict[int, list[bytes]] = {}


def _decimal(value: int, digits: int) -> bytes:
    if not digits:
        return b"%d" % value
    whole, part = divmod(abs(value), 10**digits)
    return b"%s%d.%0*d" % (b"-" if value < 0 else b"", whole, digits, part)


def _unit(signal: Signal, at: int, variant: int) -> str:
    if variant == WRONG_UNIT and at == 0:
        return WRONG
    if variant == OTHER_UNIT and signal.other is not None:
        return signal.other[0]
    return signal.unit


def _senml_unit(signal: Signal, at: int, variant: int) -> str:
    unit = _unit(signal, at, variant)
    return f'"u":"{unit}",' if unit in SENML_UNITS else ""


class _Named:
    """What the formats have in common: ids, and topics that name the format."""

    ending = b"/up"

    def __init__(self, signals: Sequence[Signal], provider: str, stem: str, width: int) -> None:
        self.signals = signals
        self.provider = provider
        self._id = f"{stem}-%0{width}d"
        self._topic = f"madina/v1/{provider}/{self._id}".encode() + self.ending

    def name(self, device: int) -> str:
        """Return the device's id in the platform."""
        return self._id % device

    def topic(self, device: int) -> bytes:
        """Return where a device publishes."""
        return self._topic % device

    def route(self) -> Route | None:
        """Return the topic filter and the codec that have to be registered; None: none has to."""
        return None


class _Native(_Named):
    """Source: formats.md section 1."""

    def __init__(self, signals: Sequence[Signal], provider: str, stem: str, width: int) -> None:
        super().__init__(signals, provider, stem, width)
        self._templates = [
            ('{"t":%d,"id":"%d","obs":[' + ",".join(self._items(variant)) + "]}").encode()
            for variant in (PLAIN, OTHER_UNIT, WRONG_UNIT)
        ]

    def _items(self, variant: int) -> list[str]:
        return [
            f'{{"q":"{signal.quantity}","v":%b,"u":"{_unit(signal, at, variant)}"}}'.replace(
                "%", "%%"
            ).replace("%%b", "%b")
            for at, signal in enumerate(self.signals)
        ]

    def payload(
        self, variant: int, device: int, sequence: int, time_ms: int, values: Sequence[bytes]
    ) -> bytes:
        """Return a message with its time as its id."""
        del device, sequence
        return self._templates[variant] % (time_ms, time_ms, *values)


class _SenmlJson(_Named):
    """Source: RFC 8428; units of its registry and of RFC 8798, none where those have none.

    The topic names the device.
    """

    ending = b"/raw/senml-json"

    def __init__(self, signals: Sequence[Signal], provider: str, stem: str, width: int) -> None:
        super().__init__(signals, provider, stem, width)
        self._templates = [self._template(variant) for variant in (PLAIN, OTHER_UNIT, WRONG_UNIT)]

    def _template(self, variant: int) -> bytes:
        records = [
            f'"n":"{signal.quantity}",{_senml_unit(signal, at, variant)}"v":'.replace("%", "%%")
            + "%b"
            for at, signal in enumerate(self.signals)
        ]
        return ('[{"bt":%d.%03d,' + "},{".join(records) + "}]").encode()

    def payload(
        self, variant: int, device: int, sequence: int, time_ms: int, values: Sequence[bytes]
    ) -> bytes:
        """Return a pack whose base time is the message's."""
        del device, sequence
        seconds, part = divmod(time_ms, MS_PER_S)
        return self._templates[variant] % (seconds, part, *values)


class _Influx(_Named):
    """Source: InfluxDB's line protocol reference. The topic names the device."""

    ending = b"/raw/influx"

    def __init__(self, signals: Sequence[Signal], provider: str, stem: str, width: int) -> None:
        super().__init__(signals, provider, stem, width)
        fields = ",".join(f"{signal.quantity}=%b" for signal in signals)
        self._template = f"reading {fields} %d000000".encode()

    def payload(
        self, variant: int, device: int, sequence: int, time_ms: int, values: Sequence[bytes]
    ) -> bytes:
        """Return one line with a time in nanoseconds."""
        del variant, device, sequence
        return self._template % (*values, time_ms)


class _ChirpStackV3(_Named):
    """Source: formats.md section 6: the JSON of ChirpStack v3's MQTT integration."""

    def __init__(self, signals: Sequence[Signal], provider: str, stem: str, width: int) -> None:
        super().__init__(signals, provider, stem, width)
        # Every fleet has EUIs of its own.
        self._first = EUI_START + ((crc32(stem.encode()) & STEM_MASK) << 32)
        members = ",".join(f'\\"{signal.quantity}\\":%b' for signal in signals)
        self._template = (
            f'{{"applicationID":"1","applicationName":"{provider}","deviceName":"%b",'
            '"devEUI":"%b","rxInfo":[{"gatewayID":"ABbAAfFToUw=","time":"%bZ","rssi":-97,'
            '"loRaSNR":7.5}],"txInfo":{"frequency":868100000,"modulation":"LORA"},'
            f'"adr":true,"dr":5,"fCnt":%d,"fPort":2,"data":"","objectJSON":"{{{members}}}"}}'
        ).encode()

    def name(self, device: int) -> str:
        """Return its EUI."""
        return f"{self._first + device:016x}"

    def topic(self, device: int) -> bytes:
        """Return the topic of the integration."""
        return f"application/{self.provider}/device/{self.name(device)}/event/up".encode()

    def route(self) -> Route | None:
        """Return what reads it."""
        return f"application/{self.provider}/device/+/event/up", "chirpstack-v3"

    def payload(
        self, variant: int, device: int, sequence: int, time_ms: int, values: Sequence[bytes]
    ) -> bytes:
        """Return an uplink as one gateway heard it.

        Its frame counter goes on from run to run, as a device's does while its session lasts.
        """
        del variant, sequence
        counter = time_ms // COUNTER_MS & COUNTER_MASK
        eui = b64encode((self._first + device).to_bytes(8, "big"))
        time = datetime.fromtimestamp(time_ms / MS_PER_S, UTC).isoformat(timespec="milliseconds")
        said = self._id % device
        return self._template % (said.encode(), eui, time[:-6].encode(), counter, *values)
