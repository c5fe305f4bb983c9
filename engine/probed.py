"""What probes answer: values that show themselves in a notebook."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from engine.arrays import Floats, Ints
from engine.shown import Brief, lines, sparkline, summed, table, written


@dataclass(frozen=True)
class Nudge:
    """One parameter moved a little and the model rerun, beside backpropagation's number.

    `before` and `after` are losses with the penalty in them, `penalty` is what of `before` is the penalty's. `slope` is
    change / amount, `gradient` backpropagation's (the data's), `penalty_gradient` what regularization adds, `total`
    their sum, `difference` is slope - total. `agrees`: the total is within CLOSE of the slope taken both ways with a
    tiny step; or there is a `kink` (ReLU's corner, L1's at 0) where it may be anything between the slopes on both
    sides. `reruns` is what the nudge of every parameter would take: one each.
    """

    address: str
    amount: float
    now: float
    before: float
    after: float
    penalty: float
    slope: float
    gradient: float
    penalty_gradient: float
    total: float
    difference: float
    verdict: str
    agrees: bool
    kink: bool
    reruns: int

    def __repr__(self) -> str:
        verdict = "agree" if self.agrees else "do not agree"
        return (
            f"Nudge({self.address} by {self.amount:.4g}: slope {self.slope:.4g}, gradient {self.total:.4g}, {verdict})"
        )

    def _repr_html_(self) -> str:
        """As a notebook shows it: the slope by rerunning beside the gradient, as equations."""
        return lines(repr(self), self._told())

    def _told(self) -> Iterator[str]:
        yield f"loss {self.before:.10g} before, {self.after:.10g} after"
        yield f"slope = {written(self.after - self.before)} / {self.amount:g} = {written(self.slope)}"
        terms = [(self.gradient,), (self.penalty_gradient,)] if self.penalty_gradient else [(self.gradient,)]
        yield summed("gradient", terms, self.total, ["the data's", "the penalty's"][: len(terms)])


@dataclass(frozen=True)
class Check:
    """Backpropagation's gradient, plus what regularization adds, against reruns, over `checked` of `parameters`.

    `largest` is the largest difference, at `address`, `scale` the largest gradient. `kinks` counts parameters where
    the slope jumps, so that the gradient may be anywhere between both sides.
    """

    parameters: int
    checked: int
    reruns: int
    largest: float
    address: str
    scale: float
    kinks: int
    passed: bool

    def __repr__(self) -> str:
        verdict = "passed" if self.passed else "not passed"
        told = f"{self.checked} of {self.parameters}, largest difference {self.largest:.4g} at {self.address}"
        return f"Check({verdict}: {told})"

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        rows = [(self.checked, self.parameters, self.largest, self.address, self.scale, self.kinks)]
        head = ("checked", "parameters", "largest difference", "at", "largest gradient", "kinks")
        return f"<p>{escape(repr(self))}</p>{table(head, rows)}"


@dataclass(frozen=True)
class Landing:
    """Where a step with `factor` times the learning rate puts the parameter, and the loss there (it alone moved)."""

    factor: int
    value: float
    loss: float


@dataclass(frozen=True, repr=False, eq=False)
class Slice(Brief):
    """The loss along one parameter alone: at `values`, and at `now` with the tangent's slope, `total`.

    Losses have the penalty in them: `penalty` of `loss`; `total` is `gradient` (the data's) plus `penalty_gradient`.
    """

    address: str
    now: float
    loss: float
    penalty: float
    gradient: float
    penalty_gradient: float
    total: float
    values: Floats
    losses: Floats
    landings: tuple[Landing, ...]

    def _repr_html_(self) -> str:
        """As a notebook shows it: the loss from the least value to the largest."""
        span = f"the loss over {self.address} from {written(self.values[0])} to {written(self.values[-1])}"
        return f"<p>{escape(span)}</p>{sparkline(self.losses)}"


@dataclass(frozen=True, repr=False, eq=False)
class Contour(Brief):
    """The loss with its penalty over two parameters, losses[y, x], on `examples` training examples; the path so far."""

    x_address: str
    y_address: str
    x: Floats
    y: Floats
    losses: Floats
    now: tuple[float, float]
    examples: int
    path: tuple[tuple[float, float], ...]


@dataclass(frozen=True, repr=False, eq=False)
class Wishes(Brief):
    """What each example of the batch wants: its own gradient, (examples, parameters), and their mean, the batch's.

    Regularization is no example's wish and is in none of these. `cosines` compares each with the mean: 1 wants the
    same, -1 the opposite; nan where there is nothing to compare. Where a batch norm mixes examples, what one wants is
    its term of the batch's gradient, times how many there are.
    Only the first examples are in it if the batch is too large for all; `mean` is of the whole batch.
    """

    examples: Ints
    gradients: Floats
    mean: Floats
    cosines: Floats
    batch: int
