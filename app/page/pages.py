"""The playground as HTML: the page at /, and for htmx the frame that a step, an edit or another view turns it into.

Every answer that changes something is a fragment to htmx, and to a plain form a redirect to the page's own link.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException

from app.costs import probe_cost
from app.draw.outputs import title_of
from app.draw.rendering import render
from app.failures import RunNotFound, once_saved
from app.page.again import is_again, looked_along
from app.page.asked import Asked, asked
from app.page.data import base_of, run_of
from app.page.forms import SPEEDS, deep_ones, edit_from, spec_from
from app.page.frame import Frame, check_view, frame, table_of
from app.page.links import COMPARED, Link, View, view_of
from app.page.play import LONGEST_COUNT, played, quick_steps, stop_of
from app.page.probing import KINDS, map_of, partner_of, penalty_title, probe
from app.page.refused import NOTHING, Refusal, controls_again, refused, unopened
from app.page.ways import has_ways, ways_to
from app.run.deeds import Branch, Deed, Freeze, NewStart, Rewind, Step
from app.run.links import number
from app.run.runs import UNSAVED, Run
from app.serve.forms import NO_FIELDS, Fields
from app.serve.html import html
from app.serve.root import at
from app.words.health import advised
from app.words.numbers import given
from engine import RunState, Spec, SpecError, Trace, examples_of
from engine.probes import contour, located

router = APIRouter(include_in_schema=False)

FIRST_EXAMPLE = 8


@router.get("/")
async def home(request: Request) -> Response:
    """The run of the link in the address: this visitor's own, or one that is drawn and stored with the first deed.

    Without a link it is the default one.
    """
    ask = await asked(request)
    try:
        if named := ask.text("run"):  # of a run whose data is too long for an address
            return await _answer(ask, await ask.runs.get(named), ask.view(), new_spec=True)
        link = ask.link()
        run = await _kept(ask, link) or await ask.runs.open(ask.visitor, link.spec, link.edits, ask.head)
    except SpecError as error:
        if ask.scripted:
            return _refused(error)
        run = await ask.runs.open(ask.visitor, Spec.make())
        return await _page(ask, run, View(), unopened(error))
    return await _answer(ask, run, link.view, new_spec=True)


@router.get("/deep/{place}")
async def deep(place: str) -> Response:
    """A network to start from that `layers` is for, by its place among them; any other place is the page itself."""
    queries = dict(enumerate(query for _, query in deep_ones()))
    query = queries.get(int(place), "") if place.isdecimal() and len(place) < 3 else ""
    return RedirectResponse(at(f"/?{query}"), 303)


async def run_asked(ask: Asked, run_id: str) -> Run:
    """The run of an address; of one that is not stored, what its link in the fields leads to."""
    if run_id != UNSAVED:
        return await ask.runs.get(run_id)
    link = ask.link()
    return await ask.runs.draft(ask.visitor, link.spec, link.edits, ask.head)


async def _kept(ask: Asked, link: Link) -> Run | None:
    """The run that an entry of the browser's history remembers, if it is still what the link says."""
    try:
        run = await ask.runs.get(ask.text("kept"))
    except RunNotFound:
        return None
    same = (run.origin, run.edits) == (link.spec, link.edits) and run.state.step >= (link.view.step or 0)
    return run if same else None


async def _answer(
    ask: Asked, run: Run, view: View, new_spec: bool = False, ahead: Trace | None = None, said: Sequence[str] = ()
) -> Response:
    """The frame, with the controls where the spec may have changed; the page or a redirect to it without htmx.

    `ahead` is what the run's next step will compute, if it has been traced on the way; `said` goes to the notice.
    """
    if not ask.scripted and ask.request.method == "GET" and ask.request.url.path == "/":
        return await _page(ask, run, view)
    return await _told(ask, await frame_of(ask, run, view, ahead), new_spec, said)


async def _told(
    ask: Asked, shown: Frame, new_spec: bool, said: Sequence[str] = (), passed: Sequence[RunState] = ()
) -> Response:
    if not ask.scripted:
        return RedirectResponse(shown.url, 303)
    text = frame_text(shown)
    if ask.quick:
        return await played(ask, shown, passed, text)
    if new_spec:
        text += render("_partials.html", controls_html=_controls_text(shown), said=said)
    headers = {"HX-Replace-Url": shown.url}
    if reached := stop_of(shown.run.state, shown.view, shown.run.metrics["train"]):
        headers["HX-Trigger"] = json.dumps({"stopped": reached})
    return html(ask.request, text, headers=headers, level=1)


async def _page(ask: Asked, run: Run, view: View, wrong: Refusal = NOTHING) -> Response:
    status = 200 if wrong is NOTHING else 422
    return html(ask.request, render("page.html", await parts(ask, run, view, wrong), here="Playground"), status)


async def parts(ask: Asked, run: Run, view: View, wrong: Refusal = NOTHING) -> dict[str, Any]:
    """What the page's template is made of; a class's pages have it too."""
    shown = await frame_of(ask, run, view)
    return {
        "title": title_of(run.origin),
        "frame_html": frame_text(shown, wrong, whole=True),
        "walks": shown.walk.moment is not None,
        "chooses": bool(shown.view.select),
        "controls_html": _controls_text(shown, wrong, NO_FIELDS if wrong is NOTHING else ask.form),
    }


async def _look(ask: Asked, run: Run, view: View) -> tuple[RunState, View]:
    """The state at the step that is looked at, and the view without what is not there."""
    step = run.state.step if view.step is None else min(view.step, run.state.step)
    state = await ask.runs.at(run, step)
    return state, check_view(view, state)


async def frame_of(ask: Asked, run: Run, view: View, ahead: Trace | None = None) -> Frame:
    """The frame of a run under a view."""
    state, view = await _look(ask, run, view)
    others = []
    for other_id in view.compare:
        try:
            other = await ask.runs.get(other_id)
        except RunNotFound:
            continue
        others.append((f"{title_of(other.origin)} {other.state.step}", other.history))
    points, found = ask.text("points") if ask.scripted else "", None
    if is_again(state.spec, view) and not ask.quick:
        found = await ask.runs.pool.do(probe_cost("again", state.spec), run.visitor, looked_along(state, view))
    traced = None
    if has_ways(state, view) and not ask.quick:
        traced = await ask.runs.pool.do(probe_cost("paths", state.spec), run.visitor, partial(ways_to, state, view))
    ahead = ahead if state is run.state else None
    return frame(run, state, view, ask.size, ask.quick, others, points, ahead, found, traced)


def frame_text(shown: Frame, wrong: Refusal = NOTHING, embedded: bool = False, whole: bool = False) -> Markup:
    """The frame as markup; `embedded` without all that does not fit into a frame on another page, `whole` with what
    the script asks for when it is opened."""
    spec = shown.state.spec
    examples = examples_of(spec)
    return render(
        "_quick.html" if shown.quick else "_embed.html" if embedded else "_frame.html",
        f=shown, title=title_of(spec), speeds=SPEEDS, wrong=wrong, embedded=embedded, whole=whole,
        batch=len(shown.trace.examples) if shown.view.example is None else min(spec.batch_size, examples.train),
        first_example=min(FIRST_EXAMPLE, examples.count - 1), has_tests=examples.train < examples.count,
        ways=_ways_back(shown), partner=partner_of(shown.view.select or "") if shown.receipt else "",
        sentence="" if shown.quick or shown.run.state.divergence else advised(shown.trace, shown.state),
    )  # fmt: skip


def _controls_text(shown: Frame, wrong: Refusal = NOTHING, form: Fields = NO_FIELDS) -> Markup:
    return render(
        "_controls.html",
        c=controls_again(shown.run.state.spec, form),
        run=shown.run.id,
        v=shown.view,
        addressed="run" not in shown.fields,
        wrong=wrong,
    )


def _ways_back(shown: Frame) -> dict[str, Any]:
    """From a run that diverged: steps at which its loss was low, and a rate a tenth of this one."""
    history, rate = shown.run.history, shown.run.state.spec.learning_rate
    losses = history.values[:, 0]
    best = history.steps[int(losses.argmin())] if len(losses) else 0
    steps = sorted({best} - {shown.run.state.step})
    return {"steps": steps, "rate": given(float(f"{rate / 10:.3g}"))}


def _refused(error: SpecError) -> Response:
    """The message at its field: a fragment that goes there and nowhere else."""
    return Response(render("_refused.html", wrong=refused(error)), 422, media_type="text/html; charset=utf-8")


async def _refusal(ask: Asked, error: SpecError) -> Response:
    """The message at its field: to htmx the message alone, else the page it came from, with its form as it was sent."""
    if ask.scripted:
        return _refused(error)
    try:
        run = await run_asked(ask, ask.request.path_params.get("run_id") or ask.text("run"))
    except (RunNotFound, SpecError):
        run = await ask.runs.open(ask.visitor, Spec.make())
    try:
        view = ask.view()
    except SpecError:
        view = View()
    return await _page(ask, run, view, refused(error))


@router.post("/runs")
async def start(request: Request) -> Response:
    """A new run with the spec of the controls, or with pasted data."""
    ask = await asked(request)
    try:
        view = replace(ask.view(), step=None, moment=None)
        if "csv" in ask.fields:
            run, said = await run_of(ask)
            return await _answer(ask, run, view, new_spec=True, said=said)
        base = await base_of(ask)
        spec = spec_from(ask.form, _source(ask), base.data if base else None)
        return await _answer(ask, await ask.runs.create(ask.visitor, spec, key=ask.key("start")), view, new_spec=True)
    except SpecError as error:
        return await _refusal(ask, error)


def _source(ask: Asked) -> str | None:
    """The name of the control that the page says was touched; None from a page without script, which does not know."""
    return ask.text("touched") if ask.scripted else None


@dataclass(frozen=True)
class Verb:
    """What a button of the page asks for: the deed of its form, and what its answer shows.

    `controls` says that they may have changed, `moment` that the walkthrough stays where it is, `goes_on` that it
    begins anew, with the next example if it was about one.
    """

    deed: Callable[[Asked], Deed]
    controls: bool = True
    moment: bool = False
    goes_on: bool = False


def _step(ask: Asked) -> Deed:
    view, text = ask.view(), ask.text("count") or "1"
    if ask.quick:
        return quick_steps(ask, stop=view.stop_step, at=view.step)
    if ask.text("unit") == "epoch":
        return Step(epoch=True, stop=view.stop_step, at=view.step)
    if not text.isdecimal() or len(text) > LONGEST_COUNT:
        raise SpecError("count", text, "a whole number from 1 to {most:,}", most=ask.runs.settings.steps_per_request)
    return Step(int(text), stop=view.stop_step, at=view.step)


def _rewind(ask: Asked) -> Deed:
    to, head = (view_of({"step": ask.text(name)}).step for name in ("to", "head"))
    return Rewind(to or 0, head)


def _take(ask: Asked) -> Deed:
    """The step that the walkthrough has told: on its example alone, or on the next mini-batch."""
    view = ask.view()
    return Step(examples=() if view.example is None else (view.example,), at=view.step)


VERBS = {
    "step": Verb(_step, controls=False, moment=True),
    "take": Verb(_take, controls=False, moment=True, goes_on=True),
    "edit": Verb(lambda ask: replace(edit_from(ask.form), at=ask.view().step), moment=True),
    "freeze": Verb(lambda ask: Freeze(ask.text("freeze"), at=ask.view().step), moment=True),
    "rewind": Verb(_rewind),
    "reset": Verb(lambda ask: NewStart()),
    "slower": Verb(lambda ask: NewStart({"learning_rate": number(ask.text("rate"))})),
    "branch": Verb(lambda ask: Branch(ask.view().step), moment=True),
}


@router.post("/runs/{run_id}/{verb}")
async def act(run_id: str, verb: str, request: Request) -> Response:
    """Do what a button of the page asks for, and show the run after it; what is refused is said at the field."""
    return (await acted(await asked(request), run_id, verb))[0]


async def acted(ask: Asked, run_id: str, verb: str) -> tuple[Response, Frame | None]:
    """The same, with what is shown; None if it was refused."""
    if verb not in VERBS:
        raise HTTPException(404, "There is no such page.")
    try:
        shown, passed = await _done(ask, run_id, verb)
    except SpecError as error:
        return await _refusal(ask, error), None
    return await _told(ask, shown, VERBS[verb].controls or run_id == UNSAVED, passed=passed), shown


async def _done(ask: Asked, run_id: str, verb: str) -> tuple[Frame, Sequence[RunState]]:
    deed, view, asks = VERBS[verb].deed(ask), ask.view(), VERBS[verb]
    if run_id == UNSAVED:
        link = ask.link()
        run, steps = await ask.runs.first(ask.visitor, link.spec, link.edits, ask.head, deed, ask.key(deed))
    else:
        run, steps = await ask.runs.do(run_id, deed, ask.visitor, key=ask.key(deed), brief=True)
    view = replace(view, step=None, moment=view.moment if asks.moment else None)
    if asks.goes_on:
        next_one = None if view.example is None else (view.example + 1) % examples_of(run.state.spec).count
        view = replace(view, moment=0, example=next_one)
    if isinstance(deed, Branch) and run_id != UNSAVED:
        view = replace(view, compare=(run_id, *(other for other in view.compare if other != run_id))[:COMPARED])
    with once_saved():
        return await frame_of(ask, run, view, steps.ahead), steps.passed


@router.get("/runs/{run_id}/frame")
async def look(run_id: str, request: Request) -> Response:
    """The run under another view."""
    ask = await asked(request)
    try:
        return await _answer(ask, await run_asked(ask, run_id), ask.view())
    except SpecError as error:
        return await _refusal(ask, error)


@router.get("/runs/{run_id}/table")
async def table(run_id: str, request: Request) -> Response:
    """The drawing's numbers as tables."""
    ask = await asked(request)
    shown = await frame_of(ask, await run_asked(ask, run_id), ask.view())
    return html(ask.request, render("_tables.html", table=table_of(shown), batch=shown.view.example is None))


@router.get("/runs/{run_id}/health")
async def health(run_id: str, request: Request) -> Response:
    """The layers' gradients over time, and what else is measured of them."""
    ask = await asked(request)
    return html(request, render("_measures.html", f=await frame_of(ask, await run_asked(ask, run_id), ask.view())))


@router.get("/runs/{run_id}/contour")
async def contouring(run_id: str, request: Request) -> Response:
    """The loss over two parameters, with the path that they have walked."""
    ask = await asked(request)
    run = await run_asked(ask, run_id)
    try:
        state, _ = await _look(ask, run, ask.view())
        x, y = ask.text("address"), ask.text("other")
        path = await ask.runs.path(run, state.step, (located(state, x, "x"), located(state, y, "y")))
        work = partial(contour, state, x, y, path=list(path.values()))
        found = map_of(await ask.runs.pool.do(probe_cost("contour", state.spec), run.visitor, work))
    except SpecError as error:
        return await _refusal(ask, error)
    return html(request, render("_probe.html", kind="contour", m=found, penalty=penalty_title(state.spec)))


@router.get("/runs/{run_id}/{kind}")
async def probing(run_id: str, kind: str, request: Request) -> Response:
    """The article's own tests on one parameter: nudge, slice, wishes, check."""
    if kind not in KINDS:
        raise HTTPException(404, "There is no such page.")
    ask = await asked(request)
    run = await run_asked(ask, run_id)
    try:
        state, view = await _look(ask, run, ask.view())
        address, amount = ask.text("address"), ask.text("amount")
        work = partial(probe, kind, state, address, amount, view.example)
        context = await ask.runs.pool.do(probe_cost(kind, state.spec), run.visitor, work)
    except SpecError as error:
        return await _refusal(ask, error)
    return html(request, render("_probe.html", context, kind=kind, p=at(f"/runs/{run_id}")))
