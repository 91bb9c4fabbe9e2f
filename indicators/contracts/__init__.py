"""Definitions of indicators as data: one file each, by id and version, and what reads them."""

from indicators.contracts.loader import (
    ContractError,
    Contracts,
    Governing,
    UnknownIndicatorError,
    contract_hash,
    load,
    read,
)
from indicators.contracts.model import Contract

__all__ = [
    "Contract",
    "ContractError",
    "Contracts",
    "Governing",
    "UnknownIndicatorError",
    "contract_hash",
    "load",
    "read",
]
