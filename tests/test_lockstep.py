"""Residual networks with norms and dropout, and networks of feature maps, train in lockstep with PyTorch in float64,
where there is torch."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from engine import RunState, Spec, advance, predict, start, trace
from engine.layers import dense

torch: Any = import_module("torch")  # conftest leaves this file out where there is none

RESIDUAL = (
    "dense 8 tanh, batch_norm, dense 8 relu, layer_norm, dropout 0.25, shortcut 1, "
    "dense 8 silu, batch_norm, dropout 0.25, shortcut 2"
)
LENET = "conv2d 6 5x5 relu, max_pool 2, conv2d 12 3x3 tanh valid, max_pool 2, dense 24 relu"
MAPS = (
    "conv2d 4 3x3 silu same 2, batch_norm, dropout 0.2, conv2d 4 3x3 relu, layer_norm, shortcut 1, avg_pool 2, "
    "conv2d 4 1x1 tanh, batch_norm, shortcut 1, global_pool, dense 9 tanh, dropout 0.25, conv2d 2 3x3 tanh, flatten"
)
STEPS = 100


def twin(state: RunState) -> tuple[list[Any], dict[int, Any]]:
    """Torch's own linear, convolution and normalization modules with the run's parameters, by layer."""
    network = state.spec.network
    named = network.named(state.parameters)
    kinds = [item for item in state.spec.layers if item.kind in ("dense", "conv2d")]
    weighted, norms = list[Any](), dict[int, Any]()
    for k, item in enumerate([*kinds, None], 1):
        W = named[f"W{k}"]
        if item and item.kind == "conv2d":
            pad = W.shape[2] // 2 if item.option("padding") == "same" else 0
            made = torch.nn.Conv2d(W.shape[1], W.shape[0], W.shape[2], item.option("stride"), pad, dtype=torch.float64)
        else:
            made = torch.nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
        made.weight.data, made.bias.data = (torch.tensor(named[f"{letter}{k}"]) for letter in "Wb")
        weighted.append(made)
        if kind := network.norms.get(k):
            norms[k] = norm_of(kind, len(W), W.ndim == 4)
            norms[k].weight.data, norms[k].bias.data = (torch.tensor(named[f"{each}{k}"]) for each in ("gamma", "beta"))
    return weighted, norms


def norm_of(kind: str, units: int, maps: bool) -> Any:
    """A layer norm of maps, with a gain a channel, is torch's GroupNorm of one group."""
    if kind == "batch_norm":
        return (torch.nn.BatchNorm2d if maps else torch.nn.BatchNorm1d)(units, dtype=torch.float64)
    return torch.nn.GroupNorm(1, units, dtype=torch.float64) if maps else torch.nn.LayerNorm(units, dtype=torch.float64)


BENDS: dict[str, Any] = {
    "tanh": torch.tanh, "relu": torch.relu, "silu": torch.nn.functional.silu, "softmax": lambda z: torch.softmax(z, 1),
}  # fmt: skip


def outputs(state: RunState, weighted: list[Any], norms: dict[int, Any], x: Any, masks: dict[int, Any]) -> Any:
    """The network as torch has it; dropout multiplies by the very masks of the step."""
    functional, given = torch.nn.functional, [x]
    names = iter(state.spec.network.activation_names)
    for item in (*state.spec.layers, dense(0, "")):
        value, k = given[-1], len(given) - 1
        if item.kind in ("dense", "conv2d"):
            side = int(value[0].numel() ** 0.5)
            flat = value.flatten(1) if item.kind == "dense" else value
            image = value.reshape(-1, 1, side, side) if item.kind == "conv2d" and value.ndim == 2 else flat
            z = weighted[k](image)
            given.append(BENDS[next(names)](norms[k + 1](z) if k + 1 in norms else z))
        elif item.kind == "shortcut":
            given[-1] = value + given[-1 - item.option("over")]
        elif item.kind == "dropout":
            given[-1] = value * masks[k] if masks else value
        elif item.kind in ("max_pool", "avg_pool"):
            given[-1] = getattr(functional, f"{item.kind}2d")(value, item.option("size"))
        elif item.kind == "global_pool":
            given[-1] = value.mean((2, 3))
        elif item.kind == "flatten":
            given[-1] = value.flatten(1)
    return given[-1]


def loss_of(state: RunState, a: Any, y: Any) -> Any:
    """The mean over the mini-batch."""
    if state.spec.loss == "cross_entropy":
        return -(y * torch.log(a)).sum() / len(y)
    return ((a - y) ** 2).sum() / 2 / len(y)


@pytest.mark.parametrize(
    ("layers", "optimizer", "rate"),
    [
        (RESIDUAL, "sgd", 0.05),
        (RESIDUAL, "momentum", 0.01),
        (LENET, "sgd", 0.1),
        (LENET, "momentum", 0.02),
        (MAPS, "sgd", 0.05),
        (MAPS, "momentum", 0.01),
    ],
)
def test_a_hundred_steps(layers: str, optimizer: str, rate: float) -> None:
    """Loss, every parameter and the running statistics to 1e-10, and what both predict afterwards.

    Adam would divide a bias's gradient by its own size, and before a batch norm that is nothing but rounding.
    """
    data = "moons" if layers == RESIDUAL else "digits16"
    state = start(
        Spec.make(layers=layers, optimizer=optimizer, learning_rate=rate, batch_size=8, dataset=data, samples=200)
    )
    weighted, norms = twin(state)
    parameters = [p for module in (*weighted, *norms.values()) for p in module.parameters()]
    made = torch.optim.SGD(parameters, lr=rate, momentum=0.9 if optimizer == "momentum" else 0.0)
    for _ in range(STEPS):
        step = trace(state)
        masks = {k: torch.tensor(layer.mask) for k, layer in enumerate(step.layers, 1) if layer.mask is not None}
        made.zero_grad()
        loss = loss_of(state, outputs(state, weighted, norms, torch.tensor(step.x), masks), torch.tensor(step.y))
        loss.backward()
        made.step()
        assert loss.item() == pytest.approx(step.loss, abs=1e-10)
        state = advance(state, 1).state
    compare(state, weighted, norms)


def compare(state: RunState, weighted: list[Any], norms: dict[int, Any]) -> None:
    """Every parameter and running statistic, and what both say of other examples."""
    named, running = state.spec.network.named(state.parameters), state.spec.network.running_of(state.running)
    modules = [(k, module, "Wb") for k, module in enumerate(weighted, 1)]
    for k, module, letters in (*modules, *((k, module, ("gamma", "beta")) for k, module in norms.items())):
        for letter, value in zip(letters, (module.weight, module.bias), strict=True):
            np.testing.assert_allclose(named[f"{letter}{k}"], value.detach().numpy(), rtol=0, atol=1e-10)
    for k, module in norms.items():
        if k in running:
            np.testing.assert_allclose(running[k][0], module.running_mean.numpy(), rtol=0, atol=1e-10)
            np.testing.assert_allclose(running[k][1], module.running_var.numpy(), rtol=0, atol=1e-10)
        module.eval()
    rows = np.random.default_rng(0).normal(size=(20, state.spec.raw_inputs))
    theirs = outputs(state, weighted, norms, torch.tensor(rows), {}).detach().numpy()
    np.testing.assert_allclose(predict(state, rows), theirs, rtol=0, atol=1e-10)
