"""Which codecs there are: every folder beside this file, and those that other packages bring.

A codec is named by its folder, `_` read as `-`; a package outside names its own in the entry point
group `madina.codecs`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Final, cast

import msgspec

import ingest.codecs
from ingest.codecs.seam import Codec

__all__ = ["GROUP", "array_codecs", "find_codecs", "options_fault"]

GROUP: Final = "madina.codecs"


def find_codecs() -> Mapping[str, Codec]:
    """Import every codec; read once, in the composition root."""
    found: dict[str, Codec] = {}
    for module in pkgutil.iter_modules(ingest.codecs.__path__):
        if module.ispkg:
            package = importlib.import_module(f"{ingest.codecs.__name__}.{module.name}")
            found[module.name.replace("_", "-")] = cast("Codec", package.CODEC)
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, cast("Codec", entry.load()))
    return MappingProxyType(found)


def array_codecs(codecs: Mapping[str, Codec] | None = None) -> frozenset[str]:
    """Return the codecs that read a JSON array as one message: they say so in `reads_arrays`."""
    found = find_codecs() if codecs is None else codecs
    return frozenset(name for name, each in found.items() if getattr(each, "reads_arrays", False))


def options_fault(codecs: Mapping[str, Codec], name: str, options: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the options of a route, before any message meets them.

    Args:
        codecs: As `find_codecs` returns them.
        name: The codec that the route names.
        options: What the route says to it.

    Returns:
        Words for people; None where nothing is wrong, or where the codec does not tell what it
        takes (`options`, a type that they are decoded as).
    """
    kind = getattr(codecs.get(name), "options", None)
    if kind is None:
        return None
    try:
        msgspec.json.decode(msgspec.json.encode(options), type=kind)
    except msgspec.ValidationError as error:
        return str(error)
    known = _members(kind)
    unknown = [] if known is None else sorted(set(options) - known)
    return f"`{unknown[0]}` is none of {', '.join(sorted(known or ()))}" if unknown else None


def _members(kind: Any) -> set[str] | None:  # noqa: ANN401 - any type that msgspec decodes
    """Return the options that a type has; None where it says itself what it refuses."""
    if not isinstance(kind, type) or not issubclass(kind, msgspec.Struct):
        return None
    return set(kind.__struct_encode_fields__)
