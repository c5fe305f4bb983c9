"""GET /graph: a formula, its graph, and the walk through it. Its address holds it all; nothing is stored."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from app.draw.rendering import render
from app.graph.asks import FIRST, Asks
from app.graph.picture import GraphPicture, picture
from app.graph.presets import PRESETS
from app.page.asked import asked
from app.serve.html import html
from engine import SpecError
from engine.language import NODES

router = APIRouter(include_in_schema=False)
SECONDS = 1e-3  # to compute and draw one node

Shown = tuple[GraphPicture, dict[str, str]]


def looked(asks: Asks) -> Shown:
    """What is asked; where it cannot be, the last good formula and what is wrong."""
    try:
        return picture(asks, asks.graph()), {}
    except SpecError as error:
        wrong = {"field": error.field, "value": error.value, "allowed": error.allowed}
        for source in (asks.good, PRESETS[FIRST].source):
            try:
                kept = replace(asks, source=source, values=asks.values if source == asks.good else {})
                return picture(kept, kept.graph()), wrong
            except SpecError:
                continue
        raise


@router.get("/graph")
@router.post("/graph")
async def show(request: Request) -> Response:
    """The page, or to htmx what stands in it."""
    ask = await asked(request)
    asks = Asks.of(ask)
    size = min(NODES, len(asks.source))
    shown, wrong = await ask.runs.pool.do(SECONDS * size, ask.visitor, lambda: looked(asks))
    told: dict[str, Any] = {"g": shown, "asks": asks, "wrong": wrong, "presets": PRESETS}
    if ask.scripted:
        headers = {} if wrong else {"HX-Replace-Url": shown.url()}
        return html(request, render("_graph.html", **told), headers=headers)
    return html(request, render("graph.html", **told, here="Graph"), 422 if wrong else 200)
