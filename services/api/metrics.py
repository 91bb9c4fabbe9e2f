"""`GET /metrics`: the platform's numbers for Prometheus."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from services.authority import Running
from services.metrics import metrics_text

__all__ = ["read_metrics", "router"]

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainTextResponse)
async def read_metrics(running: Running) -> Response:
    """Return every number in Prometheus' text format."""
    return Response(metrics_text(running), media_type=CONTENT_TYPE_LATEST)
