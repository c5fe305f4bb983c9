"""Information in layers: how much a layer's binned activations tell of the input and of the label, in bits.

The estimate of Shwartz-Ziv and Tishby (2017): every activation falls into one of equal bins, a layer's state is the
tuple of its bins, and each example counts once. A network is deterministic, so its states have no noise but the
binning: with other bins come other numbers, which is what Saxe and others (2018) dispute about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats, Ints
from engine.examples import examples_of
from engine.network import layers_of
from engine.spec import Spec
from engine.state import start
from engine.training import advance

MOST_BINS = 200


@dataclass(frozen=True)
class PlanePoint:
    """One layer after so many epochs: I(X;T) and I(T;Y) in bits, and how many different states its T has."""

    epoch: int
    layer: int
    about_input: float
    about_label: float
    states: int


def binned(values: Floats, bins: int, low: float, high: float) -> Ints:
    """Which of `bins` equal bins between low and high each value falls into; what lies outside joins the end bins.

    Raises ValueError unless 2 <= bins <= 200 and low < high.
    """
    if not 2 <= bins <= MOST_BINS:
        raise ValueError(f"bins {bins} is not allowed, must be from 2 to {MOST_BINS}")
    if not low < high:
        raise ValueError(f"low {low} is not allowed, must be less than high, {high}")
    places = np.floor((values - low) * (bins / (high - low)))
    return np.clip(places, 0, bins - 1).astype(np.int64)


def states(codes: Ints | Floats) -> Ints:
    """A number for each row of codes (examples, units), equal rows alike: (examples,) from 0."""
    _, labels = np.unique(codes, axis=0, return_inverse=True)
    return labels.reshape(-1).astype(np.int64)


def entropy(labels: Ints) -> float:
    """H in bits of labels (examples,), each example counting once."""
    counts = np.unique(labels, return_counts=True)[1]
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum()) + 0.0


def mutual_information(one: Ints, other: Ints) -> float:
    """I(one; other) = H(one) + H(other) - H(both) in bits, of two rows of labels; never below 0."""
    both = states(np.column_stack([one, other]))
    return max(0.0, entropy(one) + entropy(other) - entropy(both))


def activation_span(values: Floats, bounds: tuple[float, float]) -> tuple[float, float]:
    """Where to lay the bins: the activation's own bounds, and where it has none the largest value seen."""
    low, high = (float(np.clip(end, values.min(), values.max())) if np.isinf(end) else end for end in bounds)
    return (low, high) if low < high else (low - 0.5, low + 0.5)


Recording = dict[int, list[Floats]]


def record(spec: Spec, epochs: Sequence[int]) -> Recording:
    """By epoch, the activations (examples, units) of every layer over the training set.

    A run that diverges is recorded as far as it got.
    """
    examples = examples_of(spec)
    steps_an_epoch = -(-examples.train // min(spec.batch_size, examples.train))
    state, recorded = start(spec), {}
    x = np.ascontiguousarray(examples.x[:, : examples.train])
    for epoch in sorted(set(epochs)):
        state = advance(state, epoch * steps_an_epoch - state.step).state
        if state.divergence:
            break
        recorded[epoch] = [a[:-1].T.copy() for _, a in layers_of(spec.network, state.parameters, x, state.running)]
    return recorded


def information_plane(spec: Spec, recording: Recording, bins: int) -> tuple[PlanePoint, ...]:
    """Every hidden layer and the output at each recorded epoch, over all training examples.

    An unbounded activation is binned up to the largest value that it reaches in any of these epochs, so that the
    bins stand still while the network trains. ValueError for bins that `binned` does not allow.
    """
    examples = examples_of(spec)
    x, y = states(examples.raw[: examples.train]), states(examples.targets[:, : examples.train].T)
    points = []
    for layer, activation in enumerate(spec.network.activations, 1):
        seen = np.concatenate([layers[layer - 1].ravel() for layers in recording.values()])
        low, high = activation_span(seen, activation.range)
        for epoch, layers in recording.items():
            t = states(binned(layers[layer - 1], bins, low, high))
            points.append(
                PlanePoint(epoch, layer, mutual_information(x, t), mutual_information(t, y), int(t.max()) + 1)
            )
    return tuple(points)
