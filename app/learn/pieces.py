"""What lessons show of their runs, as values: a line with its residuals, the path of a walk, curves of the loss.

Each follows from facts alone; the templates draw it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.draw.charts import log_share
from app.draw.pictures import inks
from app.learn.facts import Facts
from app.words.names import layer_name
from app.words.numbers import fixed_signed, unsigned
from engine import ACTIVATIONS, Spec, advance, evaluate, examples_of, start
from engine.probed import Nudge
from engine.probes import Model, nudge

M, B = "W1.1.1", "b1.1"


@dataclass(frozen=True)
class Fit:
    """A line y = mx + b through the training points (x, y, the line there), and the spans to draw."""

    m: float
    b: float
    points: tuple[tuple[float, float, float], ...]
    x_span: tuple[float, float]
    y_span: tuple[float, float]

    @property
    def text(self) -> str:
        """For those who cannot see it."""
        slope, intercept = fixed_signed(self.m), fixed_signed(self.b)
        return f"{len(self.points)} points; the line has slope {slope} and intercept {intercept}."


def fit(facts: Facts) -> Fit:
    """The line that a network of one weight and one bias draws through its training examples."""
    examples, m, b = examples_of(facts.state.spec), facts[M], facts[B]
    x, y = examples.raw[: examples.train, 0], examples.targets[0, : examples.train]
    reach = float(np.ptp(y)) or 1.0
    points = tuple(zip(x.tolist(), y.tolist(), (m * x + b).tolist(), strict=True))
    return Fit(m, b, points, examples.domain, (float(y.min()) - 0.5 * reach, float(y.max()) + 0.3 * reach))


@dataclass(frozen=True)
class Trail:
    """Two parameters and the training loss after every step from the start, and whether the run went wild."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    losses: tuple[float, ...]
    diverged: bool


def walk(facts: Facts, steps: int, x: str = M, y: str = B) -> Trail:
    """So many steps, one by one."""
    state, rows = facts.state, []
    ix, iy = (state.spec.network.locate(address) for address in (x, y))
    for taken in range(steps + 1):
        rows.append((float(state.parameters[ix]), float(state.parameters[iy]), evaluate(state)["train"].loss or 0.0))
        if taken < steps:
            ahead = Facts(state).after().state
            if ahead.step == state.step:
                break
            state = ahead
    xs, ys, losses = zip(*rows, strict=True)
    return Trail(xs, ys, losses, len(rows) <= steps)


@dataclass(frozen=True)
class Series:
    """y = f(x) at evenly spaced x."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]


def activation_curve(name: str, low: float = -5.0, high: float = 5.0, slope: bool = False) -> Series:
    """An elementwise activation over z, or with `slope` its derivative."""
    activation = ACTIVATIONS[name]
    # 400 places, none of them a kink: a jump is drawn steep, not slanted.
    z = np.linspace(low, high, 400)
    a = np.empty_like(z)
    activation.forward(z, a)
    ys = activation.backward(np.ones_like(z), z, a) if slope else a
    return Series(tuple(z.tolist()), tuple(ys.tolist()))


def activation_at(name: str, z: float) -> tuple[float, float]:
    """(a, slope) of an elementwise activation at one z."""
    at, out = np.array([z]), np.empty(1)
    ACTIVATIONS[name].forward(at, out)
    return float(out[0]), float(ACTIVATIONS[name].backward(np.ones(1), at, out)[0])


def delta_norms(facts: Facts) -> list[tuple[str, float]]:
    """The length of each layer's deltas over the batch, from the first layer to the output: the message going back."""
    layers = facts.trace.layers
    return [(layer_name(k, len(layers)), float(np.linalg.norm(layer.dz))) for k, layer in enumerate(layers, 1)]


def left_over(norms: Sequence[tuple[str, float]]) -> float:
    """The first hidden layer's message over the last hidden one's: 1 where nothing fades or grows."""
    first, last = norms[0][1], norms[max(0, len(norms) - 2)][1]
    return first / last if last else 0.0


def losses_of(facts: Facts, every: int, steps: int) -> Series:
    """The training loss after every so many steps; it ends where a run diverges."""
    state, xs, ys = facts.state, [], []
    while True:
        xs.append(float(state.step))
        ys.append(float(evaluate(state)["train"].loss or 0.0))
        ahead = advance(state, every).state
        if state.step >= steps or ahead.step < state.step + every:
            return Series(tuple(xs), tuple(ys))
        state = ahead


def paid(facts: Facts, steps: int) -> Series:
    """The loss over the runs of the model that it took, from the start."""
    xs, ys = [0.0], [facts.loss]
    for _ in range(steps):
        facts = facts.after()
        xs.append(float(facts.state.forwards))
        ys.append(facts.loss)
    return Series(tuple(xs), tuple(ys))


def mean_residual(facts: Facts) -> tuple[float, float]:
    """(mean of residual, mean of residual × x) over the trace's examples: the two slopes of a line."""
    residual = facts.residuals[:, 0]
    return float(residual.mean()), float((residual * facts.trace.x[:, 0]).mean())


def loss_curve(facts: Facts, address: str, low: float, high: float, places: int = 61) -> Series:
    """The loss of the trace's examples over one parameter, all others as they are."""
    model = Model(facts.state, facts.trace.examples)
    index, xs = facts.state.spec.network.locate(address), np.linspace(low, high, places).tolist()
    return Series(tuple(xs), tuple(model.loss_at(index, x) for x in xs))


@dataclass(frozen=True)
class Ground:
    """The loss over two parameters as a picture, from its lowest point (paper) to its highest (ink)."""

    picture: str
    x_span: tuple[float, float]
    y_span: tuple[float, float]


def ground(facts: Facts, x_span: tuple[float, float], y_span: tuple[float, float], x: str = M, y: str = B) -> Ground:
    """The loss on the training set over a rectangle of two parameters, in steps of height like a map's."""
    state = facts.state
    ix, iy = (state.spec.network.locate(address) for address in (x, y))
    model = Model(state, np.arange(examples_of(state.spec).train))
    places = 48
    heights = np.empty((places, places))
    # the picture's first row is the top one
    for row, at_y in enumerate(np.linspace(*y_span, places)[::-1].tolist()):
        model.parameters[iy] = at_y
        heights[row] = [model.loss_at(ix, at_x) for at_x in np.linspace(*x_span, places).tolist()]
    # the square root tells the floor of the valley from its sides; whole steps make lines of equal loss
    share = np.sqrt(heights / heights.max())
    return Ground(inks(np.floor(share * 15) / 15, places), x_span, y_span)


WAYS = {"up": 1.0, "down": -1.0, "stay": 0.0}


def acted(facts: Facts, answers: dict[str, str | None], far: float | None = None) -> Facts:
    """Every address moved the way that was answered, as far as the next step would move it, or by `far`; the others
    stay.
    """
    moves = {
        address: WAYS.get(answer or "", 0.0) * (abs(facts.change(address)) if far is None else far)
        for address, answer in answers.items()
    }
    return facts.with_values({address: facts[address] + move for address, move in moves.items()})


def nudges(facts: Facts, address: str, amounts: Sequence[float]) -> list[Nudge]:
    """One parameter nudged by each amount."""
    return [nudge(facts.state, address, amount, facts.example) for amount in amounts]


def article_walk(facts: Facts, steps: int) -> Trail:
    """The article's product read to the letter: derivative × step × x × coefficient, subtracted, once for m and for b.

    The x of b is 1. There is no turning round here, so that the product itself is seen.
    """
    now, rows = facts, []
    for _ in range(steps + 1):
        m, b, residual, x = now[M], now[B], now.residuals[:, 0], now.trace.x[:, 0]
        rows.append((m, b, now.loss))
        moved = {
            M: m - facts.rate * float((residual * x * x).mean()) * m,
            B: b - facts.rate * float(residual.mean()) * b,
        }
        if any(abs(value) > 1e6 for value in moved.values()):
            break
        now = now.with_values(moved)
    xs, ys, losses = zip(*rows, strict=True)
    return Trail(xs, ys, losses, len(rows) <= steps)


def curvature(facts: Facts, address: str) -> float:
    """The second derivative of the loss along one parameter, from gradients a little to either side."""
    now, step = facts[address], 1e-4
    ahead, behind = (facts.with_values({address: now + d})[f"d{address}"] for d in (step, -step))
    return (ahead - behind) / (2 * step)


def sharpest(facts: Facts) -> float:
    """The largest curvature in any direction: the largest eigenvalue of the matrix of second derivatives."""
    addresses, step = list(facts.state.spec.network.addresses()), 1e-4
    rows = [
        (
            facts.with_values({a: facts[a] + step}).trace.gradient
            - facts.with_values({a: facts[a] - step}).trace.gradient
        )
        / (2 * step)
        for a in addresses
    ]
    return float(np.linalg.eigvalsh(np.array(rows)).max())


Bar = tuple[str, str, float, str]


def size_rows(values: Sequence[tuple[str, float]]) -> list[Bar]:
    """Sizes as bars (name, text, share of the width, class) on a scale of powers of ten."""
    return [(name, unsigned(value, 3), log_share(value, 1e-8, 100.0), "backward") for name, value in values]


def start_ratios(spec: dict[str, Any], starts: dict[str, str]) -> dict[str, float]:
    """What is left of the message at the first layer, with each initializer by its name for people."""
    runs = {name: Facts(start(Spec.make({**spec, "initializer": each}))) for name, each in starts.items()}
    return {name: left_over(delta_norms(run)) for name, run in runs.items()}


def early_update(facts: Facts) -> float:
    """W1.1.1 after a step that wrongly sends the deltas back through the output's new weights."""
    above = facts.trace.layers[1]
    delta = float(above.W_next[:, 0] @ above.dz[0]) * facts["slope1.1"]
    return facts["W1.1.1"] - facts.rate * delta * facts["a0.1"]
