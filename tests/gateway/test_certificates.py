"""Certificates that are renewed under a running gateway, and whose name a certificate carries."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from gateway.certificates import Certificates, TlsSettings, common_name

Issue = Callable[[str], None]


@pytest.fixture
def issue(tmp_path: Path) -> Issue:
    """Return a function that puts a certificate with a name where the context reads it."""
    moments = iter(range(1_700_000_000, 1_800_000_000))

    def make(name: str) -> None:
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", tmp_path / "key", "-out", tmp_path / "certificate",
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
        moment = next(moments)
        os.utime(tmp_path / "certificate", (moment, moment))
        os.utime(tmp_path / "key", (moment, moment))

    return make


@pytest.fixture
def certificates(tmp_path: Path, issue: Issue) -> Certificates:
    issue("first")
    return Certificates(TlsSettings(str(tmp_path / "certificate"), str(tmp_path / "key")))


def shown(certificates: Certificates) -> str:
    """Return what a new connection is shown, as PEM."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with certificates.context.wrap_socket(ours, server_side=True) as served:
            served.recv(1)

    serving = Thread(target=serve)
    serving.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(theirs) as device:
        certificate = device.getpeercert(binary_form=True)
        assert certificate is not None
    serving.join(10)
    return ssl.DER_cert_to_PEM_cert(certificate)


def test_new_connections_see_a_renewed_certificate(
    certificates: Certificates, issue: Issue, tmp_path: Path
) -> None:
    before = shown(certificates)
    issue("second")
    assert shown(certificates) == before
    certificates.refresh()
    assert shown(certificates) == (tmp_path / "certificate").read_text()


def test_half_of_a_renewal_leaves_the_old_pair_in_use(
    certificates: Certificates, issue: Issue, tmp_path: Path
) -> None:
    before = shown(certificates)
    shutil.copy(tmp_path / "key", tmp_path / "old")
    issue("second")
    shutil.copy(tmp_path / "key", tmp_path / "new")
    shutil.copy(tmp_path / "old", tmp_path / "key")
    certificates.refresh()
    assert shown(certificates) == before
    (tmp_path / "new").replace(tmp_path / "key")
    os.utime(tmp_path / "key", (1_900_000_000, 1_900_000_000))
    certificates.refresh()
    assert shown(certificates) != before


def test_files_that_are_gone_change_nothing(certificates: Certificates, tmp_path: Path) -> None:
    before = shown(certificates)
    (tmp_path / "certificate").unlink()
    certificates.refresh()
    assert shown(certificates) == before


def test_the_common_name_is_a_certificates_login() -> None:
    subject = ((("countryName", "AT"),), (("commonName", "acme"),))
    assert common_name({"subject": subject}) == "acme"
    assert common_name({"subject": subject[:1]}) is None
    assert common_name(None) is None
