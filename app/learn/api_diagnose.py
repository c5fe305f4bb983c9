"""POST /api/v1/diagnose: gradients that somebody computed -> right, or the mistake by name. What autograders ask. No
state.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel

from app.run.answers import json
from app.run.api import Kept, Visitor, answers_with
from app.run.paging import LINK, Before, Limit, linked, page
from app.run.schemas import Body, Numbers
from app.serve.strict import StrictRoute
from engine import Diagnosis, SpecError
from engine.diagnosis import TOLERANCE, Finding, diagnosed
from engine.homework import BACKWARD
from engine.homework.base import Backward, Mistake
from engine.homework.given import numbers_in
from engine.wording import said

router = APIRouter(prefix="/api/v1", tags=["diagnose"], route_class=StrictRoute, default_response_class=Response)
SECONDS, SECONDS_A_NUMBER = 5e-3, 2e-6
TIMES = 100  # so many multiplications of a pass as there may be numbers

_EXAMPLE: dict[str, JsonValue] = {
    "operation": "dense",
    "inputs": {"x": [[1, 2], [3, -1]], "W": [[0.5, -1], [2, 0.3], [1, 1]], "b": [0, 0.1, 0.2]},
    "upstream": [[0.1, -0.2, 0.4], [0.3, 0.5, -0.6]],
    "gradients": {"dW": [[0.5, -0.05], [0.65, -0.45], [-0.7, 0.7]], "db": [[0.1, -0.2, 0.4], [0.3, 0.5, -0.6]]},
}


class DiagnoseBody(Body):
    """An operation, what went in, what comes back to its output, and the gradients to be judged.

    Arrays are nested lists, (examples, units), images (examples, channels, height, width). `GET /api/v1/diagnose` lists
    the operations with their inputs, gradients and settings.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    operation: str = Field(description=f"One of {', '.join(BACKWARD)}.")
    inputs: dict[str, Numbers] = Field(max_length=10, description="The operation's inputs by name.")
    upstream: Numbers = Field(None, description="dL/d(output), in the output's shape; 1 where the output is the loss.")
    gradients: dict[str, Numbers] = Field(max_length=10, description="Your gradients by name, all or some.")
    settings: dict[str, str | float] = Field(
        {}, max_length=10, strict=False, description="The operation's settings, such as eps or stride."
    )
    tolerance: float = Field(
        TOLERANCE, description="How far off a number may be, in parts of the largest: more for rounded answers."
    )


class MistakeOut(BaseModel):
    """A known mistake, and what to look at."""

    name: str
    sentence: str


class FindingOut(BaseModel):
    """What is to be said of one gradient."""

    right: bool
    sentence: str = Field(description="The verdict, for people.")
    mistakes: list[MistakeOut] = Field(description="Those that make just these numbers; several where they coincide.")
    error: float | None = Field(description="The largest difference in parts of the largest number; null if right.")
    off: int = Field(description="How many numbers are off.")
    by_one_factor: bool = Field(description="Whether all are off by one and the same factor.")
    unseen: list[str] = Field(
        description="Where it is right: mistakes that lead to the same numbers with these inputs."
    )


class DiagnosisAnswer(BaseModel):
    """The verdict on every gradient that was handed in. The right numbers are not told."""

    operation: str
    right: bool
    gradients: dict[str, FindingOut]


class InputOut(BaseModel):
    """An array that goes in: the axes that it may have; equal names are of equal length."""

    name: str
    axes: list[list[str]]
    sentence: str


class SettingOut(BaseModel):
    """One setting of an operation."""

    name: str
    sentence: str
    default: float | str
    choices: list[str]
    minimum: float
    maximum: float


class OperationOut(BaseModel):
    """What can be diagnosed, and which mistakes are known."""

    name: str
    title: str
    sentence: str
    inputs: list[InputOut]
    settings: list[SettingOut]
    gradients: list[str]
    mistakes: list[MistakeOut]


class Diagnosable(RootModel[list[OperationOut]]):
    """All operations."""


@router.get("/diagnose", responses=answers_with(Diagnosable, headers=LINK))
def list_diagnosable(limit: Limit = None, before: Before = None) -> Response:
    """The operations whose gradients can be diagnosed, with the mistakes that are known of each."""
    shown, last = page([*BACKWARD.values()], limit, before, lambda each: each.name)
    return linked(json([_operation(each) for each in shown]), "/api/v1/diagnose", limit, last)


@router.post("/diagnose", responses=answers_with(DiagnosisAnswer))
async def diagnose_gradients(request: Request, runs: Kept, who: Visitor, body: DiagnoseBody) -> Response:
    """Whether gradients are right; if not, the mistake by name, or that it is none that is known."""
    most, given = runs.settings.diagnosed_numbers, (body.inputs, body.upstream, body.gradients)
    count = sum(sum(numbers_in(each)) for each in given)
    if count > most:
        raise SpecError(
            "inputs",
            said("{count:,} numbers", count=count),
            "at most {most:,} numbers, with upstream and gradients",
            most=most,
        )

    def work() -> Response:
        return json(told(diagnosed(body.operation, *given, body.settings, body.tolerance, TIMES * most)))

    return await runs.pool.do(SECONDS + SECONDS_A_NUMBER * count, who, work)


def told(of: Diagnosis) -> dict[str, Any]:
    """A diagnosis as the API tells it."""
    findings = {each.gradient: _finding(each) for each in of.findings}
    return {"operation": of.operation, "right": of.right, "gradients": findings}


def _finding(of: Finding) -> dict[str, Any]:
    return {
        "right": of.right,
        "sentence": of.sentence,
        "mistakes": [_mistake(each) for each in of.mistakes],
        "error": None if of.right else of.error,
        "off": of.off,
        "by_one_factor": of.by_one_factor,
        "unseen": list(of.unseen),
    }


def _mistake(of: Mistake) -> dict[str, str]:
    return {"name": of.name, "sentence": of.sentence}


def _operation(of: Backward) -> dict[str, Any]:
    inputs = [{"name": each.name, "axes": each.axes, "sentence": each.sentence} for each in of.inputs]
    return {
        "name": of.name,
        "title": of.title,
        "sentence": of.sentence,
        "inputs": inputs,
        "settings": [{name: getattr(each, name) for name in SettingOut.model_fields} for each in of.settings],
        "gradients": of.gradients,
        "mistakes": [_mistake(each) for each in of.known],
    }
