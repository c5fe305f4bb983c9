"""Every failure as one shape: RFC 9457 problem details, with the field and what is allowed, and nothing of the input
but a short ASCII form of it. Which failures there are, and what is said of each, is handed in as a table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from app.serve.problems import OF_STATUS, PATH
from app.serve.root import at

PROBLEM = "application/problem+json"
Words: TypeAlias = str  # a message, as a translation finds it: what the whole app calls so


class Fault(BaseModel):
    """One thing that is wrong: where, the value in short ASCII form, and what is allowed."""

    field: str
    value: str | None = None
    allowed: str


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details; `version` is the run's own where there was a conflict.

    `type` leads to a page that says what it means, and what to do; programs go by it.
    """

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault]
    version: int | None = None


@dataclass(frozen=True)
class Failed:
    """What is said of a failure: `detail` to programs, `page` to people where that is another sentence; `errors` name
    field, value and what is allowed, `more` are members of the problem beside the usual ones. `kind` is its type, empty
    where the status says it all.
    """

    status: int
    detail: str
    kind: str = field(default="", kw_only=True)
    errors: Sequence[Mapping[str, Any]] = ()
    retry_after: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    page: str = ""

    @property
    def sentence(self) -> str:
        """To people: with a capital and a full stop."""
        text = self.page or self.detail
        return text[:1].upper() + text[1:].rstrip(".") + "."

    @property
    def kept(self) -> dict[str, str]:
        """Headers that it has in whatever form it is told."""
        again = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return {"cache-control": "no-store", **self.headers, **again}


Table = Mapping[type[Exception], "Failed | Callable[[Any], Failed]"]
# How a failure is told to people, by what the path begins with; None leaves it to the next that fits.
Pages = Mapping[str, Callable[[Request, Failed], Response | None]]


class Carried(HTTPException):
    """A failure met while a body is read, where FastAPI lets no other kind out."""

    def __init__(self, error: Exception) -> None:
        super().__init__(500)
        self.error = error


def problem(
    status: int,
    detail: str,
    errors: Iterable[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
    kind: str = "",
    **more: Any,
) -> Response:
    """A problem document; `detail` is a sentence for people, `errors` name field, value and what is allowed."""
    body = {
        "type": type_of(kind or OF_STATUS.get(status, "")),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": list(errors),
        **more,
    }
    return Response(orjson.dumps(body), status, {"cache-control": "no-store", **(headers or {})}, PROBLEM)


def type_of(kind: str) -> str:
    """Where a type of problem is explained."""
    return f"{at(PATH)}#{kind}" if kind else "about:blank"


def short(text: str, most: int = 80) -> str:
    """Any text as a short ASCII one."""
    plain = text[: most + 1].encode("ascii", "backslashreplace").decode()
    return plain if len(plain) <= most else plain[: most - 3] + "..."


def fault(name: str, value: str, allowed: str) -> dict[str, str]:
    """One thing that is wrong, of texts that may be anything."""
    return {"field": short(name), "value": short(value), "allowed": short(allowed, 600)}


def invalid(error: RequestValidationError) -> Failed:
    """What does not fit a request's schema, without the input."""
    found = []
    for each in error.errors()[:20]:
        parts = [str(part) for part in each["loc"] if part not in ("body", "query", "path", "header")]
        place = [part for part in parts if not part.startswith("|")]  # the tag of one of several kinds
        one = {"field": short(".".join(place)) or "body", "allowed": short(allowed(each), 200)}
        if each["type"] not in _NO_VALUE and "input" in each:
            one["value"] = _shown(each["input"])
        if one not in found:  # what two parts of a route read, such as a header, is wrong once
            found.append(one)
    return Failed(422, "; ".join(_sentence(one) for one in found[:3]), found)


def _shown(value: Any) -> str:
    """A value as a message repeats it: of a list or an object its kind alone, for it may be long."""
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a very long number"  # Python refuses to print more than 4,300 digits
    if isinstance(value, str):
        return short(ascii(value[:60]), 60)
    return repr(value) if isinstance(value, int | float | None) else type(value).__name__


def allowed(error: Mapping[str, Any]) -> str:
    """What pydantic says of a value that does not fit, in the words of everything else here."""
    if error["type"] == "extra_forbidden":
        return "must be left out: there is no such field"
    if error["type"] == "missing":
        return "must be given"
    if error["type"] == "model_attributes_type":
        return "must be an object, sent as application/json"
    if error["type"] in _WORDS:
        return _WORDS[error["type"]].format(**error.get("ctx", {}))
    message: str = error["msg"]
    return message.removeprefix("Value error, ").replace("Input should be", "must be")


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
    "dict_type": "must be an object",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have {min_length} or more entries",
    "too_long": "must have {max_length} or fewer entries",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must be of the form {pattern}",
}


def _sentence(fault: Mapping[str, str]) -> str:
    value = f"{fault['value']} is not allowed, " if "value" in fault else ""
    return f"{fault['field']}: {value}{fault['allowed']}"


def _http(error: HTTPException) -> Failed:
    unsaid = error.detail == HTTPStatus(error.status_code).phrase  # by the router
    detail = _HTTP_DETAILS.get(error.status_code, error.detail) if unsaid else error.detail
    return Failed(error.status_code, short(str(detail), 300), headers=error.headers or {})


_HTTP_DETAILS: dict[int, Words] = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
}
_HTTP: Table = {RequestValidationError: invalid, HTTPException: _http}


def failed(error: Exception, table: Table) -> Failed:
    """What the table says of a failure, or HTTP itself; the failure itself where neither knows it."""
    inner = error.error if isinstance(error, Carried) else error
    for kind in type(inner).__mro__:
        row = table.get(kind) or _HTTP.get(kind)
        if row is not None:
            return row if isinstance(row, Failed) else row(inner)
    raise inner


def install(app: FastAPI, table: Table, pages: Pages) -> None:
    """Make `app` answer every failure of a table: to people as one of `pages`, else as a problem."""

    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            allow = {"allow": ", ".join(methods_at(request))}
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=allow)
            error = HTTPException(405, headers=allow)
        return answered(request, failed(error, table), pages)

    for kind in (*_HTTP, *table):
        app.add_exception_handler(kind, handle)


def methods_at(request: Request) -> list[str]:
    """Every method that the address of a request takes, of whatever routes; a router names those of one alone."""
    taken = [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]
    return [*(["GET", "HEAD"] if "GET" in taken else []), *(m for m in taken if m != "GET"), "OPTIONS"]


def answered(request: Request, told: Failed, pages: Pages) -> Response:
    """A failure as a page, if it is one that people will see; else as a problem."""
    for begins, page in pages.items():
        if request.url.path.startswith(begins) and (found := page(request, told)) is not None:
            found.headers.update(told.kept)
            return found
    return problem(told.status, told.detail, told.errors, told.kept, told.kind, **told.more)


def read_by_people(request: Request) -> bool:
    """Whether a browser will show the answer as a page, rather than a script read it."""
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and "hx-request" not in request.headers and not request.url.path.startswith("/api/")
