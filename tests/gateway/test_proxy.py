"""PROXY protocol 2: what a load balancer says is read, and nothing else passes for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxy import Address, ProxyError, ProxyTrust, is_loopback, split_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ADDRESSES_4 = bytes([192, 0, 2, 7, 127, 0, 0, 1]) + (50_107).to_bytes(2) + (1_883).to_bytes(2)
ADDRESSES_6 = bytes(15) + b"\x07" + bytes(15) + b"\x01" + b"\xc3\xbb\x07\x5b"


def header(rest: bytes, command: int = 0x21, family: int = 0x11) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(rest).to_bytes(2) + rest


@pytest.mark.parametrize(
    ("data", "address"),
    [
        (header(ADDRESSES_4), Address("192.0.2.7", 50_107)),
        (header(ADDRESSES_6, family=0x21), Address("::7", 50_107)),
        (header(ADDRESSES_4 + b"\x04\x00\x01x"), Address("192.0.2.7", 50_107)),
        (header(b"", command=0x20, family=0), None),
    ],
)
def test_a_header_is_read_wherever_the_reads_divide_it(data: bytes, address: Address) -> None:
    for size in range(len(data)):
        assert split_header(data[:size]) is None
    assert split_header(data + b"\x10rest") == (address, b"\x10rest")


@pytest.mark.parametrize(
    "data",
    [
        b"PROXY TCP4 192.0.2.7 127.0.0.1 50107 1883\r\n",
        b"\x10\x10\0\4MQTT\4\2\0<\0\4test",
        header(ADDRESSES_4, command=0x11),
        header(ADDRESSES_4, command=0x22),
        header(ADDRESSES_4, family=0x12),
        header(ADDRESSES_4[:-1]),
        header(bytes(3_000)),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ProxyError):
        split_header(data)


@given(rest=st.binary(max_size=100))
def test_any_bytes_are_a_header_or_refused_or_not_complete(rest: bytes) -> None:
    try:
        split_header(SIGNATURE + rest)
    except ProxyError:
        return


def test_only_those_who_are_named_are_believed() -> None:
    trust = ProxyTrust(("10.0.0.0/8", "192.0.2.7"))
    assert [trust.believes(host) for host in ("10.9.9.9", "192.0.2.7")] == [True, True]
    assert [trust.believes(host) for host in ("192.0.2.8", "::1")] == [False, False]


@pytest.mark.parametrize(
    ("host", "near"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.0.2.7", False)],
)
def test_this_machine_is_known_by_its_address(host: str, near: bool) -> None:
    assert is_loopback(host) is near
