"""Who gets in at a real gateway, and what a user may publish: bucket, certificates, loopback."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import aiomqtt
import pytest
from nats.aio.client import Client
from nats.js.api import KeyValueConfig
from paho.mqtt.reasoncodes import ReasonCode

from city.access import AccessEntry, AccessLimits, encode_access, new_entry, new_secret, user_key
from city.subjects import ACCESS_BUCKET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from conftest import Gateway, ReadFrames, StartGateway
    from nats.js.kv import KeyValue

pytestmark = pytest.mark.live

HOST = "127.0.0.1"
# aiomqtt waits so long where a connection ends before CONNACK.
REFUSED_S = 2
NOT_AUTHORIZED_5 = 0x87
BAD_CREDENTIALS_5 = 0x86
SECRET = new_secret()
OWN = "madina/v1/acme/meter-7/up"


@pytest.fixture
async def bucket(nats_url: str) -> AsyncIterator[KeyValue]:
    """Make the access bucket, as services do."""
    client = Client()
    await client.connect(nats_url)
    jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
    yield await jetstream.create_key_value(KeyValueConfig(bucket=ACCESS_BUCKET))  # pyright: ignore[reportUnknownMemberType]
    await client.close()


@pytest.fixture
async def acme(bucket: KeyValue) -> AccessEntry:
    """Make a user `acme` with a secret, whose provider has one route."""
    entry = new_entry("acme", SECRET, provider="acme", topics=("tele/+/SENSOR",))
    await bucket.put(user_key("acme"), encode_access(entry))
    return entry


def device(
    gateway: Gateway, user: str | None = "acme", secret: str | None = SECRET, **options: object
) -> aiomqtt.Client:
    return aiomqtt.Client(
        HOST,
        gateway.port,
        username=user,
        password=secret,
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=REFUSED_S,
        **options,  # pyright: ignore[reportArgumentType] - passed through
    )


async def refusal(client: aiomqtt.Client) -> int:
    """Return the reason code with which a client is refused."""
    with pytest.raises(aiomqtt.MqttCodeError) as refused:
        async with client:
            pytest.fail("it got in")
    code = refused.value.rc
    return code.value if isinstance(code, ReasonCode) else int(code or 0)


@pytest.mark.usefixtures("acme")
async def test_a_user_with_its_secret_publishes_its_own_topics_and_its_routes(
    nats_url: str, start_gateway: StartGateway, frames_on_log: ReadFrames
) -> None:
    gateway = start_gateway(nats_url, mqtt_anonymous="never")
    async with device(gateway) as client:
        await client.publish(OWN, b"1", qos=1)
        await client.publish("tele/plug/SENSOR", b"2", qos=1)
        await client.publish("madina/v1/other/meter/up", b"3", qos=1)
    frames = await frames_on_log(nats_url)
    assert {payload for frame in frames for payload in frame.payloads} == {b"1", b"2"}


@pytest.mark.usefixtures("acme")
async def test_nobody_else_gets_in(nats_url: str, start_gateway: StartGateway) -> None:
    gateway = start_gateway(nats_url, mqtt_anonymous="never")
    logins = [(None, None), ("acme", "wrong"), ("nobody", SECRET), ("acme", None)]
    codes = [await refusal(device(gateway, *login)) for login in logins]
    assert codes == [NOT_AUTHORIZED_5, *[BAD_CREDENTIALS_5] * 3]


async def test_connections_of_this_machine_need_no_user(
    nats_url: str, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(nats_url)
    async with device(gateway, None, None) as client:
        await client.publish("any/topic", b"1", qos=1)


async def test_a_user_that_is_disabled_is_cut_off(
    nats_url: str,
    start_gateway: StartGateway,
    bucket: KeyValue,
    acme: AccessEntry,
) -> None:
    gateway = start_gateway(nats_url)

    async def published_until_cut_off() -> None:
        async with device(gateway) as client:
            await client.publish(OWN, b"1", qos=1)
            gone = AccessEntry(acme.user, acme.provider, disabled=True)
            await bucket.put(user_key("acme"), encode_access(gone))
            async for _ in client.messages:
                pytest.fail("nothing is ever sent to devices")

    with pytest.raises(aiomqtt.MqttError):
        await asyncio.wait_for(published_until_cut_off(), 20)
    assert await refusal(device(gateway)) in {NOT_AUTHORIZED_5, BAD_CREDENTIALS_5}


async def test_limits_of_the_bucket_replace_the_settings(
    nats_url: str, start_gateway: StartGateway, bucket: KeyValue
) -> None:
    gateway = start_gateway(nats_url)
    await bucket.put("limits", encode_access(AccessLimits(max_connections=1)))
    async with asyncio.timeout(20), device(gateway, None, None):
        while True:
            try:
                async with device(gateway, None, None):
                    await asyncio.sleep(0.05)
            except aiomqtt.MqttError:
                break


@pytest.fixture
def authority(tmp_path: Path) -> Callable[..., Awaitable[Path]]:
    """Return a function that issues certificates, `NAME.pem` and `NAME.key` in a folder."""

    async def openssl(*arguments: str) -> None:
        running = await asyncio.create_subprocess_exec(
            "openssl", *arguments, cwd=tmp_path, stderr=asyncio.subprocess.DEVNULL
        )
        assert await running.wait() == 0

    async def issue(*names: str) -> Path:
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        await openssl(
            "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca"
        )
        for name in names:
            await openssl(
                "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"
            )
            (tmp_path / "names").write_text("subjectAltName=IP:127.0.0.1")
            await openssl(
                "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", "-CA", "ca.pem",
                "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names",
            )  # fmt: skip
        return tmp_path

    return issue


@pytest.mark.usefixtures("acme")
async def test_tls_with_user_and_secret(
    nats_url: str, start_gateway: StartGateway, authority: Callable[..., Awaitable[Path]]
) -> None:
    folder = await authority("server")
    gateway = start_gateway(
        nats_url,
        mqtts_certificate=folder / "server.pem",
        mqtts_key=folder / "server.key",
        mqtt_anonymous="never",
    )
    gateway.port = gateway.tls_port
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    async with device(gateway, tls_context=context) as client:
        await client.publish(OWN, b"1", qos=1)


@pytest.mark.usefixtures("acme")
async def test_a_client_certificate_is_a_login_and_is_needed_where_one_is_asked_for(
    nats_url: str, start_gateway: StartGateway, authority: Callable[..., Awaitable[Path]]
) -> None:
    folder = await authority("server", "acme", "stranger")
    gateway = start_gateway(
        nats_url,
        mqtts_certificate=folder / "server.pem",
        mqtts_key=folder / "server.key",
        mqtts_client_ca=folder / "ca.pem",
        mqtt_anonymous="never",
    )
    gateway.port = gateway.tls_port

    def context(name: str | None) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=folder / "ca.pem")
        if name:
            made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        return made

    async with device(gateway, None, None, tls_context=context("acme")) as client:
        await client.publish(OWN, b"1", qos=1)
    assert await refusal(device(gateway, tls_context=context("stranger"))) == BAD_CREDENTIALS_5
    with pytest.raises(aiomqtt.MqttError):
        async with device(gateway, tls_context=context(None)):
            pytest.fail("it got in")


PROXY_HEADER = bytes.fromhex("0d0a0d0a000d0a515549540a 21 11 000c c0000207 7f000001 c3bb 075b")


@pytest.mark.usefixtures("acme")
async def test_tls_that_a_balancer_passes_on_keeps_the_devices_address_and_certificate(
    nats_url: str,
    start_gateway: StartGateway,
    authority: Callable[..., Awaitable[Path]],
    frames_on_log: ReadFrames,
) -> None:
    folder = await authority("server", "acme")
    gateway = start_gateway(
        nats_url,
        mqtts_certificate=folder / "server.pem",
        mqtts_key=folder / "server.key",
        mqtts_client_ca=folder / "ca.pem",
        proxy_from="127.0.0.1",
    )
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "acme.pem", folder / "acme.key")

    async def connack(first: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(HOST, gateway.tls_port)
        try:
            writer.write(first)
            await writer.drain()
            await writer.start_tls(context, server_hostname=HOST)
            writer.write(b"\x10\x11\0\4MQTT\4\2\0<\0\5meter")
            return await asyncio.wait_for(reader.readexactly(4), 5)
        except (OSError, asyncio.IncompleteReadError):
            return b""
        finally:
            writer.close()

    assert await connack(PROXY_HEADER) == b"\x20\x02\0\0"
    assert await connack(PROXY_HEADER.replace(b"QUIT", b"QUITE")[:28]) == b""
    assert gateway.stop() == 0
    controls = [each for frame in await frames_on_log(nats_url) for each in frame.controls]
    assert controls[0].detail == "MQTT 3.1.1 from 192.0.2.7:50107, user 'acme'"
