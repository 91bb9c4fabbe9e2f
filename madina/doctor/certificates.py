"""The certificate for MQTT with TLS: it opens with its key, and it is not about to end."""

import ssl
from pathlib import Path
from typing import Final

from city.clock import US_PER_S
from city.instants import text_us, to_text
from madina.doctor.check import Check, Machine, error, ok, warning

__all__ = ["ends_us", "look"]

NAME: Final = "certificate"
DAY_US: Final = 86_400 * US_PER_S
SOON_US: Final = 30 * DAY_US
RENEW: Final = "renew it; the gateways take it within a second, without a restart"

HEADER: Final = "-----BEGIN CERTIFICATE-----"
FOOTER: Final = "-----END CERTIFICATE-----"
# Tags and lengths of DER (X.690), and the place of the validity without a version.
UTC_TIME: Final = 0x17
VERSION: Final = 0xA0
LONG_FORM: Final = 0x80
VALIDITY: Final = 3
# Two-digit years from 50 on are of the last century (RFC 5280, section 4.1.2.5.1).
PIVOT: Final = 50


def look(machine: Machine) -> list[Check]:
    """Look at the certificate, where there has to be one."""
    settings = machine.settings
    if settings.mqtts_port is None:
        return []
    certificate, key = settings.mqtts_certificate, settings.mqtts_key
    if certificate is None or key is None:
        words = "MADINA_MQTTS_PORT is set and there is no certificate"
        return [error(NAME, words, "set MADINA_MQTTS_CERTIFICATE and MADINA_MQTTS_KEY")]
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        end_us = ends_us(certificate)
    except (OSError, ValueError) as reason:
        mend = "correct MADINA_MQTTS_CERTIFICATE and MADINA_MQTTS_KEY"
        return [error(NAME, f"{certificate} does not open with {key} ({reason})", mend)]
    return [_judged(end_us, machine.clock.now_us())]


def _judged(end_us: int, now_us: int) -> Check:
    day = to_text(end_us)[:10]
    if end_us <= now_us:
        return error(NAME, f"it ended on {day}, and devices refuse it", RENEW)
    if end_us - now_us < SOON_US:
        return warning(NAME, f"it ends on {day}, in {(end_us - now_us) // DAY_US} days", RENEW)
    return ok(NAME, f"until {day}")


def ends_us(path: Path) -> int:
    """Return when the first certificate of a PEM file ends: its notAfter, microseconds.

    Source: RFC 5280, section 4.1: version (optional), serial number, signature, issuer, validity.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no certificate.
    """
    pem = path.read_text(encoding="ascii")
    start, end = pem.find(HEADER), pem.find(FOOTER)
    if start < 0 or end < 0:
        raise ValueError("no PEM")
    der = ssl.PEM_cert_to_DER_cert(pem[start : end + len(FOOTER)])
    (_, certificate), *_ = _elements(der)
    (_, signed), *_ = _elements(certificate)
    fields = [element for element in _elements(signed) if element[0] != VERSION]
    _, (kind, text) = _elements(fields[VALIDITY][1])
    return text_us(_iso(kind, text.decode("ascii")))


def _elements(der: bytes) -> list[tuple[int, bytes]]:
    """Return tag and content of the elements that stand one behind the other."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length >= LONG_FORM:
            octets = length - LONG_FORM
            length, at = int.from_bytes(der[at : at + octets], "big"), at + octets
        found.append((tag, der[at : at + length]))
        at += length
    return found


def _iso(kind: int, text: str) -> str:
    """Return a UTCTime (YYMMDDHHMMSSZ) or GeneralizedTime (YYYYMMDDHHMMSSZ) as ISO 8601."""
    if kind == UTC_TIME:
        text = ("19" if int(text[:2]) >= PIVOT else "20") + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"
