"""/docs: the OpenAPI document to read and try, from files of our own and under the same policy as every page."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from app.serve.problems import PATH
from app.serve.root import at

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Backprop Playground: JSON API</title>
<link rel="stylesheet" href="{style}">
<link rel="icon" href="data:,">
</head>
<body>
<nav aria-label="Beside it"><a href="{home}">Playground</a> · <a href="{problems}">Types of problems</a> ·
<a href="{python}">Python reference</a></nav>
<main id="docs" data-url="{document}"><noscript>This page needs JavaScript; the document itself is at
<a href="{document}">{document}</a>.</noscript></main>
<script src="{bundle}" defer></script>
<script src="{start}" defer></script>
</body>
</html>
"""


def routes(asset: Callable[[str], str]) -> APIRouter:
    """The page, with files at the addresses that `asset` gives them."""
    page = PAGE.format(
        home=at("/"),
        problems=at(PATH),
        python=at("/docs/python"),
        document=at("/api/v1/openapi.json"),
        style=asset("vendor/swagger-ui/swagger-ui.css"),
        bundle=asset("vendor/swagger-ui/swagger-ui-bundle.js"),
        start=asset("docs.js"),
    )
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        return HTMLResponse(page)

    return router
