"""The relational facts that ingest works with, as frozen values.

Ingest keeps a snapshot of them and asks for what changed since a revision: every row carries
the revision at which it last changed, from one counter.
"""

from typing import Literal

import msgspec

__all__ = ["Changes", "Device", "DeviceStatus", "Hardware", "Provider", "Route"]

DeviceStatus = Literal["pending", "active", "retired"]


class Provider(msgspec.Struct, frozen=True):
    """Who runs a set of devices: a department or a supplier.

    Attributes:
        name: One topic level: letters, digits, `.`, `_`, `-`.
        title: Words for people; may be empty.
        revision: When it last changed.
    """

    name: str
    title: str
    revision: int


class Device(msgspec.Struct, frozen=True):
    """One device. `provider` and `id` together name it; its name for people is `provider/id`.

    Attributes:
        kind: What it is for: `air`, `noise`, `parking`, ...; empty where nobody said.
        name: Words for people; may be empty.
        status: Only an `active` device's observations are stored; the others are parked.
        expected_interval_s: How often it should report; None where nobody knows.
        lat, lon: WGS 84 degrees.
        revision: When it last changed.
        created_us: When it was registered.
    """

    provider: str
    id: str
    kind: str
    name: str
    status: DeviceStatus
    expected_interval_s: float | None
    lat: float | None
    lon: float | None
    district: str | None
    revision: int
    created_us: int = 0


class Hardware(msgspec.Struct, frozen=True):
    """Which hardware stood in a device's place, by the id that it sends.

    Attributes:
        number: Names the period; a change of it comes under the same number.
        device: In whose place it stood; its series hold what the hardware measured.
        from_us, until_us: By the times of observations, the end excluded; None: ever.
        revision: When it last changed.
    """

    number: int
    provider: str
    device: str
    hardware: str
    from_us: int | None
    until_us: int | None
    revision: int

    def covers(self, time_us: int) -> bool:
        """Say whether it stood there at an instant."""
        after = self.from_us is None or self.from_us <= time_us
        return after and (self.until_us is None or time_us < self.until_us)


class Route(msgspec.Struct, frozen=True):
    """Topic pattern to codec and provider.

    Attributes:
        name: Unique; it labels the ledger and the quarantine.
        pattern: MQTT topic filter.
        codec: Name of the codec; `ignore` counts the message and stores nothing.
        provider: Whose devices send there; None: the codec takes it from the topic.
        recorded: Times are believed however old or far ahead they are: recorded data.
        timezone: IANA zone of times without an offset; None: the city's.
        enabled: A disabled route matches nothing; one that was removed comes as disabled.
        options: A JSON object for the codec.
        revision: When it last changed.
    """

    name: str
    pattern: str
    codec: str
    provider: str | None
    recorded: bool
    timezone: str | None
    revision: int
    enabled: bool = True
    options: str = "{}"


class Changes(msgspec.Struct, frozen=True):
    """What changed after a revision.

    Attributes:
        revision: Ask for changes since this one next time.
        newest: The counter when this was read; more are waiting where it is beyond `revision`.
    """

    revision: int
    providers: tuple[Provider, ...] = ()
    devices: tuple[Device, ...] = ()
    routes: tuple[Route, ...] = ()
    hardware: tuple[Hardware, ...] = ()
    newest: int = 0

    @property
    def complete(self) -> bool:
        """Say whether nothing more is waiting."""
        return self.revision >= self.newest
