"""What the routes of class rooms are sent and answer: shapes alone; what a value may be is checked further in."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.run.schemas import Body, RunAnswer
from app.run.spec_schemas import SpecBody
from app.settings import MOST_STEPS

Text = Annotated[str, Field(max_length=2_000)]
Step = Annotated[int, Field(ge=0, le=2**53)]


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class NewRoom(Body):
    """What the room begins with: a run, or a spec to make one of, through a view."""

    model_config = _example({"spec": {"dataset": "xor", "hidden": [4]}, "view": "lens=gradients"})

    run: Text | None = Field(None, description="Id of a run; without it a new one is made.")
    spec: SpecBody | None = Field(None, description="Spec of the new run.")  # type: ignore[valid-type]
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
        None, description="Such as W2.1.3, of a kernel W1.2.1.3.3, a norm's gamma1.2, or a node of a graph"
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


class BarAnswer(BaseModel):
    """One answer and how often it was given; `true` is null while it is not told, `length` in hundredths of the
    longest."""

    answer: str
    label: str
    count: int
    true: bool | None
    length: int


class ChoiceAnswer(BaseModel):
    """One of the answers to choose from, and as people read it."""

    value: str
    label: str


class AskedAnswer(BaseModel):
    """The question on the screens. `bars`, `truth` and `sentence` are null until they may be told; then `truth_label`
    is the truth as people read it. `answered`, how many have answered, is for the teacher alone."""

    number: int
    kind: str
    prompt: str
    given: str
    status: Literal["open", "closed", "revealed"]
    answer: Literal["choice", "number"]
    address: str | None
    step: int | None
    example: int | None
    options: list[ChoiceAnswer]
    bars: list[BarAnswer] | None
    truth: str | None
    truth_label: str = ""
    sentence: str | None
    answered: int = 0


class OnWall(BaseModel):
    """The hand-in on the wall; the nickname only where its student lets it be told."""

    number: int
    nickname: str | None


class SharedAnswer(BaseModel):
    """What every screen shows: a run at a step through a view, or else the page at `lesson`."""

    run: str
    step: int
    view: str
    lesson: str


class HandInAnswer(BaseModel):
    """One student's hand-in, as the teacher is told it."""

    number: int
    student: int
    step: int
    nickname: str | None
    named: bool


class RoomToStudent(BaseModel):
    """A room as its students are told it. `lesson` or `graph` is the page that is shown, where it is no run."""

    version: int
    code: str
    pace: str
    paused: str | None
    question: AskedAnswer | None
    lesson: str | None
    graph: str | None
    shown: OnWall | None


class RoomAnswer(RoomToStudent):
    """A room as its teacher is told it: also how many are `here` and have `joined`, whose run it is, who handed in."""

    here: int
    joined: int
    shared: SharedAnswer
    hand_ins: list[HandInAnswer]


class RenewedAnswer(RoomAnswer):
    """A room under a new code, and the address of its page."""

    url: str


class OpenedAnswer(RenewedAnswer):
    """A new room; `teacher` is the secret that makes a teacher: it is told here alone."""

    teacher: str


class SteppedAnswer(RoomAnswer):
    """A room after steps of its run: how many were done, and why it ended sooner, if it did."""

    run: RunAnswer
    done: int
    truncated: str | None


class JoinedAnswer(RoomToStudent):
    """A room to a student, whose number it is."""

    number: int
    nickname: str | None


class Removed(BaseModel):
    """A student who was removed."""

    number: int
    nickname: str | None


class StudentAnswer(BaseModel):
    """Somebody of the class; `answer` is told when the question is closed."""

    number: int
    nickname: str | None
    answered: bool
    answer: str | None


class StudentsAnswer(BaseModel):
    """Who has joined, and who was removed."""

    version: int
    students: list[StudentAnswer]
    removed: list[Removed]


class AnswerAnswer(BaseModel):
    """A student's answer as it was taken."""

    version: int
    number: int
    answer: str


class AnswerRow(BaseModel):
    """One answer to one question; `truth` and `right` are null where the question has no truth."""

    question: int
    kind: str
    prompt: str
    step: int
    address: str
    student: int
    nickname: str
    answer: str
    label: str
    truth: str | None
    right: bool | None


class AnswersAnswer(BaseModel):
    """Every answer so far, by question and student."""

    version: int
    answers: list[AnswerRow]


class CopyAnswer(BaseModel):
    """A copy of what is shown: its run, and the page that shows it."""

    run: str
    step: int
    url: str


class HandedInAnswer(BaseModel):
    """A hand-in as it was taken."""

    number: int
    step: int
    named: bool
