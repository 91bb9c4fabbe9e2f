"""Writing devices as files that `madina devices import` reads."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TextIO

import msgspec
import openpyxl

from madina.api import Document
from madina.errors import CommandError
from madina.registers.cells import MEMBERS, written

__all__ = ["write_csv", "write_file"]

POSITION: Final = ("lat", "lon")


def write_file(path: Path, devices: Iterable[Document]) -> int:
    """Write devices in the format of the file's name; return how many.

    Raises:
        CommandError: It cannot be written, or is of no kind that we know.
    """
    try:
        match path.suffix.lower():
            case ".csv":
                with path.open("w", encoding="utf-8", newline="") as file:
                    return write_csv(file, devices)
            case ".geojson":
                return _write_geojson(path, devices)
            case ".xlsx":
                return _write_workbook(path, devices)
            case _:
                raise CommandError(f"{path} is none of .csv, .geojson, .xlsx")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error


def write_csv(file: TextIO, devices: Iterable[Document]) -> int:
    """Write devices as CSV; return how many."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(MEMBERS)
    count = 0
    for device in devices:
        rows.writerow([written(device.get(member)) for member in MEMBERS])
        count += 1
    return count


def _write_geojson(path: Path, devices: Iterable[Document]) -> int:
    count = 0
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for count, device in enumerate(devices, 1):
            file.write(b",\n" if count > 1 else b"\n")
            file.write(msgspec.json.encode(_feature(device)))
        file.write(b"\n]}\n")
    return count


def _feature(device: Document) -> Document:
    point = None
    if device["lat"] is not None:
        point = {"type": "Point", "coordinates": [device["lon"], device["lat"]]}
    properties = {member: device[member] for member in MEMBERS if member not in POSITION}
    return {"type": "Feature", "geometry": point, "properties": properties}


def _write_workbook(path: Path, devices: Iterable[Document]) -> int:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("devices")
    sheet.append(list(MEMBERS))
    count = 0
    for device in devices:
        sheet.append([written(device.get(member)) for member in MEMBERS])
        count += 1
    book.save(path)
    return count
