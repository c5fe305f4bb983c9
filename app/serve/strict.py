"""JSON as it should be: decoded strictly, so that nothing ambiguous, endless or unprintable comes further than this."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from json import JSONDecoder
from typing import Any

import orjson
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.serve.cookies import visitor_of
from app.serve.errors import Carried

LARGE = 64 << 10  # bytes from which a body is decoded aside, where it holds up nobody


class BadJson(HTTPException):
    """A body that is not JSON as it should be; the reason quotes nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, f"The body is not JSON that can be read: {reason}.")


def decode(body: bytes, depth: int = 16) -> Any:
    """The value of a JSON text in UTF-8; BadJson for NaN, lone surrogates, a field named twice, or deep nesting.

    orjson refuses all of that but a field named twice, whose first value it drops. The standard library's reader, which
    tells of every field, looks for these; in a large text, which is numbers, it would hold the others up for too long.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        found = error.doc[error.pos :][:4] if error.doc else ""
        if found.lstrip("-")[:3] in ("NaN", "Inf"):
            raise BadJson("NaN and Infinity are not JSON numbers") from None
        raise BadJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    _bounded(value, depth)
    if len(body) < LARGE and body.count(b":") > 1:
        _FIELDS.decode(body.decode())
    return value


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise BadJson("an object names one field twice")


_FIELDS = JSONDecoder(object_pairs_hook=_once, parse_int=float)


def _bounded(value: Any, depth: int) -> None:
    """BadJson if a value nests deeper than `depth`."""
    level: list[Any] = [[value]]
    for _ in range(depth + 1):
        inner: list[Any] = []
        for each in level:
            items = each.values() if isinstance(each, dict) else each
            if not _PLAIN.issuperset(map(type, items)):
                inner += [item for item in items if isinstance(item, dict | list)]
        if not inner:
            return
        level = inner
    raise BadJson(f"it is nested deeper than {depth} levels")


_PLAIN = frozenset((int, float, bool, str, type(None)))


class StrictRequest(Request):
    """A request whose `json()` is strict."""

    async def json(self) -> Any:
        """The decoded body."""
        if not hasattr(self, "_json"):
            body, depth = await self.body(), self.app.state.settings.json_depth
            self._json = decode(body, depth) if len(body) < LARGE else await self._aside(body, depth)
        return self._json

    async def _aside(self, body: bytes, depth: int) -> Any:
        try:
            return await self.app.state.aside(len(body), visitor_of(self), partial(decode, body, depth))
        except HTTPException:
            raise
        except Exception as error:
            raise Carried(error) from error


class StrictRoute(APIRoute):
    """A route whose JSON is decoded strictly, and whose query holds what it knows: the `route_class` of every router
    that takes JSON.

    `lenient` of the app's state names older routes, which let an unknown parameter pass and say so in a Warning.
    """

    def get_route_handler(self) -> Any:
        """The handler, given a request of our own kind."""
        handler = super().get_route_handler()
        known = set(_parameters(self.dependant))

        async def strict(request: Request) -> Response:
            unknown = () if not self.include_in_schema else set(request.query_params) - known
            if unknown and self.name not in request.app.state.lenient:
                raise RequestValidationError([_stranger(name) for name in sorted(unknown)])
            answer: Response = await handler(StrictRequest(request.scope, request.receive))
            if unknown:
                answer.headers["warning"] = _warning(sorted(unknown))
            return answer

        return strict


def _parameters(of: Dependant) -> Iterator[str]:
    """The query parameters that a route or anything it depends on reads."""
    yield from (each.alias for each in of.query_params)
    for each in of.dependencies:
        yield from _parameters(each)


def _stranger(name: str) -> dict[str, Any]:
    return {"type": "extra_forbidden", "loc": ("query", name), "msg": ""}


def _warning(unknown: Iterable[str]) -> str:
    """RFC 9111's Warning about parameters that were ignored; names that could not stand in a header are left out."""
    named = ", ".join(name for name in unknown if re.fullmatch(r"[\w.-]{1,40}", name, re.ASCII))
    return f'299 - "Ignored, and refused from 1.0 on: there is no such query parameter here: {named or "as was sent"}"'
