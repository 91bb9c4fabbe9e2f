"""Contracts from their files: read, checked, found by id, version and the day they govern.

Nothing is computed here, and a contract that breaks a rule stops the program that wanted it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Final

import msgspec

from indicators.contracts.checks import faults
from indicators.contracts.model import Contract, version_of

__all__ = [
    "ContractError",
    "Contracts",
    "Governing",
    "UnknownIndicatorError",
    "contract_hash",
    "load",
    "meaning",
    "meaning_bytes",
    "read",
]

SUFFIX: Final = ".toml"


class ContractError(ValueError):
    """A contract breaks a rule; nothing is computed from any contract until it is mended."""

    def __init__(self, *, file: str, field: str, words: str) -> None:
        """Keep which file and field it is."""
        super().__init__(f"{file}: {field}: {words}")
        self.file = file
        self.field = field


class UnknownIndicatorError(LookupError):
    """Nobody defined an indicator, or not in that version or for that day."""

    def __init__(self, *, indicator: str, words: str) -> None:
        """Keep which indicator was asked for."""
        super().__init__(f"{indicator}: {words}")
        self.indicator = indicator


class Governing(msgspec.Struct, frozen=True):
    """The version that governs a window.

    Attributes:
        retrospective: The window starts before the first version that we know.
    """

    contract: Contract
    retrospective: bool


class Contracts:
    """All contracts by id and version; build it with `load`."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        by_id: dict[str, list[Contract]] = {}
        for contract in contracts:
            by_id.setdefault(contract.id, []).append(contract)
        for versions in by_id.values():
            versions.sort(key=lambda contract: version_of(contract.version))
            _refuse_overlap(versions)
        self._by_id: Mapping[str, list[Contract]] = by_id

    def ids(self) -> list[str]:
        """Return every id, in order."""
        return sorted(self._by_id)

    def versions(self, indicator: str) -> list[Contract]:
        """Return every version of an indicator, oldest first.

        Raises:
            UnknownIndicatorError: If there is none.
        """
        if indicator not in self._by_id:
            raise UnknownIndicatorError(indicator=indicator, words="nobody defined it")
        return list(self._by_id[indicator])

    def get(self, indicator: str, version: str) -> Contract:
        """Return one version of an indicator.

        Raises:
            UnknownIndicatorError: If there is none.
        """
        for contract in self.versions(indicator):
            if contract.version == version:
                return contract
        raise UnknownIndicatorError(indicator=indicator, words=f"there is no version {version}")

    def governing(self, indicator: str, day: date) -> Governing:
        """Return the version that governs windows which start on a civil day.

        Raises:
            UnknownIndicatorError: If there is none.
        """
        versions = self.versions(indicator)
        if day < versions[0].valid_from:
            return Governing(versions[0], retrospective=True)
        for contract in versions:
            if contract.valid_from <= day and (
                contract.valid_to is None or day < contract.valid_to
            ):
                return Governing(contract, retrospective=False)
        raise UnknownIndicatorError(indicator=indicator, words=f"no version governs {day}")


def load(folder: Traversable | None = None) -> Contracts:
    """Read every contract of a folder; of madina's own without one.

    Raises:
        ContractError: If a file breaks a rule.
    """
    place = resources.files("indicators.contracts") if folder is None else folder
    files = [file for file in place.iterdir() if file.name.endswith(SUFFIX)]
    return Contracts([read(file) for file in sorted(files, key=lambda file: file.name)])


def read(file: Traversable) -> Contract:
    """Read one contract; its file is named `ID-VERSION.toml`.

    Raises:
        ContractError: If it breaks a rule; the first one found.
    """
    try:
        contract = msgspec.toml.decode(file.read_bytes(), type=Contract)
    except msgspec.DecodeError as error:
        words, _, path = str(error).partition(" - at ")
        field = path.strip("`").removeprefix("$").lstrip(".") or "file"
        raise ContractError(file=file.name, field=field, words=words) from error
    for field, words in faults(contract):
        raise ContractError(file=file.name, field=field, words=words)
    name = f"{contract.id}-{contract.version}{SUFFIX}"
    if file.name != name:
        raise ContractError(file=file.name, field="id", words=f"the file is to be named {name}")
    return contract


def contract_hash(contract: Contract) -> str:
    """Return what a definition is, as SHA-256 in hex: the same for the same meaning.

    Order and comments of the file, titles, vectors and `valid_to` change nothing; a field that a
    later madina adds changes nothing where a contract does not use it.
    """
    return hashlib.sha256(meaning_bytes(contract)).hexdigest()


def meaning(contract: Contract) -> Contract:
    """Return a contract without what its hash does not depend on."""
    return msgspec.structs.replace(contract, title={}, tests=(), valid_to=None)


def meaning_bytes(contract: Contract) -> bytes:
    """Write the JSON whose SHA-256 is the contract's hash."""
    return msgspec.json.encode(meaning(contract), order="sorted")


def _refuse_overlap(versions: list[Contract]) -> None:
    for older, newer in pairwise(versions):
        if older.valid_to is None or older.valid_to > newer.valid_from:
            raise ContractError(
                file=f"{older.id}-{older.version}{SUFFIX}",
                field="valid_to",
                words=f"it still governs when version {newer.version} starts",
            )
