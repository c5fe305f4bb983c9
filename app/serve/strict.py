"""JSON as it should be: decoded strictly, so that nothing ambiguous, endless or unprintable comes further than this."""

from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.costs import decode_cost
from app.failures import Busy
from app.pool import HEAVY_SECONDS
from app.serve.security import visitor_of


class BadJson(HTTPException):
    """A body that is not JSON as it should be; the reason quotes nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, f"The body is not JSON that can be read: {reason}.")


def decode(body: bytes, depth: int = 16) -> Any:
    """The value of a JSON text in UTF-8; BadJson for NaN, lone surrogates, a field named twice, or deep nesting.

    orjson refuses all of that but a field named twice, whose first value it drops: then there are fewer strings in the
    value than in the text.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        found = error.doc[error.pos :][:4] if error.doc else ""
        if found.lstrip("-")[:3] in ("NaN", "Inf"):
            raise BadJson("NaN and Infinity are not JSON numbers") from None
        raise BadJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    escaped = body.replace(b"\\\\", b"").count(b'\\"') if b"\\" in body else 0
    if 2 * _strings(value, depth) != body.count(b'"') - escaped:
        raise BadJson("an object names one field twice")
    return value


def _strings(value: Any, depth: int) -> int:
    """How many strings there are in a value, names of fields included; BadJson if it nests deeper than `depth`."""
    level: list[Any] = [[value]]
    count = 0
    for _ in range(depth + 1):
        inner: list[Any] = []
        for each in level:
            count += len(each) if isinstance(each, dict) else 0
            items = each.values() if isinstance(each, dict) else each
            if not _PLAIN.issuperset(map(type, items)):
                count += sum(isinstance(item, str) for item in items)
                inner += [item for item in items if isinstance(item, dict | list)]
        if not inner:
            return count
        level = inner
    raise BadJson(f"it is nested deeper than {depth} levels")


_PLAIN = frozenset((int, float, bool, type(None)))


class StrictRequest(Request):
    """A request whose `json()` is strict."""

    async def json(self) -> Any:
        """The decoded body."""
        if not hasattr(self, "_json"):
            body, depth = await self.body(), self.app.state.settings.json_depth
            heavy = decode_cost(len(body)) >= HEAVY_SECONDS
            self._json = await self._in_thread(body, depth) if heavy else decode(body, depth)
        return self._json

    async def _in_thread(self, body: bytes, depth: int) -> Any:
        pool = self.app.state.runs.pool
        try:
            return await pool.do(decode_cost(len(body)), visitor_of(self), lambda: decode(body, depth))
        except Busy as error:  # FastAPI lets no other kind of failure out of here
            headers = {"retry-after": str(error.retry_after)}
            raise HTTPException(error.status, f"Not now: {error.reason}.", headers) from None


class StrictRoute(APIRoute):
    """A route whose JSON is decoded strictly: the `route_class` of every router that takes JSON."""

    def get_route_handler(self) -> Any:
        """The handler, given a request of our own kind."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            answer: Response = await handler(StrictRequest(request.scope, request.receive))
            return answer

        return strict
