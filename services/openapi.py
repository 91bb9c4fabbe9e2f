"""The description of the API for programs: OpenAPI, completed by what FastAPI cannot know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from services.problems import Problem

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["describe"]

WORDS = (
    "Everything that the page and the command line show and do. Rules for all of it: docs/api.md."
)


def describe(app: FastAPI) -> None:
    """Give an application its description, made when it is first asked for."""

    def made() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=WORDS, routes=app.routes
            )
            schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = made
