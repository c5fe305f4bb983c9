"""What the looks into one step answer, as shapes for the OpenAPI document."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from app.explain.moments import Grain, Phase
from app.run.schemas import Vector

Number = float | None


class TermAnswer(BaseModel):
    """One product of a sum."""

    label: str
    left: Number
    right: Number
    value: Number


class MomentAnswer(BaseModel):
    """One fact of one step in words, symbols (LaTeX), numbers and code; `values` are the trace's own numbers.

    `targets` are the quantities it computes by address, `nodes` and `links` what it lights in the diagram, `focus`
    whose receipt it belongs to. `terms` are the largest of the products it adds up, `rest` sums the `left_out` others.
    With mathml=true `mathml` has the symbols' equations as the page shows them, else null.
    """

    index: int
    phase: Phase
    kind: str
    layer: int
    units: list[int]
    targets: list[str]
    focus: str | None
    nodes: list[str]
    links: list[str]
    direction: Literal["forward", "backward"] | None
    words: str
    symbols: str
    numbers: str
    code_line: int
    code: str
    values: dict[str, Any]
    terms: list[TermAnswer]
    rest: Number
    left_out: int
    mathml: list[str] | None


class PhaseAnswer(BaseModel):
    """One phase of a walkthrough: the index of its first moment, and how many it has."""

    phase: Phase
    first: int
    count: int


class WalkthroughAnswer(BaseModel):
    """One step in computing order. `code` is the whole step as a NumPy program; `collapsed` says what is shortened."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "step": 0, "examples": [8], "granularity": "pass", "count": 5, "collapsed": "",
        "phases": [{"phase": "forward", "first": 0, "count": 2}], "code": ["n = len(x)"], "moments": [],
    }]})  # fmt: skip

    step: int
    examples: list[int]
    granularity: Grain
    count: int
    collapsed: str
    phases: list[PhaseAnswer]
    code: list[str]
    moments: list[MomentAnswer]


class ReceiptAnswer(BaseModel):
    """How a parameter came to its next value, now + parts = next; or a unit to its numbers; or an input.

    `facts` are the numbers, those per example as lists. `came_from` is one click further back. With mathml=true
    `mathml` has the symbols' equations as the page shows them, else null.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "step": 0, "address": "b2.1", "name": "b²₁", "place": "bias of hidden 2, unit 1", "kind": "parameter",
        "words": "Against its gradient, the bias goes up to +0.02425.", "symbols": "b", "numbers": "", "code": [],
        "came_from": ["a2.1"], "terms": [], "rest": 0.0, "left_out": 0, "mathml": None,
        "facts": {"now": -0.0044, "gradient": -0.95, "parts": [{"name": "gradient", "value": 0.0286}], "next": 0.0242},
    }]})  # fmt: skip

    step: int
    address: str
    name: str
    place: str
    kind: Literal["parameter", "unit", "input"]
    words: str
    symbols: str
    numbers: str
    code: list[str]
    came_from: list[str]
    terms: list[TermAnswer]
    rest: Number
    left_out: int
    mathml: list[str] | None
    facts: dict[str, Any]


class NudgeAnswer(BaseModel):
    """One parameter moved a little and the model rerun, beside backpropagation's gradient.

    `before` and `after` are the losses, with regularization's penalty in them (`penalty` of `before`). `slope` is
    change / amount, and `total` what it should be near to: `gradient`, backpropagation's, plus `penalty_gradient`.
    `kink`: the slope jumps here, and any total between both sides is right. To nudge every parameter takes `reruns`
    reruns of the model, one backward pass does.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "step": 50, "address": "W1.1.1", "amount": 0.001, "now": -0.8398, "before": 0.50167, "after": 0.50164,
        "penalty": 0.0, "slope": -0.0286005, "gradient": -0.0286093, "penalty_gradient": 0.0, "total": -0.0286093,
        "difference": 8.8e-06, "verdict": "better", "agrees": True, "kink": False, "reruns": 25,
    }]})  # fmt: skip

    step: int
    address: str
    amount: float
    now: Number
    before: Number
    after: Number
    penalty: Number
    slope: Number
    gradient: Number
    penalty_gradient: Number
    total: Number
    difference: Number
    verdict: Literal["better", "worse", "same"]
    agrees: bool
    kink: bool
    reruns: int


class CheckAnswer(BaseModel):
    """Every gradient against reruns: `checked` of `parameters`, the largest difference and where it is. With
    regularization both have its penalty in them.

    `scale` is the largest gradient. `kinks` are parameters where the slope jumps and any gradient in between is right.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "step": 50, "parameters": 25, "checked": 25, "reruns": 51, "largest": 7.1e-11, "address": "W1.1.2",
        "scale": 0.339, "kinks": 0, "passed": True,
    }]})  # fmt: skip

    step: int
    parameters: int
    checked: int
    reruns: int
    largest: Number
    address: str
    scale: Number
    kinks: int
    passed: bool


class LandingAnswer(BaseModel):
    """Where a step with `factor` times the learning rate puts the parameter, and the loss there if it alone moves."""

    factor: int
    value: Number
    loss: Number


class SliceAnswer(BaseModel):
    """The loss along one parameter alone, with regularization's penalty in it (`penalty` of `loss`).

    At `now` its tangent has the slope `total`: `gradient`, backpropagation's, plus `penalty_gradient`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "step": 50, "address": "W1.1.1", "now": -0.84, "loss": 0.5017, "penalty": 0.0, "gradient": -0.0286,
        "penalty_gradient": 0.0, "total": -0.0286, "values": [-1.34, -0.34], "losses": [0.516, 0.494],
        "landings": [{"factor": 1, "value": -0.839, "loss": 0.5016}],
    }]})  # fmt: skip

    step: int
    address: str
    now: Number
    loss: Number
    penalty: Number
    gradient: Number
    penalty_gradient: Number
    total: Number
    values: Vector
    losses: Vector
    landings: list[LandingAnswer]


class ContourAnswer(BaseModel):
    """The loss over two parameters, `losses[row of y][column of x]`, on `examples` of the training examples, with
    regularization's penalty in it.

    `path` is where the two have been at the steps `path_steps`, `now` where they are.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "step": 50, "x_address": "W1.1.1", "y_address": "b1.1", "x": [-0.5, 1.5], "y": [-0.5, 1.5],
        "losses": [[0.9, 0.4], [1.2, 0.6]], "now": [0.9, 0.1], "examples": 120, "path": [[0.0, 0.0], [0.9, 0.1]],
        "path_steps": [0, 50],
    }]})  # fmt: skip

    step: int
    x_address: str
    y_address: str
    x: Vector
    y: Vector
    losses: list[Vector]
    now: tuple[Number, Number]
    examples: int
    path: list[tuple[Number, Number]]
    path_steps: list[int]


class WishAnswer(BaseModel):
    """What one example wants: the length of its own gradient, how far it agrees with the batch's (cosine from -1 to
    1, null if there is nothing to compare), and its gradient at the address that was asked about.
    """

    example: int
    length: Number
    cosine: Number
    wish: Number = None
    gradient: Vector | None = None


class WishesAnswer(BaseModel):
    """The gradients of the batch's single examples; their mean is the batch's own. `wish` and `mean` are at `address`.
    Regularization is no example's wish and is in none of them.

    With gradients=true each has its whole gradient, in the order of `addresses`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "step": 50, "batch": 10, "address": "W1.1.1", "mean": -0.0286, "length": 0.6,
        "wishes": [{"example": 48, "length": 1.1, "cosine": 0.16, "wish": 0.3, "gradient": None}], "addresses": None,
    }]})  # fmt: skip

    step: int
    batch: int
    address: str | None
    mean: Number
    length: Number
    wishes: list[WishAnswer]
    addresses: list[str] | None


class LayerHealthAnswer(BaseModel):
    """One layer: length and size (root mean square) of its gradient, length of the step over that of the weights,
    shares of dead units and saturated activations, and how its activations are spread.
    """

    layer: int
    gradient_norm: Number
    gradient_size: Number
    update_ratio: Number
    dead_share: Number
    saturated_share: Number
    histogram: list[int]
    edges: Vector


class HealthAnswer(BaseModel):
    """How gradients fare in the next step, layer by layer, and one sentence if something is wrong, else ""."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "step": 0, "examples": [48, 11], "problem": "vanishing", "layer": 1, "sentence": "Gradients vanish …",
        "layers": [],
    }]})  # fmt: skip

    step: int
    examples: list[int]
    problem: str | None
    layer: int | None
    sentence: str
    layers: list[LayerHealthAnswer]
