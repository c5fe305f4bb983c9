"""The same training step in other people's tools, from the same parameters on the same batch.

Each peer is a function of a Problem that returns a step, which trains in place and returns the loss before its
update, or None where that tool cannot do it.
"""

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import RunState, start
from engine.session import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import textbook

Loss = Callable[[], float]


@dataclass(frozen=True)
class Problem:
    """A run at its start, and one batch of it: x (examples, inputs) and y (examples, outputs)."""

    title: str
    state: RunState
    x: Any
    y: Any

    @property
    def layers(self) -> list[tuple[Any, Any]]:
        """(W, b) of each layer, copies."""
        return [(W.copy(), b.copy()) for W, b in self.state.spec.network.layers(self.state.parameters)]

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.state.spec.learning_rate


def problem(title: str, spec: Any) -> Problem:
    """The spec's own first batch."""
    state = start(spec)
    with Session(state) as session:
        _, x, y = next(session.batches(1))
        return Problem(title, state, x[:-1].T.copy(), y.T.copy())


def engine(task: Problem) -> Loss:
    """This project: forward, backward and update as `advance` calls them."""
    session = Session(task.state).__enter__()  # kept for as long as the step is
    workspace, x, y = next(session.batches(1))

    def step() -> float:
        workspace.forward(x)
        loss = workspace.backward(x, y)
        session.update(x, y, workspace)
        return loss

    return step


def naive(task: Problem) -> Loss | None:
    """NumPy straight from the formulas, as in Nielsen's book: batch-first, f and f' of z, new arrays for everything."""
    f = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "identity": lambda z: z, "softmax": _softmax}
    slope = {"tanh": lambda z: 1 - np.tanh(z) ** 2, "relu": lambda z: (z > 0) * 1.0, "identity": np.ones_like}
    names, loss_name = task.state.spec.network.activation_names, task.state.spec.loss
    W, b = (list(parts) for parts in zip(*task.layers, strict=True))
    x, y, n, rate = task.x, task.y, len(task.x), task.rate

    def step() -> float:
        z, a = [], [x]
        for k, name in enumerate(names):
            z.append(a[-1] @ W[k].T + b[k])
            a.append(f[name](z[-1]))
        if loss_name == "cross_entropy":
            loss, dz = -np.sum(y * np.log(a[-1])) / n, (a[-1] - y) / n
        else:
            loss, dz = np.sum((a[-1] - y) ** 2) / 2 / n, (a[-1] - y) / n * slope[names[-1]](z[-1])
        for k in range(len(W) - 1, -1, -1):
            dW, db = dz.T @ a[k], dz.sum(axis=0)
            if k > 0:
                dz = dz @ W[k] * slope[names[k - 1]](z[k - 1])
            W[k] = W[k] - rate * dW
            b[k] = b[k] - rate * db
        return float(loss)

    return step


def _softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def pytorch(task: Problem) -> Loss | None:
    """PyTorch, eager, on the CPU: its own modules and optimizers, in float64."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(int(os.environ.get("OPENBLAS_NUM_THREADS", "1")))
    net, parameters = _torch_net(task)
    spec, made = task.state.spec, {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    optimizer = made[spec.optimizer](parameters, lr=task.rate)
    x, y, n = torch.from_numpy(task.x), torch.from_numpy(task.y), len(task.x)
    classes = y.argmax(dim=1)
    cross_entropy = torch.nn.CrossEntropyLoss()

    def step() -> float:
        optimizer.zero_grad()
        outputs = net(x)
        loss = cross_entropy(outputs, classes) if spec.loss == "cross_entropy" else ((outputs - y) ** 2).sum() / 2 / n
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def _torch_net(task: Problem) -> tuple[Callable[[Any], Any], list[Any]]:
    """The network and its parameters: one nn.Sequential, of shortcuts one a layer; a pool is of the layer above it."""
    from test_lockstep import twin
    from torch import nn

    spec, bends = task.state.spec, {"tanh": nn.Tanh, "relu": nn.ReLU}
    names, (weighted, norms) = spec.network.activation_names, twin(task.state)
    blocks, shortcuts = [list[Any]()], dict[int, int]()
    for item in spec.layers:
        if item.kind in ("dense", "conv2d"):
            if item.kind == "conv2d" and len(blocks) == 1:
                side = int(task.x.shape[1] ** 0.5)
                blocks[0].append(nn.Unflatten(1, (1, side, side)))
            k = len(blocks)
            blocks[-1] += [weighted[k - 1], *([norms[k]] if k in norms else []), bends[names[k - 1]]()]
            blocks.append([])
        elif item.kind == "shortcut":
            shortcuts[len(blocks) - 2] = item.option("over")
        elif item.kind == "max_pool":
            blocks[-1].append(nn.MaxPool2d(item.option("size")))
        elif item.kind == "global_pool":
            blocks[-1].append(nn.AdaptiveAvgPool2d(1))
    flat = [nn.Flatten()] if spec.network.has_images else []
    blocks[-1] += [*flat, weighted[-1], *([bends[names[-1]]()] if names[-1] in bends else [])]
    parameters = [each for module in (*weighted, *norms.values()) for each in module.parameters()]
    if not shortcuts:
        return nn.Sequential(*(module for block in blocks for module in block)), parameters
    stages = [nn.Sequential(*block) for block in blocks]

    def net(x: Any) -> Any:
        given = [x]
        for k, stage in enumerate(stages):
            value = stage(given[-1])
            given.append(value + given[-shortcuts[k]] if k in shortcuts else value)
        return given[-1]

    return net, parameters


def autograd(task: Problem) -> Loss | None:
    """autograd: it traces NumPy and differentiates it."""
    try:
        from autograd import value_and_grad
    except ImportError:
        return None
    spec, layers = task.state.spec, task.layers
    both = value_and_grad(textbook.loss)

    def step() -> float:
        nonlocal layers
        loss, slopes = both(layers, spec.network.activation_names, spec.loss, task.x, task.y)
        layers = [(W - task.rate * dW, b - task.rate * db) for (W, b), (dW, db) in zip(layers, slopes, strict=True)]
        return float(loss)

    return step


def scikit_learn(task: Problem) -> Loss | None:
    """scikit-learn's MLPClassifier, one partial_fit on the batch; it has no tanh output, so classes only."""
    try:
        from sklearn.neural_network import MLPClassifier
    except ImportError:
        return None
    spec = task.state.spec
    if spec.loss != "cross_entropy":
        return None
    net = MLPClassifier(
        spec.hidden, activation=spec.activation[0], solver="sgd", alpha=0, momentum=0, batch_size=len(task.x),
        learning_rate_init=task.rate, shuffle=False,
    )  # fmt: skip
    labels, classes = task.y.argmax(axis=1), np.arange(task.y.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.partial_fit(task.x, labels, classes=classes)
    net.coefs_[:] = [W.T.copy() for W, _ in task.layers]
    net.intercepts_[:] = [b.copy() for _, b in task.layers]
    net._optimizer.params = net.coefs_ + net.intercepts_

    def step() -> float:
        net.partial_fit(task.x, labels)
        return float(net.loss_)

    return step


def micrograd(task: Problem) -> Loss | None:
    """micrograd: a Python object for every number. It knows ReLU alone, and takes seconds for anything large."""
    try:
        from micrograd.engine import Value
    except ImportError:
        return None
    spec = task.state.spec
    if set(spec.network.activation_names) - {"relu", "identity"} or spec.network.size > 100:
        return None
    layers = [([[Value(w) for w in row] for row in W], [Value(v) for v in b]) for W, b in task.layers]
    parameters = [value for W, b in layers for row in [*W, b] for value in row]
    x, y = task.x.tolist(), task.y.tolist()

    def outputs(row: list[Any]) -> list[Any]:
        for (W, b), name in zip(layers, spec.network.activation_names, strict=True):
            sums = [sum((w * v for w, v in zip(ws, row, strict=True)), bias) for ws, bias in zip(W, b, strict=True)]
            row = [z.relu() for z in sums] if name == "relu" else sums
        return row

    def step() -> float:
        squares = [
            (a - t) ** 2 for row, target in zip(x, y, strict=True) for a, t in zip(outputs(row), target, strict=True)
        ]
        loss = sum(squares, Value(0)) * (0.5 / len(x))
        for parameter in parameters:
            parameter.grad = 0
        loss.backward()
        for parameter in parameters:
            parameter.data -= task.rate * parameter.grad
        return float(loss.data)

    return step


PEERS: dict[str, Callable[[Problem], Loss | None]] = {
    "engine": engine,
    "naive NumPy": naive,
    "PyTorch": pytorch,
    "autograd": autograd,
    "scikit-learn": scikit_learn,
    "micrograd": micrograd,
}
OF_MAPS = (engine, pytorch)  # those that are asked about feature maps


def contenders(task: Problem, steps: int = 20) -> dict[str, Loss]:
    """Those that can do it, after a check that all of them compute the same losses for twenty steps."""
    maps = task.state.spec.network.has_images
    found = {name: peer(task) for name, peer in PEERS.items() if not maps or peer in OF_MAPS}
    able = {name: step for name, step in found.items() if step is not None}
    expected = [engine_loss() for engine_loss in [engine(task)] for _ in range(steps)]
    for name, step in able.items():
        losses = [step() for _ in range(steps)]
        if not np.allclose(losses, expected, rtol=1e-9, atol=0):
            raise AssertionError(f"{name} computes other losses for {task.title}: {losses[:3]} against {expected[:3]}")
    return able
