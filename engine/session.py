"""The mutable half of training: one copy of the parameters, its gradient, and what turns the one into the other."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from contextvars import Context, copy_context
from functools import cached_property, lru_cache, partial
from math import isfinite, prod
from typing import Any

import numpy as np

from engine.arrays import Floats, Ints
from engine.checks import SpecError
from engine.examples import Examples, batch_order, examples_of
from engine.masks import fill
from engine.network import Network
from engine.operations.batch_norm import MOMENTUM
from engine.operations.normalizing import EPSILON
from engine.optimizers import OPTIMIZERS
from engine.penalties import PENALTIES
from engine.quantity import Quantity
from engine.schedules import SCHEDULES
from engine.spec import Spec
from engine.state import RunState, frozen, quickly
from engine.workspace import Workspace

Batches = Iterator[tuple[Workspace, Floats, Floats]]
_MOST_OPEN = 4  # sessions that wait for the state they reached to be carried on
_MOST_WORKSPACES = 4
_MOST_KEPT = 2**20  # bytes of one network's buffers
_GATHERED = 2**14  # numbers: as many examples are brought into the order of an epoch at once as stay in the cache


def penalty_of(spec: Spec, parameters: Floats) -> float:
    """What regularization adds to the loss."""
    return spec.regularization_rate * PENALTIES[spec.regularization].value(parameters * spec.network.is_weight)


def penalty_gradient(spec: Spec, parameters: Floats) -> Floats:
    """What regularization adds to the gradient: rate sign(w) or rate w, on weights and not on biases."""
    if not spec.penalized:
        return np.zeros(len(parameters))
    pull = PENALTIES[spec.regularization].gradient(parameters)
    return spec.regularization_rate * pull * spec.network.is_weight


def free_indices(spec: Spec) -> Ints:
    """Indices of the parameters that training may move."""
    return np.flatnonzero(~frozen_mask(spec))


def frozen_mask(spec: Spec) -> Any:
    """True at every frozen parameter of the flat vector."""
    mask = np.zeros(spec.network.size, dtype=bool)
    for name in spec.frozen:
        mask[held_by(spec.network, name)] = True
    return mask


def held_by(network: Network, name: str) -> Ints:
    """Where all that is frozen by this name stands: a parameter, all weights of a kernel (W1.2.1), all biases."""
    numbers = np.arange(network.size)
    if name == "biases":
        return np.concatenate([each.of(numbers) for each in network.parameters if each.letter == "b"])
    of = Quantity.parse(name)
    values = next(each.of(numbers) for each in network.parameters if (each.letter, each.layer) == (of.letter, of.layer))
    return np.ravel(values[tuple(int(str(i)) - 1 for i in of.index)])


def next_batch(state: RunState) -> Ints:
    """Indices of the mini-batch that the next step will use."""
    order = batch_order(state.spec.seed, state.epoch, examples_of(state.spec).train)
    return order[state.cursor : state.cursor + state.spec.batch_size]


def examples_for(state: RunState, example: int | None) -> Ints:
    """What a look meets: the mini-batch, or one example alone; where the examples of a batch move each other, it first
    and then the others of the next mini-batch. One that is not in that takes the place of the first. SpecError if there
    is none such."""
    if example is None:
        return next_batch(state)
    count = examples_of(state.spec).count
    if not 0 <= example < count:
        raise SpecError("example", example, "a whole number from 0 to {last}", last=count - 1)
    if not state.spec.network.mixes_examples:
        return np.array([example])
    batch = next_batch(state)
    others = batch[batch != example] if example in batch else batch[1:]
    return np.append(example, others)


def places_in_batch(state: RunState, indices: Ints) -> Ints:
    """Where examples stand in the next mini-batch; what is not in it stands for its first one."""
    places = {example: place for place, example in enumerate(next_batch(state).tolist())}
    return np.array([places.get(index, 0) for index in indices.tolist()])


class _Buffers:
    """Everything that training one network writes to, except the optimizer's memory."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.parameters, self.gradient, self.scratch = np.zeros((3, network.size))
        self.workspaces: dict[int, Workspace] = {}

    def workspace(self, examples: int) -> Workspace:
        if examples not in self.workspaces:
            self.workspaces[examples] = Workspace(self.network, self.parameters, self.gradient, examples)
        return self.workspaces[examples]

    @property
    def worth_keeping(self) -> bool:
        size = self.scratch.nbytes + sum(workspace.nbytes for workspace in self.workspaces.values())
        return size <= _MOST_KEPT and len(self.workspaces) <= _MOST_WORKSPACES


@lru_cache(maxsize=32)
def _idle(network: Network) -> list[_Buffers]:
    """Buffers that no session uses. Making them costs as much as ten steps, so a session leaves them to the next."""
    return []


_open: dict[int, "Session"] = {}  # by the id of the state that each has reached, which it holds


def resume(state: RunState) -> "Session":
    """The session that reached this state, if it is still open, so that step after step costs little more than many at
    once; else a new one. Whoever takes it has it alone, and calls `pause` or `close`."""
    return _open.pop(id(state), None) or Session(state).__enter__()


def pause(session: "Session", reached: RunState) -> None:
    """Leave a session open for whoever carries this state on; the one that waits longest is closed."""
    if session.reached is None and not session.worth_keeping:
        return
    session.reached = reached
    _open[id(reached)] = session
    if len(_open) > _MOST_OPEN:
        with suppress(StopIteration, KeyError, RuntimeError):  # another thread was quicker
            _open.pop(next(iter(_open))).close()


class Session:
    """One run being trained: a copy of its parameters, and all that a step needs besides.

    Use it in a `with` statement. Nothing of it may be kept afterwards without a copy: the buffers go to the next.
    """

    reached: RunState | None = None

    def __init__(self, state: RunState) -> None:
        self.state, self.spec = state, state.spec
        self.network = state.spec.network
        self.examples: Examples = examples_of(state.spec)
        self.step, self.epoch, self.cursor, self.reruns = state.step, state.epoch, state.cursor, 0
        self._ahead: Batches | None = None

    @cached_property
    def quiet(self) -> Context:
        """Where NumPy warns of nothing: to run in it again and again is sooner than to enter `errstate`."""
        context = copy_context()
        context.run(np.seterr, all="ignore")
        return context

    def __enter__(self) -> "Session":
        try:
            self._buffers = _idle(self.network).pop()
        except IndexError:
            self._buffers = _Buffers(self.network)
        self.workspace = self._buffers.workspace
        self.parameters, self.gradient = self._buffers.parameters, self._buffers.gradient
        np.copyto(self.parameters, self.state.parameters)
        self.slots, self.running = self.state.slots.copy(), self.state.running
        if self.running.size:
            self.running = self.running.copy()
        reached = self.parameters, self.slots.ravel(), self.running.ravel()
        self._reached = [each for each in reached if each.size]
        self._prepare_update()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the buffers to the next session."""
        if self._buffers.worth_keeping:
            _idle(self.network).append(self._buffers)

    def _prepare_update(self) -> None:
        spec, scratch = self.spec, self._buffers.scratch
        self._optimizer, self._settings = OPTIMIZERS[spec.optimizer], dict(spec.optimizer_settings)
        self._schedule, self._schedule_settings = SCHEDULES[spec.schedule], dict(spec.schedule_settings)
        self._is_penalized = spec.regularization_rate > 0
        self._held = np.flatnonzero(frozen_mask(spec)) if spec.frozen else None
        self._rate = np.array(self.rate())
        if self._optimizer.update:
            self._update = partial(
                self._optimizer.update, self.parameters, self.gradient, list(self.slots), scratch, self._rate
            )

    def rate(self) -> float:
        """The learning rate of the next step."""
        return self._schedule.rate(self.spec.learning_rate, self.step, self._schedule_settings)

    @property
    def worth_keeping(self) -> bool:
        """Whether its buffers are small enough to be left lying."""
        return self._buffers.worth_keeping

    def batches(self, count: int) -> Batches:
        """The next `count` mini-batches or a few more: x (features + 1, examples) and y (outputs, examples).

        The last of an epoch is smaller when the size does not divide. A session that is carried on brings as many of
        them into order as it may, and goes on with these.
        """
        if self._ahead is None:
            ahead = self._batches(count if self.step == self.state.step else _GATHERED)
            self._ahead = ahead if self.step > self.state.step else None
            return ahead
        return self._ahead

    def _batches(self, count: int) -> Batches:
        train = self.examples.train
        size = min(self.spec.batch_size, train)
        at_once = size * min(count, max(1, _GATHERED // (size * len(self.examples.x))))
        while True:
            order = batch_order(self.spec.seed, self.epoch, train)
            while self.cursor < train:
                yield from self._gather(order[self.cursor : self.cursor + at_once], size)
            self.epoch, self.cursor = self.epoch + 1, 0

    def _gather(self, indices: Ints, size: int) -> Iterator[tuple[Workspace, Floats, Floats]]:
        whole = len(indices) // size * size
        for part, examples in ((indices[:whole], size), (indices[whole:], len(indices) - whole)):
            if len(part):
                workspace = self.workspace(examples)
                x, y = (in_batches(rows, part, examples) for rows in (self.examples.x, self.examples.targets))
                for x_rows, y_rows in zip(x, y, strict=True):
                    if workspace.masks:
                        fill(workspace.masks, self.spec, self.step)
                    self.cursor += examples
                    yield workspace, x_rows.T, y_rows.T

    def chosen(
        self, indices: Ints, masks: Mapping[tuple[str, int], Floats] | None = None
    ) -> tuple[Workspace, Floats, Floats]:
        """The examples at these indices as a batch of their own: x (features + 1, examples), y (outputs, examples).

        What dropout keeps of them is given, or what the step keeps of the mini-batch that they are in.
        """
        workspace = self.workspace(len(indices))
        if workspace.masks and masks is None:
            fill(workspace.masks, self.spec, self.step, places_in_batch(self.state, indices))
        for drawn, mask in (masks or {}).items():
            np.copyto(workspace.masks[drawn], mask)
        rows = self.examples.x, self.examples.targets
        x, y = (in_batches(each, indices, len(indices))[0].T for each in rows)
        return workspace, x, y

    def update(self, x: Floats, y: Floats, workspace: Workspace) -> None:
        """From the gradient of the data to the new parameters, and to new running means and variances."""
        if workspace.statistics and x.shape[1] > 1:  # of one example there is no variance
            self._keep(workspace, x.shape[1])
        if self._is_penalized:
            np.add(self.gradient, penalty_gradient(self.spec, self.parameters), self.gradient)
        if self._schedule.settings:  # the others are constant
            self._rate.fill(self.rate())
        self.step += 1
        if self._optimizer.search:
            self._search(x, y, workspace)
        elif self._held is None:
            self._update(self.step - self.state.optimizer_since, self._settings)
        else:
            held = self.parameters[self._held]
            self.gradient[self._held] = 0.0  # so that the optimizer remembers nothing of what it may not move
            self._update(self.t, self._settings)
            self.parameters[self._held] = held

    def _keep(self, workspace: Workspace, examples: int) -> None:
        """Move the running means and variances towards those of a batch, the variance as it is without bias."""
        for k, running in self.network.running_of(self.running).items():
            mean, spread = workspace.statistics[k]
            taken = examples * prod(self.network.image(k)[1:])  # of a feature map every place
            variance = (spread * spread - EPSILON) * (taken / (taken - 1))
            running += MOMENTUM * (np.stack((mean, variance)) - running)

    def last(self, examples: int) -> Ints:
        """Indices of the mini-batch of so many examples that `batches` gave last."""
        order = batch_order(self.spec.seed, self.epoch, self.examples.train)
        return order[self.cursor - examples : self.cursor]

    @property
    def t(self) -> int:
        """How many updates this optimizer has made, the current one included."""
        return self.step - self.state.optimizer_since

    def _search(self, x: Floats, y: Floats, workspace: Workspace) -> None:
        def rerun() -> float:
            workspace.forward(x)
            return workspace.loss(y) + penalty_of(self.spec, self.parameters)

        if self._optimizer.search:
            free = free_indices(self.spec)
            self.reruns += self._optimizer.search(self.parameters, list(self.slots), float(self._rate), free, rerun)

    def is_finite(self, loss: float) -> bool:
        """Whether the loss is, and every number that was reached."""
        # A sum of squares is quick, and is finite only where all of them are; it may be too large by itself.
        squares = loss
        for each in self._reached:
            squares += float(each.dot(each))
        return isfinite(squares) or (isfinite(loss) and all(np.isfinite(each).all() for each in self._reached))

    def result(self) -> RunState:
        """The state reached."""
        epoch, cursor = self.epoch, self.cursor
        if cursor >= self.examples.train:  # so that a state has one spelling only
            epoch, cursor = epoch + 1, 0
        forwards = self.state.forwards + self.step - self.state.step + self.reruns
        return quickly(
            RunState,
            spec=self.spec,
            step=self.step,
            epoch=epoch,
            cursor=cursor,
            forwards=forwards,
            parameters=frozen(self.parameters.copy()),
            slots=frozen(self.slots.copy()) if self.slots.size else self.state.slots,
            running=frozen(self.running.copy()) if self.running.size else self.state.running,
            divergence=None,
            optimizer_since=self.state.optimizer_since,
        )


def in_batches(rows: Floats, indices: Ints, examples: int) -> Floats:
    """Columns of (rows, n) in the order of the indices, batch-first: (batches, examples, rows)."""
    return rows.T.take(indices, axis=0).reshape(-1, examples, len(rows))
