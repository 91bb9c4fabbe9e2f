"""A proposal as it stands in its file: providers, routes and devices to register."""

import tomllib
from pathlib import Path

import msgspec

from madina.api import Document
from madina.errors import CommandError

__all__ = ["Proposal", "ProposedProvider", "ProposedRoute", "read_proposal"]


class ProposedProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who runs devices."""

    name: str
    title: str = ""
    contact: str = ""


class ProposedRoute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which topics are read how; members as `/v1/routes` has them."""

    name: str
    pattern: str
    codec: str
    provider: str | None = None
    recorded: bool = False
    timezone: str | None = None
    options: Document = {}
    levels: list[int] = []


class Proposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; devices have the members that `/v1/devices` takes."""

    providers: list[ProposedProvider] = []
    routes: list[ProposedRoute] = []
    devices: list[Document] = []


def read_proposal(path: Path) -> Proposal:
    """Read a proposal.

    Raises:
        CommandError: There is no such file, or it is no proposal: with the line or the member.
    """
    try:
        with path.open("rb") as opened:
            return msgspec.convert(tomllib.load(opened), Proposal)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise CommandError(f"{path}: {error}") from error
