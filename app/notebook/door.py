"""The way into a playground that a kernel serves: one path that nobody else knows, one visitor, frames allowed.

A port of 127.0.0.1 is open to everybody on the machine, and on a course's server that is the course. So all addresses
lie under a path that is drawn at random; what asks for any other finds nothing. Browsers send no cookie of ours into a
frame of another site, so it is put in here.
"""

from secrets import compare_digest, token_urlsafe
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.serve.cookies import VISITOR
from app.serve.security import FRAMED_HEADERS, HEADERS

SECRET = "/" + token_urlsafe(24)  # of this kernel: the root path of the app is one for a process


class Door:
    """The app behind its path. `address` is the page's address on the screen, as its answers told it; `plays` says
    that steps were taken since which it does not name."""

    def __init__(self, app: ASGIApp, visitor: str, address: str = "") -> None:
        self.app, self.visitor, self.address, self.plays = app, visitor, address, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in that knows the way."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if not compare_digest(path[: len(SECRET) + 1].encode(), f"{SECRET}/".encode()):
            await PlainTextResponse("There is nothing here.", 404)(scope, receive, send)
            return
        others = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
        scope = {**scope, "headers": [*others, (b"cookie", f"{VISITOR}={self.visitor}".encode())]}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                self._seen(scope, message["status"], dict(headers))
                message = {**message, "headers": _framed(headers)}
            await send(message)

        await self.app(scope, receive, answer)

    def _seen(self, scope: Scope, status: int, headers: dict[bytes, bytes]) -> None:
        """Remember what an answer puts on the screen."""
        path, told = scope["path"].removeprefix(SECRET), headers.get(b"hx-replace-url")
        if status >= 400:
            return
        if told:
            self.address, self.plays = urlsplit(told.decode()).query, False
        elif scope["method"] == "GET" and path == "/":
            self.address, self.plays = scope["query_string"].decode(), False
        elif scope["method"] == "POST" and path.startswith("/runs"):
            self.plays = True


def _framed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What a page says of itself, without that it may not stand in a frame."""
    strict = [pair for pair in HEADERS if pair not in FRAMED_HEADERS]
    stays = [pair for pair in headers if pair not in strict]
    names = {name for name, _ in stays}
    return stays + [pair for pair in FRAMED_HEADERS if pair[0] not in names]
