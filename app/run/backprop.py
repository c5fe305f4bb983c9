"""POST /backprop: one step on given layers and examples, without any state. What homework and autograders call."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from app.run.answers import check_size, traced
from app.run.schemas import BackpropBody, LayerBody, NormBody
from app.settings import Settings
from engine import Spec, SpecError, start, trace_of
from engine.arrays import Floats, Ints
from engine.examples import SPLIT


def backprop(body: BackpropBody, settings: Settings) -> dict[str, Any]:
    """The loss and the layers; SpecError names what is wrong as the body calls it."""
    for name in ("batch_norm", "layer_norm", "dropout", "shortcut"):
        if (given := getattr(body.layers[-1], name)) is not None:
            allowed = "left out at the output, whose activation the loss goes with"
            shown = given.model_dump() if isinstance(given, NormBody) else given
            raise SpecError(f"layers.{len(body.layers) - 1}.{name}", shown, allowed)
    try:
        spec = Spec.make(_spec(body), settings.engine_limits)
    except SpecError as error:
        own = _own_name(error.field, body)
        raise error.renamed(own, error.allowed.replace("data.", "")) from None
    check_size(spec, len(body.x), settings.answer_numbers)
    answer = traced(trace_of(start(spec), _places(len(body.x))))
    if body.reduction == "sum":
        answer = _summed(answer, 1.0 / spec.network.loss.scale(spec.network.sizes[-1], len(body.x)), spec)
    return {"reduction": body.reduction} | {name: answer[name] for name in ("loss", "x", "y", "layers")}


def _summed(answer: dict[str, Any], times: float, spec: Spec) -> dict[str, Any]:
    """The same of the sum of the losses, which is so many times their mean."""
    layers = []
    for k, layer in enumerate(answer["layers"], 1):
        more = {name: times * layer[name] for name in ("da", "dz", "dW", "db")}
        more |= {name: times * layer[name] for name in ("dh", "dv") if layer[name] is not None}
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


def _parameters(layer: LayerBody) -> dict[str, Any]:
    """A layer's parameters, those that were left out as they are at a start."""
    given: dict[str, Any] = {"W": layer.W, "b": layer.b or [0.0] * len(layer.W)}
    if (norm := layer.batch_norm or layer.layer_norm) is not None:
        given["gamma"] = norm.gamma or [1.0] * len(layer.W)
        given["beta"] = norm.beta or [0.0] * len(layer.W)
    return given


def _spec(body: BackpropBody) -> dict[str, Any]:
    """A spec whose only mini-batch is all the examples, and whose targets are taken as they are."""
    *hidden, output = body.layers
    return {
        "dataset": "custom",
        "data": {"x": body.x, "y": body.y, "task": "regression"},
        "scaling": "none",
        "layers": [item for item, _ in _items(hidden)],
        "output_activation": output.activation,
        "parameters": list(map(_parameters, body.layers)),
        "frozen": _without_biases(body),
        "loss": body.loss,
        "learning_rate": body.learning_rate,
        "test_share": 0,
        "batch_size": len(body.x),
    }


def _without_biases(body: BackpropBody) -> list[str]:
    """The biases of layers that were given none: they are 0 and stay so."""
    bare = [(k, len(layer.W)) for k, layer in enumerate(body.layers, 1) if layer.b is None]
    if len(bare) == len(body.layers):
        return ["biases"]
    return [f"b{k}.{unit}" for k, units in bare for unit in range(1, units + 1)]


def _places(rows: int) -> Ints:
    """Where each row that was given stands among the examples, for a run's examples come in an order of their own."""
    return np.argsort(np.random.default_rng([0, SPLIT]).permutation(rows)) if rows > 1 else np.array([0])


def _items(hidden: Sequence[LayerBody]) -> Iterator[tuple[dict[str, Any], str]]:
    """The hidden layers as a spec has them, item by item, each with its name in the body."""
    for k, layer in enumerate(hidden):
        yield {"kind": "dense", "units": len(layer.W), "activation": layer.activation}, f"layers.{k}"
        for kind in ("batch_norm", "layer_norm"):
            if getattr(layer, kind) is not None:
                yield {"kind": kind}, f"layers.{k}.{kind}"
        if layer.dropout is not None:
            yield {"kind": "dropout", "rate": layer.dropout}, f"layers.{k}.dropout"
        if layer.shortcut is not None:
            yield {"kind": "shortcut", "over": layer.shortcut}, f"layers.{k}.shortcut"


def _own_name(field: str, body: BackpropBody) -> str:
    """A spec's field as the body of /backprop calls it."""
    head, _, rest = field.partition(".")
    if head == "parameters" and rest.partition(".")[2].startswith(("gamma", "beta")):
        layer, _, name = rest.partition(".")
        kind = "layer_norm" if body.layers[int(layer)].layer_norm else "batch_norm"
        return f"layers.{layer}.{kind}.{name}"
    if head == "layers" and rest:
        place, _, option = rest.partition(".")
        own = [name for _, name in _items(body.layers[:-1])][int(place)]
        return f"{own}.activation" if option == "activation" else own
    named = {
        "parameters": f"layers.{rest}",
        "data": rest,
        "output_activation": f"layers.{len(body.layers) - 1}.activation",
    }
    return named.get(head, field).rstrip(".") or "x"
