"""Ports that are ours before a child listens on them.

A reservation is a bound socket that never listens: the kernel then gives the port to nobody but
sockets of the same user that ask to share it (SO_REUSEPORT), which is what our children do.
"""

import errno
import socket

from madina.errors import SetupError
from madina.settings import variable

__all__ = ["PortReservation", "free_port", "listening_socket", "reserve_port", "sharing_socket"]

BACKLOG = 2_048


class PortReservation:
    """A port that is kept for our children until it is released.

    Attributes:
        port: Its number; a free one where 0 was asked for.
    """

    def __init__(self, keeper: socket.socket) -> None:
        self._keeper = keeper
        self.port: int = keeper.getsockname()[1]

    def release(self) -> None:
        """Give the port up."""
        self._keeper.close()


def free_port(host: str, port: int, setting: str) -> int:
    """Return a port that nobody listens on: the given one, or a free one for 0.

    Args:
        host: Address that will be bound to.
        port: 0 for a free one.
        setting: Field of the settings that the port came from.

    Raises:
        SetupError: If somebody listens there, or the address is not this machine's.
    """
    try:
        with _bound(host, port, reuse=True) as probe:
            found: int = probe.getsockname()[1]
            return found
    except OSError as error:
        listens_on = variable(setting.partition("_")[0] + "_host")
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            why = "in use" if error.errno == errno.EADDRINUSE else "not ours to open"
            raise SetupError(
                f"port {port} on {host} is {why}",
                f"set {variable(setting)} to another port, or 0 for a free one",
            ) from error
        raise SetupError(
            f"cannot listen on {host} port {port} ({error.strerror})",
            f"set {listens_on} to an address of this machine",
        ) from error


def reserve_port(host: str, port: int, setting: str) -> PortReservation:
    """Reserve a port for children that share it.

    Raises:
        SetupError: As `free_port`.
    """
    found = free_port(host, port, setting)
    try:
        # Without SO_REUSEADDR, so that another reservation or probe sees this one.
        return PortReservation(_bound(host, found, reuse=False, share=True))
    except OSError:
        # Closed connections of a program that did not share the port linger on it for a minute.
        return PortReservation(_bound(host, found, reuse=True, share=True))


def listening_socket(host: str, port: int) -> socket.socket:
    """Open a listening socket on a port that is reserved, or that nobody has.

    Raises:
        OSError: If the port is taken.
    """
    opened = _bound(host, port, reuse=True, share=True)
    opened.listen(BACKLOG)
    opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return opened


def sharing_socket(host: str, port: int) -> socket.socket:
    """Bind a socket that shares its port; it takes no connection before somebody listens on it.

    Raises:
        OSError: If somebody has the port who does not share it.
    """
    opened = _bound(host, port, reuse=True, share=True)
    opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return opened


def _bound(host: str, port: int, *, reuse: bool, share: bool = False) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, share)
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    return opened
