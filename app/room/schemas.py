"""What the routes of class rooms are sent: shapes alone; what a value may be is checked further in."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.run.schemas import Body
from app.settings import MOST_STEPS

Text = Annotated[str, Field(max_length=2_000)]
Step = Annotated[int, Field(ge=0, le=2**53)]


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class NewRoom(Body):
    """What the room begins with: a run, or a spec to make one of, through a view."""

    model_config = _example({"spec": {"dataset": "xor", "hidden": [4]}, "view": "lens=gradients"})

    run: Text | None = Field(None, description="Id of a run; without it a new one is made.")
    spec: dict[str, Any] = Field(default_factory=dict, description="Spec of the new run.")
    view: Text = Field("", description="What is looked at, as in the page's address: lens=gradients&select=W2.1.3")


class Joined(Body):
    """A student's nickname, if any: it is shown only with a hand-in, and only if the student agrees."""

    model_config = _example({"nickname": "Ada"})

    nickname: Text = ""


class SharedBody(Body):
    """What every screen shows: a run at a step through a view, or a page: a screen of a lesson, or a graph."""

    model_config = _example({"step": 0, "view": "lens=activations&example=3"})

    run: Text | None = Field(None, description="Id of a run; without it the one that is shared.")
    step: Step | None = Field(None, description="Without it, the run's head.")
    view: Text | None = Field(None, description="Without it, the view that is shared.")
    lesson: Annotated[str, Field(max_length=8_000)] | None = Field(
        None, description="Such as /learn/line?screen=2; or a graph's address, such as /graph?source=a*b&v.a=2&v.b=3"
    )


class StepsBody(Body):
    """How many steps."""

    model_config = _example({"count": 10})

    count: Annotated[int, Field(ge=1, le=MOST_STEPS)] = 1


class PaceBody(Body):
    """What the class does."""

    model_config = _example({"pace": "explore"})

    pace: Literal["follow", "explore"] | None = None
    paused: Text | None = Field(None, description="A message on every screen instead of the run.")
    go_on: bool = Field(False, description="End a pause.")


class QuestionBody(Body):
    """A question: one of the engine's, or of kind "own" with a prompt, options (none: a number) and perhaps a truth."""

    model_config = _example({"kind": "direction", "address": "W1.1.1"})

    kind: Annotated[str, Field(max_length=40)] = Field(
        "direction", description="direction, trap, loss, largest, delta; of a graph that is shown node, sign; own"
    )
    address: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="Such as W2.1.3 or a node of a graph"
    )
    prompt: Text = ""
    options: list[Text] = Field(default_factory=list, max_length=12)
    truth: Text | None = None


class AnswerBody(Body):
    """An answer: one of the options, or a number."""

    model_config = _example({"answer": "up"})

    answer: Text | float


class HandInBody(Body):
    """A run of the student's own, at a step through a view; `named`: the nickname may stand on the wall."""

    model_config = _example({"run": "the id of a run of yours", "step": 0, "named": True})

    run: Text
    step: Step | None = None
    view: Text = ""
    named: bool = False


class ShownBody(Body):
    """Which hand-in stands on the wall; null takes it off."""

    model_config = _example({"hand_in": 1})

    hand_in: int | None


class RoomAnswer(BaseModel):
    """An answer of these routes; `told` in app/room/screens.py says what each audience is told."""

    model_config = ConfigDict(extra="allow")
