"""What requests and answers look like, for validation of shape and for the OpenAPI document.

What a value of a spec may be is checked by the engine alone.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from app.run.deeds import Step
from app.run.shapes import Vector, shape_of
from app.run.spec_schemas import BriefSpecAnswer, SpecAnswer
from app.settings import MOST_STEPS
from engine import LIMITS
from engine.edits import MOST_EXAMPLES
from engine.edits import MOST_STEPS as MOST_UNTIL
from engine.operations import kinds_behind
from engine.operations.base import Option
from engine.scaling import Scale
from engine.settings import Setting
from engine.tracing import LayerTrace, NormTrace

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Input = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1e150, le=1e150)]


# What may be of several kinds is of the kind that it looks like, so that a fault is told once; a tag begins with "|".
Cell = Annotated[
    Annotated[Input, Tag("|number")]
    | Annotated[str, Field(max_length=120), Tag("|word")]
    | Annotated[bool, Tag("|yes")],
    Discriminator(lambda cell: {str: "|word", bool: "|yes"}.get(type(cell), "|number")),
]
Column = Annotated[list[Cell], Field(min_length=1, max_length=LIMITS.samples)]
Columns = Annotated[dict[str, Column], Field(min_length=1, max_length=LIMITS.custom_columns)]
Rows = Annotated[list[list[Input]], Field(min_length=1, max_length=LIMITS.samples)]


def given(body: BaseModel | None) -> dict[str, Any]:
    """What a request really said: no defaults, and fields that do not exist too, for the engine to name."""
    return {} if body is None else {name: getattr(body, name) for name in body.model_fields_set}


class Body(BaseModel):
    """A request's body: no field that is not named here, and no type but the one named."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StepBody(Body):
    """How many steps, or up to which step, and whether the trace of the last one is wanted.

    What fits into one request's budget is done and kept. `until` is safe to repeat: ask again until the run is there.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": 100}]})

    count: int | None = Field(None, ge=1, le=MOST_STEPS, description="How many more; one if `until` is not given.")
    until: int | None = Field(None, ge=0, le=MOST_UNTIL, description="The step to come to, and to go no further than.")
    whole: bool = Field(False, description="All of them or none: refused beforehand where they cannot fit.")
    examples: list[int] | None = Field(
        None, min_length=1, max_length=MOST_EXAMPLES,
        description="One step on these rows of the data in place of the mini-batch.",
    )  # fmt: skip
    trace: bool = False
    version: int | None = Field(None, ge=1, le=2**53, description="Refuse unless the run is at this version.")

    def deed(self) -> Step:
        """What is asked."""
        return Step(self.count, self.until, whole=self.whole, examples=tuple(self.examples or ()))


_SAID: dict[str, Any] = {  # a value of a field of a spec, as a catalog and an edit tell it
    "anyOf": [
        {"type": ["number", "string", "boolean", "null"]},
        {"type": "array", "items": {"type": ["number", "string"]}},
        {"type": "object", "additionalProperties": {"type": "number"}},
    ]
}
Said = Annotated[Any, WithJsonSchema(_SAID)]


class EditBody(Body):
    """A live field of the spec or an address such as W1.2.1, and its new value."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"field": "W1.2.1", "value": 0.5}]})

    field: str = Field(max_length=80)
    value: Said


class RewindBody(Body):
    """A step of the run's past."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"step": 0}]})

    step: int = Field(ge=0, le=2**53)


class PredictBody(Body):
    """Raw inputs, a row for each example, or columns by the names of one's own data."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"inputs": [[0.5, -1.0], [3.0, 3.0]]}]})

    inputs: Annotated[
        Annotated[Rows, Tag("|rows")] | Annotated[Columns, Tag("|columns")],
        Discriminator(lambda inputs: "|columns" if isinstance(inputs, dict) else "|rows"),
    ]

    @property
    def rows(self) -> int:
        """How many examples are given."""
        return len(self.inputs) if isinstance(self.inputs, list) else max(map(len, self.inputs.values()))


Matrix = list[list[float | None]]
Maps = list[list[Matrix]]  # of a convolution: (examples, channels, height, width)
Array = Vector | Matrix | list[Matrix] | Maps  # of any shape that a step has


def _nested(depth: int) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "number"}
    return {"anyOf": [number, {"type": "array", "items": _nested(depth - 1)}]} if depth else number


Numbers = Annotated[Any, WithJsonSchema(_nested(4) | {"description": "A number, or lists of them."})]


class Pair(BaseModel):
    """A number for the training set and one for the test set; null where there is none."""

    train: float | None
    test: float | None


class Diverged(BaseModel):
    """Where the numbers ran out: the first quantity of the next step that is not finite; layer 0 is the loss."""

    step: int
    layer: int
    quantity: str
    message: str


class EditAnswer(BaseModel):
    """A change that was made when the run had taken `step` steps."""

    step: int
    field: str
    value: Said


class RunAnswer(BaseModel):
    """A run as it stands; `url` is the page that shows just that."""

    id: str
    version: int
    spec: SpecAnswer
    edits: list[EditAnswer]
    step: int
    epoch: int
    loss: Pair
    accuracy: Pair | None
    diverged: Diverged | None
    url: str


_NORMED: dict[str, Any] = dict.fromkeys(
    ("mean", "spread", "xhat", "n", "dn", "dxhat", "dz_own", "dz_mean", "dz_spread"), Matrix | Maps
)
_RUNNING: dict[str, Any] = dict.fromkeys(("running", "running_next"), Matrix | None)
_GAINS = "gamma beta dgamma dbeta gamma_next beta_next"
_ALWAYS: dict[str, Any] = dict.fromkeys(("W", "z", "a", "da", "dz", "dW", "W_next"), Matrix | Maps)
_BEHIND = dict.fromkeys(("h", "o", "mask", "dh", "v", "dv", *kinds_behind()))
_MAY_BE: dict[str, Any] = dict.fromkeys((*_BEHIND, "dW_penalty"), Matrix | Maps | None)
_PARTS = f"activation W b z a {' '.join(_BEHIND)} norm da dz dW db dW_penalty W_next b_next"
NormAnswer = shape_of(NormTrace, shown=" ".join((*_NORMED, _GAINS, *_RUNNING)), name="Norm", **_NORMED, **_RUNNING)
LayerAnswer = shape_of(LayerTrace, shown=_PARTS, name="Layer", **_ALWAYS, **_MAY_BE)


class TraceAnswer(BaseModel):
    """Everything that one step computes. `examples` are rows of the run's data; `targets` are the numbers that stand
    in y for "not this class" and "this class", where there are classes. Of a layer `dW_penalty` is null if nothing adds
    to dW, and `da` where an output's a is next to 0 or 1 and its dL/da beyond any number; dz is told all the same.
    """

    step: int
    examples: list[int]
    x: Matrix
    y: Matrix
    loss: float | None
    penalty: float | None
    learning_rate: float | None
    classes: list[str] | None
    targets: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    layers: list[LayerAnswer]  # type: ignore[valid-type]


class Losses(BaseModel):
    """The loss of each step's mini-batch: thinned if there were many, hence the step numbers."""

    step: list[int]
    loss: Vector


class StepAnswer(RunAnswer):
    """A run after steps: how many were asked for and done, and why it ended sooner, if it did."""

    asked: int
    done: int
    truncated: str | None
    losses: Losses
    trace: TraceAnswer | None = None


class Listed(BaseModel):
    """A run in a list; `spec` is what it began with, without `parameters` and `data`, which may be long."""

    id: str
    version: int
    spec: BriefSpecAnswer
    edits: int
    step: int
    epoch: int
    loss: Pair
    diverged: bool


class RunsAnswer(BaseModel):
    """This visitor's runs, the one changed last first."""

    runs: list[Listed]


class PredictAnswer(BaseModel):
    """Outputs (examples, outputs), and the class of each example unless the task is regression.

    Outputs for values to predict are in their own units; `names` are the names of the classes of one's own data.
    """

    step: int
    outputs: Matrix
    classes: list[int] | None
    names: list[str] | None


ScaleAnswer = shape_of(Scale)


class ScalingAnswer(BaseModel):
    """The scales of inputs and of values to predict; null where they go in as they are."""

    inputs: ScaleAnswer | None  # type: ignore[valid-type]
    targets: ScaleAnswer | None  # type: ignore[valid-type]


class MissingAnswer(BaseModel):
    """What had no value in one's own data: places of the rows that were left out, counted from 0 in what was given; how
    many cells were filled in; and the columns left out, which are dates, empty in most rows, or not to be used.
    """

    rows_left_out: list[int]
    cells_filled: int
    columns_left_out: list[str]


class DataAnswer(BaseModel):
    """A run's examples: raw inputs and labels; the first `train` of all `count` are trained on.

    A label of a class is its place among `classes`; `targets` are the numbers that stand for "not this class" and "this
    class" in a trace, where there are classes. `names` are those of the inputs, `domains` from where to where each is
    drawn; `content` tells the same data again, where it is one's own, and `missing` what it lacked; `scaling` is each
    column's mean and deviation over the training rows, where the network is given (value - mean) / deviation.
    """

    task: str
    train: int
    count: int
    first: int
    content: str | None
    missing: MissingAnswer | None
    domain: Annotated[list[float], Field(min_length=2, max_length=2)]
    domains: list[Annotated[list[float], Field(min_length=2, max_length=2)]]
    names: list[str]
    classes: list[str] | None
    targets: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    scaling: ScalingAnswer
    x: list[Vector]
    y: list[float] | list[Vector]


class BackpropAnswer(BaseModel):
    """The loss, and the layers as in a trace; `reduction` says whether of the mean over the examples or of the sum."""

    reduction: Literal["mean", "sum"]
    loss: float | None
    x: Matrix
    y: Matrix
    layers: list[LayerAnswer]  # type: ignore[valid-type]


class HistoryAnswer(BaseModel):
    """Sampled points of a run's past, the last one its head: one row of `values` for each of `steps`.

    All digits of every number; of points that release 0.1.0 stored, the seven that it kept.
    """

    columns: list[str]
    steps: list[int]
    values: Matrix


OptionAnswer = shape_of(Option, bounds=list[float] | None, default=float | str | None)
SettingAnswer = shape_of(Setting, default=float, minimum=float, maximum=float)


class EntryAnswer(BaseModel):
    """One entry of a table: its title, and what entries of its table have, formulas in LaTeX and code in NumPy."""

    title: str
    sentence: str = ""
    formula: str = ""
    derivative_formula: str = ""
    gradient_formula: str = ""
    code: str | list[str] = ""
    derivative_code: str = ""
    gradient_code: str = ""
    range: Vector = []
    task: str = ""
    inputs: int = 0
    outputs: int = 0
    domain: list[float] = []
    max_samples: int = 0
    slots: list[str] = []
    options: dict[str, OptionAnswer] = {}  # type: ignore[valid-type]
    settings: dict[str, SettingAnswer] = {}  # type: ignore[valid-type]


class FieldAnswer(BaseModel):
    """One field of a spec; `live` ones change while a run goes on."""

    title: str
    group: str
    kind: str
    default: Said
    sentence: str
    minimum: float | None
    maximum: float | None
    choices: list[str]
    live: bool


class LimitAnswer(BaseModel):
    """One limit, and of what it is one."""

    value: float | None
    what: str


Table = dict[str, EntryAnswer]


class CatalogAnswer(BaseModel):
    """Every selectable name by table, every field of a spec, every limit."""

    datasets: Table
    features: Table
    activations: Table
    operations: Table
    losses: Table
    optimizers: Table
    initializers: Table
    schedules: Table
    regularizations: Table
    fields: dict[str, FieldAnswer]
    limits: dict[str, LimitAnswer]


class Status(BaseModel):
    """How the service is."""

    status: Literal["ok", "ready"]
