"""What the routes of class rooms are sent: shapes alone; what a value may be is checked further in."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


Text = Annotated[str, Field(max_length=2_000)]
Step = Annotated[int, Field(ge=0, le=2**53)]


class NewRoom(Strict):
    """What the room begins with: a run, or a spec to make one of, through a view."""

    run: Text | None = Field(None, description="Id of a run; without it a new one is made.")
    spec: dict[str, Any] = Field(default_factory=dict, description="Spec of the new run.")
    view: Text = Field("", description="What is looked at, as in the page's address: lens=gradients&select=W2.1.3")


class Joined(Strict):
    """A student's nickname, if any: it is shown only with a hand-in, and only if the student agrees."""

    nickname: Text = ""


class SharedBody(Strict):
    """What every screen shows: a run at a step through a view, or a screen of a lesson."""

    run: Text | None = Field(None, description="Id of a run; without it the one that is shared.")
    step: Step | None = Field(None, description="Without it, the run's head.")
    view: Text | None = Field(None, description="Without it, the view that is shared.")
    lesson: Annotated[str, Field(max_length=600)] | None = Field(None, description="Such as /learn/line?screen=2")


class StepsBody(Strict):
    """How many steps."""

    count: Annotated[int, Field(ge=1, le=100_000)] = 1


class PaceBody(Strict):
    """What the class does."""

    pace: Literal["follow", "explore"] | None = None
    paused: Text | None = Field(None, description="A message on every screen instead of the run.")
    go_on: bool = Field(False, description="End a pause.")


class QuestionBody(Strict):
    """A question: one of the engine's, or of kind "own" with a prompt, options (none: a number) and perhaps a truth."""

    kind: Annotated[str, Field(max_length=40)] = Field("direction", description="direction, loss, largest, delta, own")
    address: Annotated[str, Field(max_length=40)] | None = Field(None, description="Such as W2.1.3 or a2.1")
    prompt: Text = ""
    options: list[Text] = Field(default_factory=list, max_length=12)
    truth: Text | None = None


class AnswerBody(Strict):
    """An answer: one of the options, or a number."""

    answer: Text | float


class HandInBody(Strict):
    """A run of the student's own, at a step through a view; `named`: the nickname may stand on the wall."""

    run: Text
    step: Step | None = None
    view: Text = ""
    named: bool = False


class ShownBody(Strict):
    """Which hand-in stands on the wall; null takes it off."""

    hand_in: int | None


class Answer(BaseModel):
    """An answer of these routes; `told` in app/room/screens.py says what each audience is told."""

    model_config = ConfigDict(extra="allow")
