"""The examples of a run: drawn, split, encoded for its outputs, and laid out as the training loop wants them.

All of it follows from the spec, so nothing here is ever stored.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.activations import ACTIVATIONS
from engine.arrays import Floats, Ints
from engine.datasets import DATASETS
from engine.features import apply_features
from engine.network import with_ones
from engine.spec import CUSTOM, CustomData, Spec

# What a random generator is for: default_rng([seed, purpose, ...]) gives every use a stream of its own.
DATA, SPLIT, WEIGHTS, ORDER = range(4)


@dataclass(frozen=True)
class Examples:
    """All examples of a run; the first `train` rows are trained on, the others are the test set.

    `raw` (n, raw inputs) as drawn; `labels` (n,) or (n, outputs) as the dataset has them; `x` (features + 1, n) with a
    row of ones and `targets` (outputs, n) are what the network meets. `domain` is the interval to draw in, every side.
    """

    raw: Floats
    labels: Floats
    x: Floats
    targets: Floats
    train: int
    domain: tuple[float, float]

    @property
    def count(self) -> int:
        """How many examples there are in all."""
        return len(self.raw)


def examples_of(spec: Spec) -> Examples:
    """The examples that this spec stands for; the same object for specs that share them."""
    drawn = _few if spec.samples * spec.raw_inputs <= _FEW else _many
    return drawn(
        spec.dataset, spec.data, spec.samples, spec.noise, spec.test_share, spec.seed, spec.features,
        spec.task, spec.output_activation, spec.network.sizes[-1],
    )  # fmt: skip


def _examples(
    dataset: str, data: CustomData | None, samples: int, noise: float, test_share: float, seed: int,
    features: tuple[str, ...], task: str, output_activation: str, outputs: int,
) -> Examples:  # fmt: skip
    raw, labels, domain = _draw(dataset, data, samples, noise, seed)
    count = raw.shape[0]
    train = max(1, count - round(test_share * count))
    x = with_ones(apply_features(raw, features))
    targets = encode(labels, task, output_activation, outputs)
    for array in (raw, labels, x, targets):
        array.setflags(write=False)
    return Examples(raw, labels, x, targets, train, domain)


# Of sets of up to so many numbers many are remembered, of larger ones (8 MB of pixels) few.
_FEW = 10_000
_few = lru_cache(maxsize=128)(_examples)
_many = lru_cache(maxsize=8)(_examples)


def _draw(
    dataset: str, data: CustomData | None, samples: int, noise: float, seed: int
) -> tuple[Floats, Floats, tuple[float, float]]:
    """Rows in an order of their own: the first ones train, the rest test."""
    if dataset != CUSTOM or data is None:
        entry = DATASETS[dataset]
        raw, labels = entry.sample(np.random.default_rng([seed, DATA]), samples, noise)
        return raw, labels, entry.domain
    raw, labels = np.array(data.x), np.array(data.y)
    if raw.shape[1] <= 2:
        reach = max(1.0, float(np.abs(raw).max()))
        domain = (-6.0, 6.0) if 3.0 < reach <= 6.0 else (-1.1 * reach, 1.1 * reach)
    else:
        domain = (float(raw.min()), float(raw.max()))
    order = np.random.default_rng([seed, SPLIT]).permutation(len(raw)) if len(raw) > 1 else np.array([0])
    return raw[order], labels[order], domain


def low_target(output_activation: str) -> float:
    """What stands for "not this class": 0 where outputs cannot reach -1, else -1."""
    return -1.0 if ACTIVATIONS[output_activation].range[0] <= -1.0 else 0.0


def encode(labels: Floats, task: str, output_activation: str, outputs: int) -> Floats:
    """Labels as targets (outputs, n): values as they are, classes as low/1 coded for the output activation."""
    columns = labels.reshape(len(labels), -1)
    if task == "regression":
        return columns.T
    low = low_target(output_activation)
    if outputs == 1:
        return np.where(columns > 0.5, 1.0, low).T
    return np.where(columns == np.arange(outputs), 1.0, low).T


@lru_cache(maxsize=64)
def batch_order(seed: int, epoch: int, train: int) -> Ints:
    """The order in which an epoch visits the training examples: a fresh shuffle each epoch."""
    words = np.array([seed, ORDER, epoch], np.uint32)  # the same as the list, a quarter sooner
    order = np.random.default_rng(words).permutation(train)
    order.setflags(write=False)
    return order
