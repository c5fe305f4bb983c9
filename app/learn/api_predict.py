"""Predict as JSON: at which moments of a run's walkthrough something is asked, and the verdict on an answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.costs import look_cost
from app.learn.facts import Facts
from app.learn.predicting import GRAINS, Prediction, Question, question_at, questions
from app.page.asked import asked
from app.page.pages import run_asked
from app.run.answers import json
from app.run.api import Kept, Whole, answers_with
from app.run.shapes import plain, shape_of
from app.serve.strict import StrictRoute
from app.words.texts import text
from engine import SpecError, trace
from engine.checks import one_of

router = APIRouter(route_class=StrictRoute, default_response_class=Response)
SECONDS = 2e-3  # to pose all questions of a step


@dataclass(frozen=True)
class Predictions:
    """The telling moments of a step, or with an answer to one of them the verdict on it."""

    step: int
    questions: tuple[Question, ...]
    verdict: Prediction | None


QuestionAnswer = shape_of(Question, shown="moment kind hides prompt options number_prompt hint")
PredictionAnswer = shape_of(Prediction)
PredictionsAnswer = shape_of(
    Predictions,
    """{"step": 50, "questions": [], "verdict": {"correct": false, "factor": "target", "message": "It is +0.1031 …",
    "truth": "up"}}""",
)


@router.get("/api/v1/runs/{run_id}/predictions", tags=["look"], responses=answers_with(PredictionsAnswer))
async def read_predictions(
    run_id: str,
    runs: Kept,
    example: Annotated[Whole, Query(description="One example, by its row.")],
    granularity: Annotated[str, Query(max_length=40, description="One of " + ", ".join(GRAINS) + ".")] = "unit",
    step: Annotated[Whole | None, Query(description="An earlier step to look at.")] = None,
    moment: Annotated[Whole | None, Query(description="The moment that is answered.")] = None,
    answer: Annotated[str, Query(max_length=60, description="up, down, stay or a number.")] = "",
) -> Response:
    """What a walkthrough asks before it shows: the telling moments, or the engine's verdict on an answer to one.

    Without `answer` nothing tells what is right. An answer may be a direction, or the number.
    """
    run = await runs.get(run_id)
    state = run.state if step is None else await runs.at(run, step)
    grain = one_of("granularity", granularity, GRAINS)
    trace(state, example)
    work = partial(_told, Facts(state, example), grain, moment, answer)
    return json(await runs.pool.do(SECONDS + look_cost(state.spec), run.visitor, work))


@router.get("/runs/{run_id}/predictions", include_in_schema=False)
async def predictions(run_id: str, request: Request) -> Response:
    """The same for the page, whose run may not be stored yet, of what is looked at."""
    ask = await asked(request)
    run, view = await run_asked(ask, run_id), ask.view()
    state = await ask.runs.at(run, run.state.step if view.step is None else min(view.step, run.state.step))
    if view.example is not None:
        trace(state, view.example)
    work = partial(_told, Facts(state, view.example), view.grain, view.moment, ask.text("answer"), text)
    return json(await ask.runs.pool.do(SECONDS + look_cost(state.spec), run.visitor, work))


def _told(
    facts: Facts, grain: str, moment: int | None, answer: str, named: Callable[[str], str] = str
) -> dict[str, Any]:
    if not answer:
        return plain(Predictions(facts.step, tuple(questions(facts, grain)), None))  # type: ignore[no-any-return]
    if moment is None:
        raise SpecError("moment", None, "the moment that is answered")
    verdict = question_at(facts, grain, moment).judged(answer)
    verdict = replace(verdict, factor=verdict.factor and named(verdict.factor))
    return plain(Predictions(facts.step, (), verdict))  # type: ignore[no-any-return]
