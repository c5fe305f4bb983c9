"""JSON for lessons and exercises: what autograders and notebooks call. Nothing here is stored."""

from hashlib import sha256
from secrets import randbits
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from app.draw.rendering import ENV
from app.learn.exercises import LARGEST_SEED, TYPES, Exercise, exercise, exercise_by_id
from app.learn.judging import check
from app.learn.lessons import lessons
from app.run.answers import json
from app.run.api import Visitor, answers_with
from app.run.keyed import Key
from app.run.paging import LINK, Before, Limit, linked, page
from app.run.schemas import Body, Numbers
from app.run.spec_schemas import SpecBody
from app.serve.errors import PROBLEM
from app.serve.root import at
from app.serve.strict import StrictRoute
from engine import SpecError

router = APIRouter(prefix="/api/v1", tags=["learn"], route_class=StrictRoute, default_response_class=Response)
Id = Annotated[str, Path(max_length=60, description="Type and seed, such as delta-7.")]


def _one_answer(value: Any, inner: ValidatorFunctionWrapHandler) -> float | str:
    """One fault for the field, where pydantic has one for each type that an answer may be."""
    try:
        return inner(value)  # type: ignore[no-any-return]
    except ValidationError:
        raise PydanticCustomError("answer", "must be a number, or text of at most 60 characters") from None


Number = Annotated[float, Field(strict=True)]  # true is no number
Text = Annotated[str, Field(max_length=60)]
AnyAnswer = Annotated[Number | Text, WrapValidator(_one_answer)]
ABSENT: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such exercise.", "content": {PROBLEM: {}}}}

EXAMPLE = exercise("delta", 7)
SLIP = EXAMPLE.problem.mistakes[0]
TOLD = check(EXAMPLE.problem, SLIP.value)


class ExerciseWanted(Body):
    """What exercise is wanted; without a seed, one that nobody else has."""

    type: str = Field("delta", description=f"One of {', '.join(TYPES)}.", examples=["delta"])
    seed: int | None = Field(None, ge=0, le=LARGEST_SEED, description="The same seed draws the same numbers.")


class LayerGiven(BaseModel):
    """One layer: W (units, inputs), b (units) and its activation."""

    W: list[list[float]]
    b: list[float]
    activation: str


class Given(BaseModel):
    """One step of backpropagation, as POST /api/v1/backprop takes it."""

    layers: list[LayerGiven]
    x: list[list[float]] = Field(description="One example's inputs.")
    y: list[list[float]] = Field(description="Its targets.")
    loss: str
    learning_rate: float


class GivenFormula(BaseModel):
    """A formula and its values, as POST /api/v1/graph takes them."""

    source: str
    values: dict[str, float]


class OperationGiven(BaseModel):
    """One operation, as POST /api/v1/diagnose takes it, without your gradients."""

    operation: str
    inputs: dict[str, Numbers] = Field(description="The operation's inputs by name, as nested lists.")
    upstream: Numbers = Field(description="dL/d(output), in the output's shape.")
    settings: dict[str, str | float]


class ExerciseOut(BaseModel):
    """An exercise. Its id holds type and seed, so nothing is stored and nothing expires."""

    id: str
    type: str
    seed: int
    prompt: str = Field(description="The question, for people.")
    quantity: str = Field(
        description="What is asked for: delta1.2, dW2.1.3, W2.1.3 or loss, of one operation dx.2.1; from 1; or a node."
    )
    answer: str = Field(description="number or choice.")
    options: list[str] = Field(description="For a choice, what may be answered.")
    tolerance: float = Field(description="How far a number may be off.")
    given: Given | GivenFormula | OperationGiven
    url: str = Field(description="The same exercise as a page.")


class ExerciseAnswer(Body):
    """An answer: a number, or one of the options. A number may also be text, such as "-0.25"."""

    answer: AnyAnswer = Field(examples=[round(SLIP.value, 4), "down"])
    solution: bool = Field(False, description="Also tell the right answer.")


class Checked(BaseModel):
    """The verdict: which factor is off, in a word, and what to look at, in a sentence."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "correct": TOLD.correct,
                "factor": TOLD.factor,
                "message": TOLD.message,
                "truth": EXAMPLE.problem.truth,
            }
        }
    )

    correct: bool
    factor: str | None
    message: str
    truth: float | str | None = Field(description="The right answer, if it was asked for.")


class TypeOut(BaseModel):
    """One type of exercise."""

    name: str
    title: str
    sentence: str


class LessonOut(BaseModel):
    """One lesson, and the spec of its run."""

    slug: str
    number: int
    title: str
    idea: str
    screens: list[str]
    spec: SpecBody  # type: ignore[valid-type]
    url: str


class Lessons(RootModel[list[LessonOut]]):
    """All lessons in order."""


class Types(RootModel[list[TypeOut]]):
    """All types of exercise."""


@router.get("/lessons", responses=answers_with(Lessons, headers=LINK))
def list_lessons(limit: Limit = None, before: Before = None) -> Response:
    """Every lesson in order, with the spec of its run: POST it to /api/v1/runs to have the run."""
    shown, last = page(lessons(ENV), limit, before, lambda each: each.slug)
    told = json(
        [
            LessonOut(
                slug=each.slug,
                number=each.number,
                title=each.title,
                idea=each.idea,
                screens=list(each.screens),
                spec=each.spec,
                url=at(f"/learn/{each.slug}"),
            ).model_dump()
            for each in shown
        ]
    )
    return linked(told, "/api/v1/lessons", limit, last)


@router.get("/exercises", responses=answers_with(Types, headers=LINK))
def list_types(limit: Limit = None, before: Before = None) -> Response:
    """The types of exercise there are."""
    shown, last = page([*TYPES.values()], limit, before, lambda each: each.name)
    told = json([TypeOut(name=t.name, title=t.title, sentence=t.sentence).model_dump() for t in shown])
    return linked(told, "/api/v1/exercises", limit, last)


@router.post("/exercises", status_code=201, responses=answers_with(ExerciseOut, 201))
def draw_exercise(who: Visitor, wanted: ExerciseWanted | None = None, key: Key = None) -> Response:
    """Draw an exercise: the question and its numbers, not the answer."""
    wanted = wanted or ExerciseWanted()
    if wanted.type not in TYPES:
        raise SpecError("type", wanted.type, "one of {types}", types=", ".join(TYPES))
    seed = wanted.seed
    if seed is None:
        seed = int.from_bytes(sha256(f"{who} {key}".encode()).digest()[:4]) if key else randbits(32)
    drawn = exercise(wanted.type, seed)
    return json(_out(drawn).model_dump(), 201, {"location": at(f"/api/v1/exercises/{drawn.id}")})


@router.get("/exercises/{id}", responses={**answers_with(ExerciseOut), **ABSENT})
def read_exercise(id: Id) -> Response:
    """The exercise of an id, the same for ever."""
    return json(_out(_found(id)).model_dump())


@router.post("/exercises/{id}/check", responses={**answers_with(Checked), **ABSENT})
def check_answer(id: Id, given: ExerciseAnswer) -> Response:
    """Whether an answer is right; if it is not, which factor is off."""
    problem = _found(id).problem
    verdict = check(problem, given.answer)
    truth = problem.truth if given.solution else None
    return json(
        Checked(correct=verdict.correct, factor=verdict.factor, message=verdict.message, truth=truth).model_dump()
    )


def _found(id: str) -> Exercise:
    try:
        return exercise_by_id(id)
    except ValueError:
        raise HTTPException(404, "There is no such exercise: an id is a type, a dash and a seed.") from None


def _given(drawn: Exercise) -> Given | GivenFormula | OperationGiven:
    if "operation" in drawn.given:
        return OperationGiven(**drawn.given)
    return GivenFormula(**drawn.given) if drawn.graph else Given(**drawn.given)


def _out(drawn: Exercise) -> ExerciseOut:
    problem = drawn.problem
    return ExerciseOut(
        id=drawn.id,
        type=drawn.type,
        seed=drawn.seed,
        prompt=problem.prompt,
        quantity=problem.quantity,
        answer="choice" if problem.options else "number",
        options=list(problem.options),
        tolerance=problem.tolerance,
        given=_given(drawn),
        url=at(f"/learn/practice?type={drawn.type}&seed={drawn.seed}"),
    )


ExerciseOut.model_config["json_schema_extra"] = {"example": _out(EXAMPLE).model_dump()}
ExerciseOut.model_rebuild(force=True)
