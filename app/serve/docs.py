"""/docs: the OpenAPI document to read and try, from files of our own and under the same policy as every page."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import HTMLResponse

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
<main id="docs"><noscript>This page needs JavaScript; the document itself is at
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</noscript></main>
<script src="{bundle}" defer></script>
<script src="{start}" defer></script>
</body>
</html>
"""


def routes(asset: Callable[[str], str]) -> APIRouter:
    """The page, with files at the addresses that `asset` gives them."""
    page = PAGE.format(
        style=asset("vendor/swagger-ui/swagger-ui.css"),
        bundle=asset("vendor/swagger-ui/swagger-ui-bundle.js"),
        start=asset("docs.js"),
    )
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        return HTMLResponse(page)

    return router
