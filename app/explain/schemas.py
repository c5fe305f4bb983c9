"""What the looks into one step answer, as shapes for the OpenAPI document.

Where an answer is a value of the engine, its shape is made of that value's own fields.
"""

from dataclasses import fields, is_dataclass
from json import loads
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, create_model

from app.explain.moments import Grain, Phase
from app.run.schemas import Vector
from engine import Quantity
from engine.along import Along
from engine.health import LayerHealth
from engine.paths import Paths
from engine.probes import Check, Contour, Nudge, Slice

Number = float | None


def _shape(hint: Any) -> Any:
    """What JSON has for a field of the engine's: numbers that are not finite are null there."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin is np.ndarray:
        return Vector
    if origin is tuple and inside[-1] is Ellipsis:
        return list[_shape(inside[0])]  # type: ignore[misc]
    if origin is tuple:
        return tuple[tuple(_shape(each) for each in inside)]  # type: ignore[misc]
    if hint is Quantity:
        return str
    if is_dataclass(hint) and isinstance(hint, type):
        return _answer(hint)
    return Number if hint is float else hint


def _example(text: str) -> ConfigDict:
    """What an answer looks like, as JSON."""
    return ConfigDict(json_schema_extra={"examples": [loads(text)]})


def _answer(of: type, example: str = "", **more: Any) -> type[BaseModel]:
    """The shape of an answer that has a value's fields, and those in `more` behind or in place of them."""
    hints = get_type_hints(of)
    own = {field.name: _shape(hints[field.name]) for field in fields(of)}
    shape = {name: (kind, ...) for name, kind in ({"step": int} | own if example else own).items()}
    shape |= {name: (kind, ...) for name, kind in more.items()}
    config = _example(example) if example else ConfigDict()
    return create_model(f"{of.__name__}Answer", __config__=config, __doc__=of.__doc__, **shape)  # type: ignore[call-overload, no-any-return]


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

    model_config = _example(
        """{"step": 0, "examples": [8], "granularity": "pass", "count": 5, "collapsed": "", "phases":
        [{"phase": "forward", "first": 0, "count": 2}], "code": ["n, outputs = y.shape"], "moments": []}"""
    )

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

    model_config = _example(
        """{"step": 0, "address": "b2.1", "name": "b₂,₁", "place": "bias of hidden 2, unit 1", "kind":
        "parameter", "words": "Against its gradient, the bias goes up to +0.02425.", "symbols": "b", "numbers":
        "", "code": [], "came_from": ["a2.1"], "terms": [], "rest": 0.0, "left_out": 0, "mathml": null, "facts":
        {"now": -0.0044, "gradient": -0.95, "parts": [{"name": "gradient", "value": 0.0286}], "next": 0.0242}}"""
    )

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


NudgeAnswer = _answer(
    Nudge,
    """{"step": 50, "address": "W1.1.1", "amount": 0.001, "now": -0.8398, "before": 0.50167, "after": 0.50164,
    "penalty": 0.0, "slope": -0.0286005, "gradient": -0.0286093, "penalty_gradient": 0.0, "total": -0.0286093,
    "difference": 8.8e-06, "verdict": "better", "agrees": true, "kink": false, "reruns": 25}""",
    verdict=Literal["better", "worse", "same"],
)
CheckAnswer = _answer(
    Check,
    """{"step": 50, "parameters": 25, "checked": 25, "reruns": 51, "largest": 7.1e-11, "address": "W1.1.2",
    "scale": 0.339, "kinks": 0, "passed": true}""",
)
AlongAnswer = _answer(
    Along,
    """{"step": 0, "reach": 1.0, "rate": 0.03, "lengths": [0.0, 0.5, 1.0], "rates": [0.0, 0.015, 0.03], "losses":
    [0.4407, 0.387, 0.3381], "all_losses": [0.5492, 0.5479, 0.5476], "examples": 120, "before": 0.4407, "after":
    0.3381, "promised": -0.1115, "verdicts": ["still", "short", "right"], "best": 1.0, "all_best": 1.0}""",
)
PathsAnswer = _answer(
    Paths,
    """{"step": 0, "address": "W2.1.3", "example": 8, "count": 1, "links": 2, "ways": [{"factors": [{"of": "da3.1",
    "value": -0.9388, "so_far": -0.9388}, {"of": "slope3.1", "value": 0.9963, "so_far": -0.9353}], "product":
    -0.5816}], "gradient": -0.5816}""",
)
SliceAnswer = _answer(
    Slice,
    """{"step": 50, "address": "W1.1.1", "now": -0.84, "loss": 0.5017, "penalty": 0.0, "gradient": -0.0286,
    "penalty_gradient": 0.0, "total": -0.0286, "values": [-1.34, -0.34], "losses": [0.516, 0.494], "landings":
    [{"factor": 1, "value": -0.839, "loss": 0.5016}]}""",
)
ContourAnswer = _answer(
    Contour,
    """{"step": 50, "x_address": "W1.1.1", "y_address": "b1.1", "x": [-0.5, 1.5], "y": [-0.5, 1.5], "losses":
    [[0.9, 0.4], [1.2, 0.6]], "now": [0.9, 0.1], "examples": 120, "path": [[0.0, 0.0], [0.9, 0.1]], "path_steps":
    [0, 50]}""",
    losses=list[Vector],
    path_steps=list[int],
)


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

    model_config = _example(
        """{"step": 50, "batch": 10, "address": "W1.1.1", "mean": -0.0286, "length": 0.6, "wishes":
        [{"example": 48, "length": 1.1, "cosine": 0.16, "wish": 0.3, "gradient": null}], "addresses": null}"""
    )

    step: int
    batch: int
    address: str | None
    mean: Number
    length: Number
    wishes: list[WishAnswer]
    addresses: list[str] | None


LayerHealthAnswer = _answer(LayerHealth, histogram=list[int], edges=Vector)


class HealthAnswer(BaseModel):
    """How gradients fare in the next step, layer by layer, and one sentence if something is wrong, else ""."""

    model_config = _example(
        """{"step": 0, "examples": [48, 11], "problem": "vanishing", "layer": 1, "sentence":
        "Gradients vanish …", "layers": []}"""
    )

    step: int
    examples: list[int]
    problem: str | None
    layer: int | None
    sentence: str
    layers: list[LayerHealthAnswer]  # type: ignore[valid-type]
