"""Opens store and registry as the settings say, and says in one line why that cannot be."""

import contextlib
from collections.abc import Generator
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
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

__all__ = ["Opened", "opened"]

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

    store: DuckDBStore
    registry: Registry


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


def _store(settings: Settings, folder: DataFolder) -> DuckDBStore:
    path = _store_path(settings.store_url, folder)
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
            "write duckdb:///path/to/file, or unset it for DuckDB in the data folder",
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
