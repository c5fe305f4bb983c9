"""The OpenAPI document: FastAPI's own, with every failure as a problem document and the examples that the tests run."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.serve.cookies import VISITOR
from app.serve.errors import PROBLEM, ProblemAnswer
from app.serve.root import at

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


_STALE = "The run is not what If-Match names; `version` is the one it is at."
_SCHEMES = {
    "visitor": {
        "type": "apiKey",
        "in": "cookie",
        "name": VISITOR,
        "description": "Whose runs are listed, and who joined a class. Set by the first answer; nobody logs in.",
    },
    "teacher": {
        "type": "http",
        "scheme": "bearer",
        "description": "The secret that opening a room answers with: it makes a teacher.",
    },
}
# Nothing needs a cookie: a visitor without one gets one. The teacher's part of rooms needs the secret.
_ANYBODY: list[dict[str, list[str]]] = [{"visitor": []}, {}]
_TEACHERS: list[dict[str, list[str]]] = [{"teacher": []}, *_ANYBODY]


def install(app: FastAPI, tags: Mapping[str, str], taught: str) -> None:
    """Make `app` describe itself with all that it may answer: its tags, and the one whose routes a teacher may open."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _with_problems(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    openapi_version="3.1.0",
                    description=app.description,
                    license_info={"name": "MIT", "identifier": "MIT"},
                    servers=[{"url": at("") or "/"}],
                    tags=[{"name": name, "description": text} for name, text in tags.items()],
                    routes=app.routes,
                ),
                taught,
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _with_problems(document: dict[str, Any], taught: str) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    own = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= own.pop("$defs") | {"Problem": own}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["responses"] = _responses(path, method, operation)
            operation["security"] = _TEACHERS if taught in operation["tags"] else _ANYBODY
    document["components"]["securitySchemes"] = _SCHEMES
    return document


def _responses(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """The answers of one operation: its own, and the failures that it may meet."""
    asked = {each["name"] for each in operation.get("parameters", ())}
    failures = dict(_EVERYWHERE)
    if method == "get":
        del failures["403"]
    if "{" in path or method != "get":
        failures |= {"404": _ABSENT, "410": _DAMAGED}
    if "{" in path and method != "get":
        failures["409"] = _CONFLICT
    if "If-Match" in asked:
        failures["412"] = _STALE
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {code: {"description": text, "content": content} for code, text in failures.items()}
    own = {code: answer for code, answer in operation["responses"].items() if code[0] in "23"}
    return own | dict(sorted(problems.items()))
