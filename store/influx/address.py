"""Which server, database and credentials a store URL names."""

from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

__all__ = ["BOOKS", "InfluxAddress", "parse_address"]

SCHEME: Final = "influxdb"
PORT: Final = 8086
VERSIONS: Final = ("1", "2", "3")
# Options of the URL: API version, v2's organisation, compressed writes, HTTPS.
OPTIONS: Final = frozenset({"version", "org", "gzip", "tls"})
SWITCH: Final = {"0": False, "1": True}

# Where everything is kept that is no observation: it must never expire.
BOOKS: Final = "books"


class InfluxAddress(msgspec.Struct, frozen=True):
    """A server and what of it is ours.

    Attributes:
        url: Scheme, host and port.
        database: Database of 1.x, bucket of 2.x and 3.x.
        version: Major version of the API that is spoken: 1 `/write`, 2 and 3 `/api/v2/write`.
        gzip: Whether writes are compressed.
    """

    url: str
    database: str
    version: int = 1
    org: str = ""
    user: str = ""
    password: str = ""
    token: str = ""
    gzip: bool = False

    def __repr__(self) -> str:
        """Return what a traceback or a log may show."""
        return f"InfluxAddress({self.name!r}, version={self.version})"

    @property
    def name(self) -> str:
        """Return the address for people: it holds no secret."""
        return f"{self.url}/{self.database}"


def parse_address(url: str, token: str | None = None) -> InfluxAddress:
    """Read `influxdb://user:pass@host:8086/db?version=1&gzip=1`.

    Args:
        url: What `MADINA_STORE_URL` holds.
        token: What `MADINA_STORE_TOKEN` holds.

    Raises:
        ValueError: What is wrong with it, in words that hold no secret.
    """
    parts = urlsplit(url)
    database = unquote(parts.path.strip("/"))
    if parts.scheme != SCHEME or not parts.hostname or not database or "/" in database:
        raise ValueError("it is no influxdb://host:8086/database")
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    unknown = sorted(options.keys() - OPTIONS)
    if unknown:
        raise ValueError(f"nobody knows its option {unknown[0]!r}; known: {sorted(OPTIONS)}")
    version = options.get("version", "1")
    if version not in VERSIONS:
        raise ValueError(f"version={version!r} is none of {', '.join(VERSIONS)}")
    if version != "1" and not token:
        raise ValueError(f"version {version} needs a token in MADINA_STORE_TOKEN")
    if version == "2" and not options.get("org"):
        raise ValueError("version 2 needs org=...")
    scheme = "https" if _switch(options, "tls") else "http"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return InfluxAddress(
        url=f"{scheme}://{host}:{parts.port or PORT}",
        database=database,
        version=int(version),
        org=options.get("org", ""),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        token=token or "",
        gzip=_switch(options, "gzip"),
    )


def _switch(options: dict[str, str], name: str) -> bool:
    text = options.get(name, "0")
    if text not in SWITCH:
        raise ValueError(f"{name}={text!r} is neither 0 nor 1")
    return SWITCH[text]
