"""Predict as JSON: at which moments of a run's walkthrough something is asked, and the verdict on an answer."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from app.costs import look_cost
from app.learn.facts import Facts
from app.learn.predicting import GRAINS, question_at, questions
from app.page.asked import asked
from app.page.pages import run_asked
from app.run.answers import json
from app.run.api import Kept, Whole, answers_with
from app.serve.strict import StrictRoute
from engine import SpecError, trace

router = APIRouter(route_class=StrictRoute, default_response_class=Response)
SECONDS = 2e-3  # to pose all questions of a step


class QuestionAnswer(BaseModel):
    """What is asked at a moment: which of the options, or the number itself. `hides` is the quantity asked about."""

    moment: int
    kind: str
    hides: str
    prompt: str
    options: list[str]
    number_prompt: str
    hint: str


class PredictionAnswer(BaseModel):
    """Whether an answer is right; if it is not, which factor to look at, and why. `truth` is the number."""

    correct: bool
    factor: str | None
    message: str
    truth: float | str


class PredictionsAnswer(BaseModel):
    """The telling moments of a step, or with an answer to one of them the verdict on it."""

    step: int
    questions: list[QuestionAnswer]
    verdict: PredictionAnswer | None


@router.get("/api/v1/runs/{run_id}/predictions", tags=["look"], responses=answers_with(PredictionsAnswer))
async def read_predictions(
    run_id: str, runs: Kept,
    example: Annotated[Whole, Query(description="One example, by its row.")],
    granularity: Annotated[str, Query(max_length=40, description="One of " + ", ".join(GRAINS) + ".")] = "unit",
    step: Annotated[Whole | None, Query(description="An earlier step to look at.")] = None,
    moment: Annotated[Whole | None, Query(description="The moment that is answered.")] = None,
    answer: Annotated[str, Query(max_length=60, description="up, down, stay or a number.")] = "",
) -> Response:  # fmt: skip
    """What a walkthrough asks before it shows: the telling moments, or the engine's verdict on an answer to one.

    Without `answer` nothing tells what is right. An answer may be a direction, or the number.
    """
    run = await runs.get(run_id)
    state = run.state if step is None else await runs.at(run, step)
    if granularity not in GRAINS:
        raise SpecError("granularity", granularity, "one of: " + ", ".join(GRAINS))
    trace(state, example)
    work = partial(_told, Facts(state, example), granularity, moment, answer)
    return json(await runs.pool.do(SECONDS + look_cost(state.spec), run.visitor, work))


@router.get("/runs/{run_id}/predictions", include_in_schema=False)
async def predictions(run_id: str, request: Request) -> Response:
    """The same for the page, whose run may not be stored yet, of what is looked at."""
    ask = await asked(request)
    run, view = await run_asked(ask, run_id), ask.view()
    state = await ask.runs.at(run, run.state.step if view.step is None else min(view.step, run.state.step))
    if view.example is not None:
        trace(state, view.example)
    work = partial(_told, Facts(state, view.example), view.grain, view.moment, ask.text("answer"))
    return json(await ask.runs.pool.do(SECONDS + look_cost(state.spec), run.visitor, work))


def _told(facts: Facts, grain: str, moment: int | None, answer: str) -> dict[str, Any]:
    told = _judged(facts, grain, moment, answer) if answer else _posed(facts, grain)
    return {"step": facts.step} | told


def _posed(facts: Facts, grain: str) -> dict[str, Any]:
    posed = [
        {
            "moment": each.moment, "kind": each.kind, "hides": each.number.quantity, "prompt": each.way.prompt,
            "options": list(each.way.options), "number_prompt": each.number.prompt, "hint": each.way.hint,
        }
        for each in questions(facts, grain)
    ]  # fmt: skip
    return {"questions": posed, "verdict": None}


def _judged(facts: Facts, grain: str, moment: int | None, answer: str) -> dict[str, Any]:
    if moment is None:
        raise SpecError("moment", None, "the moment that is answered")
    asked = question_at(facts, grain, moment)
    verdict = asked.judged(answer)
    told = {"correct": verdict.correct, "factor": verdict.factor, "message": verdict.message, "truth": asked.way.truth}
    return {"questions": [], "verdict": told}
