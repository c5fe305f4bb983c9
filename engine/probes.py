"""Questions asked of a state by running the model again: nudge one parameter, slice the loss, check every gradient.

The loss is what training makes smaller: the data's on the examples of the next step's mini-batch, or on one example
alone, and with regularization its penalty too. So slopes stand beside the data's gradient plus the penalty's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter

import numpy as np

from engine.arrays import Floats, Ints
from engine.checks import SpecError, asked_of
from engine.examples import examples_of
from engine.masks import fill
from engine.optimizers import OPTIMIZERS
from engine.penalties import PENALTIES
from engine.probed import Check, Contour, Landing, Nudge, Slice, Wishes
from engine.receipts import terms_at_places
from engine.session import examples_for, in_batches, next_batch, penalty_gradient, penalty_of, places_in_batch
from engine.state import RunState
from engine.tracing import Trace, trace_of
from engine.workspace import Workspace

LARGEST_NUDGE = 10.0
CLOSE = 1e-5  # two slopes agree within this share of the larger one
STEP = 1e-5  # of a central difference in float64
CORNER = 1e-9  # how near to a corner of the penalty counts as on it
CHECKED = 2_000  # parameters that a check looks at
RATES = (1, 3, 10)  # multiples of the learning rate whose landing a slice shows
POINTS = 81
GRID = 31
CONTOUR_EXAMPLES = 300
CONTOUR_WORK = 3e8  # parameters × examples × points, about a second


class Model:
    """A state's model on a few examples, that can be run again with other parameters. Not a value.

    It drops what the next step drops; with `whole` nothing, as whoever evaluates.
    """

    def __init__(self, state: RunState, indices: Ints, whole: bool = False) -> None:
        examples, network = examples_of(state.spec), state.spec.network
        self.parameters = state.parameters.copy()
        self.gradient = np.empty(network.size)
        self._spec = state.spec
        self._workspace = Workspace(network, self.parameters, self.gradient, len(indices))
        for mask in self._workspace.masks.values():
            mask.fill(1.0)
        if not whole:
            fill(self._workspace.masks, state.spec, state.step, places_in_batch(state, indices))
        # Laid out as a step has them, for the last bit of a matrix product depends on that.
        self._x, self._y = (in_batches(rows, indices, len(indices))[0].T for rows in (examples.x, examples.targets))

    def loss(self) -> float:
        """What training makes smaller: the data's loss and the penalty."""
        with np.errstate(all="ignore"):
            self._workspace.forward(self._x)
            return self._workspace.loss(self._y) + self.penalty()

    def penalty(self) -> float:
        """What regularization adds to the loss."""
        return penalty_of(self._spec, self.parameters) if self._spec.penalized else 0.0

    def loss_at(self, index: int, value: float) -> float:
        """The loss with one parameter moved; it is put back."""
        kept = self.parameters[index]
        self.parameters[index] = value
        loss = self.loss()
        self.parameters[index] = kept
        return loss

    def backpropagate(self) -> Floats:
        """The gradient of the data's loss, for every parameter at once."""
        with np.errstate(all="ignore"):
            self._workspace.forward(self._x)
            self._workspace.backward(self._x, self._y)
        return self.gradient.copy()

    def pull(self) -> Floats:
        """What regularization adds to the gradient; at L1's corner, a weight of 0, that is 0, as in training."""
        with np.errstate(all="ignore"):
            return penalty_gradient(self._spec, self.parameters)

    def at_corner(self, index: int) -> bool:
        """Whether the penalty's slope jumps here, as L1's does at 0: training uses the mean of both sides."""
        if not self._spec.penalized or not self._spec.network.is_weight[index]:
            return False
        sides = float(self.parameters[index]) + np.array([-CORNER, CORNER])
        below, above = PENALTIES[self._spec.regularization].gradient(sides)
        return bool(above - below > 0.5)

    def total(self) -> Floats:
        """The gradient of `loss`."""
        return self.backpropagate() + self.pull() if self._spec.penalized else self.backpropagate()


def located(state: RunState, address: str, field: str = "address") -> int:
    """The index of a parameter, of a kernel's its middle one; SpecError if there is none at that address."""
    try:
        return state.spec.network.locate(address)
    except ValueError:
        raise SpecError(field, address, state.spec.network.address_form) from None


@asked_of(RunState)
def nudge(state: RunState, address: str, amount: float = 0.001, example: int | None = None) -> Nudge:
    """Add `amount` to one parameter and rerun. SpecError for no such address, or an amount of 0 or too large."""
    index = located(state, address)
    if not isfinite(amount) or not 0 < abs(amount) <= LARGEST_NUDGE:
        raise SpecError("amount", amount, "a number from -{largest:g} to {largest:g}, but not 0", largest=LARGEST_NUDGE)
    model = Model(state, examples_for(state, example))
    now, before = float(state.parameters[index]), model.loss()
    after = model.loss_at(index, now + amount)
    gradient, pull = float(model.backpropagate()[index]), float(model.pull()[index])
    slope, total = (after - before) / amount, gradient + pull
    found = _compare(model, before, index, total, abs(total))
    verdict = "better" if after < before else "worse" if after > before else "same"
    return Nudge(
        state.spec.network.address(index),
        amount,
        now,
        before,
        after,
        model.penalty(),
        slope,
        gradient,
        pull,
        total,
        slope - total,
        verdict,
        found.agrees,
        found.kink,
        state.spec.network.size,
    )


@dataclass(frozen=True)
class _Comparison:
    difference: float
    kink: bool
    agrees: bool


def _compare(model: Model, here: float, index: int, gradient: float, scale: float) -> _Comparison:
    """A gradient against the slope through both sides of where its parameter stands, the loss being `here`.

    Again with a hundredth of the step if they disagree, for a corner may lie between.
    """
    step = STEP * max(1.0, abs(float(model.parameters[index])))
    found = _compare_over(model, here, index, gradient, scale, step)
    if not found.agrees:
        found = _compare_over(model, here, index, gradient, scale, step / 100)
    return replace(found, kink=True) if found.agrees and model.at_corner(index) else found


def _compare_over(model: Model, here: float, index: int, gradient: float, scale: float, step: float) -> _Comparison:
    now = float(model.parameters[index])
    above, below = model.loss_at(index, now + step), model.loss_at(index, now - step)
    slope = (above - below) / (2 * step)
    allowed = CLOSE * max(scale, abs(slope)) + 1e-14 * max(1.0, abs(here)) / step
    difference = gradient - slope
    if abs(difference) <= allowed:
        return _Comparison(difference, False, True)
    sides = ((above - here) / step, (here - below) / step)
    kink = (
        _between(gradient, sides, allowed)
        or _jumps(model, here, index, step)
        or (_right_beside(model, index, step, sides, allowed))
    )
    return _Comparison(difference, kink, kink)


def _between(gradient: float, sides: tuple[float, float], allowed: float) -> bool:
    """Whether the gradient lies between the slopes on both sides, as it may where they meet in a corner."""
    return min(sides) - allowed <= gradient <= max(sides) + allowed


def _jumps(model: Model, here: float, index: int, step: float) -> bool:
    """Whether the loss jumps here, as a threshold's does: a tenth of the way changes it almost as much."""
    now = float(model.parameters[index])
    ways = [(step, step / 10), (-step, -step / 10)]
    changes = [[abs(model.loss_at(index, now + way) - here) for way in pair] for pair in ways]
    return any(short > 0.5 * long > 0 for long, short in changes)


def _right_beside(model: Model, index: int, step: float, sides: tuple[float, float], allowed: float) -> bool:
    """Whether the gradient is right a little to either side: then only this very point is a corner of several units.

    relu(b) - relu(-b) is b, with slope 1 everywhere, and backpropagation, unit by unit, says 0 at 0.
    """
    now, agree = float(model.parameters[index]), []
    for way, slope in zip((step, -step), sides, strict=True):
        model.parameters[index] = now + way
        agree.append(abs(float(model.total()[index]) - slope) <= 10 * allowed)
    model.parameters[index] = now
    return all(agree)


@asked_of(RunState, "gradient_check")
def check_all(
    state: RunState, example: int | None = None, *, limit: int = CHECKED, seconds: float | None = None
) -> Check:
    """Every gradient against reruns of the model, at most `limit` of them, evenly spread, and within `seconds`."""
    model, size = Model(state, examples_for(state, example)), state.spec.network.size
    gradient, here = model.total(), model.loss()
    indices = np.unique(np.linspace(0, size - 1, min(limit, size)).astype(int)).tolist()
    scale, deadline = float(np.abs(gradient).max()), None if seconds is None else perf_counter() + seconds
    checked = kinks = 0
    largest, where, passed = 0.0, indices[0], bool(np.isfinite(gradient).all())
    for index in indices:
        found = _compare(model, here, index, float(gradient[index]), scale)
        checked, kinks, passed = checked + 1, kinks + found.kink, passed and found.agrees
        if not found.kink and not abs(found.difference) <= largest:
            largest, where = abs(found.difference), index
        if deadline is not None and perf_counter() > deadline:
            break
    return Check(size, checked, 2 * checked + 1, largest, state.spec.network.address(where), scale, kinks, passed)


@asked_of(RunState)
def slice_(
    state: RunState, address: str, example: int | None = None, *, width: float | None = None, points: int = POINTS
) -> Slice:
    """The loss along one parameter, wide enough for where this step lands, and if near enough 3 and 10 times its rate.

    `width` is how far it goes to either side. SpecError for no such address, or a width that is not above 0.
    """
    index = located(state, address)
    if width is not None and not 0 < width <= 1e6:
        raise SpecError("width", width, "a number above 0, at most 1000000")
    indices = examples_for(state, example)
    model, now = Model(state, indices), float(state.parameters[index])
    landings = tuple(_landings(state, indices, index, model))
    reach = max((abs(landing.value - now) for landing in landings if isfinite(landing.value)), default=0.0)
    width = width or min(max(1.25 * reach, 0.5, 0.5 * abs(now)), max(5.0, 2 * abs(now)))
    values = np.linspace(now - width, now + width, points)
    losses = np.array([model.loss_at(index, value) for value in values.tolist()])
    gradient, pull = float(model.backpropagate()[index]), float(model.pull()[index])
    loss = model.loss()
    name = state.spec.network.address(index)
    return Slice(name, now, loss, model.penalty(), gradient, pull, gradient + pull, values, losses, landings)


def _landings(state: RunState, indices: Ints, index: int, model: Model) -> list[Landing]:
    # A search reruns the model for every parameter, and three of them would tell no more than one.
    factors = RATES[:1] if OPTIMIZERS[state.spec.optimizer].search else RATES
    found = []
    for factor in factors:
        faster = replace(state.spec, learning_rate=factor * state.spec.learning_rate)
        value = float(trace_of(replace(state, spec=faster), indices).parameters_next[index])
        found.append(Landing(factor, value, model.loss_at(index, value)))
    return found


@asked_of(RunState)
def contour(
    state: RunState,
    x_address: str,
    y_address: str,
    *,
    path: Sequence[tuple[float, float]] = (),
    points: int = GRID,
) -> Contour:
    """The loss over two parameters on the training set (its first few hundred), wide enough for the path.

    A coarser grid where the network is large. SpecError for no such address, or twice the same.
    """
    x_index, y_index = located(state, x_address, "x"), located(state, y_address, "y")
    if x_index == y_index:
        raise SpecError("y", y_address, "another parameter than x")
    count = min(examples_of(state.spec).train, CONTOUR_EXAMPLES)
    model = Model(state, np.arange(count), whole=True)
    affordable = int((CONTOUR_WORK / (state.spec.network.size * count)) ** 0.5)
    points = max(9, min(points, affordable))
    now = (float(state.parameters[x_index]), float(state.parameters[y_index]))
    xs, ys = (_span([now[axis], *(point[axis] for point in path)], points) for axis in (0, 1))
    losses = np.empty((points, points))
    for row, y in enumerate(ys):
        model.parameters[y_index] = y
        losses[row] = [model.loss_at(x_index, x) for x in xs.tolist()]
    across, up = map(state.spec.network.address, (x_index, y_index))
    return Contour(across, up, xs, ys, losses, now, count, tuple(path))


def _span(values: list[float], points: int) -> Floats:
    """An interval that holds the values, with room round them, and never a single point."""
    finite = [value for value in values if isfinite(value)]
    low, high = min(finite), max(finite)
    room = max(0.25 * (high - low), 0.5, 0.25 * max(abs(low), abs(high)))
    return np.linspace(low - room, high + room, points)


def _terms(step: Trace) -> Floats:
    """Every example's term of the sum that each gradient is, times how many there are: (examples, parameters)."""
    network, count = step.spec.network, len(step.examples)
    terms = np.empty((count, network.size))
    for each in network.parameters:
        layer = step.layers[each.layer - 1]
        if network.image(each.layer):
            for n, own in enumerate(count * terms_at_places(step, each)):
                each.of(terms[n])[...] = own
            continue
        deltas = layer.dz if each.letter in ("W", "b") or layer.norm is None else layer.norm.dn
        carried = {"W": step.inputs_of(each.layer - 1), "gamma": None if layer.norm is None else layer.norm.xhat}
        factor = carried.get(each.letter)
        for n in range(count):
            own = (
                deltas[n]
                if factor is None
                else deltas[n, :, None] * factor[n]
                if each.letter == "W"
                else deltas[n] * factor[n]
            )
            each.of(terms[n])[...] = count * own
    return terms


@asked_of(RunState)
def wishes(state: RunState, *, values: int = 500_000) -> Wishes:
    """Each example's own gradient, and their mean, which is the batch's; at most `values` numbers in all."""
    indices, network = next_batch(state), state.spec.network
    mean = Model(state, indices).backpropagate()
    chosen = indices[: max(1, min(len(indices), values // network.size))]
    if network.mixes_examples:
        gradients = _terms(trace_of(state, indices))[: len(chosen)]
    else:
        gradients = np.array([Model(state, indices[n : n + 1]).backpropagate() for n in range(len(chosen))])
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(gradients, axis=1) * np.linalg.norm(mean)
        cosines = np.where(lengths > 0, gradients @ mean / lengths, np.nan)
    return Wishes(chosen, gradients, mean, np.clip(cosines, -1.0, 1.0), len(indices))
