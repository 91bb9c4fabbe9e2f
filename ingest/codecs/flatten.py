"""An object that somebody else's decoder made, brought to measurements under names of ours.

Source: formats.md section 0.4: nested names are joined with `_`, elements of an array counted from
1, an array of anything but single values is rejected whole.
"""

from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from city.reasons import ObservationReason
from ingest.codecs.measures import Measures
from ingest.codecs.profile import Profile
from ingest.codecs.stringly import cast_text

__all__ = ["ELEMENTS_MAX", "Naming", "flatten", "naming_of"]

ELEMENTS_MAX: Final = 64

# Name as sent, to quantity and unit: None where nobody knows.
Naming = Callable[[str], tuple[str | None, str | None]]


def naming_of(profile: Profile) -> Naming:
    """Return how names are read where only the profile knows something."""

    def named(raw: str) -> tuple[str | None, str | None]:
        quantity = profile.quantity(raw)
        return quantity, profile.unit(quantity) if quantity else None

    return named


def flatten(
    sent: dict[str, Any],
    naming: Naming,
    measures: Measures,
    *,
    time_us: int | None = None,
    skip: str | None = None,
    stringly: bool = False,
) -> None:
    """Add every value of an object to the measurements of a message.

    Args:
        sent: As JSON, at most 16 levels deep.
        naming: What names stand for.
        measures: Where to add them.
        time_us: Time of all of them, if the object has its own.
        skip: Members that begin with this are left out, at any depth.
        stringly: The format sends numbers as text (formats.md 0.6).
    """
    _Walk(naming, measures, time_us, skip, stringly).members(sent, "")


class _Walk(msgspec.Struct, frozen=True):
    naming: Naming
    measures: Measures
    time_us: int | None
    skip: str | None
    stringly: bool

    def members(self, sent: dict[str, Any], before: str) -> None:
        for name, value in sent.items():
            raw = f"{before}{name}"
            if self.skip is not None and name.startswith(self.skip):
                continue
            if isinstance(value, dict):
                self.members(cast("dict[str, Any]", value), f"{raw}_")
            elif isinstance(value, list):
                self.elements(cast("list[Any]", value), raw)
            else:
                self.value(value, raw)

    def elements(self, sent: list[Any], raw: str) -> None:
        if any(isinstance(value, dict | list) for value in sent):
            words = "an array of more than single values"
            self.measures.reject(raw, ObservationReason.NESTED_ARRAY, words)
            return
        self.measures.ignored += max(0, len(sent) - ELEMENTS_MAX)
        for at, value in enumerate(sent[:ELEMENTS_MAX], start=1):
            self.value(value, f"{raw}_{at}")

    def value(self, sent: object, raw: str) -> None:
        quantity, unit = self.naming(raw)
        if self.stringly:
            sent, own = cast_text(sent)
            unit = own or unit
        self.measures.add(raw, quantity, sent, unit, self.time_us)
