"""JSON under /api/v1: the routes alone. What they are asked and answer is in `schemas`, what they do in `runs`."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.routing import APIRoute

from app import answers
from app.answers import json
from app.runs import Run, Runs, Steps
from app.schemas import EditBody, PredictBody, RewindBody, StepBody
from app.security import visitor
from app.strict import StrictRequest
from engine import Spec


class StrictRoute(APIRoute):
    """A route whose JSON is decoded strictly."""

    def get_route_handler(self) -> Any:
        """The handler, given a request of our own kind."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


router = APIRouter(prefix="/api/v1", route_class=StrictRoute)


def runs_of(request: Request) -> Runs:
    """The app's runs. A dependency."""
    found: Runs = request.app.state.runs
    return found


Kept = Annotated[Runs, Depends(runs_of)]
Visitor = Annotated[str, Depends(visitor)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
Version = Annotated[int | None, Query(ge=1, description="Refuse unless the run is at this version.")]


async def healthz() -> Response:
    """The event loop turns."""
    return json({"status": "ok"})


router.add_api_route("/healthz", healthz, tags=["service"], summary="Whether the process lives")


@router.get("/catalog", tags=["catalog"])
async def catalog(request: Request) -> Response:
    """Every name that can be chosen, with its formula, and every field with its default and range."""
    return json(answers.catalog(request.app.state.settings))


@router.post("/runs", tags=["runs"], status_code=201)
async def create(runs: Kept, who: Visitor, spec: Annotated[dict[str, Any] | None, Body()] = None) -> Response:
    """A new run from a spec, every field of it optional."""
    run = await runs.create(who, Spec.make(spec or {}, runs.settings.engine_limits))
    return json(answers.of_run(run), 201, {"location": f"/api/v1/runs/{run.id}"})


@router.get("/runs/{run_id}", tags=["runs"])
async def read(run_id: str, runs: Kept) -> Response:
    """The run as it stands."""
    return json(answers.of_run(await runs.get(run_id)))


@router.delete("/runs/{run_id}", tags=["runs"], status_code=204)
async def delete(run_id: str, runs: Kept) -> Response:
    """Remove the run for good."""
    await runs.delete(run_id)
    return Response(status_code=204)


@router.patch("/runs/{run_id}", tags=["runs"])
async def patch(
    run_id: str, runs: Kept, changes: Annotated[dict[str, Any], Body()], version: Version = None, key: Key = None
) -> Response:
    """Change learning rate, batch size, regularization, optimizer and the like without a reset: all or none."""
    run, steps = await runs.edit_all(run_id, changes, version=version, key=key)
    return json(answers.of_run(run), headers=_replayed(steps))


@router.post("/runs/{run_id}/step", tags=["runs"])
async def step(run_id: str, runs: Kept, body: StepBody | None = None, key: Key = None) -> Response:
    """Take steps, as many as one request's budget of computing allows."""
    asked = body or StepBody()
    run, steps = await runs.step(run_id, asked.count, version=asked.version, key=key, before=asked.trace)
    answer = answers.stepped(run, steps, runs.settings.losses)
    if asked.trace:
        answer["trace"] = await _trace_of_last(runs, run, steps)
    return json(answer, headers=_replayed(steps))


async def _trace_of_last(runs: Runs, run: Run, steps: Steps) -> dict[str, Any] | None:
    state = steps.before
    if state is None and run.state.step and steps.done:
        state = await runs.at(run, run.state.step - 1)
    return answers.trace_of(state, None, runs.settings.answer_numbers) if state else None


@router.get("/runs/{run_id}/trace", tags=["runs"])
async def trace(run_id: str, runs: Kept, example: int | None = None, step: int | None = None) -> Response:
    """Everything that the next step will compute on its mini-batch, or would compute on one example."""
    run = await runs.get(run_id)
    state = run.state if step is None else await runs.at(run, step)
    return json(answers.trace_of(state, example, runs.settings.answer_numbers))


@router.get("/runs/{run_id}/predict", tags=["runs"])
async def predict_own(run_id: str, runs: Kept) -> Response:
    """The network's outputs for the run's own examples."""
    run = await runs.get(run_id)
    return json(answers.predictions(run.state, None))


@router.post("/runs/{run_id}/predict", tags=["runs"])
async def predict(run_id: str, runs: Kept, body: PredictBody) -> Response:
    """The network's outputs for given inputs."""
    run = await runs.get(run_id)
    return json(answers.predictions(run.state, body.inputs))


@router.get("/runs/{run_id}/data", tags=["runs"])
async def data(run_id: str, runs: Kept) -> Response:
    """The run's examples: the first `train` of them are trained on, the others are the test set."""
    run = await runs.get(run_id)
    return json(answers.data(run.state.spec))


@router.post("/runs/{run_id}/edits", tags=["runs"])
async def edit(run_id: str, runs: Kept, body: EditBody, version: Version = None, key: Key = None) -> Response:
    """Change one live field, or one parameter by its address."""
    run, steps = await runs.edit_all(run_id, {body.field: body.value}, version=version, key=key)
    return json(answers.of_run(run), headers=_replayed(steps))


@router.post("/runs/{run_id}/rewind", tags=["runs"])
async def rewind(run_id: str, runs: Kept, body: RewindBody, version: Version = None, key: Key = None) -> Response:
    """Back to an earlier step: later steps and edits are dropped."""
    return json(answers.of_run(await runs.rewind(run_id, body.step, version=version, key=key)))


@router.post("/runs/{run_id}/reset", tags=["runs"])
async def reset(run_id: str, runs: Kept, version: Version = None, key: Key = None) -> Response:
    """The same start again, without edits."""
    return json(answers.of_run(await runs.reset(run_id, version=version, key=key)))


@router.post("/runs/{run_id}/branch", tags=["runs"], status_code=201)
async def branch(run_id: str, runs: Kept, who: Visitor, body: RewindBody) -> Response:
    """A new run that shares this one's course up to a step."""
    run: Run = await runs.branch(run_id, body.step, who)
    return json(answers.of_run(run), 201, {"location": f"/api/v1/runs/{run.id}"})


@router.post("/backprop", tags=["backprop"])
async def backprop(request: Request, body: Annotated[dict[str, Any], Body()]) -> Response:
    """One step of backpropagation on given layers and examples, without any state."""
    return json(answers.backprop(body, request.app.state.settings))


def _replayed(steps: Steps) -> dict[str, str]:
    return {"idempotent-replayed": "true"} if steps.replayed else {}
