"""What a state is worth: loss and accuracy over whole sets, and its outputs for inputs of any kind."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from engine.arrays import Flags, Floats, Ints
from engine.checks import SpecError, asked_of, plain
from engine.custom import inputs_by_name
from engine.examples import examples_of, features_of, in_own_units, low_target
from engine.network import Network, layers_of
from engine.spec import Spec
from engine.state import RunState
from engine.wording import said
from engine.workspace import Workspace, layout_of

_MOST_KEPT = 2**17  # numbers of one network's buffers


@dataclass(frozen=True)
class Metrics:
    """Loss (the data's) and accuracy over a whole set; accuracy is None for regression, both None for an empty set."""

    loss: float | None
    accuracy: float | None


_AT_ONCE = 2**17  # numbers of the largest value


@asked_of(RunState)
def evaluate(state: RunState) -> dict[str, Metrics]:
    """Metrics over the whole training set and the whole test set, by "train" and "test"."""
    spec, examples = state.spec, examples_of(state.spec)
    with np.errstate(all="ignore"), _outputs(state, examples.x) as (z, a):
        y = examples.targets
        right = None if spec.task == "regression" else classify(spec, a) == classify(spec, y)

        def of(span: slice) -> Metrics:
            loss = _loss(spec, z[:, span], a[:, span], y[:, span])
            return Metrics(loss, None if right is None else _share(right[span]))

        return {"train": of(slice(0, examples.train)), "test": of(slice(examples.train, examples.count))}


class _Forward:
    """A network's calls bound for so many examples, and the parameters that they read."""

    def __init__(self, network: Network, examples: int) -> None:
        self.parameters = np.zeros(network.size)
        self.workspace = Workspace(network, self.parameters, np.zeros(network.size), examples)


@lru_cache(maxsize=16)
def _idle(network: Network, examples: int) -> list[_Forward] | None:
    """Those that nobody uses, for the same examples are asked for again and again; None where keeping one is too much,
    or evaluation is not the way forward of training."""
    small = layout_of(network).total * examples <= _MOST_KEPT
    return [] if small and not any(operation.evaluate for operation in network.operations) else None


def _last(state: RunState, x: Floats) -> tuple[Floats, Floats]:
    """z and a of the last layer; the others go as soon as the next one is there. Feature maps take so much room that
    few examples go at a time, which also keeps them where the processor finds them soon."""
    network, count = state.spec.network, x.shape[1]
    few = max(1, _AT_ONCE // max(network.widths)) if network.has_images else count
    if few >= count:
        z, a = deque(layers_of(network, state.parameters, x, state.running), maxlen=1).pop()
        return z, a[:-1]
    parts = [_last(state, x[:, first : first + few]) for first in range(0, count, few)]
    return np.concatenate([z for z, _ in parts], axis=1), np.concatenate([a for _, a in parts], axis=1)


@contextmanager
def _outputs(state: RunState, x: Floats) -> Iterator[tuple[Floats, Floats]]:
    """z and a of the last layer, (units, examples), for as long as nobody else is lent their place."""
    network, examples = state.spec.network, x.shape[1]
    idle = _idle(network, examples)
    if idle is None:
        yield _last(state, x)
        return
    try:
        lent = idle.pop()
    except IndexError:
        lent = _Forward(network, examples)
    np.copyto(lent.parameters, state.parameters)
    yield lent.workspace.z[-1], lent.workspace.forward(x)
    idle.append(lent)


def _loss(spec: Spec, z: Floats, a: Floats, y: Floats) -> float | None:
    """The loss of outputs and targets, all (outputs, examples)."""
    if not y.size:
        return None
    loss, scale, gradient = spec.network.loss, spec.network.loss.scale(*y.shape), np.empty(y.shape)
    if joined := spec.network.joined:
        return joined.value_and_dz(z, a, y, scale, gradient)
    return loss.value_and_gradient(a, y, scale, gradient)


def _share(right: Flags) -> float | None:
    return int(np.count_nonzero(right)) / len(right) if len(right) else None


def classify(spec: Spec, outputs: Floats) -> Ints:
    """The predicted class of each column of (outputs, examples)."""
    if outputs.shape[0] > 1:
        return cast(Ints, outputs.argmax(axis=0))
    halfway = (1.0 + low_target(spec.output_activation)) / 2
    return cast(Ints, (outputs[0] > halfway).astype(np.int64))


@asked_of(RunState)
def predict(state: RunState, inputs: Any) -> Floats:
    """Outputs (examples, outputs), in the units of the targets, for inputs as the data has them, (examples, inputs).

    Of classes they are the output units' activations, in the order of the classes. Anything that NumPy reads will do;
    a frame, or columns by name, is taken by the names that the data had.
    """
    width = state.spec.raw_inputs
    form = said(
        "numbers in the form (examples, {width}): a row for each example, its {width} inputs as the data has them",
        width=width,
    )
    named = inputs_by_name(state.spec.data.names, inputs) if state.spec.data else None
    try:
        raw = np.asarray(plain("inputs", inputs) if named is None else named, dtype=np.float64)
    except (TypeError, ValueError):
        raise SpecError("inputs", inputs, form) from None
    if raw.ndim != 2 or raw.shape[1] != width:
        raise SpecError("inputs", str(raw.shape), form)
    return in_own_units(state.spec, outputs_of(state, features_of(state.spec, raw)))


@asked_of(RunState)
def outputs_of(state: RunState, features: Floats) -> Floats:
    """Outputs (examples, outputs) as the network gives them, for what it meets, (features + 1, examples)."""
    width = state.spec.network.widths[0] + 1
    if not isinstance(features, np.ndarray) or features.ndim != 2 or len(features) != width:
        raise SpecError(
            "features", features, "an array ({width}, examples), a row of ones last: predict takes inputs", width=width
        )
    with np.errstate(all="ignore"):
        return _last(state, features)[1].T.copy()
