"""Routes that come to the same when they are asked twice, and with an idempotency key are done once all the same.

What PUT or DELETE asks for may have been changed by somebody else by the time that a client asks again, for it never
heard the answer; with a key it is told that answer, and nothing is done. The answer is kept for an hour, beside the
runs. A request that makes something has its key in what it makes, too, so that it makes one even if it comes twice at
once.
"""

from contextlib import suppress
from hashlib import sha256
from re import compile
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from app.failures import KeyReused, StoreFull, StoreUnavailable
from app.serve.cookies import visitor_again
from app.serve.strict import StrictRoute
from app.stores import Store

SECONDS = 3_600.0
KEPT_HEADERS = ("content-type", "etag", "location")
KEY = r"^[\x21-\x7e]+$"
_KEY = compile(KEY)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=KEY,
        description="The same key again is the same request: it is not carried out twice.",
    ),
]


async def keyed(key: Key = None) -> None:
    """What a route depends on that answers a key by `KeyedRoute`."""


ONCE = [Depends(keyed)]


class KeyedRoute(StrictRoute):
    """A route whose successful answers are remembered under the request's key, if it depends on `keyed`."""

    def get_route_handler(self) -> Any:
        """The handler, asked only if the key is new."""
        handler = super().get_route_handler()
        if not any(each.dependency is keyed for each in self.dependencies):
            return handler

        async def once(request: Request) -> Response:
            key = request.headers.get("idempotency-key", "")
            if not (_KEY.fullmatch(key) and len(key) <= 64):  # none, or one that the route itself refuses
                return await handler(request)  # type: ignore[no-any-return]
            if request.method == "POST" and not any(_who(request)):  # anybody's key: it must not tell of another's
                return await handler(request)  # type: ignore[no-any-return]
            body, store = await request.body(), request.app.state.store
            name, asked = _name(request, key), sha256(body + request.url.query.encode()).hexdigest()
            if told := await _told(store, name, asked):
                return told

            async def receive() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            answer: Response = await handler(Request(request.scope, receive))
            if answer.status_code < 300:
                await _keep(store, name, asked, answer)
            return answer

        return once


def _name(request: Request, key: str) -> str:
    """Where the answer is kept: by who asks and what they ask for, so that nobody is told another's."""
    asked = "\n".join((*_who(request), request.method, request.scope["path"], key))
    return f"once:{sha256(asked.encode()).hexdigest()[:40]}"


def _who(request: Request) -> tuple[str, str]:
    return request.headers.get("authorization", ""), visitor_again(request)


async def _told(store: Store, name: str, asked: str) -> Response | None:
    """The answer of the first time; KeyReused if that was another request."""
    record = await store.get(name)
    if record is None:
        return None
    head, _, body = record.value.partition(b"\n")
    about = orjson.loads(head)
    if about["asked"] != asked:
        raise KeyReused
    return Response(body, about["status"], {**about["headers"], "idempotent-replayed": "true"})


async def _keep(store: Store, name: str, asked: str, answer: Response) -> None:
    """Remember an answer. What was done is done where that cannot be: asked again, it comes to the same."""
    headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    head = orjson.dumps({"asked": asked, "status": answer.status_code, "headers": headers})
    with suppress(StoreFull, StoreUnavailable):
        await store.put(name, head + b"\n" + bytes(answer.body), seconds=SECONDS)
