"""POST /backprop: one step on given layers and examples, without any state. What homework and autograders call."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from app.run.answers import check_size, traced
from app.run.backprop_body import BackpropBody, LayerBody, NormBody
from app.settings import Settings
from engine import OPERATIONS, Spec, SpecError, start, trace_of
from engine.arrays import Floats, Ints
from engine.examples import SPLIT
from engine.operations import kinds_behind
from engine.operations.conv2d import SIDES
from engine.wording import said


def spec_of(body: BackpropBody, settings: Settings) -> Spec:
    """A spec whose next step is the one that is asked for; SpecError names what is wrong as the body calls it."""
    told = _of_text(body, body.layers) if isinstance(body.layers, str) else _of_layers(body, body.layers)
    try:
        spec = Spec.make(_given(body) | told, settings.engine_limits)
    except SpecError as error:
        own = _own_name(error.field, body.layers)
        raise error.renamed(own, error.allowed.replace("data.", "")) from None
    check_size(spec, len(body.x), settings.answer_numbers)
    return spec


def backprop(body: BackpropBody, spec: Spec) -> dict[str, Any]:
    """The loss and the layers."""
    answer = traced(trace_of(start(spec), _places(len(body.x))))
    if body.reduction == "sum":
        answer = _summed(answer, 1.0 / spec.network.loss.scale(spec.network.sizes[-1], len(body.x)), spec)
    return {"reduction": body.reduction} | {name: answer[name] for name in ("loss", "x", "y", "layers")}


def _summed(answer: dict[str, Any], times: float, spec: Spec) -> dict[str, Any]:
    """The same of the sum of the losses, which is so many times their mean."""
    layers = []
    for k, layer in enumerate(answer["layers"], 1):
        more = {name: times * layer[name] for name in ("da", "dz", "dW", "db")}
        more |= {name: times * layer[name] for name in kinds_behind() if name[0] == "d" and layer[name] is not None}
        more["W_next"] = layer["W"] - spec.learning_rate * more["dW"]
        still = "biases" in spec.frozen or f"b{k}.1" in spec.frozen
        more["b_next"] = layer["b"] if still else layer["b"] - spec.learning_rate * more["db"]
        layers.append(layer | more | ({"norm": _times(layer["norm"], times, spec)} if layer["norm"] else {}))
    return answer | {"loss": times * answer["loss"], "layers": layers}


def _times(norm: dict[str, Floats], times: float, spec: Spec) -> dict[str, Floats]:
    """A normalization whose gradients are so many times as large."""
    more = {name: times * values for name, values in norm.items() if name.startswith("d") and values is not None}
    for name in ("gamma", "beta"):
        more[f"{name}_next"] = norm[name] - spec.learning_rate * more[f"d{name}"]
    return norm | more


def _given(body: BackpropBody) -> dict[str, Any]:
    """All of the spec but its layers: its only mini-batch is all the examples, its targets are taken as they are."""
    return {
        "dataset": "custom",
        "data": {"x": body.x, "y": body.y, "task": "regression"},
        "scaling": "none",
        "loss": body.loss,
        "learning_rate": body.learning_rate,
        "test_share": 0,
        "batch_size": len(body.x),
    }


def _of_text(body: BackpropBody, layers: str) -> dict[str, Any]:
    """Layers as a spec has them, and their numbers."""
    if body.parameters is None:
        raise SpecError("parameters", None, "given, for every layer and the output, where layers is a text")
    output = body.output_activation or "identity"
    return {"layers": layers or None, "parameters": body.parameters, "output_activation": output} | (
        {} if layers else {"hidden": []}
    )


def _of_layers(body: BackpropBody, layers: Sequence[LayerBody]) -> dict[str, Any]:
    """The same of layers with their numbers, the output the last of them."""
    for name in ("parameters", "output_activation"):
        if (given := getattr(body, name)) is not None:
            raise SpecError(name, given, "left out: every layer of the list tells its own")
    *hidden, output = layers
    _check_output(output, len(hidden))
    return {
        "layers": [item for item, _ in _items(hidden)],
        "output_activation": output.activation,
        "parameters": list(map(_parameters, layers)),
        "frozen": _without_biases(layers),
    }


def _check_output(output: LayerBody, place: int) -> None:
    """The last layer is a dense one, with nothing attached."""
    if _side(output):
        raise SpecError(f"layers.{place}.W", said("four axes"), "rows of weights: the output layer is dense")
    for name, given in output.attached():
        allowed = "left out at the output, whose activation the loss goes with"
        raise SpecError(f"layers.{place}.{name}", given.model_dump() if isinstance(given, NormBody) else given, allowed)
    _begins(output, f"layers.{place}")


def _parameters(layer: LayerBody) -> dict[str, Any]:
    """A layer's parameters, those that were left out as they are at a start."""
    given: dict[str, Any] = {"W": layer.W, "b": layer.b or [0.0] * len(layer.W)}
    for norm in layer.norms().values():
        given["gamma"] = norm.gamma or [1.0] * len(layer.W)
        given["beta"] = norm.beta or [0.0] * len(layer.W)
    return given


def _without_biases(layers: Sequence[LayerBody]) -> list[str]:
    """The biases of layers that were given none: they are 0 and stay so."""
    bare = [(k, len(layer.W)) for k, layer in enumerate(layers, 1) if layer.b is None]
    if len(bare) == len(layers):
        return ["biases"]
    return [f"b{k}.{unit}" for k, units in bare for unit in range(1, units + 1)]


def _places(rows: int) -> Ints:
    """Where each row that was given stands among the examples, for a run's examples come in an order of their own."""
    return np.argsort(np.random.default_rng([0, SPLIT]).permutation(rows)) if rows > 1 else np.array([0])


def _side(layer: LayerBody) -> int:
    """How many rows the kernels of a convolution have; 0 of a dense layer."""
    return len(layer.W[0][0]) if isinstance(layer.W[0][0], list) else 0


def _items(hidden: Sequence[LayerBody]) -> Iterator[tuple[dict[str, Any], str]]:
    """The hidden layers as a spec has them, item by item, each with its name in the body."""
    for k, layer in enumerate(hidden):
        own = f"layers.{k}"
        yield _begins(layer, own), own
        for kind, given in layer.attached():
            yield {"kind": kind, **{option.name: given for option in OPERATIONS[kind].options}}, f"{own}.{kind}"


def _begins(layer: LayerBody, own: str) -> dict[str, Any]:
    """The dense layer or the convolution that W is of."""
    side = _side(layer)
    for name in () if side else ("padding", "stride"):
        if (given := getattr(layer, name)) is not None:
            raise SpecError(f"{own}.{name}", given, "left out: W of two axes is a dense layer's")
    if not side:
        return {"kind": "dense", "units": len(layer.W), "activation": layer.activation}
    if side not in SIDES.values():
        raise SpecError(
            f"{own}.W", said("kernels of {side} rows", side=side), "kernels of {sides}", sides=", ".join(SIDES)
        )
    return {
        "kind": "conv2d",
        "channels": len(layer.W),
        "kernel": f"{side}x{side}",
        "activation": layer.activation,
        "padding": layer.padding,
        "stride": layer.stride,
    }


def _own_name(field: str, layers: str | Sequence[LayerBody]) -> str:
    """A spec's field as the body of /backprop calls it."""
    head, _, rest = field.partition(".")
    if head == "data":
        return rest or "x"
    if isinstance(layers, str):
        return field
    if head == "parameters" and rest.partition(".")[2].startswith(("gamma", "beta")):
        layer, _, name = rest.partition(".")
        (kind,) = layers[int(layer)].norms()
        return f"layers.{layer}.{kind}.{name}"
    if head == "layers" and rest:
        place, _, option = rest.partition(".")
        own = [name for _, name in _items(layers[:-1])][int(place)]
        return f"{own}.activation" if option == "activation" else own
    named = {"parameters": f"layers.{rest}", "output_activation": f"layers.{len(layers) - 1}.activation"}
    return named.get(head, field).rstrip(".")
