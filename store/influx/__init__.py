"""The store on an InfluxDB server: written by line protocol, read by InfluxQL."""

from store.influx.address import InfluxAddress, parse_address
from store.influx.connection import DeniedError
from store.influx.limits import ServerLimits
from store.influx.store import InfluxStore

__all__ = ["DeniedError", "InfluxAddress", "InfluxStore", "ServerLimits", "parse_address"]
