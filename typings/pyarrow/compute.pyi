"""The column functions of pyarrow, untyped: convert at the edge."""
# ruff: noqa: ANN401 - the library has no types

from typing import Any

def __getattr__(name: str) -> Any: ...
