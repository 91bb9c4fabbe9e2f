"""The city as indicators see it: which series measure what, and which areas they stand for.

A place is a site; a device without a place is a site of its own in its district and the city.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from city.quantities import known_name
from indicators.contracts.model import Contract, Input
from registry.sites import Site, SiteList
from store.interface import Series

__all__ = ["Area", "AreaError", "CityMap", "Member", "input_of", "parse_area", "sites_of"]

# Quantity and unit of each input.
_Measured = tuple[tuple[str, str], ...]
AreaKind = Literal["device", "place", "district", "provider", "city"]
KINDS: Final = ("device", "place", "district", "provider")
# Without a spatial rule for levels, only devices and places of one device have noise.
COMBINED: Final = frozenset({"worst", "mean", "median", "sum", "ratio_of_sums"})


class AreaError(ValueError):
    """What was asked for is no area. The words say what one is."""


class Area(msgspec.Struct, frozen=True):
    """`device:PROVIDER/ID`, `place:ID`, `district:ID`, `provider:ID` or `city`."""

    kind: AreaKind
    name: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind == "city" else f"{self.kind}:{self.name}"


class Member(msgspec.Struct, frozen=True):
    """A device with its series of the quantities that a contract is computed from.

    Attributes:
        groups: What is computed together: one series of each of the contract's inputs, in their
            order. A channel is a group of its own.
    """

    site: Site
    groups: tuple[tuple[Series, ...], ...]

    @property
    def series(self) -> tuple[Series, ...]:
        """All series of all groups."""
        return tuple(each for group in self.groups for each in group)

    @property
    def name(self) -> str:
        """As the API names the device."""
        return f"{self.site.provider}/{self.site.device}"


class CityMap:
    """Sites, series and zones at one instant.

    Args:
        sites: Of the registry.
        series: Of the store.
        zone: The city's.

    Attributes:
        revision: Of the registry; names the list of sites in a lineage.
    """

    def __init__(self, sites: SiteList, series: Iterable[Series], zone: ZoneInfo) -> None:
        self.revision = sites.revision
        self.zone = zone
        self._sites = {(each.provider, each.device): each for each in sites.sites}
        self._series: dict[tuple[str, str], list[Series]] = {}
        for each in series:
            if each.kind == "number":
                self._series.setdefault((each.provider, each.device), []).append(each)
        self._members: dict[_Measured, tuple[Member, ...]] = {}
        self._zones: dict[str | None, ZoneInfo] = {None: zone}
        self._inside: dict[tuple[Area, _Measured], list[Member]] = {}
        self._places = {each.place: each.timezone for each in sites.sites}

    def members(self, contract: Contract) -> tuple[Member, ...]:
        """Return the devices that measure all of a contract's quantities in their units."""
        key = _measured(contract)
        found = self._members.get(key)
        if found is None:
            found = self._members[key] = tuple(self._measuring(key))
        return found

    def measured(self, contracts: Iterable[Contract]) -> set[int]:
        """Return the numbers of the series that some contracts take."""
        alike = {_measured(each): each for each in contracts}
        return {
            series.series
            for contract in alike.values()
            for member in self.members(contract)
            for series in member.series
        }

    def inside(self, area: Area, contract: Contract) -> list[Member]:
        """Return the devices of an area that measure all of a contract's quantities."""
        key = (area, _measured(contract))
        if key not in self._inside:
            members = self.members(contract)
            self._inside[key] = [each for each in members if _within(each.site, area)]
        return self._inside[key]

    def areas_of(self, member: Member, contract: Contract) -> list[Area]:
        """Return the areas that a device's observations change, smallest first."""
        site = member.site
        areas = [Area("device", member.name)]
        if site.place is not None:
            areas.append(Area("place", site.place))
        if contract.spatial.rule in COMBINED:
            if site.district is not None:
                areas.append(Area("district", site.district))
            areas.append(Area("city"))
        return areas

    def zone_of(self, area: Area) -> ZoneInfo:
        """Return by whose clock an area's days are: its place's, else the city's."""
        if area.kind == "device":
            site = self._sites.get(_split(area.name))
            return self._zone(site.timezone if site else None)
        if area.kind == "place":
            return self._zone(self._places.get(area.name))
        return self.zone

    def zones(self) -> set[ZoneInfo]:
        """Return every zone by whose clock something has days."""
        return {self._zone(name) for name in {each.timezone for each in self._sites.values()}} | {
            self.zone
        }

    def find(self, text: str) -> Area:
        """Return an area of a text; a bare device id where one provider has it.

        Raises:
            AreaError: If it is none, or nothing is there.
        """
        area = parse_area(text)
        if area.kind == "device" and "/" not in area.name:
            found = sorted(name for name in self._sites if name[1] == area.name)
            if len(found) > 1:
                names = ", ".join("/".join(name) for name in found)
                raise AreaError(f"several providers have a device {area.name!r}: {names}")
            area = Area("device", "/".join(found[0])) if found else area
        if area.kind != "city" and not any(_within(site, area) for site in self._sites.values()):
            raise AreaError(f"no device stands in {area}")
        return area

    def _measuring(self, wanted: _Measured) -> Iterable[Member]:
        for name, site in self._sites.items():
            groups = _groups(self._series.get(name, ()), wanted)
            if groups:
                yield Member(site, groups)

    def _zone(self, name: str | None) -> ZoneInfo:
        found = self._zones.get(name)
        if found is None:
            assert name is not None, "no name is the city's zone"
            found = self._zones[name] = ZoneInfo(name)
        return found


def parse_area(text: str) -> Area:
    """Read an area as the API names it.

    Raises:
        AreaError: If it is none.
    """
    if text == "city":
        return Area("city")
    kind, _, name = text.partition(":")
    if kind not in KINDS or not name:
        raise AreaError(
            f"{text!r} is no area: write device:PROVIDER/ID, place:ID, district:ID,"
            " provider:ID or city"
        )
    return Area(msgspec.convert(kind, AreaKind), name)


def sites_of(members: Sequence[Member]) -> Mapping[str, list[Member]]:
    """Return the devices by the site they stand at."""
    found: dict[str, list[Member]] = {}
    for member in members:
        place = member.site.place
        found.setdefault(f"place:{place}" if place else f"device:{member.name}", []).append(member)
    return found


def input_of(contract: Contract, series: Series) -> Input:
    """Return which of a contract's inputs a series of its members is."""
    return next(each for each in contract.inputs if _is(series.quantity, each.quantity))


def _measured(contract: Contract) -> _Measured:
    return tuple((each.quantity, each.unit) for each in contract.inputs)


def _groups(of_device: Sequence[Series], wanted: _Measured) -> tuple[tuple[Series, ...], ...]:
    """Return one series of each quantity, for each channel that has all of them."""
    by_channel: dict[str, dict[int, Series]] = {}
    for series in of_device:
        for place, (quantity, unit) in enumerate(wanted):
            if series.unit == unit and _is(series.quantity, quantity):
                channel = series.quantity.removeprefix(quantity)
                by_channel.setdefault(channel, {})[place] = series
    return tuple(
        tuple(found[place] for place in range(len(wanted)))
        for found in by_channel.values()
        if len(found) == len(wanted)
    )


def _is(name: str, quantity: str) -> bool:
    """Say whether a series' name is a quantity, or one with a channel."""
    return name == quantity or (name.startswith(f"{quantity}_") and known_name(name) == quantity)


def _within(site: Site, area: Area) -> bool:
    found = {
        "device": f"{site.provider}/{site.device}",
        "place": site.place,
        "district": site.district,
        "provider": site.provider,
        "city": "",
    }
    return found[area.kind] == area.name


def _split(name: str) -> tuple[str, str]:
    provider, _, device = name.partition("/")
    return provider, device
