"""What simulated devices say: native JSON that can be made again from device and sequence number.

Nothing has to be remembered for a resend, and a verdict can tell every stored value's message
from its time. Source: formats.md section 1. Pure.
"""

import math
from collections.abc import Callable
from typing import Final

from loadtest.packets import packet_ids, publish_head
from loadtest.plan import LoadPlan

__all__ = ["Fleet"]

# Quantity, unit, and the middle and swing of its values; each is written with 4 characters.
QUANTITIES: Final = (
    ("pm2_5", "ug/m3", 35.0, 15.0),
    ("temperature", "Cel", 20.0, 6.0),
    ("humidity", "%", 55.0, 20.0),
    ("no2", "ug/m3", 40.0, 25.0),
    ("o3", "ug/m3", 50.0, 30.0),
    ("pm10", "ug/m3", 45.0, 20.0),
)
# Prime, so that neighbouring devices and periods of other things never fall into step.
PHASES: Final = 1009
PHASE_STEP: Final = 7
DEVICE_DIGITS: Final = 7


class Fleet:
    """The devices of a plan: their names, their messages, their values."""

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._quantities = QUANTITIES[: plan.observations]
        self._bodies = [self._body(phase) for phase in range(PHASES)]
        # With one width for every member, all messages of a plan share one head.
        self._topic_start = b"madina/v1/" + plan.provider.encode() + b"/d"
        topic = self._topic_start + b"0" * DEVICE_DIGITS + b"/up"
        size = len(b'{"t":%d,"id":"%d","obs":%b}' % (plan.first_ms, plan.first_ms, self._bodies[0]))
        head = publish_head(topic, size, qos=plan.qos, version=plan.version)
        self._head = head[: -(DEVICE_DIGITS + len(b"/up"))]

    @property
    def middles(self) -> list[bytes]:
        """What stands between topic and payload, for each packet id from 1."""
        plan = self._plan
        return packet_ids(plan.in_flight, qos=plan.qos, version=plan.version)

    def packets(self, connection: int) -> Callable[[int, bytes], bytes]:
        """Return what makes the n-th PUBLISH packet of a connection; always the same bytes.

        Its arguments are the message's number, from 0, and one of `middles`.
        """
        plan = self._plan
        share = plan.devices_per_connection
        first = plan.first_device + connection * share
        first_ms, step_ms = plan.first_ms, plan.step_ms
        head, bodies = self._head, self._bodies

        def packet(number: int, middle: bytes) -> bytes:
            sequence, turn = divmod(number, share)
            device = first + turn
            time_ms = first_ms + sequence * step_ms
            return b'%b%07d/up%b{"t":%d,"id":"%d","obs":%b}' % (
                head,
                device,
                middle,
                time_ms,
                # Unique over runs as well: a device's messages are told apart by it.
                time_ms,
                bodies[(device * PHASE_STEP + sequence) % PHASES],
            )

        return packet

    def device_name(self, device: int) -> str:
        """Return the id of a device in topics and in the API."""
        return f"d{device:0{DEVICE_DIGITS}}"

    def message_of(self, connection: int, number: int) -> tuple[int, int]:
        """Return the device and the sequence number of a connection's n-th message."""
        plan = self._plan
        sequence, turn = divmod(number, plan.devices_per_connection)
        return plan.first_device + connection * plan.devices_per_connection + turn, sequence

    def sequence_at(self, time_ms: int) -> int:
        """Return the sequence number of the message that says a time."""
        return (time_ms - self._plan.first_ms) // self._plan.step_ms

    def values(self, device: int, sequence: int) -> dict[str, float]:
        """Return what a message says, by quantity."""
        phase = (device * PHASE_STEP + sequence) % PHASES
        return {name: _value(middle, swing, phase) for name, _, middle, swing in self._quantities}

    def _body(self, phase: int) -> bytes:
        items = ",".join(
            f'{{"q":"{name}","v":{_value(middle, swing, phase):.1f},"u":"{unit}"}}'
            for name, unit, middle, swing in self._quantities
        )
        return f"[{items}]".encode()


def _value(middle: float, swing: float, phase: int) -> float:
    return round(middle + swing * math.sin(2 * math.pi * phase / PHASES), 1)
