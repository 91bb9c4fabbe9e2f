"""Serves the pages' static files at `/`; nothing that they need comes from anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.responses import Response
    from starlette.types import Scope

__all__ = ["serve_pages"]

# What the page says of itself, and what only a header can say: nobody shows it in a frame.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# Names of bundles change with their content; the others have to be asked for again.
BUNDLES: Final = (".js", ".css")
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"


class _Pages(StaticFiles):
    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        bundle = str(full_path).endswith(BUNDLES)
        response.headers["Cache-Control"] = FOR_EVER if bundle else ASK_AGAIN
        return response


def serve_pages(app: FastAPI, folder: Path | None) -> None:
    """Serve a folder below `/`, behind everything else; none where it is not there."""
    if folder is not None and (folder / "index.html").is_file():
        app.mount("/", _Pages(directory=folder, html=True), name="pages")
