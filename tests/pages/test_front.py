"""The page's files are sent so that browsers neither keep old ones nor let others in."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.front import serve_pages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "page-AB12.js").write_text("'use strict'")
    return tmp_path


async def get(folder: Path | None, path: str) -> httpx.Response:
    app = FastAPI()
    serve_pages(app, folder)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
        return await client.get(path)


async def test_the_page_is_asked_for_again_and_its_bundles_never(folder: Path) -> None:
    assert (await get(folder, "/")).headers["cache-control"] == "no-cache"
    bundle = await get(folder, "/page-AB12.js")
    assert "immutable" in bundle.headers["cache-control"]


async def test_nothing_foreign_is_let_in_and_no_frame_around_it(folder: Path) -> None:
    headers = (await get(folder, "/")).headers
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_nothing_outside_the_folder_is_sent(folder: Path) -> None:
    (folder.parent / "secret.html").write_text("secret")
    assert (await get(folder, "/%2e%2e/secret.html")).status_code == 404


@pytest.mark.parametrize("missing", [None, "nowhere"])
async def test_without_pages_there_are_none(tmp_path: Path, missing: str | None) -> None:
    folder = None if missing is None else tmp_path / missing
    assert (await get(folder, "/")).status_code == 404
