"""The FastAPI application; `create_app` is all that others need of this room."""

import contextlib
from collections.abc import AsyncGenerator

from fastapi import FastAPI

from services.api import health, ledger, live, observations, status
from services.parts import ServicesParts
from services.problems import answer_problems
from services.running import Services

__all__ = ["create_app"]

ROUTERS = (health.router, status.router, ledger.router, observations.router, live.router)


def create_app(parts: ServicesParts) -> FastAPI:
    """Make the application; it works while its lifespan does, and closes none of its parts."""
    services = Services(parts)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with services.running():
            yield

    app = FastAPI(
        title="madina",
        version=parts.version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    answer_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
