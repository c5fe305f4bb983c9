"""HTML answers, compressed where the browser takes it."""

from collections.abc import Mapping
from gzip import compress

from fastapi import Request, Response

WORTH = 1_000  # bytes from which compressing saves more than it costs


def html(
    request: Request, text: str, status: int = 200, headers: Mapping[str, str] | None = None, level: int = 6
) -> Response:
    """A page or fragment, compressed; which of both depends on htmx's header, so no cache may mix them up."""
    return packed(request, text.encode(), "text/html; charset=utf-8", status, headers, level)


def packed(
    request: Request,
    body: bytes,
    kind: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    level: int = 6,
) -> Response:
    """The same for any kind of text."""
    extra = {"Vary": "HX-Request, Accept-Encoding", **(headers or {})}
    if len(body) >= WORTH and takes_gzip(request):
        body, extra["Content-Encoding"] = compress(body, level, mtime=0), "gzip"
    return Response(body, status, extra, kind)


def takes_gzip(request: Request) -> bool:
    """Whether the browser reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def is_scripted(request: Request) -> bool:
    """Whether htmx asks, and so a fragment is enough."""
    return request.headers.get("hx-request") == "true"
