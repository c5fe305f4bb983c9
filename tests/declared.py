"""What the OpenAPI document says of an answer, held against every answer that a test gets over JSON."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from app.main import create_app
from app.settings import Settings

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

DOCUMENT = create_app(Settings(data=Path("/nonexistent"))).openapi()
PARTS: dict[str, Any] = DOCUMENT["components"]["schemas"]
LONGEST = 50_000  # bytes of an answer that is looked at: longer ones are more of the same numbers


def closed(schema: Any) -> Any:
    """A schema in which no object has a field that it does not declare."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(each) for name, each in schema.items()}
    return found | {"additionalProperties": False} if isinstance(found.get("properties"), dict) else found


@cache
def routes() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Every path as a pattern, plain ones first, with its operations."""
    paths = sorted(DOCUMENT["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), DOCUMENT["paths"][path]) for path in paths]


@cache
def validator(method: str, path: str, status: int) -> Draft202012Validator | None:
    """What holds an answer against its schema; None where none is declared."""
    from jsonschema import Draft202012Validator  # takes two seconds, which every process that collects would spend

    operation = next((each[method] for known, each in routes() if known.fullmatch(path) and method in each), {})
    told = operation.get("responses", {}).get(str(status), {}).get("content", {}).get("application/json")
    return told and Draft202012Validator(closed(told["schema"]) | {"components": {"schemas": closed(PARTS)}})


async def as_declared(response: httpx.Response) -> None:
    """A hook for clients: fails at an answer that is not what the document says, or says more."""
    if response.headers.get("content-type") != "application/json" or not response.is_success:
        return
    if check := validator(response.request.method.lower(), response.request.url.path, response.status_code):
        content = await response.aread()
        found = next(check.iter_errors(json.loads(content)), None) if len(content) < LONGEST else None
        assert found is None, (response.request.url.path, found and (found.json_path, found.message))
