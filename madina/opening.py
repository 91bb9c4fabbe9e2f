"""Opens store and registry as the settings say, and says in one line why that cannot be."""

import contextlib
from collections.abc import Generator
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from city.clock import Clock
from ingest.codecs.catalogue import find_codecs, options_fault
from madina.data_folder import DataFolder
from madina.errors import SetupError
from madina.settings import Settings
from registry.errors import RegistryAwayError, RegistryVersionError
from registry.registry import Registry
from store.duckdb.store import DuckDBStore
from store.errors import StoreBusyError, StoreLockedError, StoreVersionError
from store.influx import DeniedError, InfluxStore, parse_address
from store.interface import Store

__all__ = ["INFLUX", "Opened", "influx_store", "opened"]

log = structlog.get_logger(__name__)

INFLUX = "influxdb"

ANOTHER_FILE = "mend that, or set MADINA_STORE_URL to another file"
NEWER_DATABASE = "install that version, or set MADINA_DATABASE_URL to another database"
NEWER = "install that version, or set MADINA_DATA_DIR to another folder"

# What drivers say, and what to do about it.
MENDS = (
    ("connection refused", "start the database server"),
    ("timeout", "see whether the database server runs and a firewall lets us through"),
    ("password authentication failed", "set the user's password in the server"),
    ("no password supplied", "write user:password@ into it"),
    ("does not exist", "create it (`createdb`, `createuser`)"),
    ("permission denied", "let the user make tables (`createdb --owner`)"),
    ("no module named", "use a driver that is installed: postgresql+psycopg:// or sqlite:///"),
)


class Opened(msgspec.Struct, frozen=True):
    """What keeps the city's facts and its time series."""

    store: Store
    registry: Registry

    @property
    def file(self) -> DuckDBStore:
        """The store, where it is a file of ours.

        Raises:
            SetupError: It is a server's.
        """
        if not isinstance(self.store, DuckDBStore):
            raise SetupError(
                "the store is a server's, and backups are of our own files",
                "use the server's (`influxd backup -portable`); MADINA_STORE_URL names it",
            )
        return self.store


@contextlib.contextmanager
def opened(settings: Settings, clock: Clock) -> Generator[Opened]:
    """Open the registry and the store; close both at the end.

    Raises:
        SetupError: One of them cannot be opened.
    """
    folder = DataFolder(settings.data_dir)
    folder.make()
    with (
        contextlib.closing(_registry(settings, folder, clock)) as registry,
        contextlib.closing(_store(settings, folder)) as store,
    ):
        yield Opened(store, registry)


def _store(settings: Settings, folder: DataFolder) -> Store:
    if urlsplit(settings.store_url or "").scheme == INFLUX:
        return _influx(settings)
    return _duckdb(_store_path(settings.store_url, folder))


def influx_store(settings: Settings) -> InfluxStore:
    """Return the store of an InfluxDB URL; nothing is asked of the server yet.

    Raises:
        SetupError: The URL or the token cannot be used.
    """
    try:
        return InfluxStore(parse_address(settings.store_url or "", settings.store_token))
    except ValueError as error:
        raise SetupError(
            f"MADINA_STORE_URL cannot be used: {error}",
            "write influxdb://user:password@host:8086/database?version=1",
        ) from error


def _influx(settings: Settings) -> InfluxStore:
    """Open an InfluxDB; one that is away is waited for, as it is later on."""
    store = influx_store(settings)
    try:
        missing = store.missing()
    except DeniedError as error:
        store.close()
        raise SetupError(
            f"{error.store} does not let us in ({error.cause})",
            "mend user and password in MADINA_STORE_URL, or MADINA_STORE_TOKEN",
        ) from error
    except StoreBusyError as error:
        log.warning("store.away", store=error.store, cause=error.cause)
        return store
    if missing is not None:
        store.close()
        raise SetupError(
            f"{store.address.name} has no {missing}", "make it: `madina store provision`"
        )
    return store


def _duckdb(path: Path) -> DuckDBStore:
    try:
        return DuckDBStore(path)
    except StoreLockedError as error:
        raise SetupError(
            f"{error}, and DuckDB admits one process",
            "stop that one (`madina up` and `madina node` run ingest and services together),"
            " or set MADINA_STORE_URL to another file",
        ) from error
    except StoreVersionError as error:
        raise SetupError(
            f"the store was written by a newer version of madina ({error})", NEWER
        ) from error
    except StoreBusyError as error:
        raise SetupError(
            f"the store {path} cannot be opened ({error.cause})", ANOTHER_FILE
        ) from error
    except OSError as error:
        raise SetupError(
            f"the store {path} cannot be opened ({error.strerror})", ANOTHER_FILE
        ) from error


def _store_path(url: str | None, folder: DataFolder) -> Path:
    if url is None:
        return folder.duckdb
    parts = urlsplit(url)
    if parts.scheme != "duckdb" or parts.netloc or not parts.path.strip("/"):
        raise SetupError(
            f"MADINA_STORE_URL names no store of this version ({parts.scheme or '?'}:)",
            "write duckdb:///path/to/file or influxdb://host:8086/database,"
            " or unset it for DuckDB in the data folder",
        )
    return Path(unquote(parts.path))


def _registry(settings: Settings, folder: DataFolder, clock: Clock) -> Registry:
    url = settings.database_url or f"sqlite:///{folder.registry}"
    try:
        return Registry.open(url, clock, partial(options_fault, find_codecs()))
    except RegistryVersionError as error:
        raise SetupError(
            f"the registry was written by a newer version of madina (version {error.found},"
            f" this one reads up to {error.known})",
            NEWER if settings.database_url is None else NEWER_DATABASE,
        ) from error
    except (SQLAlchemyError, ImportError) as error:
        words = _driver_words(error)
        mend = f"see {folder.registry}"
        if settings.database_url is not None:
            mend = _mend_of(words) + "MADINA_DATABASE_URL"
        raise SetupError(f"the registry's database cannot be opened ({words})", mend) from error


def _driver_words(error: Exception) -> str:
    """Return the driver's own words: SQLAlchemy adds statements and addresses to them."""
    if isinstance(error, RegistryAwayError):
        return error.words
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__


def _mend_of(words: str) -> str:
    """Return what mends a database that cannot be opened, up to the name of the setting."""
    for sign, mend in MENDS:
        if sign in words.lower():
            return f"{mend}, or correct "
    return "see "
