"""Serves the pages' static files at `/`; nothing that they need comes from anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.staticfiles import StaticFiles

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import FastAPI

__all__ = ["serve_pages"]


def serve_pages(app: FastAPI, folder: Path | None) -> None:
    """Serve a folder below `/`, behind everything else; none where it is not there."""
    if folder is not None and (folder / "index.html").is_file():
        app.mount("/", StaticFiles(directory=folder, html=True), name="pages")
