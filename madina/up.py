"""Everything on one machine: which children, on which ports, and what is told about them."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Generator

import msgspec

from gateway.bridge.broker import parse_brokers
from madina.admin_key import admin_key
from madina.data_folder import DataFolder, RunFile
from madina.errors import SetupError
from madina.settings import Settings, variable
from madina.supervisor.child import ChildSpec
from madina.supervisor.log_revival import keep_log_writable
from madina.supervisor.nats_server import (
    answers,
    log_limit_bytes,
    nats_server_path,
    nats_url,
    write_nats_config,
)
from madina.supervisor.ports import free_port, reserve_port
from madina.supervisor.readiness import why_not_ready
from madina.supervisor.supervise import Supervisor

__all__ = ["run_up"]

LOOPBACK = "127.0.0.1"
GATEWAY_STOP_S = 15
NODE_STOP_S = 60
READY_S = 30


class _Addresses(msgspec.Struct, frozen=True):
    """Where everything listens."""

    http: int
    mqtt: int
    mqtts: int | None
    nats: int | None
    nats_url: str


def run_up(settings: Settings, *, demo: bool) -> None:
    """Run until a signal says stop.

    Raises:
        SetupError: A person has to mend something first.
        CommandError: A child did not get ready.
    """
    folder = DataFolder(settings.data_dir)
    if settings.nats_url is None and settings.log_replicas > 1:
        raise SetupError(
            f"the embedded log is one server, MADINA_LOG_REPLICAS is {settings.log_replicas}",
            "unset it, or set MADINA_NATS_URL to a cluster of your own",
        )
    with folder.held(), _reserved(folder, settings) as addresses:
        admin_key(settings)
        if addresses.nats is not None:
            folder.keep_shards(settings.shards)
            write_nats_config(folder, settings, addresses.nats)
        supervisor = Supervisor(
            _children(folder, settings, addresses, demo=demo),
            folder.logs,
            tell=_tell,
            changed=lambda pids: _write_run(folder, _run_file(settings, addresses, pids)),
        )

        async def beside() -> None:
            await _announce(folder, settings, addresses)
            if addresses.nats is not None:
                url, store = addresses.nats_url, folder.nats_store
                await keep_log_writable(url, store, lambda: supervisor.child("nats"), _tell)

        asyncio.run(supervisor.run(beside))
    _tell("stopped")


@contextlib.contextmanager
def _reserved(folder: DataFolder, settings: Settings) -> Generator[_Addresses]:
    """Find every port taken now rather than in a child later, and keep those that ours share."""
    with contextlib.ExitStack() as kept:

        def keep(host: str, port: int, setting: str) -> int:
            reservation = reserve_port(host, port, setting)
            kept.callback(reservation.release)
            return reservation.port

        nats = None
        if settings.nats_url is None:
            nats = free_port(LOOPBACK, settings.nats_port, "nats_port")
        mqtts = settings.mqtts_port
        yield _Addresses(
            http=keep(settings.http_host, settings.http_port, "http_port"),
            mqtt=keep(settings.mqtt_host, settings.mqtt_port, "mqtt_port"),
            mqtts=None if mqtts is None else keep(settings.mqtt_host, mqtts, "mqtts_port"),
            nats=nats,
            nats_url=settings.nats_url or nats_url(folder, nats or 0),
        )


def _children(
    folder: DataFolder, settings: Settings, at: _Addresses, *, demo: bool
) -> list[ChildSpec]:
    environment = {
        variable("data_dir"): str(folder.path),
        variable("nats_url"): at.nats_url,
        variable("http_port"): str(at.http),
        variable("mqtt_port"): str(at.mqtt),
    }
    if at.mqtts is not None:
        environment[variable("mqtts_port")] = str(at.mqtts)
    children: list[ChildSpec] = []
    if at.nats is not None:
        # What the server was configured for: a larger stream would be refused.
        environment[variable("log_max_bytes")] = str(log_limit_bytes(folder, settings))
        children.append(_log(folder, at.nats_url))
    children.append(_role("node", ("node",), environment, NODE_STOP_S))
    for number in range(settings.gateways):
        name = f"gateway-{number}"
        children.append(_role(name, ("gateway", "--name", name), environment, GATEWAY_STOP_S))
    if settings.bridge_urls:
        children.append(_role("bridge-0", ("bridge",), environment, GATEWAY_STOP_S))
    if demo:
        children.append(_role("demo-city", ("demo-city",), environment, GATEWAY_STOP_S))
    return children


def _log(folder: DataFolder, url: str) -> ChildSpec:
    return ChildSpec(
        name="nats",
        command=(str(nats_server_path()), "-c", str(folder.nats_config)),
        probe=lambda: answers(url),
    )


def _role(
    name: str, arguments: tuple[str, ...], environment: dict[str, str], stop_s: float
) -> ChildSpec:
    return ChildSpec(
        name=name,
        command=(sys.executable, "-m", "madina", *arguments),
        environment=environment,
        stop_s=stop_s,
    )


def _run_file(settings: Settings, at: _Addresses, pids: dict[str, int]) -> RunFile:
    return RunFile(
        pid=os.getpid(),
        http=f"http://{_reachable(settings.http_host)}:{at.http}",
        mqtt=f"mqtt://{_reachable(settings.mqtt_host)}:{at.mqtt}",
        mqtts=None if at.mqtts is None else f"mqtts://{_reachable(settings.mqtt_host)}:{at.mqtts}",
        nats=at.nats_url,
        children=pids,
    )


def _write_run(folder: DataFolder, run: RunFile) -> None:
    """Say what runs; on a full disk the old file stays, whose addresses still hold."""
    try:
        folder.write_run_file(run)
    except OSError as error:
        _tell(f"run.json has the process ids of before ({error.strerror})")


def _reachable(host: str) -> str:
    """Return what a program on this machine connects to for an address that is listened on."""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return LOOPBACK
    return f"[{host}]" if ":" in host else host


async def _announce(folder: DataFolder, settings: Settings, at: _Addresses) -> None:
    run = _run_file(settings, at, {})
    if why_not := await why_not_ready(run.http, READY_S):
        _tell(f"not ready after {READY_S} s, and goes on trying: {why_not}")
    _tell(f"{settings.city} is up, its time zone is {settings.timezone}")
    _tell(f"  page and API   {run.http}/")
    _tell(f"  MQTT           {run.mqtt}")
    if run.mqtts is not None:
        _tell(f"  MQTT with TLS  {run.mqtts}")
    for each in parse_brokers(settings.bridge_urls):
        _tell(f"  bridge to      {each.address}")
    _tell(f"  log            {LOOPBACK}:{at.nats}" if at.nats else "  log            your own")
    _tell(f"  data folder    {folder.path}")
    _tell("Ctrl-C stops all of it.")


def _tell(line: str) -> None:
    # Whoever read it may be gone, a pager or a terminal: the platform goes on.
    with contextlib.suppress(OSError):
        print(line, flush=True)
