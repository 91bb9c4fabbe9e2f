"""TLS for devices: certificates from files, read again when they are renewed."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, cast

import msgspec
import structlog

__all__ = ["Certificates", "TlsSettings", "common_name"]

log = structlog.get_logger(__name__)


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
        self._seen_ns = self._changed_ns()
        self._load()

    def refresh(self) -> None:
        """Read certificate and key again if they have changed; once a second is often enough.

        Files that do not fit together (one of them is not written yet) leave the old pair in use.
        """
        try:
            changed_ns = self._changed_ns()
            if changed_ns == self._seen_ns:
                return
            self._seen_ns = changed_ns
            self._load()
        except OSError as error:
            log.warning("certificate.refused", cause=str(error))
        else:
            log.info("certificate.renewed", certificate=self._settings.certificate)

    def _changed_ns(self) -> int:
        files = (self._settings.certificate, self._settings.key)
        return max(Path(each).stat().st_mtime_ns for each in files)

    def _load(self) -> None:
        pair = (self._settings.certificate, self._settings.key)
        # A pair that does not fit must not leave half of itself in the context that is in use.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*pair)
        self.context.load_cert_chain(*pair)


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
