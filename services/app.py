"""The FastAPI application; what others need of this room."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import FastAPI
from starlette.types import Lifespan

from services.api import (
    audit,
    calibrations,
    cards,
    comparison,
    completeness,
    copies,
    device_states,
    devices,
    districts,
    exports,
    hardware,
    health,
    indicators,
    ingest,
    inspect,
    keys,
    ledger,
    live,
    maintenance,
    metrics,
    observations,
    places,
    profiles,
    providers,
    quarantine,
    reference,
    routes,
    status,
    unknown_devices,
    users,
)
from services.body_limit import BodyLimit
from services.front import serve_pages
from services.openapi import describe
from services.parts import ServicesParts
from services.problems import answer_problems
from services.running import Services

__all__ = ["api_description", "create_app", "end_streams"]

# Ten thousand devices with all that can be said of them.
BODY_MAX_BYTES = 8 * 1024 * 1024

ROUTERS = (
    health.router,
    status.router,
    ledger.router,
    observations.router,
    indicators.router,
    comparison.router,
    exports.router,
    cards.router,
    live.router,
    ingest.router,
    inspect.router,
    devices.router,
    device_states.router,
    completeness.router,
    unknown_devices.router,
    hardware.router,
    maintenance.router,
    providers.router,
    places.router,
    districts.router,
    profiles.router,
    calibrations.router,
    routes.router,
    quarantine.router,
    users.router,
    keys.router,
    copies.router,
    audit.router,
    metrics.router,
    reference.router,
)


def create_app(parts: ServicesParts) -> FastAPI:
    """Make the application; it works while its lifespan does, and closes none of its parts."""
    services = Services(parts)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with services.running():
            yield

    app = _described(parts.version, lifespan)
    app.state.services = services
    answer_problems(app)
    app.add_middleware(BodyLimit, most_bytes=BODY_MAX_BYTES)
    serve_pages(app, parts.pages)
    return app


def end_streams(app: FastAPI) -> None:
    """End the live streams, which would keep a server from ending; call it on its event loop."""
    services = app.state.services
    assert isinstance(services, Services), "create_app puts it there"
    services.state.feed.end()


def api_description(version: str) -> dict[str, Any]:
    """Return the OpenAPI description of every call, without anything running."""
    return _described(version, None).openapi()


def _described(version: str, lifespan: Lifespan[FastAPI] | None) -> FastAPI:
    app = FastAPI(
        title="madina",
        version=version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for router in ROUTERS:
        app.include_router(router)
    describe(app)
    return app
