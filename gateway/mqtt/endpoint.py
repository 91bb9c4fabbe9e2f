"""What all connections of one gateway process share, and the clock that they live by.

The server calls `tick` once a second: no connection has a timer of its own, and seconds are as
fine as keep alive and time-outs have to be.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from gateway.grants import Refused
from gateway.mqtt.refusals import Refusals
from gateway.mqtt.sessions import Sessions
from gateway.mqtt.wills import Wills

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.intake import Intake
    from gateway.grants import Doorkeeper, Grant
    from gateway.mqtt.wire import ConnectionSettings

__all__ = ["Endpoint", "Guest"]


class Guest(Protocol):
    """A connection, as its endpoint sees it (`gateway.mqtt.connection.Connection`)."""

    deadline_s: float

    @property
    def user(self) -> str | None:
        """Return whose grant it has; None before CONNECT."""
        ...

    def overdue(self) -> None:
        """End: the deadline is over."""
        ...

    def pause(self) -> None:
        """Stop reading: the backlog has no room."""
        ...

    def go_on(self) -> None:
        """Read again: the backlog has room."""
        ...

    def use_grant(self, grant: Grant) -> None:
        """Replace what may be published."""
        ...

    def dismissed(self) -> None:
        """End: its user may no longer publish."""
        ...

    def shut_down(self) -> None:
        """End: the process stops."""
        ...


class Endpoint:
    """Shared by the connections of a process.

    Attributes:
        now_s: The clock as of the last tick; any clock that only goes forward.
        connections: All that have not ended, those without CONNECT included.
        waiting: Connections that stopped reading because the backlog is full.
        accepted: CONNECTs that got in since the start.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        intake: Intake,
        doorkeeper: Doorkeeper,
        announce: Callable[[bytes], None],
        now_s: float,
    ) -> None:
        """Take `announce`: told the key of each session that connects, for other processes."""
        self.settings = settings
        self.intake = intake
        self.doorkeeper = doorkeeper
        self.now_s = now_s
        self.refusals = Refusals()
        self.sessions = Sessions(settings.max_kept_sessions, announce)
        self.wills = Wills(intake, self.refusals)
        self.connections: set[Guest] = set()
        self.waiting: set[Guest] = set()
        self.accepted = 0
        # An import changes thousands of users at once; connections are gone through once for all.
        self._changed_users: set[str] = set()

    def tick(self, now_s: float) -> None:
        """Do what is due; once a second."""
        self.now_s = now_s
        self.refusals.tick()
        self._look_at_users()
        self.resume()
        late = [each for each in self.connections if each.deadline_s < now_s]
        for connection in late:
            connection.overdue()
        self.wills.tick(now_s)
        self.sessions.sweep(now_s)

    def pause(self) -> None:
        """Stop all reading at once: one more read of each of thousands would be too much."""
        for connection in self.connections:
            connection.pause()

    def resume(self) -> None:
        """Let connections read that waited for the backlog, if it has room again."""
        if self.waiting and not self.intake.full:
            waiting, self.waiting = self.waiting, set()
            for connection in waiting:
                connection.go_on()

    def user_changed(self, user: str) -> None:
        """Look again at what a user may do, within a second, and end those who may do nothing."""
        self._changed_users.add(user)

    def shut_down(self) -> None:
        """End every connection; wills are published, those with a delay included."""
        for connection in list(self.connections):
            connection.shut_down()
        self.wills.tick(math.inf)

    def _look_at_users(self) -> None:
        if not self._changed_users:
            return
        changed, self._changed_users = self._changed_users, set()
        for connection in [each for each in self.connections if each.user in changed]:
            grant = self.doorkeeper.renew(connection.user or "")
            if isinstance(grant, Refused):
                connection.dismissed()
            else:
                connection.use_grant(grant)
