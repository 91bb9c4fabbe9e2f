"""The description of the API is current, and the API does what it says, whatever is sent."""

# Schemathesis leaves its type parameters open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeArgument=false, reportArgumentType=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.app import api_description

if TYPE_CHECKING:
    from conftest import City

OPENAPI = Path(__file__).parents[2] / "docs" / "openapi.json"
# A stream that does not end; and 503 is what a platform without a gateway has to answer.
LEFT_OUT = {"/v1/live", "/readyz"}
EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_the_description_in_the_documentation_is_current() -> None:
    written = msgspec.json.decode(OPENAPI.read_bytes(), type=dict[str, Any])
    assert written == api_description(importlib.metadata.version("madina")), "run make docs"


def test_every_call_that_changes_something_needs_a_key() -> None:
    for path, calls in api_description("0")["paths"].items():
        for method, call in calls.items():
            assert method == "get" or "security" in call, f"{method} {path}"


@pytest.mark.live
@pytest.mark.property
@pytest.mark.timeout(300)
def test_whatever_is_sent_is_answered_as_described(city: City) -> None:
    schema = schemathesis.openapi.from_dict(api_description("0"))
    key = city.admin.headers["authorization"]
    looked_at = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in LEFT_OUT:
            continue
        looked_at += 1

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def answers(case: schemathesis.Case) -> None:
            case.call_and_validate(
                base_url=city.address, headers={"Authorization": key}, checks=CHECKS
            )

        answers()
    assert looked_at > 30
    assert city.api.get("/healthz").json()["healthy"]
