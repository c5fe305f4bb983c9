"""Our cookies: under which name, and of which form.

Behind TLS a name begins with `__Host-` (`__Secure-` where the app has a path of its own), so that no other host of the
domain can set it. A cookie that was set under the plain name is still read, and set anew under this one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import sha256
from re import IGNORECASE, compile
from secrets import token_urlsafe

from starlette.requests import HTTPConnection
from starlette.types import Scope

from app.serve.given import Serving
from app.serve.root import at

VISITOR = "visitor"
_YEAR = 365 * 86_400
_FRESH = "playground.visitor"  # in a scope: the token that the answer will set
_RANDOM = compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", IGNORECASE)  # a UUID 4


def name_of(plain: str, secure: bool, path: str) -> str:
    """The full name of a cookie."""
    return plain if not secure else f"__Host-{plain}" if path == "/" else f"__Secure-{plain}"


def _path() -> str:
    """Where the app is: every cookie of ours is for all of it."""
    return at("") or "/"


def read(request: HTTPConnection, plain: str) -> str:
    """A cookie's value, or an empty text."""
    name = name_of(plain, _settings(request).secure_cookies, _path())
    return request.cookies.get(name) or request.cookies.get(plain, "")


def written(request: HTTPConnection, plain: str, value: str, seconds: int) -> str:
    """A cookie as a header's text."""
    return _written(_settings(request).secure_cookies, plain, value, seconds)


def visitor_of(request: HTTPConnection) -> str:
    """The visitor's token: from the cookie, or a new one that the answer will set."""
    token = known_visitor(request)
    name = name_of(VISITOR, _settings(request).secure_cookies, _path())
    if not token or token != request.cookies.get(name):
        fresh: str = request.scope.setdefault(_FRESH, token or _drawn_from_key(request) or token_urlsafe(32))
        return fresh
    return token


def visitor_again(request: HTTPConnection) -> str:
    """The visitor's token, if the same request sent again has the same; else an empty text."""
    return visitor_of(request) if known_visitor(request) or _drawn_from_key(request) else ""


def _drawn_from_key(request: HTTPConnection) -> str | None:
    """The token of whoever has no cookie and sends an idempotency key that nobody else can guess, a random UUID: asking
    again, for the first answer with its cookie never came, they are the same visitor."""
    key = request.headers.get("idempotency-key", "")
    if not _RANDOM.fullmatch(key):
        return None
    return urlsafe_b64encode(sha256(f"visitor {key}".encode()).digest()).decode().rstrip("=")


def known_visitor(request: HTTPConnection) -> str | None:
    """The token of a visitor who has one."""
    return token_in(read(request, VISITOR))


def token_in(text: str) -> str | None:
    """The text if it is a token of ours: 32 bytes in their one spelling."""
    try:
        raw = urlsafe_b64decode(text + "=") if len(text) == 43 and text.isascii() else b""
    except (Error, ValueError):
        return None
    return text if len(raw) == 32 and urlsafe_b64encode(raw).decode().rstrip("=") == text else None


def set_by(scope: Scope, secure: bool) -> list[tuple[bytes, bytes]]:
    """The headers that give a visitor the token that was made for this request, or read under the plain name."""
    token = scope.get(_FRESH)
    if not token:
        return []
    return [(b"set-cookie", _written(secure, VISITOR, token, _YEAR).encode())]


def _written(secure: bool, plain: str, value: str, seconds: int) -> str:
    path = _path()
    name, only = name_of(plain, secure, path), "; Secure" if secure else ""
    return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{only}"


def _settings(request: HTTPConnection) -> Serving:
    settings: Serving = request.app.state.settings
    return settings
