"""What stands between the network and the app: headers on every answer, the cross-site rule, the limit on bodies."""

import logging
import re
from asyncio import CancelledError
from secrets import token_urlsafe
from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.serve.addresses import Hosts
from app.serve.cookies import known_visitor, set_by, visitor_of
from app.serve.errors import problem
from app.serve.given import Serving
from app.serve.limits import CALLER, address_of
from app.serve.root import at, within

log = logging.getLogger("playground")

_OURS = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors "
)
# The paths that may stand in a frame, on anybody's page, failures included.
FRAMED, FRAMED_GRAPH = "/embed", "/embed/graph"
CSP, FRAMED_CSP = _OURS + "'none'", _OURS + "* file:"  # * alone leaves out slides opened from a disk
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
HEADERS = [(b"content-security-policy", CSP.encode()), *_ALWAYS, (b"x-frame-options", b"DENY")]
FRAMED_HEADERS = [(b"content-security-policy", FRAMED_CSP.encode()), *_ALWAYS]
STATIC_HEADERS = _ALWAYS[:1]  # a file is under the policy of the page that loads it, and there are a dozen to a page
CLOSE = {"connection": "close"}
_SAFE = ("GET", "HEAD", "OPTIONS")


async def visitor(request: Request) -> str:
    """The visitor's token. A dependency, async because FastAPI sends others to a thread."""
    return visitor_of(request)


def cross_site(method: str, scheme: str, headers: dict[bytes, bytes], allowed: tuple[str, ...]) -> bool:
    """Whether a request would change something here on behalf of another site.

    Browsers say so in Sec-Fetch-Site, older ones and those on plain http in Origin; scripts send neither.
    """
    if method in _SAFE:
        return False
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin and origin in allowed:
        return False
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    if not origin:
        return False
    return origin != f"{scheme}://{headers.get(b'host', b'').decode('latin-1')}"


_ID = re.compile(rb"[\w.:+/=-]{1,100}", re.ASCII)
UPLOADS = ("/runs", "/data", "/data/runs")


class TooLarge(HTTPException):
    """A body over the limit."""

    def __init__(self, most: int) -> None:
        super().__init__(413, f"The body is larger than the {most:,} bytes that are allowed.", CLOSE)


class Guard:
    """The outermost layer of the app: nothing is answered without its headers, whatever happens inside."""

    def __init__(self, app: ASGIApp, settings: Serving) -> None:
        self.app, self.settings, self.hosts = app, settings, Hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = {**scope, "path": within(scope["path"])}
        CALLER.set(address_of(scope))
        bare = scope["method"] == "HEAD"
        if bare and not scope["path"].endswith("/stream"):
            scope = {**scope, "method": "GET"}  # answered alike, without the body
        answer = _Answer(scope, send, self.settings, bare)
        try:
            app = await self._refusal(scope) or self.app
            await app(scope, self._bounded(receive, self._most(scope)), answer.send)
        except CancelledError:  # by the server, which leaves without waiting for it
            if answer.started or not scope["app"].state.stopping.is_set():
                raise
            detail = "The server is being stopped: it is not known whether this was still done."
            await problem(503, detail, headers={"retry-after": "5"})(scope, receive, answer.send)
        except Exception:
            log.exception("request %s failed", answer.id)
            if answer.started:
                raise
            detail = f"Something here went wrong; it was noted as {answer.id}."
            await problem(500, detail)(scope, receive, answer.send)
        finally:
            scope["app"].state.telemetry.note(scope, answer.id, answer.status, perf_counter() - answer.began)

    async def _refusal(self, scope: Scope) -> ASGIApp | None:
        """Why this request is not even looked at, as an answer; None if it is."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or (not hosts and scope["http_version"] == "1.1"):
            return problem(400, "A request names its host once.", headers=CLOSE)
        if not self.hosts.welcome(headers.get(b"host", b"").decode("latin-1")):
            return problem(400, self.hosts.refusal, headers=CLOSE)
        if cross_site(scope["method"], scope["scheme"], headers, self.settings.allowed_origins):
            return problem(403, "Refused: this request comes from another site.")
        if _length(headers) > (most := self._most(scope)):
            return _too_large(most)
        if scope["path"] == at("") and scope["method"] in _SAFE:
            return RedirectResponse(at("/"), 308)
        if seconds := scope["app"].state.limiter.wait(scope, known_visitor(HTTPConnection(scope))):
            return problem(429, "Too many requests a second.", headers={"retry-after": str(seconds)})
        return None

    def _most(self, scope: Scope) -> int:
        """Bytes that a body may have: more where somebody brings a table."""
        return self.settings.upload_bytes if scope["path"] in UPLOADS else self.settings.body_bytes

    def _bounded(self, receive: Receive, most: int) -> Receive:
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise TooLarge(most)
            return message

        return bounded


def _too_large(most: int) -> ASGIApp:
    error = TooLarge(most)
    return problem(413, error.detail, headers=CLOSE)


def _length(headers: dict[bytes, bytes]) -> int:
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() and len(text) < 20 else 0


def _id_of(scope: Scope) -> str:
    """The id that a proxy or a client gave the request, if it can stand in a log; else a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _ID.fullmatch(given) else token_urlsafe(9)


class _Answer:
    """What is sent back: the app's own answer with our headers, and the visitor's cookie if there is a new one."""

    def __init__(self, scope: Scope, send: Send, settings: Serving, bare: bool) -> None:
        self.scope, self._send, self.settings, self.bare = scope, send, settings, bare
        self.id, self.began, self.started, self.status = _id_of(scope), perf_counter(), False, 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            present = {name for name, _ in message["headers"]}
            added = [pair for pair in self._ours() if pair[0] not in present]
            if b"cache-control" not in present:
                added.append((b"cache-control", b"no-store"))
            fresh = set_by(self.scope, self.settings.secure_cookies)
            message["headers"] = [*message["headers"], *added, *fresh]
        elif self.bare and "body" in message:
            message = {**message, "body": b""}
        await self._send(message)

    def _ours(self) -> list[tuple[bytes, bytes]]:
        path = self.scope["path"]
        if path.startswith("/static/") and self.status == 200:
            return STATIC_HEADERS
        return [*(FRAMED_HEADERS if path in (FRAMED, FRAMED_GRAPH) else HEADERS), (b"x-request-id", self.id.encode())]
