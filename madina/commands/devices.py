"""`madina devices`: who may be heard, and where they are."""

from typing import Annotated, Literal, cast

import typer

from city.clock import MachineClock
from madina.api import Document, api, resource
from madina.commands import device_files, device_hardware, unknown_devices
from madina.errors import CommandError
from madina.moments import MOMENT_HELP, moment
from madina.options import AsJson, DataDir, Limit
from madina.output import print_document, print_fields, print_items, print_json

__all__ = [
    "add",
    "add_to",
    "change",
    "completeness",
    "list_devices",
    "show",
    "states",
]

COLUMNS = ("device", "kind", "name", "status", "in_district", "place", "expected_interval_s")
STATE_COLUMNS = (
    "device",
    "kind",
    "state",
    "since",
    "offline_since",
    "state_by_event_time",
    "last_received",
    "last_observed",
)
Name = Annotated[str, typer.Argument(metavar="PROVIDER/DEVICE", help="Name of the device.")]
Kind = Annotated[str | None, typer.Option(help="What it is for: air, noise, parking, ...")]
Title = Annotated[str | None, typer.Option("--name", help="What people call it.")]
Place = Annotated[str | None, typer.Option(help="Name of its place.")]
District = Annotated[str | None, typer.Option(help="Its district, where it has no place.")]
Lat = Annotated[float | None, typer.Option(help="Latitude in degrees, where it has no place.")]
Lon = Annotated[float | None, typer.Option(help="Longitude in degrees, where it has no place.")]
Interval = Annotated[
    float | None, typer.Option("--interval", help="Seconds from one message to the next.")
]
Status = Literal["active", "pending", "retired"]
Address = Annotated[str | None, typer.Option(help="Street and number.")]
Zone = Annotated[
    str | None, typer.Option("--timezone", help="IANA zone, where it is not its place's.")
]
SiteClass = Annotated[
    Literal["traffic", "background"] | None, typer.Option("--class", help="What it stands for.")
]
Population = Annotated[int | None, typer.Option(help="How many people it stands for.")]
Profile = Annotated[str | None, typer.Option(help="Name of the profile of its make.")]
Installed = Annotated[str | None, typer.Option(help="Day when it was installed: 2026-03-04.")]
Retired = Annotated[str | None, typer.Option(help="Day when it was taken away: 2026-03-04.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Any word; may be repeated.")]
NewStatus = Annotated[
    Status | None, typer.Option(help="Only active devices are stored; others are parked.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Devices: registered, pending and retired.")
    group.command("list")(list_devices)
    group.command("completeness")(completeness)
    group.command("show")(show)
    group.command("states")(states)
    group.command("add")(add)
    group.command("change")(change)
    unknown_devices.add_to(group)
    device_hardware.add_to(group)
    device_files.add_to(group)
    app.add_typer(group, name="devices")


def list_devices(  # noqa: PLR0913 - each is an option of the command line
    *,
    provider: Annotated[str | None, typer.Option(help="Of one provider.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of one kind.")] = None,
    status: Annotated[Status | None, typer.Option(help="Of one status.")] = None,
    district: Annotated[str | None, typer.Option(help="In one district.")] = None,
    text: Annotated[str | None, typer.Option(help="With this in the id or the name.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List devices by provider and id."""
    asked = {"provider": provider, "kind": kind, "status": status, "district": district}
    with api(data_dir) as platform:
        items = platform.items("/v1/devices", {**asked, "text": text}, limit)
        print_items(COLUMNS, items, as_json=as_json)


def states(  # noqa: PLR0913 - each is an option of the command line
    *,
    state: Annotated[
        Literal["reporting", "late", "silent", "never_seen"] | None,
        typer.Option(help="In one state."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Whose network says that they are gone.")
    ] = False,
    provider: Annotated[str | None, typer.Option(help="Of one provider.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of one kind.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Say which devices report, are late, are silent or were never heard, and since when."""
    with api(data_dir) as platform:
        if not platform.runs:
            raise CommandError("nothing runs here that could hear devices: start `madina up` first")
        asked = {"state": state, "provider": provider, "kind": kind, "offline": offline or None}
        items = platform.items("/v1/device-states", asked, limit)
        print_items(STATE_COLUMNS, items, as_json=as_json)


def completeness(
    device: Name,
    *,
    since: Annotated[
        str | None, typer.Option("--from", help=f"{MOMENT_HELP} A day ago where left out.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Excluded; now where left out.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Say how much of what a device should have sent has come: by its interval, by its counters."""
    clock = MachineClock()
    asked = {"device": device, "from": moment(since, clock), "to": moment(until, clock)}
    with api(data_dir) as platform:
        found = platform.get("/v1/device-completeness", asked)
    if as_json:
        print_json(found)
        return
    print_fields([(name, found[name]) for name in ("device", "start", "end")])
    for name in ("slots", "frames"):
        part = cast("Document | None", found[name])
        print_fields([(name, "not known" if part is None else _told(part))])


def _told(part: Document) -> str:
    return ", ".join(f"{name.replace('_s', '')} {value:g}" for name, value in part.items()
                     if isinstance(value, int | float))  # fmt: skip


def show(device: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show one device."""
    with api(data_dir) as platform:
        print_document(platform.get(resource("/v1/devices", device)), as_json=as_json)


def add(  # noqa: PLR0913 - each is an option of the command line
    device: Name,
    *,
    kind: Kind = None,
    name: Title = None,
    place: Place = None,
    district: District = None,
    lat: Lat = None,
    lon: Lon = None,
    interval: Interval = None,
    status: NewStatus = None,
    address: Address = None,
    timezone: Zone = None,
    site_class: SiteClass = None,
    population: Population = None,
    profile: Profile = None,
    installed: Installed = None,
    retired: Retired = None,
    tag: Tags = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Register a device; what it has sent before is taken up."""
    provider, separator, own = device.partition("/")
    if not separator:
        raise CommandError(f"{device!r} has no provider: name it PROVIDER/DEVICE")
    members = _members(kind, name, place, district, lat, lon, interval, status)
    members |= _more(address, timezone, site_class, population, profile, installed, retired, tag)
    with api(data_dir) as platform:
        made = platform.send("POST", "/v1/devices", {"provider": provider, "id": own, **members})
        print_document(made, as_json=as_json)
        device_files.warn_of_later(platform)


def change(  # noqa: PLR0913 - each is an option of the command line
    device: Name,
    *,
    kind: Kind = None,
    name: Title = None,
    place: Place = None,
    district: District = None,
    lat: Lat = None,
    lon: Lon = None,
    interval: Interval = None,
    status: NewStatus = None,
    address: Address = None,
    timezone: Zone = None,
    site_class: SiteClass = None,
    population: Population = None,
    profile: Profile = None,
    installed: Installed = None,
    retired: Retired = None,
    tag: Tags = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Change what is given of a device; the rest stays."""
    members = _members(kind, name, place, district, lat, lon, interval, status)
    members |= _more(address, timezone, site_class, population, profile, installed, retired, tag)
    with api(data_dir) as platform:
        print_document(
            platform.send("PATCH", resource("/v1/devices", device), members), as_json=as_json
        )


def _members(*given: object) -> Document:
    """Return the members that were given, in the order of the options."""
    fields = ("kind", "name", "place", "district", "lat", "lon", "expected_interval_s", "status")
    return {field: value for field, value in zip(fields, given, strict=True) if value is not None}


def _more(*given: object) -> Document:
    fields = ("address", "timezone", "site_class", "population", "profile")
    fields += ("installed_on", "retired_on", "tags")
    return {field: value for field, value in zip(fields, given, strict=True) if value is not None}
