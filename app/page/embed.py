"""The playground in a frame on somebody else's page: a picture that follows from its address alone.

No cookie of ours travels into a frame on another site, and a course's page is opened by hundreds. So what is shown is
drawn from the link, at the step that each one's address names, and nothing is stored.
"""

from dataclasses import replace
from functools import partial

from fastapi import APIRouter, Request, Response

from app.draw.outputs import title_of
from app.draw.rendering import render
from app.page.asked import Asked, begun
from app.page.links import Link, view_of
from app.page.pages import frame_of, frame_text
from app.page.play import played, quick_steps
from app.page.refused import NOTHING, unopened
from app.run.deeds import cost, perform
from app.run.links import query_fields, query_of
from app.run.runs import Run, Runs
from app.serve.forms import NO_FIELDS, Fields, fields_of
from app.serve.html import html
from app.serve.security import FRAMED
from engine import RunState, Spec, SpecError

router = APIRouter(include_in_schema=False)


@router.get(FRAMED)
async def embed(request: Request) -> Response:
    """The page of a link, or to htmx its frame."""
    runs: Runs = request.app.state.runs
    fields, wrong = NO_FIELDS, NOTHING
    try:
        fields = await fields_of(request)
        link = await _link(runs, fields)
        run = await _drawn(runs, link)
    except SpecError as error:
        wrong, link = unopened(error), Link(Spec.make())
        run = await _drawn(runs, link)
    if wrong is NOTHING and (named := fields.get("run")):
        run = replace(run, id=named)  # the address goes on naming it
    ask = Asked(request, _owner(link), {"size": "s", **fields})
    if ask.quick and wrong is NOTHING:
        return await _played(ask, run, link)
    shown = await frame_of(ask, run, link.view)
    text, status = frame_text(shown, wrong, embedded=True), 200 if wrong is NOTHING else 422
    if not ask.scripted:
        return html(request, render("embed.html", title=title_of(run.origin), frame_html=text), status)
    headers = {"HX-Trigger": "stopped"} if shown.state.step < (link.view.step or 0) else {}
    return html(request, text, status, headers)


async def _link(runs: Runs, fields: Fields) -> Link:
    """The link of an address, at its last edit if it names no step."""
    if named := fields.get("run"):  # whose data is too long for an address
        run = await runs.get(named)
        link = Link(run.origin, run.edits, view_of(fields))
    else:
        link = Link.parse(fields)
    step = _edited(link) if link.view.step is None else link.view.step
    view = begun(link.view, fields.get("begin", ""))
    return replace(link, view=replace(view, step=step, compare=()))


def _edited(link: Link) -> int:
    return max((edit.after for edit in link.edits), default=0)


def _owner(link: Link) -> str:
    """Whose the link's run is: no visitor's, for no token has a blank in it."""
    return "embed " + query_of(query_fields(link.spec, link.edits))


async def _drawn(runs: Runs, link: Link) -> Run:
    """The link's run at the step that is looked at, as far as one request's budget goes."""
    return await runs.draft(_owner(link), link.spec, link.edits, link.view.step or 0)


async def _played(ask: Asked, run: Run, link: Link) -> Response:
    """Frames of Play from the step that is looked at; where the link has changes ahead, only the last of them."""
    deed, settings = quick_steps(ask), ask.runs.settings
    passed: tuple[RunState, ...] = ()
    if not any(edit.after > run.state.step for edit in link.edits):
        work = partial(perform, run, deed, run.state, settings)
        passed = (await ask.runs.pool.do(cost(deed, run.state, settings), run.visitor, work))[1].passed
    view = replace(link.view, step=run.state.step + (deed.count or 0))
    after = await _drawn(ask.runs, replace(link, view=view))
    shown = await frame_of(ask, replace(after, id=run.id), view)
    return await played(ask, shown, passed, frame_text(shown, embedded=True))
