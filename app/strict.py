"""JSON as it should be: decoded strictly, so that nothing ambiguous, endless or unprintable comes further than this."""

import json
from typing import Any, NoReturn

import orjson
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


class BadJson(HTTPException):
    """A body that is not JSON as it should be; the reason quotes nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, f"The body is not JSON that can be read: {reason}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson("an object names one field twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise BadJson("NaN and Infinity are not JSON numbers")


def decode(body: bytes, depth: int = 16) -> Any:
    """The value of a JSON text in UTF-8; BadJson for NaN, lone surrogates, a field named twice, or deep nesting."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
        if b"\\u" in body:
            orjson.loads(body)  # refuses what json accepts: half of a surrogate pair, which no answer could repeat
    except UnicodeDecodeError:
        raise BadJson("it is not UTF-8") from None
    except RecursionError:
        raise BadJson(f"it is nested deeper than {depth} levels") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"line {error.lineno}, column {error.colno}") from None
    except ValueError:
        raise BadJson("a number is too long, or a string holds half a character") from None
    if _deeper(value, depth):
        raise BadJson(f"it is nested deeper than {depth} levels")
    return value


def _deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects nest more than `depth` levels; looks at containers alone, level by level."""
    level = [value]
    for _ in range(depth + 1):
        nested: list[Any] = []
        for each in level:
            inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
            nested += [item for item in inner if isinstance(item, dict | list)]
        if not nested:
            return False
        level = nested
    return True


class StrictRequest(Request):
    """A request whose `json()` is strict."""

    async def json(self) -> Any:
        """The decoded body."""
        if not hasattr(self, "_json"):
            settings = self.app.state.settings
            self._json = decode(await self.body(), settings.json_depth)
        return self._json


class StrictRoute(APIRoute):
    """A route whose JSON is decoded strictly: the `route_class` of every router that takes JSON."""

    def get_route_handler(self) -> Any:
        """The handler, given a request of our own kind."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            answer: Response = await handler(StrictRequest(request.scope, request.receive))
            return answer

        return strict
