"""GET /graph: a formula, its graph, and the walk through it. Its address holds it all; nothing is stored."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.costs import trace_cost
from app.draw.rendering import render
from app.graph.asks import FIRST, LONGEST_BACK, Asks, address_of
from app.graph.file import style
from app.graph.picture import GraphPicture, picture
from app.graph.presets import PRESETS
from app.page.asked import asked
from app.page.frame import check_view
from app.page.links import Link
from app.page.pages import FIRST_EXAMPLE, run_asked
from app.serve.addresses import base_url
from app.serve.html import html
from app.serve.security import FRAMED_GRAPH
from app.words.numbers import given
from app.words.texts import text
from engine import Quantity, SpecError, examples_of, trace
from engine.language import NODES, SourceError
from engine.scalars import largest_graph_of

router = APIRouter(include_in_schema=False)
SECONDS = 3e-3  # to compute and draw one node

Shown = tuple[GraphPicture, dict[str, str]]


def looked(asks: Asks) -> Shown:
    """What is asked; where it cannot be, the last good formula and what is wrong."""
    try:
        return picture(asks, asks.graph()), {}
    except SpecError as error:
        wrong = {"field": _place(error), "value": error.value, "allowed": text(error.allowed)}
        first = PRESETS[FIRST]
        for source, values in ((asks.good, asks.values), (asks.good, asks.kept), (first.formula, first.values)):
            try:
                kept = replace(asks, source=source, values=values)
                return picture(kept, kept.graph()), wrong
            except SpecError:
                continue
        raise


def _place(error: SpecError) -> str:
    """Where something is wrong, as a sentence begins with it."""
    if isinstance(error, SourceError):
        return text("Source, line {line}, column {column}", line=error.line, column=error.column)
    return text("Source") if error.field == "source" else error.field[:1].upper() + error.field[1:]


@router.get("/runs/{run_id}/graph")
async def of_run(run_id: str, request: Request) -> Response:
    """One example of a run as the graph of its scalars: to the page whose address holds it all."""
    ask = await asked(request)
    run = await run_asked(ask, run_id)
    step = ask.view().step
    state = run.state if step is None else await ask.runs.at(run, min(step, run.state.step))
    view = check_view(ask.view(), state)
    example = min(FIRST_EXAMPLE if view.example is None else view.example, examples_of(state.spec).count - 1)

    def work() -> str:
        chosen = Quantity.parse(view.select or "a")
        made = largest_graph_of(trace(state, example), chosen if chosen.layer else "")
        values = {made.vertices[place].name: given(made.data[place]) for place in made.inputs}
        link = Link(run.origin, run.edits, replace(view, step=state.step, example=example)).query()
        return address_of(made.source, values, {"back": link if len(link) <= LONGEST_BACK else ""})

    cost = SECONDS * NODES + trace_cost(state.spec.network, 1)
    return RedirectResponse(await ask.runs.pool.do(cost, run.visitor, work), 303)


@router.get("/graph.svg")
async def take(request: Request) -> Response:
    """The drawing as a file."""
    asks = Asks.of(await asked(request))
    shown, wrong = await _looked(request, asks)
    text = render("_graph.svg", g=shown, style=style())
    headers = {"content-disposition": 'attachment; filename="graph.svg"'}
    return Response(text, 422 if wrong else 200, headers, "image/svg+xml")


async def _looked(request: Request, asks: Asks) -> Shown:
    ask = await asked(request)
    size = min(NODES, len(asks.source))
    return await ask.runs.pool.do(SECONDS * size, ask.visitor, lambda: looked(asks))


@router.get("/graph")
@router.post("/graph")
@router.get(FRAMED_GRAPH)
@router.post(FRAMED_GRAPH)
async def show(request: Request) -> Response:
    """The page, or to htmx what stands in it; in a frame on another page the graph and its walk alone."""
    ask = await asked(request)
    told = await shown_as_page(request, Asks.of(ask))
    if ask.scripted:
        headers = {} if told["wrong"] else {"HX-Replace-Url": told["g"].url(path=request.url.path)}
        return html(request, render("_graph.html", **told), headers=headers)
    return html(request, render("graph.html", **told, here="Graph"), 422 if told["wrong"] else 200)


async def shown_as_page(request: Request, asks: Asks) -> dict[str, Any]:
    """What the page's template needs."""
    shown, wrong = await _looked(request, asks)
    told: dict[str, Any] = {"style": "", "g": shown, "asks": asks, "wrong": wrong, "presets": PRESETS}
    return told | {"embedded": request.url.path == FRAMED_GRAPH, "origin": base_url(request.app.state.settings)}
