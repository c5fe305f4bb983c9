"""HTML answers, compressed where the browser takes it, and static files with addresses that change when they do."""

import re
from collections.abc import Mapping
from functools import lru_cache
from gzip import compress
from mimetypes import guess_type

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from app.assets import STATIC
from app.draw.rendering import static_version

router = APIRouter()
WORTH = 1_000  # bytes from which compressing saves more than it costs
_COMMENTS = {".js": re.compile(rb"^ *//.*\n", re.M), ".css": re.compile(rb"\s*/\*.*?\*/", re.S)}
FOR_EVER = "public, max-age=31536000, immutable"


def html(
    request: Request, text: str, status: int = 200, headers: Mapping[str, str] | None = None, level: int = 6
) -> Response:
    """A page or fragment, compressed; which of both depends on htmx's header, so no cache may mix them up."""
    body, extra = text.encode(), {"Vary": "HX-Request, Accept-Encoding", **(headers or {})}
    if len(body) >= WORTH and takes_gzip(request):
        body, extra["Content-Encoding"] = compress(body, level, mtime=0), "gzip"
    return Response(body, status, extra, "text/html; charset=utf-8")


def takes_gzip(request: Request) -> bool:
    """Whether the browser reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


@router.get("/static/{version}/{path:path}", include_in_schema=False)
async def static(request: Request, version: str, path: str) -> Response:
    """A static file under the version it had when the page was made; another version is not for keeping."""
    plain, packed, kind = _file(path if version == static_version() else f"{version}/{path}")
    headers = {"Vary": "Accept-Encoding", "Cache-Control": FOR_EVER if version == static_version() else "no-cache"}
    if packed and takes_gzip(request):
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=kind)
    return Response(plain, headers=headers, media_type=kind)


@lru_cache(maxsize=256)
def _file(path: str) -> tuple[bytes, bytes, str]:
    """A file, the same compressed ("" if that is no smaller), and its type."""
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC.resolve()) or not file.is_file():
        raise HTTPException(404, "There is no such file.")
    others = "vendor" in file.relative_to(STATIC.resolve()).parts
    plain = file.read_bytes() if others else _spared(file.read_bytes(), file.suffix)
    packed = compress(plain, 9, mtime=0)
    kind = guess_type(file.name)[0] or "application/octet-stream"
    return plain, packed if len(packed) < len(plain) else b"", kind


def _spared(text: bytes, kind: str) -> bytes:
    """Our own styles without comments, scripts without those on lines of their own: 3 kB less for a first visit."""
    return _COMMENTS[kind].sub(b"", text) if kind in _COMMENTS else text


@router.get("/favicon.ico", include_in_schema=False)
async def favicon() -> Response:
    """The icon, for browsers that ask without being told."""
    plain, _, kind = _file("icon.svg")
    return Response(plain, headers={"Cache-Control": "public, max-age=86400"}, media_type=kind)
