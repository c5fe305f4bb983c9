"""Two inputs of many, chosen to be drawn over: how they are asked for, and what their plane is to the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.words.numbers import unsigned
from app.words.texts import text
from engine import Examples, Spec
from engine.arrays import Floats
from engine.examples import input_names

Pair = tuple[int, int]
MOST_NAMED = 6  # inputs whose mean is told


@dataclass(frozen=True)
class Choice:
    """One of the two that are drawn: its field, what it is called, and every column by its number."""

    field: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str


def may_choose(spec: Spec) -> bool:
    """Whether there are columns to choose from: more than two, of one's own."""
    return spec.data is not None and spec.raw_inputs > 2


def pair_of(spec: Spec, across: int | None, up: int | None) -> Pair | None:
    """The places of the two inputs that are asked for by their numbers from 1. None: a picture of all inputs. Where
    the second is left out or the same as the first, or is none of them, another one is taken."""
    if across is None or not may_choose(spec) or not 1 <= across <= spec.raw_inputs:
        return None
    if up is None or up == across or not 1 <= up <= spec.raw_inputs:
        up = 2 if across == 1 else 1
    return across - 1, up - 1


def choices(spec: Spec, pair: Pair | None) -> tuple[Choice, ...]:
    """What there is to choose: what runs to the right, and where that is a column also what runs upwards."""
    if not may_choose(spec):
        return ()
    columns = [(str(k), name) for k, name in enumerate(input_names(spec), 1)]
    flat = text("predicted over true") if spec.task == "regression" else text("a map of all inputs")
    across = Choice("across", text("Drawn over"), [("", flat), *columns], str(pair[0] + 1) if pair else "")
    if pair is None:
        return (across,)
    return across, Choice("up", text("and"), [c for c in columns if c[0] != across.chosen], str(pair[1] + 1))


def plane_over(examples: Examples, pair: Pair) -> Floats:
    """What the network meets at 0 of both inputs, all others at their mean over the training rows, and what one unit
    to the right and one upwards add: (3, inputs)."""
    x = examples.x[:-1].T
    origin = x[: examples.train].mean(axis=0)
    scale, chosen = examples.inputs_by, list(pair)
    origin[chosen] = -scale.mean[chosen] / scale.deviation[chosen] if scale else 0.0
    ways = np.zeros((2, x.shape[1]))
    ways[[0, 1], chosen] = 1 / scale.deviation[chosen] if scale else 1.0
    return np.vstack([origin, ways])


def told(spec: Spec, examples: Examples, pair: Pair) -> str:
    """What is kept still meanwhile, and why a point need not have the colour that it lies on."""
    rest = [k for k in range(spec.raw_inputs) if k not in pair]
    means, names = examples.raw[: examples.train].mean(axis=0), input_names(spec)
    kept = ", ".join(f"{names[k]} {unsigned(float(means[k]))}" for k in rest)
    if len(rest) > MOST_NAMED:
        kept = text("{count} inputs", count=len(rest))
    said = "The colours: all else at its mean over the training rows ({kept}). A point has values of its own there."
    return text(said, kept=kept)
