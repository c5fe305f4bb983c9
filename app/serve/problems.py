"""/docs/problems: what each type of problem means and what to do about it, one anchor for each `type` in an answer."""

from collections.abc import Mapping
from html import escape

from fastapi import APIRouter
from starlette.responses import HTMLResponse

PATH = "/docs/problems"

# The types that HTTP itself has here: name -> status and what it means. The product hands in its own beside them.
OF_HTTP: dict[str, tuple[str, str]] = {
    "unreadable": ("400", "The request is not HTTP or JSON as it should be. Mend it; the detail says what is wrong."),
    "other-site": (
        "403",
        "A browser sent this for a page of another site. The keeper of this server may allow that site by "
        "PLAYGROUND_ALLOWED_ORIGINS.",
    ),
    "no-such-address": ("404", "There is nothing at this address. Addresses are listed in /api/v1/openapi.json."),
    "no-such-method": (
        "405",
        "The address exists and does not take this method; the header Allow names those it takes.",
    ),
    "too-slow": ("408", "The request was not sent in time."),
    "too-large": ("413", "The body is larger than is allowed; the catalog's `limits` tell how large it may be."),
    "invalid": ("422", "A field, a parameter or a value is not allowed; `errors` names each, and what is allowed."),
    "too-many-requests": (
        "429",
        "More requests a second than one visitor, run or address gets. Wait as Retry-After says.",
    ),
    "long-head": ("431", "The head of the request is longer than is allowed."),
    "internal": ("500", "A fault of this server, which was logged under the X-Request-ID of the answer."),
    "stopping": ("503", "The server is being stopped. Read again what was asked for: it may have been done."),
}
OF_STATUS = {
    400: "unreadable",
    403: "other-site",
    404: "no-such-address",
    405: "no-such-method",
    408: "too-slow",
    413: "too-large",
    422: "invalid",
    429: "too-many-requests",
    431: "long-head",
    500: "internal",
    503: "stopping",
}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Backprop Playground: problems</title>
<link rel="stylesheet" href="{style}">
<link rel="icon" href="data:,">
</head>
<body>
<main class="sorry">
<h1>Problems</h1>
<p>What fails is told as <code>application/problem+json</code> (RFC 9457). Its <code>type</code> is one of these; a
program goes by it rather than by the sentence in <code>detail</code>. The addresses themselves are described at
<a href="{docs}">{docs}</a>.</p>
<dl>
{rows}
</dl>
</main>
</body>
</html>
"""


def routes(kinds: Mapping[str, tuple[str, str]], style: str, docs: str) -> APIRouter:
    """The page of all types: HTTP's and the product's."""
    rows = "\n".join(
        f'<dt id="{name}"><code>{name}</code> ({escape(status)})</dt><dd>{escape(text)}</dd>'
        for name, (status, text) in sorted({**OF_HTTP, **kinds}.items())
    )
    page = PAGE.format(style=style, docs=docs, rows=rows)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def problems() -> HTMLResponse:
        return HTMLResponse(page)

    return router
