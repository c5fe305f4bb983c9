"""Exercises about one operation by itself: its inputs and what comes back are drawn, one number of a gradient is asked
for. The right one and the wrong ones are those that a diagnosis goes by, and so are the sentences.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.learn.judging import Problem, Slip, numeric
from app.words.numbers import MINUS, unsigned
from app.words.texts import text
from engine.arrays import Floats
from engine.homework import BACKWARD
from engine.homework.base import Case, uneven
from engine.homework.norms import EPS
from engine.wording import Words

DIGITS = 4
Place = tuple[int, ...]
Drawn = tuple[dict[str, Any], Problem]


def _n(value: float) -> str:
    return unsigned(float(value), DIGITS)


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(terms).replace(f"+ {MINUS}", f"{MINUS} ")


def _products(pairs: Sequence[tuple[float, float]]) -> str:
    return _sum([f"{_n(a)} × {_n(b) if b >= 0 else f'({_n(b)})'}" for a, b in pairs])


def _tenths(rng: np.random.Generator, *shape: int) -> Floats:
    """Numbers with one decimal, none 0."""
    return np.asarray(rng.integers(1, 10, shape) * rng.choice([-1, 1], shape) / 10.0)


def _case(arrays: dict[str, Floats], **settings: Any) -> Case:
    return Case(arrays, settings, np.zeros(()))


@dataclass(frozen=True)
class Sought:
    """What an exercise asks of a case: one number of a gradient, or with no place their sum; and what is told of it."""

    gradient: str
    place: Place | None
    prompt: str
    solution: str
    hint: str

    def of(self, numbers: Floats) -> float:
        """That number of such a gradient."""
        return float(numbers.sum() if self.place is None else numbers[self.place])

    @property
    def quantity(self) -> str:
        """Its name, counted from 1."""
        if self.place is None:
            return f"sum of {self.gradient}"
        return ".".join([self.gradient, *(str(k + 1) for k in self.place)])


def problem_of(operation: str, case: Case, asked: Sought) -> Problem:
    """The question, with the number that every known mistake leads to."""
    of, slips = BACKWARD[operation], list[Slip]()
    right = of.backward(case)[asked.gradient]
    with np.errstate(all="ignore"):
        for mistake in of.known:
            for maker in mistake.makers:
                wrong = maker(case).get(asked.gradient)
                if wrong is not None and wrong.shape == right.shape and abs(value := asked.of(wrong)) > 1e-9:
                    slips.append(Slip(value, mistake.name.replace("_", " "), text(mistake.sentence)))
    slips = [each for each in slips if np.isfinite(each.value)]
    return numeric(asked.prompt, asked.quantity, asked.of(right), asked.solution, asked.hint, slips)


def _given(operation: str, case: Case) -> dict[str, Any]:
    """The case as POST /api/v1/diagnose takes it."""
    inputs = {name: each.tolist() for name, each in case.arrays.items()}
    return {"operation": operation, "inputs": inputs, "upstream": case.g.tolist(), "settings": dict(case.settings)}


def _back(rng: np.random.Generator, operation: str, case: Case) -> Case:
    """With tenths coming back."""
    return case.with_upstream(np.round(uneven(rng, BACKWARD[operation].forward(case).shape), 1))


def _posed(operation: str, pose: Callable[[np.random.Generator], tuple[Case, Sought]]) -> Callable[..., Drawn]:
    def drawn(rng: np.random.Generator) -> Drawn:
        case, asked = pose(rng)
        return _given(operation, case), problem_of(operation, case, asked)

    return drawn


def _convolution(rng: np.random.Generator) -> tuple[Case, Sought]:
    x = rng.integers(-3, 4, (1, 1, 4, 4)).astype(np.float64)
    arrays = {"x": x, "W": _tenths(rng, 1, 1, 3, 3), "b": _tenths(rng, 1)}
    case = _back(rng, "conv2d", _case(arrays, stride=1, padding=0))
    i, j = (int(k) for k in rng.integers(0, 3, 2))
    pairs = [(float(case.g[0, 0, y, k]), float(x[0, 0, y + i, k + j])) for y, k in np.ndindex(2, 2)]
    truth = sum(a * b for a, b in pairs)
    return case, Sought(
        "dW",
        (0, 0, i, j),
        text("What is the gradient of the filter's weight in row {row}, column {column}?", row=i + 1, column=j + 1),
        text(
            "It is used at four places: what comes back to each, times the pixel below it there: {products} = {sum}.",
            products=_products(pairs),
            sum=_n(truth),
        ),
        text("One weight, four places: at each, what comes back times the pixel that lay below the weight; add up."),
    )


def _max_pool(rng: np.random.Generator) -> tuple[Case, Sought]:
    while True:
        x = rng.permutation(np.arange(-9.0, 10.0))[:9].reshape(1, 1, 3, 3)
        case = _back(rng, "max_pool", _case({"x": x}, size=2, stride=1))
        seen = [(y, k, x[0, 0, y : y + 2, k : k + 2]) for y, k in np.ndindex(2, 2)]
        winners = [(y + int(part.argmax()) // 2, k + int(part.argmax()) % 2) for y, k, part in seen]
        place = max(winners, key=winners.count)
        if 1 < winners.count(place) < 4:
            break
    shares = [float(case.g[0, 0, y, k]) for (y, k, _), at in zip(seen, winners, strict=True) if at == place]
    return case, Sought(
        "dx",
        (0, 0, *place),
        text("What comes back to the number in row {row}, column {column}?", row=place[0] + 1, column=place[1] + 1),
        text(
            "It is the largest in {count} windows and gets what comes back to each: {terms} = {sum}.",
            count=len(shares),
            terms=_sum([_n(each) for each in shares]),
            sum=_n(sum(shares)),
        ),
        text(
            "In which of the four windows is it the largest? It gets what comes back to those, and nothing of the "
            "others."
        ),
    )


def _dropout(rng: np.random.Generator) -> tuple[Case, Sought]:
    mask = np.array([[1.0, 1.0, 1.0, 0.0, 0.0]])
    rng.shuffle(mask[0])
    rate = float(rng.choice([0.2, 0.25, 0.4]))
    case = _back(rng, "dropout", _case({"x": _tenths(rng, 1, 5), "mask": mask}, rate=rate))
    kept = [float(each) for each in case.g[mask == 1]]
    return case, Sought(
        "dx",
        None,
        text("What do the five numbers of dx add up to?"),
        text(
            "What was kept gets it back, divided by the {share} that is kept, and what was out gets nothing: "
            "({terms}) / {share} = {sum}.",
            share=_n(1 - rate),
            terms=_sum([_n(each) for each in kept]),
            sum=_n(sum(kept) / (1 - rate)),
        ),
        text("The same mask works backwards, and so does the division by the share that is kept."),
    )


def _norm(operation: str, axis: int) -> Callable[[np.random.Generator], tuple[Case, Sought]]:
    prompt: Words = "What is ∂L/∂x of example {number}?" if axis == 0 else "What is ∂L/∂x of feature {number}?"

    def posed(rng: np.random.Generator) -> tuple[Case, Sought]:
        shape = (4, 1) if axis == 0 else (1, 4)
        x = np.asarray(rng.permutation(np.arange(-6, 10))[:4].reshape(shape) / 2.0)
        arrays = {"x": x, "gamma": np.abs(_tenths(rng, shape[1])) + 0.5, "beta": _tenths(rng, shape[1])}
        case = _back(rng, operation, _case(arrays, eps=EPS))
        place = int(rng.integers(4))
        spread = float(np.sqrt(x.var() + EPS))
        hat, back = ((x - x.mean()) / spread).ravel(), (case.g * arrays["gamma"]).ravel()
        mean, turn = float(back.mean()), float((back * hat).mean())
        value = (back[place] - mean - hat[place] * turn) / spread
        return case, Sought(
            "dx",
            (place, 0) if axis == 0 else (0, place),
            text(prompt, number=place + 1),
            text(
                "The mean is {mean} and the deviation {spread}, so x̂ is {hat}. To x̂ comes back {back}, upstream times "
                "gamma. Three ways: itself, less the mean of all four, {of_mean}, less x̂ times the mean of their "
                "products with x̂, {of_spread}; all divided by the deviation: {value}.",
                mean=_n(x.mean()),
                spread=_n(spread),
                hat=_n(hat[place]),
                back=_n(back[place]),
                of_mean=_n(mean),
                of_spread=_n(turn),
                value=_n(value),
            ),
            text("Three ways back: through the number, the mean and the spread; the latter two are subtracted."),
        )

    return posed


def _shortcut(rng: np.random.Generator) -> tuple[Case, Sought]:
    arrays = {"x": _tenths(rng, 1, 2), "W": _tenths(rng, 2, 2), "b": _tenths(rng, 2)}
    case = _back(rng, "shortcut", _case(arrays, activation="tanh"))
    place = int(rng.integers(2))
    a = np.tanh(arrays["x"] @ arrays["W"].T + arrays["b"])[0]
    deltas = case.g[0] * (1.0 - a * a)
    pairs = list(zip(map(float, deltas), map(float, arrays["W"][:, place]), strict=True))
    through, past = sum(d * w for d, w in pairs), float(case.g[0, place])
    return case, Sought(
        "dx",
        (0, place),
        text("What comes back to input {number}, which goes into the layer and past it?", number=place + 1),
        text(
            "Past the layer {past}, as it came. Through it, the units' δ (upstream times 1 − a²) times the weights "
            "that leave this input: {products} = {through}. Together {both}.",
            past=_n(past),
            products=_products(pairs),
            through=_n(through),
            both=_n(past + through),
        ),
        text("It is used twice, so two ways lead back: past the layer, unchanged, and through it. They add up."),
    )


POSES: dict[str, tuple[Words, Words, Callable[..., Drawn]]] = {
    "conv_weight": (
        "Gradient of a filter's weight",
        "A filter of 3 × 3 over an image of 4 × 4: one weight, many places.",
        _posed("conv2d", _convolution),
    ),
    "max_pool": (
        "Back through a max pool",
        "Windows of 2 × 2, one pixel apart, so that they overlap: only the winner gets it.",
        _posed("max_pool", _max_pool),
    ),
    "dropout": ("Back through dropout", "The same mask back.", _posed("dropout", _dropout)),
    "batch_norm": (
        "Back through a batch normalization",
        "One feature of four examples: through the number, the mean and the spread.",
        _posed("batch_norm", _norm("batch_norm", 0)),
    ),
    "layer_norm": (
        "Back through a layer normalization",
        "Four features of one example, each with a gamma of its own.",
        _posed("layer_norm", _norm("layer_norm", 1)),
    ),
    "shortcut": (
        "Back where a value is used twice",
        "x + tanh(x Wᵀ + b): through the layer and past it.",
        _posed("shortcut", _shortcut),
    ),
}


@dataclass(frozen=True)
class NumberTable:
    """An array as it is shown: its name, what its columns and rows are called, and the numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]


_AXES: dict[str, Words] = {
    "n": "example", "units": "unit", "inputs": "input", "classes": "class", "features": "feature",
    "channels": "channel", "filters": "filter", "height": "row", "width": "column", "filter_height": "row",
    "filter_width": "column",
}  # fmt: skip


def tables(given: dict[str, Any]) -> list[NumberTable]:
    """What an operation's exercise gives, as tables: inputs, and what comes back."""
    of = BACKWARD[given["operation"]]
    found = [_table(each.name, each.axes[0], np.array(given["inputs"][each.name])) for each in of.inputs]
    back = np.array(given["upstream"])
    axes = ("n", "n", "height", "width") if back.ndim == 4 else of.inputs[0].axes[0]
    return [*found, _table("upstream", axes, back)]


def _table(name: str, axes: tuple[str, ...], numbers: Floats) -> NumberTable:
    called = [_AXES[axis] for axis in axes][-2:]
    rows = numbers.reshape(-1, numbers.shape[-1])
    columns = tuple(_head(called[-1], k) for k in range(rows.shape[1]))
    heads = [_head(called[0], k) if numbers.ndim > 1 else text(name) for k in range(len(rows))]
    return NumberTable(name, columns, tuple(zip(heads, map(tuple, rows.tolist()), strict=True)))


def _head(axis: Words, place: int) -> str:
    return text("{axis} {number}", axis=text(axis), number=place + 1)
