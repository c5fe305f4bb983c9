"""The mutable half of training: one copy of the parameters, its gradient, and what turns the one into the other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from engine.arrays import Floats, Ints
from engine.examples import Examples, batch_order, examples_of
from engine.network import Workspace
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.spec import Spec
from engine.state import RunState, frozen


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


class Session:
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
            parameters=frozen(self.parameters), slots=frozen(self.slots),
        )  # fmt: skip


def in_batches(rows: Floats, indices: Ints, examples: int) -> list[Floats]:
    """Columns of (rows, n) as contiguous (rows, examples) blocks, in the order of the indices."""
    blocks = rows[:, indices].reshape(len(rows), -1, examples)
    return list(np.ascontiguousarray(blocks.transpose(1, 0, 2)))
