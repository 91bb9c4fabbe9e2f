"""What holds for a device: its own words, else those of its place or profile, as SQL."""

from sqlalchemy import func

from registry.tables import DeviceRow, PlaceRow, ProfileRow

__all__ = [
    "DEVICE",
    "DISTRICT",
    "INTERVAL",
    "KIND",
    "LAT",
    "LON",
    "PLACE_DISTRICT",
    "TIMEZONE",
]

# Devices with their places and profiles: what to select from.
DEVICE = DeviceRow.__table__.outerjoin(
    PlaceRow.__table__, DeviceRow.place == PlaceRow.name
).outerjoin(ProfileRow.__table__, DeviceRow.profile == ProfileRow.name)

LAT = func.coalesce(DeviceRow.lat, PlaceRow.lat)
LON = func.coalesce(DeviceRow.lon, PlaceRow.lon)
PLACE_DISTRICT = func.coalesce(PlaceRow.district, PlaceRow.found_district)
DISTRICT = func.coalesce(DeviceRow.district, DeviceRow.found_district, PLACE_DISTRICT)
TIMEZONE = func.coalesce(DeviceRow.timezone, PlaceRow.timezone)
KIND = func.coalesce(func.nullif(DeviceRow.kind, ""), ProfileRow.kind, "")
INTERVAL = func.coalesce(DeviceRow.expected_interval_s, ProfileRow.expected_interval_s)
