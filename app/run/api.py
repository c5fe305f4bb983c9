"""JSON under /api/v1: the routes alone. What they are asked and answer is in `schemas`, what they do in `runs`."""

from collections.abc import Mapping
from functools import partial
from types import UnionType
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from app.costs import given_cost, look_cost, told_cost, trace_cost
from app.failures import once_saved
from app.run import answers, schemas
from app.run.answers import json
from app.run.backprop import backprop as one_step
from app.run.backprop import spec_of
from app.run.backprop_body import BackpropBody
from app.run.deeds import Branch, Change, Reset, Rewind
from app.run.etags import names, tag_of, version_tag
from app.run.keyed import ONCE, Key, KeyedRoute
from app.run.paging import LINK, Before, Limit, linked, page
from app.run.runs import Run, Runs, Steps
from app.run.schemas import given
from app.run.spec_schemas import ChangesBody, SpecBody
from app.serve.root import at
from app.serve.security import visitor
from engine import RunState, Spec

router = APIRouter(prefix="/api/v1", route_class=KeyedRoute, default_response_class=Response)


async def runs_of(request: Request) -> Runs:
    """The app's runs. A dependency."""
    found: Runs = request.app.state.runs
    return found


Kept = Annotated[Runs, Depends(runs_of)]
Visitor = Annotated[str, Depends(visitor)]
Whole = Annotated[int, Query(ge=0, le=2**53)]
Match = Annotated[
    str | None,
    Header(alias="If-Match", max_length=1_000, description="The run's ETag: refuse (412) what has moved on since."),
]
NotMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1_000, description="An ETag at hand: 304 if it is still the run's."),
]
Version = Annotated[int | None, Query(ge=1, le=2**53, description="Refuse unless the run is at this version.")]
_TEXT = {"schema": {"type": "string"}}
TAG = {"ETag": {"description": "Names this version of the run, for If-Match and If-None-Match.", **_TEXT}}
Made: dict[int | str, dict[str, Any]] = {201: {"model": schemas.RunAnswer, "headers": {"Location": _TEXT, **TAG}}}
KNOWN: dict[int | str, dict[str, Any]] = {304: {"description": "It is still what If-None-Match names.", "headers": TAG}}


def answers_with(
    model: type | UnionType, status: int = 200, headers: Mapping[str, Any] | None = None
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route whose success is a `model`."""
    told = {"headers": dict(headers)} if headers else {}
    return {status: {"model": model, "content": {"application/json": {}}, **told}}


RUN = answers_with(schemas.RunAnswer, headers=TAG)


# First, for routes are tried in order and this one is asked for most.
@router.post("/runs/{run_id}/step", tags=["runs"], responses=answers_with(schemas.StepAnswer, headers=TAG))
async def step_run(
    request: Request, run_id: str, body: schemas.StepBody | None = None, key: Key = None, match: Match = None
) -> Response:
    """Take steps, as many as one request's budget of computing allows."""
    runs: Runs = request.app.state.runs  # here alone no dependency: each costs FastAPI 40 us
    asked = body or schemas.StepBody()
    deed = asked.deed()
    run, steps = await runs.do(run_id, deed, version=asked.version, match=match, key=key, before=asked.trace)
    with once_saved():
        before = await runs.before(run, steps) if asked.trace else None
    most = runs.settings.answer_numbers

    def work() -> Response:
        answer = answers.stepped(run, steps, runs.settings.losses)
        if before:
            answer["trace"] = answers.trace_on(before, deed.examples, most)
        return json(answer, headers=_about(run, steps))

    cost = told_cost(run.state.spec) + (_trace_cost(before, None) if before else 0.0)
    return await runs.pool.do(cost, run.visitor, work, admitted=True)


async def healthz() -> Response:
    """The event loop turns."""
    return json({"status": "ok"})


@router.get("/catalog", tags=["catalog"], responses=answers_with(schemas.CatalogAnswer))
async def catalog(request: Request) -> Response:
    """Every name that can be chosen, with its formula, and every field with its default and range."""
    return Response(answers.catalog(request.app.state.settings), media_type="application/json")


@router.post("/runs", tags=["runs"], status_code=201, responses=Made, dependencies=ONCE)
async def create_run(
    request: Request,
    runs: Kept,
    who: Visitor,
    spec: SpecBody | None = None,  # type: ignore[valid-type]
    key: Key = None,
) -> Response:
    """A new run from a spec, every field of it optional."""
    make = partial(Spec.make, given(spec), runs.settings.engine_limits)
    made = await runs.pool.do(given_cost(len(await request.body())), who, make)
    return await _created(runs, await runs.create(who, made, key=key))


@router.get(
    "/runs",
    tags=["runs"],
    responses={
        200: {
            "model": schemas.RunsAnswer,
            "content": {"application/json": {}, "text/csv": {}},
            "headers": LINK,
        }
    },
)
async def list_runs(
    runs: Kept,
    who: Visitor,
    format: Literal["json", "csv"] = "json",
    limit: Limit = None,
    before: Before = None,
) -> Response:
    """This visitor's runs, which the cookie tells, the one changed last first; as CSV with `format=csv`.

    With `limit` a page of them; the header Link leads to the next, which begins `before` the last one of this.
    """
    shown, last = page(await runs.list(who), limit, before, lambda each: each.id)
    rows = [answers.listed(each, await runs.brief(each)) for each in shown]
    answer = answers.as_csv(rows) if format == "csv" else json({"runs": rows})
    return linked(answer, "/api/v1/runs", limit, last, f"&format={format}" if format != "json" else "")


@router.get("/runs/{run_id}", tags=["runs"], responses={**RUN, **KNOWN})
async def read_run(run_id: str, runs: Kept, known: NotMatch = None) -> Response:
    """The run as it stands."""
    run = await runs.get(run_id)
    if known is not None and names(known.replace("W/", ""), run.stamp):
        return Response(status_code=304, headers={"etag": tag_of(run.stamp)})
    return await _told(runs, run, Steps())


@router.delete("/runs/{run_id}", tags=["runs"], status_code=204, dependencies=ONCE)
async def delete_run(run_id: str, runs: Kept, match: Match = None) -> Response:
    """Remove the run for good."""
    await runs.delete(run_id, match)
    return Response(status_code=204)


@router.patch("/runs/{run_id}", tags=["runs"], responses=RUN)
async def change_run(
    run_id: str,
    runs: Kept,
    changes: ChangesBody,  # type: ignore[valid-type]
    version: Version = None,
    key: Key = None,
    match: Match = None,
) -> Response:
    """Change learning rate, batch size, regularization, optimizer and the like without a reset: all or none."""
    return await _told(runs, *await runs.do(run_id, Change(given(changes)), version=version, match=match, key=key))


@router.get("/runs/{run_id}/trace", tags=["runs"], responses=answers_with(schemas.TraceAnswer))
async def read_trace(run_id: str, runs: Kept, example: Whole | None = None, step: Whole | None = None) -> Response:
    """Everything that the next step will compute on its mini-batch, or would compute on one example.

    `step` looks at an earlier step instead.
    """
    run = await runs.get(run_id)
    state = run.state if step is None else await runs.at(run, step)

    def work() -> Response:
        return json(answers.trace_of(state, example, runs.settings.answer_numbers))

    return await runs.pool.do(_trace_cost(state, example), run.visitor, work)


@router.get("/runs/{run_id}/predict", tags=["runs"], responses=answers_with(schemas.PredictAnswer))
async def predict_own(run_id: str, runs: Kept) -> Response:
    """The network's outputs for the run's own examples."""
    run = await runs.get(run_id)
    cost = look_cost(run.state.spec)
    return await runs.pool.do(cost, run.visitor, lambda: json(answers.predictions(run.state, None)))


@router.post("/runs/{run_id}/predict", tags=["runs"], responses=answers_with(schemas.PredictAnswer))
async def predict(run_id: str, runs: Kept, body: schemas.PredictBody) -> Response:
    """The network's outputs for given inputs."""
    run = await runs.get(run_id)
    cost = look_cost(run.state.spec) * body.rows / run.state.spec.samples
    return await runs.pool.do(cost, run.visitor, lambda: json(answers.predictions(run.state, body.inputs)))


@router.get("/runs/{run_id}/data", tags=["runs"], responses=answers_with(schemas.DataAnswer))
async def read_data(run_id: str, runs: Kept, first: Whole = 0, most: Whole | None = None) -> Response:
    """The run's examples: the first `train` of them are trained on, the others are the test set.

    `first` and `most` ask for a part of them.
    """
    run = await runs.get(run_id)
    cost = 1e-7 * run.state.spec.samples * run.state.spec.raw_inputs
    return await runs.pool.do(cost, run.visitor, lambda: json(answers.data(run.state.spec, first, most)))


@router.get("/runs/{run_id}/history", tags=["runs"], responses=answers_with(schemas.HistoryAnswer))
async def read_history(run_id: str, runs: Kept) -> Response:
    """Losses, accuracies and each layer's health at sampled steps of the run's past."""
    return json(answers.history(await runs.get(run_id)))


@router.post("/runs/{run_id}/edits", tags=["runs"], responses=RUN)
async def edit_run(
    run_id: str, runs: Kept, body: schemas.EditBody, version: Version = None, key: Key = None, match: Match = None
) -> Response:
    """Change one live field, or one parameter by its address."""
    return await _told(
        runs, *await runs.do(run_id, Change({body.field: body.value}), version=version, match=match, key=key)
    )


@router.post("/runs/{run_id}/rewind", tags=["runs"], responses=RUN)
async def rewind_run(
    run_id: str, runs: Kept, body: schemas.RewindBody, version: Version = None, key: Key = None, match: Match = None
) -> Response:
    """Back to an earlier step: later steps and edits are dropped."""
    return await _told(runs, *await runs.do(run_id, Rewind(body.step), version=version, match=match, key=key))


@router.post("/runs/{run_id}/reset", tags=["runs"], responses=RUN)
async def reset_run(run_id: str, runs: Kept, version: Version = None, key: Key = None, match: Match = None) -> Response:
    """The same start again, without edits."""
    return await _told(runs, *await runs.do(run_id, Reset(), version=version, match=match, key=key))


@router.post("/runs/{run_id}/branch", tags=["runs"], status_code=201, responses=Made, dependencies=ONCE)
async def branch_run(
    run_id: str, runs: Kept, who: Visitor, body: schemas.RewindBody, key: Key = None, match: Match = None
) -> Response:
    """A new run that shares this one's past up to a step."""
    run, _ = await runs.do(run_id, Branch(body.step), who, match=match, key=key)
    return await _created(runs, run)


@router.post("/backprop", tags=["backprop"], responses=answers_with(schemas.BackpropAnswer))
async def backprop(request: Request, runs: Kept, who: Visitor, body: BackpropBody) -> Response:
    """One step of backpropagation on given layers and examples, without any state."""
    spec = await runs.pool.do(given_cost(len(await request.body())), who, lambda: spec_of(body, runs.settings))
    cost = trace_cost(spec.network, len(body.x))
    return await runs.pool.do(cost, who, lambda: json(one_step(body, spec)))


async def _told(runs: Runs, run: Run, steps: Steps) -> Response:
    """The run, or as it was when the request with this key was answered the first time."""

    def work() -> Response:
        return json(answers.of_run(run, steps.earlier), headers=_about(run, steps))

    return await runs.pool.do(told_cost(run.state.spec), run.visitor, work, admitted=True)


async def _created(runs: Runs, run: Run) -> Response:
    """A new run, and where it is."""

    def work() -> Response:
        return json(answers.of_run(run), 201, {"location": at(f"/api/v1/runs/{run.id}"), "etag": tag_of(run.stamp)})

    return await runs.pool.do(told_cost(run.state.spec), run.visitor, work, admitted=True)


def _trace_cost(state: RunState, example: int | None) -> float:
    return trace_cost(state.spec.network, answers.traced_examples(state.spec, example))


def _about(run: Run, steps: Steps) -> dict[str, str]:
    """The tag of the run that is told; of one as it was the first time, its version then."""
    if steps.earlier:
        return {"idempotent-replayed": "true", "etag": version_tag(steps.earlier.version)}
    return {"etag": tag_of(run.stamp)}
