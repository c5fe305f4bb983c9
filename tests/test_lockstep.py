"""A residual network with norms and dropout trains in lockstep with PyTorch in float64, where there is torch."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from engine import RunState, Spec, advance, predict, start, trace

torch: Any = import_module("torch")  # conftest leaves this file out where there is none

LAYERS = (
    "dense 8 tanh, batch_norm, dense 8 relu, layer_norm, dropout 0.25, shortcut 1, "
    "dense 8 silu, batch_norm, dropout 0.25, shortcut 2"
)
STEPS = 100


def twin(state: RunState) -> tuple[list[Any], list[Any], dict[int, Any]]:
    """Torch's own linear and normalization modules with the run's parameters, by layer."""
    network = state.spec.network
    named = network.named(state.parameters)
    linear, norms = [], {}
    for k in range(1, len(network.sizes)):
        made = torch.nn.Linear(network.sizes[k - 1], network.sizes[k], dtype=torch.float64)
        made.weight.data, made.bias.data = (torch.tensor(named[f"{letter}{k}"]) for letter in "Wb")
        linear.append(made)
        if kind := network.norms.get(k):
            entry = torch.nn.BatchNorm1d if kind == "batch_norm" else torch.nn.LayerNorm
            norms[k] = entry(network.sizes[k], dtype=torch.float64)
            norms[k].weight.data, norms[k].bias.data = (torch.tensor(named[f"{each}{k}"]) for each in ("gamma", "beta"))
    parameters = [p for module in (*linear, *norms.values()) for p in module.parameters()]
    return linear, parameters, norms


def outputs(state: RunState, linear: list[Any], norms: dict[int, Any], x: Any, masks: dict[int, Any]) -> Any:
    """The network as torch has it; dropout multiplies by the very masks of the step."""
    bends = {"tanh": torch.tanh, "relu": torch.relu, "silu": torch.nn.functional.silu}
    given = [x]
    for k, (module, name) in enumerate(zip(linear, state.spec.network.activation_names, strict=True), 1):
        z = module(given[-1])
        a = bends[name](norms[k](z) if k in norms else z)
        a = a * masks[k] if k in masks else a
        source = state.spec.network.shortcuts.get(k)
        given.append(a if source is None else a + given[source])
    return given[-1]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_a_hundred_steps(optimizer: str) -> None:
    """Loss, every parameter and the running statistics to 1e-10, and what both predict afterwards.

    Adam would divide a bias's gradient by its own size, and before a batch norm that is nothing but rounding.
    """
    rate = {"sgd": 0.05, "momentum": 0.01}[optimizer]
    state = start(Spec.make(layers=LAYERS, optimizer=optimizer, learning_rate=rate, batch_size=8, dataset="moons"))
    linear, parameters, norms = twin(state)
    made = torch.optim.SGD(parameters, lr=rate, momentum=0.9 if optimizer == "momentum" else 0.0)
    for _ in range(STEPS):
        step = trace(state)
        masks = {k: torch.tensor(layer.mask) for k, layer in enumerate(step.layers, 1) if layer.mask is not None}
        made.zero_grad()
        a = outputs(state, linear, norms, torch.tensor(step.x), masks)
        loss = ((a - torch.tensor(step.y)) ** 2).sum() / 2 / len(step.x)
        loss.backward()
        made.step()
        assert loss.item() == pytest.approx(step.loss, abs=1e-10)
        state = advance(state, 1).state
    named, running = state.spec.network.named(state.parameters), state.spec.network.running_of(state.running)
    for k, module in enumerate(linear, 1):
        np.testing.assert_allclose(named[f"W{k}"], module.weight.detach().numpy(), rtol=0, atol=1e-10)
        np.testing.assert_allclose(named[f"b{k}"], module.bias.detach().numpy(), rtol=0, atol=1e-10)
    for k, module in norms.items():
        np.testing.assert_allclose(named[f"gamma{k}"], module.weight.detach().numpy(), rtol=0, atol=1e-10)
        np.testing.assert_allclose(named[f"beta{k}"], module.bias.detach().numpy(), rtol=0, atol=1e-10)
        if k in running:
            np.testing.assert_allclose(running[k][0], module.running_mean.numpy(), rtol=0, atol=1e-10)
            np.testing.assert_allclose(running[k][1], module.running_var.numpy(), rtol=0, atol=1e-10)
        module.eval()
    rows = np.random.default_rng(0).normal(size=(20, 2))
    theirs = outputs(state, linear, norms, torch.tensor(rows), {}).detach().numpy()
    np.testing.assert_allclose(predict(state, rows), theirs, rtol=0, atol=1e-10)
