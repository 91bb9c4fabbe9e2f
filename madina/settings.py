"""The one place that reads configuration: the environment and `madina.toml` in the data folder.

Every other room is given plain values. A key that nobody knows is refused, because a misspelt
setting that is silently ignored is found out on the worst day.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.bridge.broker import parse_brokers
from madina.errors import SetupError

__all__ = [
    "PREFIX",
    "SECRETS",
    "SETTINGS_FILE",
    "LoadedSettings",
    "Settings",
    "load_settings",
    "variable",
]

PREFIX = "MADINA_"
SETTINGS_FILE = "madina.toml"
# May hold a password: masked wherever settings are shown.
SECRETS = frozenset(
    {
        "nats_url", "store_url", "store_token", "database_url", "admin_key", "bridge_urls",
        "inspect_broker", "tts_key",
    }
)  # fmt: skip


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{name!r} is no time zone of the IANA database") from error
    return name


Port = Annotated[int, Field(ge=0, le=65_535)]
Words = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(lambda given: given.split() if isinstance(given, str) else given),
]


def _bridged(urls: tuple[str, ...]) -> tuple[str, ...]:
    parse_brokers(urls)
    return urls


class Settings(BaseSettings):
    """Every setting, with its default. The names are `MADINA_` and the field in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data_dir: Path = Field(Path("madina-data"), description="data folder")
    city: str = Field("Madina", description="name of the city")
    timezone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description="the city's zone")

    http_host: str = Field("127.0.0.1", description="address that the API and the page listen on")
    http_port: Port = Field(8080, description="port of the API and the page; 0: a free one")
    http_ingest_rate: float = Field(
        200, gt=0, description="requests a second that one key may make to the HTTP uplink"
    )
    mqtt_host: str = Field("127.0.0.1", description="address that devices connect to")
    mqtt_port: Port = Field(1883, description="MQTT port; 0: a free one")
    mqtts_port: Port | None = Field(None, description="MQTT port with TLS; unset: off")
    nats_port: Port = Field(4222, description="port of the embedded log; 0: a free one")

    mqtts_certificate: Path | None = Field(None, description="PEM file, needed by mqtts_port")
    mqtts_key: Path | None = Field(None, description="PEM file, needed by mqtts_port")
    mqtts_client_ca: Path | None = Field(
        None, description="PEM file; given, devices must show a certificate signed by it"
    )
    mqtt_anonymous: Literal["loopback", "never"] = Field(
        "loopback", description="who may connect without user and password"
    )
    mqtt_subscribe: Literal["refuse", "ignore"] = Field(
        "refuse", description="what SUBSCRIBE gets: a refusal, or a grant followed by silence"
    )
    mqtt_max_packet: ByteSize = Field(
        ByteSize(262_144), ge=256, le=1 << 20, description="largest MQTT packet"
    )
    mqtt_max_connections: int = Field(20_000, ge=1, description="connections, each gateway process")
    mqtt_connect_rate: float = Field(
        2_000, gt=0, description="new connections a second, each gateway process"
    )
    mqtt_connect_timeout: float = Field(
        10, gt=0, description="seconds from the connection to a complete CONNECT"
    )
    proxy_from: Words = Field(
        (), description="addresses and networks whose PROXY v2 header is believed"
    )
    bridge_urls: Annotated[Words, AfterValidator(_bridged)] = Field(
        (), description="brokers to bridge, space-separated ([bridges](bridges.md))"
    )
    inspect_broker: str | None = Field(
        None, description="broker that `madina inspect` listens at; unset: it reads the log"
    )
    tts_key: str | None = Field(None, description="key to The Things Stack for `madina pull tts`")
    unacked_bytes: ByteSize = Field(
        ByteSize(16 << 20), ge=65_536, description="bytes that wait for the log, a gateway process"
    )
    unacked_bytes_connection: ByteSize = Field(
        ByteSize(1 << 20), ge=65_536, description="bytes that wait for the log, a connection"
    )
    retention_days: int | None = Field(
        None, ge=1, description="days that observations are kept; unset: for ever"
    )
    unknown_devices: Literal["park", "accept"] = Field(
        "park", description="what happens to messages of devices that nobody has registered"
    )

    gateways: int = Field(1, ge=1, le=64, description="gateway processes")
    shards: int = Field(
        4, ge=1, le=1_024, description="shards of the log; a data folder keeps its number"
    )
    frame_bytes: ByteSize = Field(
        ByteSize(65_536), ge=1_024, le=1 << 20, description="size at which a frame is sealed"
    )
    frame_linger: float = Field(
        0.02, gt=0, le=1, description="seconds after which a frame is sealed"
    )
    log_max_bytes: ByteSize = Field(
        ByteSize(8 << 30), ge=16 << 20, description="limit of the log; the disk may set a lower one"
    )
    disk_reserve: ByteSize = Field(
        ByteSize(1 << 30), ge=0, description="free disk that the log never takes"
    )
    log_replicas: int = Field(
        1, ge=1, le=5, description="servers of the log that keep each message: 3 in a cluster"
    )
    sync_interval: float = Field(
        0.1, gt=0, le=120, description="seconds after which the log is synced to disk"
    )

    admin_key: str | None = Field(
        None, min_length=32, description="opens every call; unset: made in the data folder"
    )
    api_url: str | None = Field(
        None, description="API that our commands ask; unset: that of the data folder"
    )
    nats_url: str | None = Field(None, description="a NATS server of your own; unset: embedded")
    store_url: str | None = Field(
        None,
        description="`duckdb:///path/to/file`, `influxdb://user:pass@host:8086/database`;"
        " unset: DuckDB in the data folder",
    )
    store_token: str | None = Field(
        None, description="token of InfluxDB 2.x and 3.x, for a `store_url` with `version=2` or `3`"
    )
    database_url: str | None = Field(
        None,
        description="`postgresql+psycopg://user:password@host/name`; unset: SQLite in data_dir",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take nothing by itself: `load_settings` merges, so that each value knows its origin."""
        return (init_settings,)


class LoadedSettings:
    """Settings and where each of them came from.

    Attributes:
        origins: By field: `default`, the name of the environment variable, or the file.
    """

    def __init__(self, settings: Settings, origins: Mapping[str, str]) -> None:
        self.settings = settings
        self.origins = origins


def variable(field: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + field.upper()


def load_settings(data_dir: Path | None = None) -> LoadedSettings:
    """Merge the environment over `madina.toml` over the defaults.

    Args:
        data_dir: What the command line said; it wins over `MADINA_DATA_DIR`.

    Raises:
        SetupError: If a key is unknown or a value cannot be used.
    """
    _refuse_unknown_variables()
    environment = _plain(EnvSettingsSource(Settings)())
    if data_dir is not None:
        environment["data_dir"] = str(data_dir)
    folder = Path(str(environment.get("data_dir", Settings.model_fields["data_dir"].default)))
    from_file = _read_file(folder / SETTINGS_FILE)
    origins = dict.fromkeys(Settings.model_fields, "default")
    origins |= dict.fromkeys(from_file, str(folder / SETTINGS_FILE))
    origins |= {field: variable(field) for field in environment}
    if data_dir is not None:
        origins["data_dir"] = "--data-dir"
    try:
        settings = Settings.model_validate(from_file | environment)
    except ValidationError as error:
        raise _explained(error.errors(include_url=False)[0], origins) from None
    return LoadedSettings(settings, origins)


def _plain(given: Mapping[str, object]) -> dict[str, object]:
    return {field: value for field, value in given.items() if field in Settings.model_fields}


def _read_file(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    try:
        found = cast("dict[str, object]", TomlConfigSettingsSource(Settings, path)())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}", "mend the file") from error
    for key in found:
        if key not in Settings.model_fields or key == "data_dir":
            raise SetupError(f"{path} has no use for {key!r}", _nearest(key, lower=True))
    return found


def _refuse_unknown_variables() -> None:
    known = {variable(field) for field in Settings.model_fields}
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise SetupError(f"{name} is no setting", _nearest(name, lower=False))


def _nearest(key: str, *, lower: bool) -> str:
    field = key.lower().removeprefix(PREFIX.lower())
    near = difflib.get_close_matches(field, Settings.model_fields, n=1)
    if near:
        return f"did you mean {near[0] if lower else variable(near[0])}?"
    return "remove it, or see `madina config show` for the names"


def _explained(error: ErrorDetails, origins: Mapping[str, str]) -> SetupError:
    field = str(error["loc"][0]) if error["loc"] else "?"
    origin = origins.get(field, "?")
    where = variable(field) if origin == "default" else origin
    told = "" if where == variable(field) else f" ({variable(field)} overrides it)"
    value = "..." if field in SECRETS else repr(error["input"])
    why = error["msg"].removeprefix("Value error, ")
    return SetupError(
        f"{field} = {value} in {where} cannot be used: {why}",
        f"set another value{told}",
    )
