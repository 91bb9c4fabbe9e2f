"""Checksums of positional frames, by the names that data sheets use.

Source: formats.md section 16. Both CRCs begin with 0xFFFF. CCITT-FALSE has polynomial 0x1021 and
the check value (that of `123456789`) 0x29B1, MODBUS 0x8005 reflected and 0x4B37.
"""

__all__ = ["crc16", "sum8", "xor8"]


def sum8(part: bytes) -> int:
    """Return the lowest eight bits of the sum of all bytes."""
    return sum(part) & 0xFF


def xor8(part: bytes) -> int:
    """Return all bytes, each exclusive-ored with the ones before."""
    found = 0
    for byte in part:
        found ^= byte
    return found


def crc16(part: bytes, polynomial: int, *, reflected: bool) -> int:
    """Return a cyclic redundancy check of 16 bits that begins with 0xFFFF.

    Args:
        part: What it is of.
        polynomial: In the order of the bits that `reflected` says.
        reflected: The lowest bit of each byte comes first.
    """
    found = 0xFFFF
    for byte in part:
        found ^= byte if reflected else byte << 8
        for _ in range(8):
            if reflected:
                found = found >> 1 ^ (polynomial if found & 1 else 0)
            else:
                found = (found << 1 ^ (polynomial if found & 0x8000 else 0)) & 0xFFFF
    return found
