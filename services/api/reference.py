"""`GET /docs`: the description of the API for people, one plain page made of `/openapi.json`."""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

__all__ = ["read_reference", "reference_page", "router"]

router = APIRouter(include_in_schema=False)

# Nothing is loaded, and no program runs.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = (
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
    "body{max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h2{margin-top:2.5rem}h3{font:600 1rem ui-monospace,monospace;margin:1.5rem 0 .25rem}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.15rem .75rem .15rem 0;"
    "vertical-align:top}code{font:.9em ui-monospace,monospace}p{margin:.25rem 0}"
)


@router.get("/docs", response_class=HTMLResponse)
async def read_reference(request: Request) -> Response:
    """Return the page."""
    page = reference_page(request.app.openapi())
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


def reference_page(schema: dict[str, Any]) -> str:
    """Write a description as one page of HTML."""
    title = f"{escape(schema['info']['title'])} {escape(schema['info']['version'])}: the API"
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
        f"<style>{STYLE}</style><h1>{title}</h1>",
        f"<p>{escape(schema['info']['description'])}</p>",
        '<p>For programs: <a href="/openapi.json">/openapi.json</a>.</p>',
    ]
    for tag, operations in _by_tag(schema).items():
        parts.append(f"<h2>{escape(tag)}</h2>")
        parts += [_operation(method, path, each) for method, path, each in operations]
    return "".join(parts)


def _by_tag(schema: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append((method, path, operation))
    return found


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    key = " (needs a key)" if "security" in operation else ""
    rows = "".join(_rows(operation))
    return (
        f"<h3>{method.upper()} {escape(path)}</h3>"
        f"<p>{escape(operation.get('description', ''))}{key}</p><table>{rows}</table>"
    )


def _rows(operation: dict[str, Any]) -> Iterator[str]:
    for each in operation.get("parameters", ()):
        need = "needed" if each.get("required") else ""
        words = each.get("description") or each["schema"].get("description", "")
        yield _row(f"{each['in']} <code>{escape(each['name'])}</code>", need, words)
    content = operation.get("requestBody", {}).get("content", {})
    for each in content.values():
        yield _row("body", "needed", _name(each["schema"]))
    for status, response in operation["responses"].items():
        for media, each in response.get("content", {}).items():
            yield _row(f"answer {status}", media, _name(each.get("schema", {})))


def _row(*cells: str) -> str:
    first, *rest = cells
    return f"<tr><td>{first}</td>" + "".join(f"<td>{escape(each)}</td>" for each in rest) + "</tr>"


def _name(schema: dict[str, Any]) -> str:
    """Return what a schema is called."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    either = [_name(each) for each in schema.get("anyOf", ())]
    return " or ".join(either) if either else str(schema.get("type", ""))
