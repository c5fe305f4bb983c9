"""What a state is worth: loss and accuracy over whole sets, and its outputs for inputs of any kind."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.arrays import Floats, Ints
from engine.examples import examples_of, low_target
from engine.network import Workspace
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
    spans = {"train": slice(0, examples.train), "test": slice(examples.train, examples.count)}
    metrics = {}
    for name, span in spans.items():
        x, y = examples.x[:, span], examples.targets[:, span]
        if x.shape[1] == 0:
            metrics[name] = Metrics(None, None)
            continue
        workspace = Workspace(network, state.parameters, np.empty(network.size), x.shape[1])
        with np.errstate(all="ignore"):
            outputs = workspace.forward(x)
            metrics[name] = Metrics(workspace.loss(y), _accuracy(state.spec, outputs, y))
    return metrics


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
    network = state.spec.network
    workspace = Workspace(network, state.parameters, np.empty(network.size), features.shape[1])
    with np.errstate(all="ignore"):
        return workspace.forward(features).T.copy()
