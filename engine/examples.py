"""The examples of a run: drawn, split, encoded for its outputs, and laid out as the training loop wants them.

All of it follows from the spec, so nothing here is ever stored.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.activations import ACTIVATIONS
from engine.arrays import Floats, Ints
from engine.checks import asked_of
from engine.datasets import DATASETS, SQUARE
from engine.features import apply_features
from engine.network import with_ones
from engine.scaling import Scale, scale_of
from engine.shown import Brief
from engine.spec import CUSTOM, Drawn, Spec

# What a random generator is for: default_rng([seed, purpose, ...]) gives every use a stream of its own.
DATA, SPLIT, WEIGHTS, ORDER, DROPOUT = range(5)


@dataclass(frozen=True, repr=False, eq=False)
class Examples(Brief):
    """All examples of a run; the first `train` rows are trained on, the others are the test set.

    `raw` (n, raw inputs) as drawn; `labels` (n,) or (n, outputs) as the dataset has them; `x` (features + 1, n) with a
    row of ones and `targets` (outputs, n) are what the network meets: scaled by `inputs_by` and `targets_by`, where
    they are. `domains` are the intervals to draw each raw input in.
    """

    raw: Floats
    labels: Floats
    x: Floats
    targets: Floats
    train: int
    domains: tuple[tuple[float, float], ...]
    inputs_by: Scale | None = None
    targets_by: Scale | None = None

    @property
    def domain(self) -> tuple[float, float]:
        """One interval that all those of the inputs lie in."""
        return min(low for low, _ in self.domains), max(high for _, high in self.domains)

    @property
    def count(self) -> int:
        """How many examples there are in all."""
        return len(self.raw)


@asked_of(Spec)
def examples_of(spec: Spec) -> Examples:
    """The examples that this spec stands for; the same object for specs that share them."""
    return (_few if spec.samples * spec.raw_inputs <= _FEW else _many)(spec.drawn)


def _examples(of: Drawn) -> Examples:
    raw, labels, domains = _draw(of)
    count = raw.shape[0]
    train = max(1, count - round(of.test_share * count))
    inputs_by = scale_of(raw[:train]) if of.scaling in ("inputs", "both") else None
    x = with_ones(apply_features(inputs_by.apply(raw) if inputs_by else raw, of.features))
    targets, measured = _encoded(labels, of), of.scaling in ("targets", "both") and of.task == "regression"
    targets_by = scale_of(targets[:, :train].T) if measured else None
    if targets_by:
        targets = targets_by.apply(targets.T).T
    for array in (raw, labels, x, targets):
        array.setflags(write=False)
    return Examples(raw, labels, x, targets, train, domains, inputs_by, targets_by)


def features_of(spec: Spec, raw: Floats) -> Floats:
    """What the network meets of raw inputs (n, raw inputs): scaled as its examples are, features, a row of ones."""
    scale = examples_of(spec).inputs_by
    return with_ones(apply_features(scale.apply(raw) if scale else raw, spec.features))


def in_own_units(spec: Spec, outputs: Floats) -> Floats:
    """Outputs (n, outputs) in the units of the targets as they were given."""
    scale = examples_of(spec).targets_by
    return scale.undo(outputs) if scale else outputs


# Of sets of up to so many numbers many are remembered, of larger ones (8 MB of pixels) few.
_FEW = 10_000
_few = lru_cache(maxsize=128)(_examples)
_many = lru_cache(maxsize=8)(_examples)


def _draw(of: Drawn) -> tuple[Floats, Floats, tuple[tuple[float, float], ...]]:
    """Rows in an order of their own: the first ones train, the rest test."""
    if of.dataset != CUSTOM or of.data is None:
        entry = DATASETS[of.dataset]
        raw, labels = entry.sample(np.random.default_rng([of.seed, DATA]), of.samples, of.noise)
        return raw, labels, (entry.domain,) * raw.shape[1]
    raw, labels = np.array(of.data.x), np.array(of.data.y)
    order = np.random.default_rng([of.seed, SPLIT]).permutation(len(raw)) if len(raw) > 1 else np.array([0])
    return raw[order], labels[order], _domains(raw)


def _domains(raw: Floats) -> tuple[tuple[float, float], ...]:
    """Each column from its least to its greatest, with some room; the square of the datasets where that suits."""
    if raw.shape[1] == 2 and 3.0 < np.abs(raw).max() <= SQUARE[1] and (raw.min(axis=0) < 0).all():
        return (SQUARE, SQUARE)
    low, high = raw.min(axis=0), raw.max(axis=0)
    room = np.where(high > low, 0.08 * (high - low), np.maximum(1.0, 0.1 * np.abs(high)))
    return tuple(zip((low - room).tolist(), (high + room).tolist(), strict=True))


def input_names(spec: Spec) -> tuple[str, ...]:
    """What the raw inputs are called: as one's own data says, else x1, x2 and on."""
    own = spec.data.names if spec.data else ()
    return own or tuple(f"x{i + 1}" for i in range(spec.raw_inputs))


def class_names(spec: Spec) -> tuple[str, ...]:
    """What the classes are called, none for values to predict."""
    if spec.data:
        return spec.data.classes
    count = 2 if spec.task == "binary" else DATASETS[spec.dataset].outputs
    return () if spec.task == "regression" else tuple(str(k) for k in range(count))


def low_target(output_activation: str) -> float:
    """What stands for "not this class": 0 where outputs cannot reach -1, else -1."""
    return -1.0 if ACTIVATIONS[output_activation].range[0] <= -1.0 else 0.0


def _encoded(labels: Floats, of: Drawn) -> Floats:
    """Labels as targets (outputs, n): values as they are, classes as low/1 coded for the output activation."""
    columns = labels.reshape(len(labels), -1)
    if of.task == "regression":
        return columns.T
    classes = columns > 0.5 if of.outputs == 1 else columns == np.arange(of.outputs)
    return np.where(classes, 1.0, low_target(of.output_activation)).T


@lru_cache(maxsize=64)
def batch_order(seed: int, epoch: int, train: int) -> Ints:
    """The order in which an epoch visits the training examples: a fresh shuffle each epoch."""
    words = np.array([seed, ORDER, epoch], np.uint32)  # the same as the list, a quarter sooner
    order = np.random.default_rng(words).permutation(train)
    order.setflags(write=False)
    return order
