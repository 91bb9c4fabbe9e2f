"""`madina gateway`: one MQTT endpoint that writes to the log."""

import asyncio
import resource
import signal
import socket
from collections.abc import Callable
from typing import Annotated

import typer
import uvloop

from city.clock import MachineClock
from gateway.certificates import TlsSettings
from gateway.mqtt.wire import ConnectionSettings
from gateway.process import GatewayProcess, GatewaySettings, Listeners
from gateway.proxy import ProxyTrust
from gateway.server import ServerSettings
from madina.errors import SetupError
from madina.log_output import log_to_stderr
from madina.options import DataDir, ReadyFd
from madina.ready import ready_teller
from madina.settings import Settings, load_settings
from madina.supervisor.ports import sharing_socket
from madina.way_to_log import log_disk, log_url, uplink_settings

__all__ = ["add_to", "gateway"]

# Beside those of devices: the log, listeners, TLS handshakes that are not done.
OTHER_FILES = 1_024


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("gateway")(gateway)


def gateway(
    *,
    name: Annotated[
        str, typer.Option(help="Name of this process; no other one that runs has it.")
    ] = "gateway-0",
    ready_fd: ReadyFd = None,
    data_dir: DataDir = None,
) -> None:
    """Take messages of devices over MQTT and put them on the log."""
    settings = load_settings(data_dir).settings
    log_to_stderr(name)
    _allow_open_files(settings.mqtt_max_connections + OTHER_FILES)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(_gateway_settings(settings, name), settings, ready_teller(ready_fd)))


def _allow_open_files(wanted: int) -> None:
    """Raise this process's limit of open files as far as the system lets it."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _serve(
    gateway_settings: GatewaySettings, settings: Settings, ready: Callable[[], None]
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        process = GatewayProcess(gateway_settings, MachineClock())
    except OSError as error:
        raise SetupError(
            f"the certificate for MQTT with TLS cannot be read: {error}",
            "see MADINA_MQTTS_CERTIFICATE, MADINA_MQTTS_KEY and MADINA_MQTTS_CLIENT_CA",
        ) from error
    await process.run(_listeners(settings), stop, ready)


def _gateway_settings(settings: Settings, name: str) -> GatewaySettings:
    nats_url = log_url(settings)
    return GatewaySettings(
        name=name,
        nats_url=nats_url,
        uplink=uplink_settings(settings),
        connection=_connection_settings(settings),
        server=_server_settings(settings),
        anonymous=settings.mqtt_anonymous,
        disk=log_disk(settings, nats_url),
    )


def _connection_settings(settings: Settings) -> ConnectionSettings:
    return ConnectionSettings(
        max_packet=int(settings.mqtt_max_packet),
        connect_timeout_s=settings.mqtt_connect_timeout,
        unacked_bytes=int(settings.unacked_bytes_connection),
        subscribe=settings.mqtt_subscribe,
    )


def _server_settings(settings: Settings) -> ServerSettings:
    try:
        ProxyTrust(settings.proxy_from)
    except ValueError as error:
        raise SetupError(
            f"MADINA_PROXY_FROM cannot be used: {error}", "give addresses or networks"
        ) from error
    return ServerSettings(
        # A message waits for its frame as long anyway.
        beat_s=settings.frame_linger,
        max_connections=settings.mqtt_max_connections,
        connect_rate_per_s=settings.mqtt_connect_rate,
        header_timeout_s=settings.mqtt_connect_timeout,
        proxy_from=settings.proxy_from,
        tls=_tls(settings),
    )


def _tls(settings: Settings) -> TlsSettings | None:
    if settings.mqtts_port is None:
        return None
    if settings.mqtts_certificate is None or settings.mqtts_key is None:
        raise SetupError(
            "MQTT with TLS needs a certificate and its key",
            "set MADINA_MQTTS_CERTIFICATE and MADINA_MQTTS_KEY, or unset MADINA_MQTTS_PORT",
        )
    client_ca = settings.mqtts_client_ca
    return TlsSettings(
        str(settings.mqtts_certificate),
        str(settings.mqtts_key),
        None if client_ca is None else str(client_ca),
    )


def _listeners(settings: Settings) -> Listeners:
    tls_port = settings.mqtts_port
    return Listeners(
        _listen(settings.mqtt_host, settings.mqtt_port),
        None if tls_port is None else _listen(settings.mqtt_host, tls_port),
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        return sharing_socket(host, port)
    except OSError as error:
        raise SetupError(
            f"cannot listen on {host} port {port} ({error.strerror})",
            "set MADINA_MQTT_HOST and MADINA_MQTT_PORT (with TLS: MADINA_MQTTS_PORT)",
        ) from error
