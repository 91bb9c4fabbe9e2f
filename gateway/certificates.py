"""TLS for devices: certificates from files, read again when they are renewed."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, cast

import msgspec

__all__ = ["Certificates", "TlsSettings", "common_name"]


class TlsSettings(msgspec.Struct, frozen=True):
    """PEM files.

    Attributes:
        client_ca: Given, devices have to show a certificate that it signed.
    """

    certificate: str
    key: str
    client_ca: str | None = None


class Certificates:
    """A server context that follows its files.

    Attributes:
        context: For new connections; stays the same object.
    """

    def __init__(self, settings: TlsSettings) -> None:
        """Read the files.

        Raises:
            OSError: If one cannot be read (`ssl.SSLError` is one: it is no certificate).
        """
        self._settings = settings
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.client_ca is not None:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(settings.client_ca)
        self._read_ns = 0
        self.refresh()

    def refresh(self) -> None:
        """Read certificate and key again if they have changed; once a second is often enough."""
        changed_ns = max(
            Path(each).stat().st_mtime_ns
            for each in (self._settings.certificate, self._settings.key)
        )
        if changed_ns != self._read_ns:
            self.context.load_cert_chain(self._settings.certificate, self._settings.key)
            self._read_ns = changed_ns


def common_name(peer_certificate: object) -> str | None:
    """Return the common name in what `SSLSocket.getpeercert` returned; None where there is none."""
    if not peer_certificate:
        return None
    certificate = cast("dict[str, Any]", peer_certificate)
    names = [
        value
        for relative in certificate.get("subject", ())
        for name, value in relative
        if name == "commonName"
    ]
    return names[0] if names else None
