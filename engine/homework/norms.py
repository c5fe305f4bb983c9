"""Normalizations: over the examples of a batch, each feature by itself, or over the features of one example.

Both are one computation on rows, along one axis or the other; images are normalized a channel, over all their places.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.arrays import Floats
from engine.homework.base import Backward, Case, CaseOption, Gradients, Input, Mistake, case_of

Axis = Literal[0, 1]
EPS = 1e-5


@dataclass(frozen=True)
class Parts:
    """What both passes are made of, in rows (examples and places, features), with the statistics along `axis`."""

    x: Floats
    g: Floats
    gamma: Floats
    axis: int
    variance: Floats
    deviation: Floats

    @property
    def xhat(self) -> Floats:
        """x, centred and scaled."""
        hat: Floats = (self.x - self.x.mean(self.axis, keepdims=True)) / self.deviation
        return hat

    @property
    def dhat(self) -> Floats:
        """What comes back to xhat."""
        return self.g * self.gamma

    def dx(self, back: Floats | None = None, mean: float = 1.0, spread: float = 1.0) -> Floats:
        """The three ways back: through the number, the mean and the spread; the latter two so many times."""
        d, hat = self.dhat if back is None else back, self.xhat
        through_mean = mean * d.mean(self.axis, keepdims=True)
        through_spread = spread * hat * (d * hat).mean(self.axis, keepdims=True)
        way: Floats = (d - through_mean - through_spread) / self.deviation
        return way


def _rows(of: Floats) -> Floats:
    """(examples, features) of either form; an image's places are examples."""
    return of if of.ndim == 2 else np.moveaxis(of, 1, -1).reshape(-1, of.shape[1])


def _like(rows: Floats, of: Floats) -> Floats:
    """Rows in the form of what they came from."""
    if of.ndim == 2:
        return rows
    n, channels, *places = of.shape
    return np.moveaxis(rows.reshape(n, *places, channels), -1, 1)


Deviation = Callable[[Floats, float], Floats]


def _right(variance: Floats, eps: float) -> Floats:
    return np.sqrt(variance + eps)


def parts(case: Case, axis: int, deviation: Deviation = _right, spare: int = 0) -> Parts:
    """The parts of a case; with another rule for the deviation, or `spare` taken from the count of the variance."""
    x = _rows(case["x"])
    variance = x.var(axis, keepdims=True, ddof=spare) if x.shape[axis] > spare else np.full_like(x, np.nan)
    return Parts(x, _rows(case.g), case["gamma"], axis, variance, deviation(variance, case.settings["eps"]))


@dataclass(frozen=True)
class Norm:
    """Gradients of one of the two normalizations, right and wrong."""

    axis: int

    def forward(self, case: Case) -> Floats:
        """gamma times x, centred and scaled, plus beta."""
        x = case["x"]
        return _like(parts(case.with_upstream(x), self.axis).xhat * case["gamma"] + case["beta"], x)

    def all(self, case: Case, of: Parts, dx: Floats | None = None) -> dict[str, Floats]:
        """The three gradients, of these parts."""
        return {
            "dx": _like(of.dx() if dx is None else dx, case["x"]),
            "dgamma": (of.g * of.xhat).sum(0),
            "dbeta": of.g.sum(0),
        }

    def right(self, case: Case) -> dict[str, Floats]:
        """As it should be."""
        return self.all(case, parts(case, self.axis))

    def dx(self, function: Callable[[Parts], Floats]) -> tuple[Callable[[Case], Gradients], ...]:
        """A maker of a dx from the parts."""
        return (lambda case: {"dx": _like(function(parts(case, self.axis)), case["x"])},)

    def dgamma(self, function: Callable[[Parts], Floats]) -> tuple[Callable[[Case], Gradients], ...]:
        """A maker of a dgamma from the parts."""
        return (lambda case: {"dgamma": function(parts(case, self.axis))},)

    def with_deviation(self, deviation: Deviation) -> Callable[[Case], Gradients]:
        """A maker of what follows from another rule for the deviation."""

        def made(case: Case) -> Gradients:
            found = self.all(case, parts(case, self.axis, deviation))
            return {name: found[name] for name in ("dx", "dgamma")}

        return made

    def with_sample(self, consistent: bool) -> Callable[[Case], Gradients]:
        """A maker by the sample variance: its own true gradient, or it alone put into the formula."""

        def made(case: Case) -> Gradients:
            of = parts(case, self.axis, spare=1)
            count = of.x.shape[self.axis]
            times = count / (count - 1) if consistent and count > 1 else 1.0
            found = self.all(case, of, of.dx(spread=times))
            return {name: found[name] for name in ("dx", "dgamma")}

        return made

    def other_axis(self, case: Case) -> Gradients:
        """The statistics along the other axis."""
        found = self.all(case, parts(case, 1 - self.axis))
        return {name: found[name] for name in ("dx", "dgamma")}

    def not_summed(self, case: Case) -> Gradients:
        """Of every example by itself."""
        of = parts(case, self.axis)
        return {"dgamma": _like(of.g * of.xhat, case["x"]), "dbeta": case.g}

    def over_features(self, case: Case) -> Gradients:
        """Summed along the wrong axis."""
        of = parts(case, self.axis)
        return {"dgamma": (of.g * of.xhat).sum(1), "dbeta": of.g.sum(1)}

    def averaged(self, case: Case) -> Gradients:
        """The mean over the rows in place of the sum."""
        found, rows = self.right(case), len(_rows(case["x"]))
        return {name: found[name] / rows for name in ("dgamma", "dbeta")}

    def gamma_again(self, case: Case) -> Gradients:
        """gamma as a factor of its own gradient, or of beta's."""
        found = self.right(case)
        return {name: found[name] * case["gamma"] for name in ("dgamma", "dbeta")}


def _ways(norm: Norm) -> tuple[Mistake, ...]:
    return (
        Mistake(
            "mean_way_missing",
            "A number takes three ways through a normalization, by itself, through the mean and through the "
            "spread; the way through the mean is missing.",
            norm.dx(lambda of: of.dx(mean=0.0)),
        ),
        Mistake(
            "variance_way_missing",
            "A number takes three ways through a normalization, by itself, through the mean and through the "
            "spread; the way through the variance is missing.",
            norm.dx(lambda of: of.dx(spread=0.0)),
        ),
        Mistake(
            "both_ways_missing",
            "A number takes three ways through a normalization, by itself, through the mean and through the "
            "spread; those through the mean and the variance are missing.",
            norm.dx(lambda of: of.dx(mean=0.0, spread=0.0)),
        ),
        Mistake(
            "ways_not_averaged",
            "Mean and variance are means, so their ways back hold 1/N of a sum each: 1/N is missing.",
            norm.dx(lambda of: of.dx(mean=of.x.shape[norm.axis], spread=of.x.shape[norm.axis])),
        ),
        Mistake(
            "ways_added",
            "The ways through the mean and the variance are added; both are to be subtracted.",
            norm.dx(lambda of: of.dx(mean=-1.0, spread=-1.0)),
        ),
        Mistake(
            "gamma_forgotten",
            "What comes back passes gamma first: multiply by it before anything else.",
            norm.dx(lambda of: of.dx(of.g)),
        ),
    )


def _scales(norm: Norm) -> tuple[Mistake, ...]:
    return (
        Mistake(
            "deviation_forgotten",
            "The division by the deviation is missing.",
            norm.dx(lambda of: of.dx() * of.deviation),
        ),
        Mistake(
            "multiplied_by_deviation",
            "Multiplied by the deviation; x was divided by it, so what comes back is, too.",
            norm.dx(lambda of: of.dx() * of.deviation * of.deviation),
        ),
        Mistake(
            "divided_by_variance",
            "Divided by the variance; divide by its root, the deviation.",
            norm.dx(lambda of: of.dx() / of.deviation),
        ),
        Mistake(
            "eps_forgotten",
            "eps is missing below the root: the deviation is that of the variance plus eps.",
            (norm.with_deviation(lambda variance, eps: np.sqrt(variance)),),
        ),
        Mistake(
            "eps_outside",
            "eps is added to the root; it is to be added to the variance, below the root.",
            (norm.with_deviation(lambda variance, eps: np.sqrt(variance) + eps),),
        ),
        Mistake(
            "sample_variance",
            "That is the sample variance, divided by one less; here the variance is divided by the count itself.",
            (norm.with_sample(consistent=True), norm.with_sample(consistent=False)),
        ),
    )


def _sums(norm: Norm, other: str) -> tuple[Mistake, ...]:
    return (
        Mistake("other_axis", other, (norm.other_axis,)),
        Mistake(
            "not_summed",
            "One gamma and one beta serve every example: their gradients are sums over the examples.",
            (norm.not_summed,),
        ),
        Mistake(
            "summed_over_features",
            "The sum runs over the features; it is to run over the examples, one number a feature.",
            (norm.over_features,),
        ),
        Mistake(
            "averaged",
            "The mean over the examples in place of their sum: what comes back holds the 1/N of the loss already.",
            (norm.averaged,),
        ),
        Mistake(
            "gamma_as_factor",
            "gamma is no factor of its own gradient, nor of beta's.",
            (norm.gamma_again,),
        ),
        Mistake(
            "x_not_normalized",
            "gamma multiplies x after it was centred and scaled; x itself was taken.",
            norm.dgamma(lambda of: (of.g * of.x).sum(0)),
        ),
        Mistake(
            "x_not_centred",
            "gamma multiplies x after the mean was subtracted; the mean is still in it.",
            norm.dgamma(lambda of: (of.g * of.x / of.deviation).sum(0)),
        ),
        Mistake("that_is_dbeta", "That is the gradient of beta.", norm.dgamma(lambda of: of.g.sum(0))),
    )


def _upstream_forgotten(norm: Norm) -> Mistake:
    """With 1 everywhere a batch norm's dx and dgamma are 0, whatever the numbers."""
    return Mistake(
        "upstream_forgotten",
        "Every gradient is a product with what comes back from above; here it is as if that were 1 everywhere, where "
        "little or nothing is left of dx and dgamma.",
        (lambda case: norm.right(case.with_upstream(np.ones_like(case.g))),),
    )


def _drawing(norm: Norm) -> Callable[[np.random.Generator, Mapping[str, Any]], Case]:
    def drawn(rng: np.random.Generator, settings: Mapping[str, Any]) -> Case:
        n, features = (int(size) for size in rng.integers(3, 7, 2))
        sizes = 10.0 ** rng.uniform(-0.9, -0.4, (n, features)[1 - norm.axis])  # small enough for eps to show
        x = rng.normal(0.0, 1.0, (n, features))
        arrays = {
            "x": (x - x.mean(norm.axis, keepdims=True)) * (sizes if norm.axis == 0 else sizes[:, None])
            + rng.uniform(0.5, 1.5) * rng.choice([-1.0, 1.0]),
            "gamma": rng.uniform(0.4, 1.6, features) * rng.choice([-1.0, 1.0], features),
            "beta": rng.normal(0.0, 1.0, features),
        }
        return case_of(norm.forward, rng, arrays, {"eps": EPS, **settings})

    return drawn


def _entry(name: str, title: str, sentence: str, norm: Norm, other: str, more: tuple[Mistake, ...] = ()) -> Backward:
    forms = (("n", "features"), ("n", "features", "height", "width")) if norm.axis == 0 else (("n", "features"),)
    return Backward(
        name,
        title,
        sentence,
        (
            Input(
                "x",
                forms,
                "What goes in, an example a row" + ("; or images, normalized a channel." if norm.axis == 0 else "."),
            ),
            Input("gamma", (("features",),), "What each feature is multiplied by."),
            Input("beta", (("features",),), "What is added to each feature."),
        ),
        ("dx", "dgamma", "dbeta"),
        norm.forward,
        norm.right,
        (*_ways(norm), *_scales(norm), *_sums(norm, other), _upstream_forgotten(norm), *more),
        _drawing(norm),
        (CaseOption("eps", "Added to the variance, below the root.", EPS, minimum=1e-12, maximum=1.0),),
    )


_BATCH, _LAYER = Norm(0), Norm(1)

BATCH_NORM = _entry(
    "batch_norm",
    "Batch normalization",
    "Every feature is centred and scaled over the examples of the batch, then multiplied by gamma, and beta is added.",
    _BATCH,
    "Mean and variance run over the features of one example; they are to run over the examples, a feature by itself.",
)
LAYER_NORM = _entry(
    "layer_norm",
    "Layer normalization",
    "Every example is centred and scaled over its features, then each feature multiplied by gamma, and beta is added.",
    _LAYER,
    "Mean and variance run over the examples; they are to run over the features of each example by itself.",
    (
        Mistake(
            "gamma_at_the_end",
            "gamma was multiplied at the end. It differs from feature to feature, so it belongs inside the means: "
            "multiply by it first.",
            _LAYER.dx(lambda of: of.gamma * of.dx(of.g)),
        ),
    ),
)
