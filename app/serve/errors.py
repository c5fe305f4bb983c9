"""Every failure as one shape: RFC 9457 problem details, with the field and what is allowed, and nothing of the input
but the short ASCII form that the engine makes of it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.draw.rendering import render
from app.failures import Busy, Conflict, KeyReused, RunDamaged, RunNotFound, StoreUnavailable, TooMany
from app.serve.html import html
from engine import SpecError
from engine.checks import short_form

PROBLEM = "application/problem+json"


def problem(
    status: int, detail: str, errors: Iterable[Mapping[str, Any]] = (), retry_after: int | None = None, **more: Any
) -> Response:
    """A problem document; `detail` is a sentence for people, `errors` name field, value and what is allowed."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": list(errors),
        **more,
    }
    headers = {"cache-control": "no-store"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return Response(orjson.dumps(body), status, headers, PROBLEM)


def short(text: str, most: int = 80) -> str:
    """Any text as a short ASCII one."""
    plain = text.encode("ascii", "backslashreplace").decode()
    return plain if len(plain) <= most else plain[: most - 3] + "..."


def spec_problem(error: SpecError) -> Response:
    """What the engine does not allow."""
    field, allowed = short(error.field), short(error.allowed, 600)
    detail = f"{field}: {error.value} is not allowed, must be {allowed}"
    return problem(422, detail, [{"field": field, "value": error.value, "allowed": allowed}])


def invalid(error: RequestValidationError) -> Response:
    """What does not fit a request's schema, without the input."""
    found = []
    for each in error.errors()[:20]:
        place = [str(part) for part in each["loc"] if part not in ("body", "query", "path", "header")]
        fault = {"field": short(".".join(place)) or "body", "allowed": short(_allowed(each), 200)}
        if each["type"] not in _NO_VALUE and "input" in each:
            fault["value"] = short_form(each["input"])
        found.append(fault)
    detail = "; ".join(_sentence(fault) for fault in found[:3])
    return problem(422, detail, found)


def _allowed(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "must be left out: there is no such field"
    if error["type"] == "missing":
        return "must be given"
    if error["type"] == "model_attributes_type":
        return "must be an object, sent as application/json"
    if error["type"] in _WORDS:
        return _WORDS[error["type"]].format(**error.get("ctx", {}))
    message: str = error["msg"]
    return message.replace("Input should be", "must be")


# What has no value, or one that is better not repeated: a field that does not exist may be anything.
_NO_VALUE = ("missing", "extra_forbidden", "model_attributes_type")
_WHOLE, _REAL, _LIST = "must be a whole number", "must be a number", "must be a list"
_WORDS = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _REAL,
    "float_parsing": _REAL,
    "finite_number": _REAL,
    "list_type": _LIST,
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have {min_length} or more entries",
    "too_long": "must have {max_length} or fewer entries",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
}


def _sentence(fault: Mapping[str, str]) -> str:
    value = f"{fault['value']} is not allowed, " if "value" in fault else ""
    return f"{fault['field']}: {value}{fault['allowed']}"


def _http(error: HTTPException) -> Response:
    unsaid = error.detail == HTTPStatus(error.status_code).phrase  # by the router
    detail = _HTTP_DETAILS.get(error.status_code, error.detail) if unsaid else error.detail
    answer = problem(error.status_code, short(str(detail), 300))
    answer.headers.update(error.headers or {})
    return answer


def _absent(error: RunNotFound) -> Response:
    return problem(404, "There is no such run; it may have expired or been deleted.")


def _damaged(error: RunDamaged) -> Response:
    return problem(410, "This run's stored bytes were damaged and cannot be trusted. Its link starts it anew.")


def _conflict(error: Conflict) -> Response:
    detail = f"The run has moved on to version {error.version}: read it again, then repeat what still makes sense."
    return problem(409, detail, version=error.version)


def _reused(error: KeyReused) -> Response:
    errors = [{"field": "Idempotency-Key", "allowed": "must be a new one for each different request"}]
    return problem(422, "This Idempotency-Key was used for another request.", errors)


def _many(error: TooMany) -> Response:
    return problem(429, f"Over a limit: {error.reason}.", retry_after=error.retry_after)


def _busy(error: Busy) -> Response:
    return problem(error.status, f"Not now: {error.reason}.", retry_after=error.retry_after)


def _unavailable(error: StoreUnavailable) -> Response:
    detail = f"Not now: {error.reason}. Nothing was changed; try again shortly."
    return problem(503, detail, retry_after=error.retry_after)


ANSWERS: dict[type[Exception], Callable[[Any], Response]] = {
    SpecError: spec_problem,
    RequestValidationError: invalid,
    HTTPException: _http,
    RunNotFound: _absent,
    RunDamaged: _damaged,
    Conflict: _conflict,
    KeyReused: _reused,
    TooMany: _many,
    Busy: _busy,
    StoreUnavailable: _unavailable,
}


def install(app: FastAPI) -> None:
    """Make `app` answer every failure as a problem."""
    for kind, answer in ANSWERS.items():
        app.add_exception_handler(kind, _handler(answer))


def _handler(answer: Callable[[Any], Response]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        told = answer(error)
        return _page(request, told) if _read_by_people(request) else told

    return handle


def _read_by_people(request: Request) -> bool:
    """Whether a browser will show the answer as a page, rather than a script read it."""
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and "hx-request" not in request.headers and not request.url.path.startswith("/api/")


def _page(request: Request, told: Response) -> Response:
    """A problem as a page that leads on."""
    about = orjson.loads(told.body)
    title = _TITLES.get(told.status_code, "That did not work")
    page = html(request, render("sorry.html", title=title, detail=about["detail"]), told.status_code)
    kept = {name: value for name, value in told.headers.items() if name in ("retry-after", "allow")}
    page.headers.update(kept | {"cache-control": "no-store"})
    return page


_TITLES = {404: "Nothing here", 410: "This run is gone", 429: "Too much at once", 503: "Not now"}
_HTTP_DETAILS = {404: "There is nothing at this address.", 405: "This address does not take that method."}
