"""The embedded store: one DuckDB file, written and read by one process."""

from store.duckdb.store import DuckDBStore

__all__ = ["DuckDBStore"]
