"""Why a run does not learn what could be learned of its examples: causes that no single step shows by itself.

What is found is a code with numbers and names; app.words.advice says it, with what to do about it, and of each
tests/test_stuck.py follows the advice and gets further.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import inf, isfinite

import numpy as np

from engine.activations import ACTIVATIONS
from engine.arrays import Floats, Ints
from engine.evaluation import Metrics, classify, evaluate, outputs_of
from engine.examples import Examples, class_names, examples_of, input_names
from engine.scaling import REACH
from engine.session import penalty_gradient
from engine.spec import Spec
from engine.state import RunState, start
from engine.tracing import trace_of

Parts = Mapping[str, str | int | float]  # what a finding is told with
Found = tuple[str, str, Parts]  # the name of the cause, what was found exactly, and its parts

EARLY = 200  # steps before which nothing is called stuck
AHEAD = 1_000  # steps in which a plateau hardly falls
HARDLY = 0.02  # of the loss
BETTER = 0.1  # of the examples, that could be right and are not
MOST_TRACED = 2_000
NEIGHBOURS = 300  # examples of which the nearest is looked up
LEARNED = 0.99
FEW = 50
LARGEST_SHARE = 0.75
SMALL = 0.05  # weights that a penalty keeps near 0, as a root mean square
GROWN = 10  # times its first value, a loss has run away
ABOVE = 1.5  # times its first value, where nothing moves any more
FLAT_STEP = 1e-3  # a gradient this short is none, whatever an adaptive optimizer makes of it


def far_inputs(spec: Spec) -> Parts:
    """The input furthest from 0, if inputs go in as they are and it is far; else nothing."""
    if spec.scaling in ("inputs", "both"):
        return {}
    examples = examples_of(spec)
    reach = np.abs(examples.raw[: examples.train]).max(axis=0)
    furthest = int(reach.argmax())
    if reach[furthest] <= 2 * REACH:
        return {}
    return {"input": input_names(spec)[furthest], "reach": float(reach[furthest])}


def far_targets(spec: Spec) -> Parts:
    """The same of values to predict."""
    if spec.task != "regression" or spec.scaling in ("targets", "both") or not spec.data:
        return {}
    reach = float(np.abs(examples_of(spec).targets).max())
    return {"reach": reach} if reach > 2 * REACH else {}


def overshoots_by_penalty(spec: Spec) -> Parts:
    """What the penalty alone does to every weight, if it throws the weights about; else nothing."""
    pull = spec.learning_rate * spec.regularization_rate
    if spec.regularization != "l2" or not spec.penalized or pull < 1.0:
        return {}
    rate, strength = spec.learning_rate, spec.regularization_rate
    return {"rate": rate, "strength": strength, "kept": 1 - pull, "below": 0.1 / rate}


def held_by_l1(spec: Spec, parameters: Floats, data: Floats) -> bool:
    """Whether L1 is stronger than the data's gradient and leaves the weights no longer than it throws them a step."""
    if spec.regularization != "l1" or not spec.penalized:
        return False
    weights = parameters[spec.network.is_weight.astype(bool)]
    most = max(SMALL, 2 * spec.learning_rate * spec.regularization_rate)
    pull = float(np.linalg.norm(penalty_gradient(spec, parameters)))
    return float(np.sqrt((weights**2).mean())) <= most and pull > float(np.linalg.norm(data))


def grown(state: RunState, stuck: bool) -> float:
    """How many times its first value the loss is, if it ran away from there, or got stuck above it; else 0."""
    if not stuck and state.spec.task != "regression":
        return 0.0
    first, now = (evaluate(each)["train"].loss for each in (start(state.spec), state))
    if first is None or now is None or not now > (ABOVE if stuck else GROWN) * first:
        return 0.0
    if state.spec.task == "regression" and not now > float(examples_of(state.spec).targets.var(axis=1).sum()):
        return 0.0  # no worse than the mean: the start was a lucky one
    return now / first if first else inf


def learned(state: RunState) -> bool:
    """Whether the training examples are told apart."""
    return (evaluate(state)["train"].accuracy or 0.0) >= LEARNED


def stuck(state: RunState) -> Found | None:
    """What holds a run back, or None while it learns, has learned, or nothing better is in sight."""
    spec = state.spec
    if state.step < EARLY or state.divergence:
        return None
    metrics, examples = evaluate(state), examples_of(spec)
    if spec.task == "regression":
        return _far_target_learns_nothing(state, metrics, examples)
    train = metrics["train"]
    if train.accuracy is None or train.loss is None or not isfinite(train.loss):
        return None
    if train.accuracy >= LEARNED:
        return _by_heart(metrics, examples)
    outputs = outputs_of(state, examples.x[:, : examples.train]).T
    classes = classify(spec, outputs)
    could = _could_be(examples, spec.task)
    if could < train.accuracy + BETTER or not _is_plateau(state, train.loss, examples):
        return _always_the_same(spec, classes, examples)
    return (
        _held_back(state, examples)
        or _line(spec, train.accuracy)
        or _always_the_same(spec, classes, examples)
        or _plateau(outputs, train.accuracy)
    )


def _far_target_learns_nothing(state: RunState, metrics: dict[str, Metrics], examples: Examples) -> Found | None:
    parts = far_targets(state.spec)
    targets = examples.targets[:, : examples.train]
    loss, alike = metrics["train"].loss, 0.5 * float(targets.var(axis=1).sum())
    if not parts or loss is None or state.spec.loss != "squared_error" or not loss > 0.7 * alike:
        return None
    return "targets", "far targets learn nothing", parts


def _by_heart(metrics: dict[str, Metrics], examples: Examples) -> Found | None:
    train, test = metrics["train"].accuracy, metrics["test"].accuracy
    if train is None or test is None or examples.train > FEW or test > train - 0.15:
        return None
    return "few", "by heart", {"count": examples.train, "right": test}


@lru_cache(maxsize=32)
def _nearest(key: bytes, count: int, width: int, labels: bytes) -> float:
    x, classes = np.frombuffer(key).reshape(count, width), np.frombuffer(labels, np.int64)
    apart = ((x[:, np.newaxis] - x[np.newaxis]) ** 2).sum(axis=2)
    if count <= 20:  # so few can be learned by heart, but for those that are alike and called otherwise
        alike = (apart == 0) & (classes[:, np.newaxis] != classes[np.newaxis])
        return 1.0 - float(alike.any(axis=1).mean())
    np.fill_diagonal(apart, np.inf)
    return float((classes[apart.argmin(axis=1)] == classes).mean())


def _could_be(examples: Examples, task: str) -> float:
    """The share of training examples whose nearest neighbour is of their class: so many can be told."""
    count = min(examples.train, NEIGHBOURS)
    x = np.ascontiguousarray(examples.x[:-1, :count].T)
    targets = examples.targets[:, :count]
    labels = targets.argmax(axis=0) if len(targets) > 1 else (targets[0] > 0.5).astype(np.int64)
    return _nearest(x.tobytes(), count, x.shape[1], labels.astype(np.int64).tobytes())


def _gradients(state: RunState, examples: Examples) -> tuple[Floats, Floats]:
    """The data's gradient over the training examples, or as many as suffice, and the penalty's."""
    step = trace_of(state, np.arange(min(examples.train, MOST_TRACED)))
    return step.gradient, penalty_gradient(state.spec, state.parameters)


def _is_plateau(state: RunState, loss: float, examples: Examples) -> bool:
    data, penalty = _gradients(state, examples)
    length = float(np.linalg.norm(data + penalty))
    adaptive = state.spec.optimizer not in ("sgd", "momentum", "nesterov")
    falls = AHEAD * state.spec.learning_rate * length**2
    return length < FLAT_STEP if adaptive else falls < HARDLY * loss


def _held_back(state: RunState, examples: Examples) -> Found | None:
    if not state.spec.penalized:
        return None
    data, penalty = (float(np.linalg.norm(each)) for each in _gradients(state, examples))
    weights = state.parameters[state.spec.network.is_weight.astype(bool)]
    if np.sqrt((weights**2).mean()) > SMALL and (penalty < 0.5 * data or data < FLAT_STEP):
        return None
    return "regularization", "held back", {}


def _line(spec: Spec, accuracy: float) -> Found | None:
    hidden = spec.network.activation_names[:-1]
    if any(name != "identity" for name in hidden) or spec.features not in ((), ("x1",), ("x1", "x2")):
        return None
    return "linear", "linear" if hidden else "no hidden layer", {"right": accuracy}


def _always_the_same(spec: Spec, classes: Ints, examples: Examples) -> Found | None:
    values, counts = np.unique(classify(spec, examples.targets[:, : examples.train]), return_counts=True)
    share = float(counts.max() / counts.sum())
    if len(np.unique(classes)) > 1 or share < LARGEST_SHARE or len(values) < 2:
        return None
    name = class_names(spec)[int(values[counts.argmax()])]
    return "imbalance", "always the same", {"class": name, "right": share}


def _plateau(outputs: Floats, accuracy: float) -> Found:
    alike = float(outputs.std(axis=1).max()) < 0.02
    return "plateau", "all outputs alike" if alike else "plateau", {"right": accuracy}


def is_bounded(activation: str) -> bool:
    """Whether an activation has two ends that it can be driven to."""
    return all(map(isfinite, ACTIVATIONS[activation].range))
