"""`meta` of a native message: radio, battery, firmware and position, under names of their own."""

from typing import Any, Final, cast

__all__ = ["MEMBERS_MAX", "message_metadata"]

MEMBERS_MAX: Final = 32
NAMES: Final = {
    "rssi": "rssi_dbm",
    "snr": "snr_db",
    "bat": "battery_percent",
    "fw": "firmware",
}
POSITION: Final = ("lat", "lon", "alt")
LATITUDE_MAX, LONGITUDE_MAX = 90, 180


def message_metadata(sent: object) -> dict[str, Any]:
    """Return the metadata of every observation of a message; empty where `meta` is no object.

    Members beyond the first 32 are left out.
    """
    if not isinstance(sent, dict):
        return {}
    members = list(cast("dict[str, Any]", sent).items())[:MEMBERS_MAX]
    found = {NAMES.get(name, name): value for name, value in members if name not in POSITION}
    position = {
        name: value
        for name, value in members
        if name in POSITION and isinstance(value, int | float) and not isinstance(value, bool)
    }
    if _is_place(position):
        found["position"] = position
    return found


def _is_place(position: dict[str, Any]) -> bool:
    latitude, longitude = position.get("lat"), position.get("lon")
    if latitude is None or longitude is None or not (latitude or longitude):
        return False
    return abs(latitude) <= LATITUDE_MAX and abs(longitude) <= LONGITUDE_MAX
