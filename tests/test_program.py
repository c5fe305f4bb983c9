"""The program that the page shows is the step: running its text gives the step's own numbers."""

import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from drawn import traces
from hypothesis import assume, given, settings

from engine import ACTIVATIONS, LOSSES, OPTIMIZERS, Spec, Trace, advance, start, trace
from engine.equation import A
from engine.program import program

PAIRS = [
    (output, loss) for output, loss in product(ACTIVATIONS, LOSSES) if not LOSSES[loss].refuses(ACTIVATIONS[output])
]


def differences(step: Trace) -> dict[str, float]:
    """How far the program's numbers are from the trace's, relative to the largest of each array."""
    names, found = program(step).run(), {"loss": (names_loss := step.loss)}
    found = {"loss": _far(names["loss"], names_loss)}
    if "penalty" in names:
        found["penalty"] = _far(names["penalty"], step.penalty)
    for k, layer in enumerate(step.layers, 1):
        for name in ("z", "a", "dz", "dW", "db"):
            found[f"{name}{k}"] = _far(names[f"{name}{k}"], getattr(layer, name))
        found[f"W{k}_next"] = _far(names[f"W{k}_next"], layer.W_next, 1e-6)
        found[f"b{k}_next"] = _far(names[f"b{k}_next"], layer.b_next, 1e-6)
    return found


def _far(ours: object, theirs: object, least: float = 1e-30) -> float:
    """The largest difference, relative to the largest number, or to `least` where a step ends at next to nothing."""
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    assert a.shape == b.shape
    return float(np.abs(a - b).max() / max(float(np.abs(b).max()), least)) if (a != b).any() else 0.0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_text_reproduces_every_pair_of_loss_and_output(optimizer: str) -> None:
    """Loss, deltas, gradients and new parameters to 1e-11, under each optimizer, with and without a penalty."""
    for n, (output, loss) in enumerate(PAIRS):
        spec = Spec.make(
            dataset="three_blobs" if output == "softmax" else "circle", samples=20, hidden=[3, 2],
            activation=[sorted(ACTIVATIONS)[n % len(ACTIVATIONS)], "tanh"], output_activation=output, loss=loss,
            optimizer=optimizer, regularization=("none", "l1", "l2")[n % 3], regularization_rate=0.1, batch_size=5,
            initializer="normal", frozen=["W1.1.1", "b2.1"] if n % 2 else [],
        )  # fmt: skip
        far = differences(trace(advance(start(spec), 2).state))
        assert max(far.values()) < 1e-11, (output, loss, far)


def cancels(step: Trace) -> bool:
    """Whether a softmax is so sure that its delta is a difference of equals, which its last digits decide."""
    return any(layer.activation == "softmax" and float(layer.a.max()) > 1 - 1e-4 for layer in step.layers)


@settings(max_examples=60, deadline=None)
@given(traces())
def test_the_text_reproduces_any_step(step: Trace) -> None:
    """Loss, gradients and new parameters of random runs, on a batch or on one example."""
    assume(not cancels(step))
    assert max(differences(step).values()) < 1e-10


@settings(max_examples=40, deadline=None)
@given(traces(shortcuts=True))
def test_the_text_reproduces_any_step_with_shortcuts(step: Trace) -> None:
    """The same over shortcuts, searched networks included."""
    assume(not cancels(step))
    assert max(differences(step).values()) < 1e-10


def test_a_wrong_line_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a wrong derivative in the table's code, the program's gradients are not the step's."""
    wrong = replace(ACTIVATIONS["tanh"], slope=1.0 - A)
    monkeypatch.setitem(ACTIVATIONS, "tanh", wrong)
    module = sys.modules["engine.program"]  # the package has the function by this name
    monkeypatch.setattr(module, "_text", module._text.__wrapped__)
    far = differences(trace(start(Spec.make(samples=20))))
    assert far["dz1"] > 1e-3
    assert far["z1"] == 0.0


def test_it_gives_no_array_of_the_trace_away() -> None:
    """Running the program changes nothing of the trace, though trial and error writes into its arrays."""
    step = trace(start(Spec.make(samples=20, optimizer="trial_and_error")))
    before = step.parameters.copy(), step.slots.copy()
    program(step).run()
    assert (step.parameters == before[0]).all()
    assert (step.slots == before[1]).all()


def test_extreme_sums_stay_finite() -> None:
    """At |z| near 1000 the joined losses of the program are as safe as the engine's."""
    for loss, output, data in (("binary_cross_entropy", "sigmoid", "xor"), ("cross_entropy", "softmax", "three_blobs")):
        outputs = 1 if output == "sigmoid" else 3
        far = {"W": [[300.0, -300.0]] * outputs, "b": [0.0] * outputs}
        spec = Spec.make(dataset=data, samples=20, hidden=[], output_activation=output, loss=loss, parameters=[far])
        found = differences(trace(start(spec)))
        assert max(found.values()) < 1e-11
