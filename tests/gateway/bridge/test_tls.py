"""TLS to a broker: who it is, who we are, and in which words it fails."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import BrokerServer, StartBridge, StartBroker, Watch

pytestmark = pytest.mark.live


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """Make an authority, and certificates that it signed for the broker and for us."""
    folder = tmp_path / "certificates"
    folder.mkdir()

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name in ("ca", "stranger"):
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl("req", "-x509", *key, *files, "-subj", f"/CN={name}")
    for name in ("broker", "client"):
        (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n")
        files = ("-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("req", *key, *files, "-subj", f"/CN={name}")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        names = ("-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext")
        openssl("x509", "-req", *names, *signing)
    return folder


@pytest.fixture
def guarded(broker: StartBroker, certificates: Path) -> BrokerServer:
    """Start a Mosquitto that lets in who shows a certificate of its authority."""
    listener = (
        f"cafile {certificates}/ca.pem\ncertfile {certificates}/broker.pem\n"
        f"keyfile {certificates}/broker.key\nrequire_certificate true\n"
        "use_identity_as_username true"
    )
    return broker.mosquitto(listener=listener)


async def test_a_client_certificate_lets_us_in(
    nats_url: str,
    certificates: Path,
    guarded: BrokerServer,
    start_bridge: StartBridge,
    watch: Watch,
) -> None:
    ours = f"&certificate={certificates}/client.pem&key={certificates}/client.key"
    url = f"mqtts://127.0.0.1:{guarded.port}?topic=%23&ca={certificates}/ca.pem"
    bridge = start_bridge(nats_url, url + ours)
    assert (await watch.state(nats_url, lambda it: it.connected)).reason == ""
    assert bridge.stop() == 0


async def test_what_is_wrong_with_certificates_is_said(
    nats_url: str,
    certificates: Path,
    guarded: BrokerServer,
    start_bridge: StartBridge,
    watch: Watch,
) -> None:
    url = f"mqtts://127.0.0.1:{guarded.port}?topic=%23&ca={certificates}"
    missing = f"{url}/ca.pem&certificate={certificates}/no.pem&key={certificates}/no.key"
    clients = ("&client_id=a", "&client_id=b", "&client_id=c")
    given = (f"{url}/stranger.pem", f"{url}/ca.pem", missing)
    start_bridge(nats_url, *(each + client for each, client in zip(given, clients, strict=True)))
    tried = "not connected yet"
    state = await watch.state(nats_url, lambda it: it.reason != tried, 0)
    assert "certificate is not accepted" in state.reason
    assert "with ca in its URL" in state.reason
    state = await watch.state(nats_url, lambda it: it.reason != tried, 1)
    assert "certificate required" in state.reason.lower().replace("_", " "), state.reason
    state = await watch.state(nats_url, lambda it: it.reason != tried, 2)
    assert "cannot be read" in state.reason
