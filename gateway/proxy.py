"""PROXY protocol version 2: who is really at the other end of a load balancer's connection.

Pure: bytes in, addresses out. Source: HAProxy, "The PROXY protocol", section 2.2. Version 1 (a line
of text) is not spoken. Only addresses that the operator names are believed (`ProxyTrust`).
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final

import msgspec

__all__ = [
    "HEADER_BYTES",
    "Address",
    "ProxyError",
    "ProxyTrust",
    "header_length",
    "is_loopback",
    "parse_header",
    "split_header",
]

# The fixed part: signature, version and command, family and protocol, length of the rest.
FIXED: Final = struct.Struct(">12sBBH")
HEADER_BYTES = FIXED.size
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
VERSION_2 = 0x20
LOCAL, PROXY = 0, 1
TCP_4, TCP_6 = 0x11, 0x21
ADDRESSES_4, ADDRESSES_6 = struct.Struct(">4s4sHH"), struct.Struct(">16s16sHH")
# Addresses need 36 bytes; the rest is for extensions (a certificate's names, at most).
MAX_REST_BYTES = 2_048


class ProxyError(ValueError):
    """What a believed peer sent first is no PROXY header of version 2."""


class Address(msgspec.Struct, frozen=True):
    """Where a connection really comes from."""

    host: str
    port: int


def header_length(fixed: bytes) -> int:
    """Return how many bytes follow the first 16.

    Raises:
        ProxyError: If they are not the start of a header.
    """
    signature, version, _, length = FIXED.unpack(fixed)
    if signature != SIGNATURE:
        raise ProxyError("no PROXY header")
    if version & 0xF0 != VERSION_2:
        raise ProxyError(f"PROXY version {version >> 4}, not 2")
    if length > MAX_REST_BYTES:
        raise ProxyError(f"PROXY header of {length} bytes")
    return int(length)


def parse_header(fixed: bytes, rest: bytes) -> Address | None:
    """Return the source address; None where the proxy speaks for itself (health check).

    Raises:
        ProxyError: If the header is malformed.
    """
    assert len(rest) == header_length(fixed), "the caller reads what the header says"
    _, version, family, _ = FIXED.unpack(fixed)
    command = version & 0x0F
    if command == LOCAL:
        return None
    if command != PROXY:
        raise ProxyError(f"PROXY command {command}")
    if family not in (TCP_4, TCP_6):
        raise ProxyError(f"PROXY address family {family:#x}, not TCP")
    layout = ADDRESSES_4 if family == TCP_4 else ADDRESSES_6
    if len(rest) < layout.size:
        raise ProxyError(f"PROXY header with {len(rest)} bytes of addresses")
    source, _, port, _ = layout.unpack_from(rest)
    return Address(str(ipaddress.ip_address(source)), port)


def split_header(data: bytes) -> tuple[Address | None, bytes] | None:
    """Return what a header says and what follows it; None while it is not complete.

    Raises:
        ProxyError: If it is malformed.
    """
    if len(data) < HEADER_BYTES:
        return None
    fixed = data[:HEADER_BYTES]
    end = HEADER_BYTES + header_length(fixed)
    if len(data) < end:
        return None
    return parse_header(fixed, data[HEADER_BYTES:end]), data[end:]


class ProxyTrust:
    """Whose PROXY headers are believed."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        """Take addresses and networks (`10.0.0.0/8`).

        Raises:
            ValueError: If one of them is neither.
        """
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def __bool__(self) -> bool:
        return bool(self._networks)

    def believes(self, host: str) -> bool:
        """Say whether a peer is a proxy of ours and has to begin with a header."""
        address = ipaddress.ip_address(host)
        return any(address in network for network in self._networks)


def is_loopback(host: str) -> bool:
    """Say whether an address is this machine."""
    address = ipaddress.ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
