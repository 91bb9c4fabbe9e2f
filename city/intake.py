"""What a connection and the packer know of each other, and nothing more."""

from typing import Protocol

from city.frame import ControlKind, Extras

__all__ = ["Intake", "Publisher"]


class Publisher(Protocol):
    """A connection, as the packer sees it: somebody who waits for the log."""

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:
        """Send acknowledgements: the log holds the messages they stand for.

        Args:
            acknowledgements: Whole PUBACK and PUBREC packets, in order; may be empty (QoS 0).
            size_bytes: Bytes that this connection no longer has unacknowledged.
        """
        ...


class Intake(Protocol):
    """The packer, as a connection sees it: takes messages and confirms them later."""

    def take(  # noqa: PLR0913, PLR0917 - the hot path: one call a read, no object a message
        self,
        publisher: Publisher,
        client: bytes,
        topics: list[bytes],
        payloads: list[bytes],
        flags: bytes,
        acknowledgements: list[bytes],
        size_bytes: int,
        extras: tuple[Extras, ...] = (),
    ) -> None:
        """Take the messages of one read, in order. Never refuses: the connection asks `full` first.

        Args:
            publisher: Who is told when the log has them.
            client: MQTT client identifier, UTF-8.
            topics: One a message, already allowed.
            payloads: One a message.
            flags: `RecordFlag` bits, one byte a message.
            acknowledgements: PUBACK or PUBREC packet of each message, empty bytes for QoS 0.
            size_bytes: Bytes that the messages hold until they are confirmed.
            extras: MQTT 5 properties; `index` counts within this call.
        """
        ...

    def control(self, kind: ControlKind, client: str, detail: str) -> None:
        """Record that a client connected or disconnected."""
        ...

    @property
    def full(self) -> bool:
        """Say whether connections have to stop reading: too much waits for the log."""
        ...
