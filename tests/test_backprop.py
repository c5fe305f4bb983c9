"""POST /backprop with feature maps: the numbers of a trace, whichever way the layers are told, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from httpx import AsyncClient
from hypothesis import given, settings
from hypothesis import strategies as st
from test_feature_maps import NETS
from test_maps_answers import within

from app.run.answers import traced
from app.run.backprop import backprop, spec_of
from app.run.backprop_body import BackpropBody
from app.settings import Settings
from engine import Spec, Trace, start, trace, trace_of
from engine.layers import text_of

AFTER = {"batch_norm": {}, "layer_norm": {}, "global_pool": True, "flatten": True}  # what has no option of its own


def plain(step: Trace) -> dict[str, Any]:
    """A trace as JSON has it."""
    told: dict[str, Any] = json.loads(orjson.dumps(traced(step), option=orjson.OPT_SERIALIZE_NUMPY))
    return told


def asked(step: Trace) -> dict[str, Any]:
    """The same step as a body with a text."""
    spec, told = step.spec, plain(step)
    return {
        "layers": text_of([item.to_dict() for item in spec.layers]),
        "parameters": told["layers"],
        "output_activation": spec.output_activation,
        "loss": spec.loss,
        "learning_rate": spec.learning_rate,
    } | {name: told[name] for name in "xy"}


def one_by_one(step: Trace) -> dict[str, Any]:
    """The same step as a body whose layers tell their own numbers."""
    layers, told = list[dict[str, Any]](), plain(step)["layers"]
    for item in step.spec.layers:
        kind, *options = item.to_dict().items()
        if kind[1] in ("dense", "conv2d"):
            layer = told[len(layers)]
            more = {name: dict(options)[name] for name in ("padding", "stride") if kind[1] == "conv2d"}
            layers.append({name: layer[name] for name in ("W", "b", "activation")} | more)
        elif "norm" in kind[1]:
            layers[-1][kind[1]] = {name: told[len(layers) - 1]["norm"][name] for name in ("gamma", "beta")}
        else:
            layers[-1][kind[1]] = AFTER.get(kind[1], options and options[0][1])
    layers.append({name: told[-1][name] for name in ("W", "b", "activation")})
    body = asked(step)
    return {name: body[name] for name in ("x", "y", "loss", "learning_rate")} | {"layers": layers}


def answered(body: dict[str, Any]) -> dict[str, Any]:
    read = BackpropBody(**body)
    told: dict[str, Any] = orjson.loads(
        orjson.dumps(backprop(read, spec_of(read, Settings())), option=orjson.OPT_SERIALIZE_NUMPY)
    )
    return told


LAYERS = (*NETS, "conv2d 2 3x3 relu, global_pool", "dense 9 tanh, conv2d 2 3x3 silu, flatten", "dense 4 tanh", "")


@settings(max_examples=15)
@given(st.sampled_from(LAYERS), st.integers(2, 3))
def test_any_layers_with_their_numbers_give_a_traces_answer(layers: str, examples: int) -> None:
    """Told as a text, told one by one, and in Python. (Of three rows each has a mask by its place in the data.)"""
    layers = layers if examples == 2 else layers.replace(", dropout 0.2", "")
    given: dict[str, Any] = {"layers": layers} if layers else {"hidden": []}
    step = trace(start(Spec.make(dataset="digits16", samples=40, batch_size=examples, learning_rate=0.1, **given)))
    expected = plain(step)
    for body in (asked(step), one_by_one(step)):
        told = answered(body)
        assert told["loss"] == pytest.approx(expected["loss"], rel=1e-12)
        for mine, theirs in zip(told["layers"], expected["layers"], strict=True):
            same(mine, theirs)
    made = Spec.make(
        **given,
        parameters=step,
        data={"x": step.x, "y": step.y, "task": "regression"},
        scaling="none",
        output_activation=step.spec.output_activation,
        loss=step.spec.loss,
        test_share=0,
        learning_rate=0.1,
        batch_size=examples,
    )
    rows = np.argsort([next(i for i, row in enumerate(step.x) if (row == x).all()) for x in trace(start(made)).x])
    python = plain(trace_of(start(made), rows))
    assert python["loss"] == pytest.approx(expected["loss"], rel=1e-12)


def same(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Every array of a layer."""
    assert set(mine) == set(theirs)
    for name, value in theirs.items():
        if isinstance(value, dict):
            same(mine[name], value)
        elif isinstance(value, list):
            np.testing.assert_allclose(mine[name], value, rtol=1e-10, atol=1e-14, err_msg=name)
        else:
            assert mine[name] == value, name


KERNEL = [[[[0.1, 0.2, 0.3], [0.0, 0.1, 0.2], [0.1, 0.0, -0.1]]]]
CONV = {"W": KERNEL, "b": [0.1], "activation": "tanh"}
OUT = {"W": [[0.1] * 16]}
TEXT = {"layers": "conv2d 1 3x3 tanh", "parameters": [{"W": KERNEL, "b": [0.1]}, {"W": [[0.1] * 16], "b": [0]}]}


def test_the_sum_of_the_losses_has_gradients_so_many_times_as_large() -> None:
    given = {
        "layers": [CONV | {"avg_pool": 2, "batch_norm": {}}, {"W": [[0.2] * 4]}],
        "x": [[0.5] * 15 + [1], [0.2] * 16],
        "y": [1, 0],
    }
    mean, total = (answered(given | {"reduction": reduction})["layers"][0] for reduction in ("mean", "sum"))
    for name in ("dW", "dz", "da", "dv"):
        np.testing.assert_allclose(total[name], 2 * np.array(mean[name]), rtol=1e-12)
    np.testing.assert_allclose(total["W_next"], np.array(KERNEL) - 0.03 * np.array(total["dW"]), rtol=1e-12)


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"layers": [CONV | {"W": [[[[1.0, 2], [3, 4]]]]}, OUT]}, "layers.0.W", "kernels of 1x1, 3x3, 5x5"),
    ({"layers": [CONV | {"W": [[[*KERNEL[0][0][:2], [1.0, 2]]]]}, OUT]}, "layers.0.W.0.0.2", "weights in a row: 3"),
    ({"layers": [CONV | {"W": [KERNEL[0] * 2]}, OUT]}, "layers.0.W.0", "one kernel a channel below: 1"),
    ({"layers": [CONV | {"b": [1, 2]}, OUT]}, "layers.0.b", "one number a unit: 1"),
    ({"layers": [CONV | {"stride": 3}, OUT]}, "layers.0.stride", ""),
    ({"layers": [CONV | {"padding": "full"}, OUT]}, "layers.0.padding", ""),
    ({"layers": [{"W": [[0.1] * 16], "stride": 2}, {"W": [[1]]}]}, "layers.0.stride", "left out: W of two axes"),
    ({"layers": [CONV | {"max_pool": 5}, OUT]}, "layers.0.max_pool", ""),
    ({"layers": [CONV | {"max_pool": 2}, OUT]}, "layers.1.W.0", "one weight an input: 4"),
    ({"layers": [{"W": [[0.1] * 16], "max_pool": 2}, OUT]}, "layers.0.max_pool", "after an image"),
    ({"layers": [CONV]}, "layers.0.W", "rows of weights: the output layer is dense"),
    ({"layers": [{"W": [[0.1] * 16], "flatten": True}]}, "layers.0.flatten", "left out at the output"),
    ({"layers": [CONV, OUT], "x": [[1.0] * 15], "y": [1]}, "layers.0", "one that fits: 15 numbers are no square"),
    ({"layers": [CONV, OUT], "parameters": []}, "parameters", "left out"),
    ({"layers": [CONV, OUT], "output_activation": "tanh"}, "output_activation", "left out"),
    ({"layers": [CONV | {"W": [[[]]]}, OUT]}, "layers.0.W.0.0", ""),
    ({"layers": [{"W": [[]]}]}, "layers.0.W.0", "must have 1 or more"),
    ({"layers": [{"W": [[], [1]]}, OUT]}, "layers.0.W.0", "must have 1 or more"),
    ({"layers": [{"W": [[0.1] * 16, []]}, OUT]}, "layers.0.W.1", "must have 1 or more"),
    ({"y": [1, "a"]}, "y.1", "must be a number"),
    ({"y": [[1], ["a"]]}, "y.1.0", "must be a number"),
    ({"y": "ab"}, "y", "must be a list"),
    ({"layers": [CONV | {"W": [[[[True]]]]}, OUT]}, "layers.0.W.0.0.0.0", ""),
    ({"layers": "conv2d 1 3x3 tanh"}, "parameters", "given"),
    (TEXT | {"layers": "conv2d 1 4x4 tanh"}, "layers.0.kernel", "one of 1x1"),
    (TEXT | {"layers": "conv2d 1 5x5 tanh"}, "parameters.0.W.0.0", "rows of a kernel: 5"),
    (TEXT | {"layers": "conv2d 2 3x3 tanh"}, "parameters.0.W", "the kernels of each channel: 2"),
    (TEXT | {"layers": "max_pool 2"}, "layers.0", "right after the layer"),
    (TEXT | {"parameters": "W"}, "parameters", "a list of"),
    (TEXT | {"parameters": [1, 2]}, "parameters", "27 numbers"),
    (TEXT | {"output_activation": "x"}, "output_activation", "one of "),
    (TEXT | {"layers": 3}, "layers", ""),
]


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    """By its field, its value and what may be there, as the body tells it."""
    body = {"layers": [CONV, OUT], "x": [[0.5] * 16, [0.1] * 16], "y": [1, 0]}

    async def work(client: AsyncClient) -> None:
        for change in (body, TEXT):
            good = await client.post("/api/v1/backprop", json=body | change)
            assert good.status_code == 200, good.text
        for change, field, allowed in REFUSED:
            answer = await client.post("/api/v1/backprop", json=body | change)
            assert answer.status_code == 422, answer.text
            fault, *more = answer.json()["errors"]
            assert not more, more
            assert (fault["field"], fault["allowed"][: len(allowed)]) == (field, allowed), fault

    within(tmp_path, work)
