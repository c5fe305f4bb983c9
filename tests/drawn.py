"""Small random runs for property tests: every activation, loss, optimizer and regularization comes up."""

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
def specs(draw: st.DrawFn) -> Spec:
    """A spec with up to three hidden layers of up to four units; some parameters frozen, some data sets."""
    output = draw(st.sampled_from(sorted(ACTIVATIONS)))
    losses = [name for name, loss in LOSSES.items() if not loss.refuses(ACTIVATIONS[output])]
    hidden = draw(st.lists(st.integers(1, 4), max_size=3))
    regularization = draw(st.sampled_from(sorted(PENALTIES)))
    return Spec.make(
        dataset=DATASETS.get(output, "xor"),
        samples=24,
        features=draw(st.sampled_from([["x1"], ["x1", "x2"], ["x1", "x2", "x1x2"]])),
        hidden=hidden,
        activation=[draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in hidden],
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


@st.composite
def states(draw: st.DrawFn) -> RunState:
    """A run after a few steps, its optimizer perhaps changed on the way."""
    state = advance(start(draw(specs())), draw(st.integers(0, 5))).state
    if not state.divergence and draw(st.booleans()):
        changed = apply(state, "optimizer", draw(st.sampled_from(sorted(OPTIMIZERS))))
        state = advance(changed, draw(st.integers(0, 2))).state
    return state


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """A step of a run, on its mini-batch or on one example."""
    return trace(draw(states()), draw(st.one_of(st.none(), st.integers(0, 23))))
