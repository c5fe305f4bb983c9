"""What POST /backprop takes: layers with their numbers, examples, and what to do with them."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    Tag,
    create_model,
    model_validator,
)

from app.run.schemas import Body, Input, Number
from app.run.spec_schemas import Starts
from engine import LIMITS, OPERATIONS
from engine.operations.base import Operation


class NormBody(Body):
    """A normalization's gains and shifts, one a unit; left out, gains are 1 and shifts 0."""

    gamma: list[Number] | None = Field(None, min_length=1, max_length=LIMITS.units)
    beta: list[Number] | None = Field(None, min_length=1, max_length=LIMITS.units)


def _deep(weights: Any) -> str:
    """Whether weights look like a convolution's, in four axes, or like those of a dense layer, in two."""
    for _ in range(2):
        weights = weights[0] if isinstance(weights, list) and weights else None
    return "|kernels" if isinstance(weights, list) else "|rows"


Kernel = Annotated[list[Annotated[list[Number], Field(min_length=1, max_length=5)]], Field(min_length=1, max_length=5)]
_UNITS = Field(min_length=1, max_length=LIMITS.units)
Kernels = Annotated[list[Annotated[list[Kernel], _UNITS]], _UNITS]
Rows = Annotated[list[Annotated[list[Number], Field(min_length=1)]], _UNITS]
Weights = Annotated[Annotated[Rows, Tag("|rows")] | Annotated[Kernels, Tag("|kernels")], Discriminator(_deep)]
_EXAMPLES = Field(min_length=1, max_length=LIMITS.custom_rows)
Targets = Annotated[
    Annotated[list[list[Input]], _EXAMPLES, Tag("|rows")] | Annotated[list[Input], _EXAMPLES, Tag("|numbers")],
    Discriminator(lambda y: "|rows" if isinstance(y, list) and y and isinstance(y[0], list) else "|numbers"),
]


_AFTER = {name: operation for name, operation in OPERATIONS.items() if operation.rank and name != "activation"}


class _Begun(Body):
    """What begins a layer."""

    W: Weights
    b: list[Number] | None = Field(None, min_length=1, max_length=LIMITS.units)
    activation: str = Field("identity", max_length=40)
    padding: Literal["same", "valid"] | None = Field(None, description="Of a convolution; left out it is same.")
    stride: int | None = Field(None, ge=1, le=2, description="Of a convolution; left out it is 1.")


def _field(entry: Operation) -> tuple[Any, Any]:
    """The field of what is attached to a layer: its only option, gains and shifts, or true where it has neither."""
    described = partial(Field, None, description=entry.sentence)
    if entry.parameters:
        return NormBody | None, described()
    if not entry.options:
        return Literal[True] | None, described()
    (option,) = entry.options
    if option.limit:
        return int | None, described(ge=1, le=getattr(LIMITS, option.limit))
    if option.bounds:
        low, high = option.bounds
        return (int if option.whole else Number) | None, described(ge=low, le=high)
    return str | None, described(max_length=40)


_FIELDS: dict[str, Any] = {name: _field(entry) for name, entry in _AFTER.items()}
_Attached = create_model("Attached", __base__=_Begun, **_FIELDS)


class LayerBody(_Attached):
    """One layer: W (units out, units in) or, of a convolution, (channels, channels below, k, k), b (units out; left out
    there are no biases), what is applied, and what is attached to it, a pool at the place where it is written."""

    _written: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _noted(cls, body: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """With the order in which its fields were written."""
        made = handler(body)
        made._written = tuple(body)
        return made

    def norms(self) -> dict[str, NormBody]:
        """Its normalization by name, if it has one."""
        given = ((name, getattr(self, name)) for name in _AFTER)
        return {name: value for name, value in given if isinstance(value, NormBody)}

    def attached(self) -> Iterator[tuple[str, Any]]:
        """What is attached, kind and value, in the order of an engine's layer."""
        written = [name for name in self._written if name in _AFTER and getattr(self, name) is not None]
        written.sort(key=lambda name: _AFTER[name].rank > OPERATIONS["activation"].rank)
        fixed = iter(sorted((name for name in written if not _AFTER[name].anywhere), key=list(OPERATIONS).index))
        for name in written:
            kind = name if _AFTER[name].anywhere else next(fixed)
            yield kind, getattr(self, kind)


class BackpropBody(Body):
    """Layers, examples (a row each), and what to do with them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "layers": [
                        {"W": [[0.5, -0.2], [0.1, 0.4]], "b": [0.0, 0.1], "activation": "tanh"},
                        {"W": [[0.3, -0.6]], "b": [0.05], "activation": "sigmoid"},
                    ],
                    "x": [[1.0, 2.0], [0.5, -1.0]],
                    "y": [[1.0], [0.0]],
                    "loss": "squared_error",
                    "learning_rate": 0.1,
                }
            ]
        }
    )

    layers: Annotated[
        Annotated[list[LayerBody], Field(min_length=1, max_length=LIMITS.hidden_layers + 1), Tag("|list")]
        | Annotated[str, Field(max_length=1_000), Tag("|text")],
        Discriminator(lambda layers: "|text" if isinstance(layers, str) else "|list"),
    ] = Field(description="Every layer with its numbers; or the hidden ones as a spec's text, and `parameters`.")
    parameters: Starts = Field(None, description="Where `layers` is a text: a spec's `parameters`, the output's too.")
    output_activation: str | None = Field(None, max_length=40, description="Where `layers` is a text.")
    x: Annotated[list[list[Input]], _EXAMPLES]
    y: Targets = Field(description="A row for each example, or one number each.")
    loss: str = Field("squared_error", max_length=40)
    learning_rate: Number = Field(0.03, ge=1e-7, le=100)
    reduction: Literal["mean", "sum"] = Field(
        "mean", description="Whether the loss, and with it every gradient, is a mean over the examples or their sum."
    )
