"""A run as a value: where it starts, what one step computes, and the state after many steps.

`RunState` goes in and comes out; `trace` and `evaluate` only look. The fast loop in `advance` and the trace of a
single step go through the same two passes of `Workspace`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np

from engine.arrays import Floats, Ints
from engine.examples import WEIGHTS, Examples, batch_order, examples_of, low_target
from engine.initializers import INITIALIZERS
from engine.network import Workspace
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.spec import Spec, SpecError


@dataclass(frozen=True)
class Divergence:
    """Where the numbers ran out: the step that would come next has a number that is not finite.

    `layer` counts from 1, 0 for the loss; `quantity` is z, a, loss, da, dz, dW, db, W_next or b_next.
    """

    step: int
    layer: int
    quantity: str
    message: str


@dataclass(frozen=True)
class RunState:
    """A run after `step` updates. `parameters` (size,) and `slots` (memory of the optimizer, size) are read-only.

    `epoch` counts passes over the training set begun before this one and `cursor` the examples used of it; `forwards`
    counts how often the model was run on a batch so far, which is what trial and error pays with.
    """

    spec: Spec
    step: int
    epoch: int
    cursor: int
    forwards: int
    parameters: Floats
    slots: Floats
    divergence: Divergence | None = None


@dataclass(frozen=True)
class LayerTrace:
    """One layer in one step, batch-first: z, a, da, dz (examples, units); W, dW (units, inputs); b, db (units,).

    `da` is dL/da and `dz` is dL/dz of the data's loss alone, `dW` and `db` likewise; `dW_penalty` is what
    regularization adds to dW. `W_next`, `b_next` are the parameters after the step.
    """

    activation: str
    W: Floats
    b: Floats
    z: Floats
    a: Floats
    da: Floats
    dz: Floats
    dW: Floats
    db: Floats
    dW_penalty: Floats
    W_next: Floats
    b_next: Floats


@dataclass(frozen=True)
class Trace:
    """Everything that one step computes, from a state: derived, never stored.

    `examples` are indices into the run's examples; x (examples, features), y (examples, outputs). `loss` is the
    data's, `penalty` what regularization adds. `slots` and `slots_next` are the optimizer's memory before and after.
    """

    spec: Spec
    step: int
    examples: Ints
    x: Floats
    y: Floats
    loss: float
    penalty: float
    learning_rate: float
    layers: tuple[LayerTrace, ...]
    gradient: Floats
    parameters: Floats
    parameters_next: Floats
    slots: Floats
    slots_next: Floats

    def inputs_of(self, layer: int) -> Floats:
        """What layer `layer` (from 0) receives, (examples, inputs): x, or the a of the layer below."""
        return self.x if layer == 0 else self.layers[layer - 1].a


@dataclass(frozen=True)
class Progress:
    """What `advance` did: the state, the loss of each step's mini-batch, and how many of the steps were asked for.

    `recorded` holds, if asked for, a flat copy of the buffers z, a, da, dz and the gradient of each step.
    """

    state: RunState
    losses: Floats
    asked: int
    recorded: tuple[dict[str, Floats], ...] = ()

    @property
    def done(self) -> int:
        """Steps taken; fewer than asked when the time was up or the run diverged."""
        return len(self.losses)


@dataclass(frozen=True)
class Metrics:
    """Loss (the data's) and accuracy over a whole set; accuracy is None for regression, both None for an empty set."""

    loss: float | None
    accuracy: float | None


def start(spec: Spec) -> RunState:
    """The run before its first step."""
    network = spec.network
    if spec.parameters is not None:
        parameters = np.array(spec.parameters)
    else:
        rng, draw = np.random.default_rng([spec.seed, WEIGHTS]), INITIALIZERS[spec.initializer].draw
        parameters = network.flatten(
            [(draw(rng, columns - 1, units), np.zeros(units)) for units, columns in network.shapes]
        )
    slots = np.zeros((len(OPTIMIZERS[spec.optimizer].slots), network.size))
    return RunState(spec, 0, 0, 0, 0, _frozen(parameters), _frozen(slots))


def _frozen(array: Floats) -> Floats:
    array.setflags(write=False)
    return array


def penalty_of(spec: Spec, parameters: Floats) -> float:
    """What regularization adds to the loss."""
    weights = parameters * spec.network.is_weight
    if spec.regularization == "l1":
        return spec.regularization_rate * float(np.abs(weights).sum())
    if spec.regularization == "l2":
        return 0.5 * spec.regularization_rate * float(weights @ weights)
    return 0.0


def penalty_gradient(spec: Spec, parameters: Floats) -> Floats:
    """What regularization adds to the gradient: rate sign(w) or rate w, on weights and not on biases."""
    pull = {"l1": np.sign(parameters), "l2": parameters}.get(spec.regularization)
    if pull is None:
        return np.zeros_like(parameters)
    return spec.regularization_rate * pull * spec.network.is_weight


def free_indices(spec: Spec) -> Ints:
    """Indices of the parameters that training may move."""
    return np.flatnonzero(~frozen_mask(spec))


def frozen_mask(spec: Spec) -> Any:
    """True at every frozen parameter of the flat vector."""
    network = spec.network
    mask = np.zeros(network.size, dtype=bool)
    for address in spec.frozen:
        if address == "biases":
            mask |= network.is_weight == 0.0
        else:
            mask[network.locate(address)] = True
    return mask


class _Session:
    """The mutable half of `advance`: one copy of the parameters, and the workspaces that read and write it."""

    def __init__(self, state: RunState) -> None:
        self.state, self.spec = state, state.spec
        self.examples: Examples = examples_of(state.spec)
        self.network = state.spec.network
        self.parameters, self.slots = state.parameters.copy(), state.slots.copy()
        self.gradient, self.scratch = np.empty_like(self.parameters), np.empty_like(self.parameters)
        self.step, self.epoch, self.cursor, self.forwards = (
            state.step,
            state.epoch,
            state.cursor,
            state.forwards,
        )
        self.workspaces: dict[int, Workspace] = {}
        self._prepare_update()

    def _prepare_update(self) -> None:
        spec = self.spec
        self.optimizer = OPTIMIZERS[spec.optimizer]
        self.settings = dict(spec.optimizer_settings)
        self.rate, self.rate_settings = SCHEDULES[spec.schedule].rate, dict(spec.schedule_settings)
        mask = frozen_mask(spec)
        self.held = np.flatnonzero(mask) if mask.any() else None
        self.pull = None
        if spec.regularization != "none" and spec.regularization_rate > 0:
            self.pull = spec.regularization_rate * self.network.is_weight
        self.slot_rows = list(self.slots)
        self.rate_now, self.rate_box = 0.0, np.array(0.0)

    def workspace(self, examples: int) -> Workspace:
        if examples not in self.workspaces:
            self.workspaces[examples] = Workspace(self.network, self.parameters, self.gradient, examples)
        return self.workspaces[examples]

    def batches(self) -> Iterator[tuple[Workspace, Floats, Floats]]:
        """The mini-batches from here on, for ever; the last of an epoch is smaller when the size does not divide."""
        train, size = self.examples.train, min(self.spec.batch_size, self.examples.train)
        while True:
            order = batch_order(self.spec.seed, self.epoch, train)[self.cursor :]
            whole = len(order) // size * size
            parts = [(order[:whole], size)] if whole else []
            if whole < len(order):
                parts.append((order[whole:], len(order) - whole))
            for indices, examples in parts:
                workspace = self.workspace(examples)
                x, y = (in_batches(rows, indices, examples) for rows in (self.examples.x, self.examples.targets))
                for x_batch, y_batch in zip(x, y, strict=True):
                    self.cursor += examples
                    yield workspace, x_batch, y_batch
            self.epoch, self.cursor = self.epoch + 1, 0

    def update(self, x: Floats, y: Floats, workspace: Workspace) -> None:
        """From the gradient of the data to the new parameters."""
        if self.pull is not None:
            towards_zero = np.sign(self.parameters) if self.spec.regularization == "l1" else self.parameters
            np.multiply(towards_zero, self.pull, self.scratch)
            np.add(self.gradient, self.scratch, self.gradient)
        held = None if self.held is None else self.parameters[self.held]
        rate = self.rate(self.spec.learning_rate, self.step, self.rate_settings)
        if rate != self.rate_now:
            self.rate_now = rate
            self.rate_box.fill(rate)
        self.step += 1
        self.forwards += 1
        if self.optimizer.update:
            self.optimizer.update(
                self.parameters,
                self.gradient,
                self.slot_rows,
                self.scratch,
                self.rate_box,
                self.step,
                self.settings,
            )
        elif self.optimizer.search:

            def rerun() -> float:
                workspace.forward(x)
                return workspace.loss(y) + penalty_of(self.spec, self.parameters)

            free = free_indices(self.spec)
            self.forwards += self.optimizer.search(self.parameters, self.slot_rows, rate, free, rerun)
        if held is not None:
            self.parameters[self.held] = held

    def result(self) -> RunState:
        epoch, cursor = self.epoch, self.cursor
        if cursor >= self.examples.train:  # so that a state has one spelling only
            epoch, cursor = epoch + 1, 0
        return replace(
            self.state, step=self.step, epoch=epoch, cursor=cursor, forwards=self.forwards,
            parameters=_frozen(self.parameters), slots=_frozen(self.slots),
        )  # fmt: skip


def in_batches(rows: Floats, indices: Ints, examples: int) -> list[Floats]:
    """Columns of (rows, n) as contiguous (rows, examples) blocks, in the order of the indices."""
    blocks = rows[:, indices].reshape(len(rows), -1, examples)
    return list(np.ascontiguousarray(blocks.transpose(1, 0, 2)))


def advance(state: RunState, count: int = 1, *, seconds: float | None = None, record: bool = False) -> Progress:
    """Take up to `count` steps; stop early after `seconds`, or at the last finite step if the run diverges."""
    if state.divergence or count < 1:
        return Progress(state, np.empty(0), count)
    session, losses, recorded = _Session(state), [], []
    deadline = None if seconds is None else perf_counter() + seconds
    with np.errstate(all="ignore"):
        for workspace, x, y in session.batches():
            workspace.forward(x)
            loss = workspace.backward(x, y)
            if not isfinite(loss):
                return _stop_at_last_finite(state, len(losses), count)
            losses.append(loss)
            if record:
                workspace.complete(y)
                recorded.append(
                    {k: v.copy() for k, v in workspace.buffers.items()} | {"gradient": session.gradient.copy()}
                )
            session.update(x, y, workspace)
            if len(losses) == count or (deadline is not None and perf_counter() > deadline):
                break
        if not np.isfinite(session.parameters).all():
            return _stop_at_last_finite(state, len(losses) - 1, count)
    return Progress(session.result(), np.array(losses), count, tuple(recorded))


def _stop_at_last_finite(state: RunState, steps: int, asked: int) -> Progress:
    """Replay the finite steps, which is exact, and say which number of the next one is not."""
    progress = advance(state, steps)
    last = progress.state
    if last.divergence is None:
        last = replace(last, divergence=diagnose(last))
    return Progress(last, progress.losses, asked)


def next_batch(state: RunState) -> Ints:
    """Indices of the mini-batch that the next step will use."""
    train = examples_of(state.spec).train
    order = batch_order(state.spec.seed, state.epoch, train)
    return order[state.cursor : state.cursor + state.spec.batch_size]


def trace(state: RunState, example: int | None = None) -> Trace:
    """What the next step computes on its mini-batch; or, with `example`, what it would compute on that one alone.

    Raises SpecError if there is no such example.
    """
    examples = examples_of(state.spec)
    if example is not None and not 0 <= example < examples.count:
        raise SpecError("example", example, f"a whole number from 0 to {examples.count - 1}")
    indices = next_batch(state) if example is None else np.array([example])
    return trace_of(state, indices)


def trace_of(state: RunState, indices: Ints) -> Trace:
    """The trace of one step on the examples at `indices`."""
    session = _Session(state)
    (x,), (y,) = (in_batches(rows, indices, len(indices)) for rows in (session.examples.x, session.examples.targets))
    workspace = session.workspace(len(indices))
    with np.errstate(all="ignore"):
        workspace.forward(x)
        loss = workspace.backward(x, y)
        workspace.complete(y)
        passes = {name: [block.T.copy() for block in getattr(workspace, name)] for name in ("z", "a", "da", "dz")}
        gradient = session.gradient.copy()
        session.update(x, y, workspace)
        penalty = penalty_of(state.spec, state.parameters)
    layers = _layer_traces(state, gradient, session.parameters, passes)
    return Trace(
        state.spec, state.step, indices, x[:-1].T, y.T, loss, penalty,
        session.rate(state.spec.learning_rate, state.step, session.rate_settings),
        layers, gradient, state.parameters, session.parameters, state.slots, session.slots,
    )  # fmt: skip


def _layer_traces(
    state: RunState, gradient: Floats, updated: Floats, passes: dict[str, list[Floats]]
) -> tuple[LayerTrace, ...]:
    network = state.spec.network
    now, slope, after = (
        network.layers(state.parameters),
        network.layers(gradient),
        network.layers(updated),
    )
    penalty = network.layers(penalty_gradient(state.spec, state.parameters))
    return tuple(
        LayerTrace(
            name, *now[k], passes["z"][k], passes["a"][k], passes["da"][k], passes["dz"][k],
            *slope[k], penalty[k][0], *after[k],
        )
        for k, name in enumerate(network.activation_names)
    )  # fmt: skip


def diagnose(state: RunState) -> Divergence | None:
    """The first number of the next step that is not finite, in the order in which it is computed; None if all are."""
    step = trace(state)
    last = len(step.layers) - 1
    order = [(k, name) for k in range(last + 1) for name in ("z", "a")]
    order += [(-1, "loss")]
    order += [(k, name) for k in range(last, -1, -1) for name in ("da", "dz", "dW", "db")]
    order += [(k, name) for k in range(last + 1) for name in ("W_next", "b_next")]
    for k, name in order:
        numbers = step.loss if k < 0 else getattr(step.layers[k], name)
        if not np.isfinite(numbers).all():
            return Divergence(state.step, k + 1, name, _divergence_message(state, k, name, last))
    return None


_QUANTITIES = {
    "z": "a sum z", "a": "an activation a", "loss": "the loss", "da": "a gradient dL/da", "dz": "a delta dL/dz",
    "dW": "a weight's gradient", "db": "a bias's gradient", "W_next": "a weight", "b_next": "a bias",
}  # fmt: skip


def _divergence_message(state: RunState, layer: int, quantity: str, last: int) -> str:
    where = "" if layer < 0 else " of the output layer" if layer == last else f" of hidden layer {layer + 1}"
    cure = f"a smaller learning rate than {state.spec.learning_rate:g}"
    if state.spec.network.activation_names[-1] not in ("sigmoid", "tanh", "softmax"):
        cure += ", smaller starting weights, or an output that is bounded"
    return (
        f"At step {state.step + 1}, {_QUANTITIES[quantity]}{where} grew beyond any number a computer holds: each step "
        f"overshot further than the last. Go back, and try {cure}."
    )


def evaluate(state: RunState) -> dict[str, Metrics]:
    """Metrics over the whole training set and the whole test set, by "train" and "test"."""
    examples, network = examples_of(state.spec), state.spec.network
    spans = {"train": slice(0, examples.train), "test": slice(examples.train, examples.count)}
    metrics = {}
    for name, span in spans.items():
        x, y = examples.x[:, span], examples.targets[:, span]
        if x.shape[1] == 0:
            metrics[name] = Metrics(None, None)
            continue
        workspace = Workspace(network, state.parameters, np.empty(network.size), x.shape[1])
        with np.errstate(all="ignore"):
            outputs = workspace.forward(x)
            metrics[name] = Metrics(workspace.loss(y), _accuracy(state.spec, outputs, y))
    return metrics


def _accuracy(spec: Spec, outputs: Floats, targets: Floats) -> float | None:
    if spec.task == "regression":
        return None
    return float((classify(spec, outputs) == classify(spec, targets)).mean())


def classify(spec: Spec, outputs: Floats) -> Ints:
    """The predicted class of each column of (outputs, examples)."""
    if outputs.shape[0] > 1:
        return outputs.argmax(axis=0)
    return (outputs[0] > (1.0 + low_target(spec.output_activation)) / 2).astype(np.int64)


def predict(state: RunState, features: Floats) -> Floats:
    """Outputs (examples, outputs) for raw inputs already turned into features, (features + 1, examples)."""
    network = state.spec.network
    workspace = Workspace(network, state.parameters, np.empty(network.size), features.shape[1])
    with np.errstate(all="ignore"):
        return workspace.forward(features).T.copy()
