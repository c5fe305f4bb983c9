"""Small random runs for property tests: every activation, loss, optimizer and regularization comes up."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from engine import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    RunState,
    Spec,
    Trace,
    advance,
    apply,
    start,
    trace,
)

# xor is binary; three_blobs has three classes, for softmax; line is regression with one input.
DATASETS = {"softmax": "three_blobs"}


@st.composite
def specs(draw: st.DrawFn, shortcuts: bool = False) -> Spec:
    """A spec with up to three hidden layers of up to four units; some parameters frozen, some data sets.

    With `shortcuts`, layers are of two or three units, as the inputs are, shortcuts lead wherever they may, and some of
    what layers give is dropped.
    """
    output = draw(st.sampled_from(sorted(ACTIVATIONS)))
    losses = [name for name, loss in LOSSES.items() if not loss.refuses(ACTIVATIONS[output])]
    features = draw(st.sampled_from([["x1"], ["x1", "x2"], ["x1", "x2", "x1x2"]]))
    hidden = draw(st.lists(st.integers(2, 3) if shortcuts else st.integers(1, 4), min_size=shortcuts, max_size=3))
    names = [draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in hidden]
    layers = _with_shortcuts(draw, [len(features), *hidden], names) if shortcuts else None
    regularization = draw(st.sampled_from(sorted(PENALTIES)))
    return Spec.make(
        dataset=DATASETS.get(output, "xor"),
        samples=24,
        features=features,
        **({"layers": layers} if shortcuts else {"hidden": hidden, "activation": names}),
        output_activation=output,
        loss=draw(st.sampled_from(losses)),
        initializer=draw(st.sampled_from(sorted(set(INITIALIZERS) - {"zeros"}))),
        optimizer=draw(st.sampled_from(sorted(OPTIMIZERS))),
        learning_rate=draw(st.sampled_from([0.01, 0.1])),
        regularization=regularization,
        regularization_rate=draw(st.sampled_from([0.0, 0.1])),
        batch_size=draw(st.sampled_from([1, 4, 7])),
        frozen=draw(st.sampled_from([[], ["b1.1"], ["W1.1.1", "biases"]])),
        seed=draw(st.integers(0, 99)),
    )


def _with_shortcuts(draw: st.DrawFn, sizes: list[int], names: list[str]) -> str:
    """The layers, each perhaps normalized, with dropout, and with a shortcut from one of its own width."""
    items = []
    for k, name in enumerate(names, 1):
        items.append(f"dense {sizes[k]} {name}")
        items += draw(st.sampled_from([[], ["layer_norm"]])) if sizes[k] > 2 else []
        items += draw(st.sampled_from([[], [], ["dropout 0.2"], ["dropout 0.5"]]))
        over = draw(st.sampled_from([0, *(n for n in range(1, k + 1) if sizes[k - n] == sizes[k])]))
        items += [f"shortcut {over}"] * (over > 0)
    return ", ".join(items)


@st.composite
def states(draw: st.DrawFn, shortcuts: bool = False) -> RunState:
    """A run after a few steps, its optimizer perhaps changed on the way."""
    state = advance(start(draw(specs(shortcuts))), draw(st.integers(0, 5))).state
    if not state.divergence and draw(st.booleans()):
        changed = apply(state, "optimizer", draw(st.sampled_from(sorted(OPTIMIZERS))))
        state = advance(changed, draw(st.integers(0, 2))).state
    return state


@st.composite
def traces(draw: st.DrawFn, shortcuts: bool = False) -> Trace:
    """A step of a run, on its mini-batch or on one example."""
    step = trace(draw(states(shortcuts)), draw(st.one_of(st.none(), st.integers(0, 23))))
    assume(not cancels(step))
    return step


def cancels(step: Trace) -> bool:
    """Whether sums that are normalized are all alike, or the ways back nearly cancel: the last digits decide there."""
    norms = [(layer.norm, layer.dz) for layer in step.layers if layer.norm]
    alike = any(norm.spread.min() < 0.03 for norm, _ in norms)
    return alike or any(np.abs(dz).max() < 1e-3 * np.abs(norm.dz_own).max() for norm, dz in norms)


EITHER = st.booleans().flatmap(lambda shortcuts: traces(shortcuts=shortcuts))  # with shortcuts or without
