"""The OpenAPI document: FastAPI's own, with every failure as a problem document and the examples that the tests run."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.serve.errors import PROBLEM, Problem

_EVERYWHERE = {
    "400": "The body is not JSON that can be read.",
    "403": "The request comes from another site.",
    "413": "The body is larger than is allowed.",
    "422": "A field or a value is not allowed; `errors` says which and what is.",
    "429": "Too many requests, runs or computations of one visitor; Retry-After says when to come again.",
    "503": "The store or the processor is busy; nothing was changed, and Retry-After says when to come again.",
}
_ABSENT = "There is no such run, room or thing."
_DAMAGED = "The run's stored bytes were damaged."
_CONFLICT = "It has changed in between; `version`, where there is one, says to which version."


def install(app: FastAPI) -> None:
    """Make `app` describe itself with all that it may answer."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _with_problems(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    openapi_version="3.1.0",
                    description=app.description,
                    routes=app.routes,
                )
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    own = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= own.pop("$defs") | {"Problem": own}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["responses"] = _responses(path, method, operation["responses"])
    return document


def _responses(path: str, method: str, own: dict[str, Any]) -> dict[str, Any]:
    """The answers of one operation: its own, and the failures that it may meet."""
    failures = dict(_EVERYWHERE)
    if method == "get":
        del failures["403"]
    if "{" in path or method != "get":
        failures |= {"404": _ABSENT, "410": _DAMAGED}
    if "{" in path and method != "get":
        failures["409"] = _CONFLICT
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {code: {"description": text, "content": content} for code, text in failures.items()}
    return {code: answer for code, answer in own.items() if code[0] == "2"} | dict(sorted(problems.items()))
