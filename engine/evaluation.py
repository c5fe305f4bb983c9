"""What a state is worth: loss and accuracy over whole sets, and its outputs for inputs of any kind."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.arrays import Floats, Ints
from engine.examples import examples_of, low_target
from engine.network import layers_of
from engine.spec import Spec
from engine.state import RunState


@dataclass(frozen=True)
class Metrics:
    """Loss (the data's) and accuracy over a whole set; accuracy is None for regression, both None for an empty set."""

    loss: float | None
    accuracy: float | None


def evaluate(state: RunState) -> dict[str, Metrics]:
    """Metrics over the whole training set and the whole test set, by "train" and "test"."""
    examples, network = examples_of(state.spec), state.spec.network
    with np.errstate(all="ignore"):
        *_, (z, a) = layers_of(network, state.parameters, examples.x)
        spans = {"train": slice(0, examples.train), "test": slice(examples.train, examples.count)}
        return {
            name: _metrics(state.spec, z[:, span], a[:-1, span], examples.targets[:, span])
            for name, span in spans.items()
        }


def _metrics(spec: Spec, z: Floats, a: Floats, y: Floats) -> Metrics:
    """Of outputs and targets, all (outputs, examples)."""
    if y.shape[1] == 0:
        return Metrics(None, None)
    network, scale = spec.network, spec.network.loss.scale(*y.shape)
    if network.joined:
        loss = network.joined.value_and_dz(z, a, y, scale, np.empty(y.shape))
    else:
        loss = network.loss.value_and_gradient(a, y, scale, np.empty(y.shape))
    return Metrics(loss, _accuracy(spec, a, y))


def _accuracy(spec: Spec, outputs: Floats, targets: Floats) -> float | None:
    if spec.task == "regression":
        return None
    return float((classify(spec, outputs) == classify(spec, targets)).mean())


def classify(spec: Spec, outputs: Floats) -> Ints:
    """The predicted class of each column of (outputs, examples)."""
    if outputs.shape[0] > 1:
        return cast(Ints, outputs.argmax(axis=0))
    halfway = (1.0 + low_target(spec.output_activation)) / 2
    return cast(Ints, (outputs[0] > halfway).astype(np.int64))


def predict(state: RunState, features: Floats) -> Floats:
    """Outputs (examples, outputs) for raw inputs already turned into features, (features + 1, examples)."""
    with np.errstate(all="ignore"):
        *_, (_, a) = layers_of(state.spec.network, state.parameters, features)
    return a[:-1].T.copy()
