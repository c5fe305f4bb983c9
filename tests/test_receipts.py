"""A receipt's terms add up: to the gradient, to the new value, to a unit's z and delta."""

import numpy as np
import pytest
from drawn import EITHER
from hypothesis import given, settings
from hypothesis import strategies as st

from app.explain.moments import GRAINS
from app.explain.receipts import Receipt, receipt
from app.explain.walkthrough import known, walkthrough
from app.words.numbers import signed
from app.words.segments import text_of
from engine import OPTIMIZERS, Quantity, Spec, SpecError, Trace, advance, start, trace
from engine.receipts import parameter_receipt, unit_receipt


@settings(max_examples=60, deadline=None)
@given(EITHER)
def test_a_parameter_comes_to_its_next_value(step: Trace) -> None:
    """now + parts = next, and the products of deltas and what was carried add up to the gradient: every parameter."""
    for index, address in enumerate(step.spec.network.addresses()):
        told = parameter_receipt(step, address)
        assert told.now == step.parameters[index]
        assert told.next == step.parameters_next[index]
        assert told.gradient == step.gradient[index]
        assert told.now + sum(part.value for part in told.parts) == pytest.approx(told.next, rel=1e-9, abs=1e-11)
        assert told.deltas @ told.carried == pytest.approx(told.gradient, rel=1e-9, abs=1e-12)
        if told.frozen:
            assert told.next == told.now


# What the optimizers that are written out here add beside the gradient and the penalty.
BESIDES = dict[str, set[str]].fromkeys(("sgd", "adagrad", "rmsprop"), set())
BESIDES |= {"momentum": {"memory"}, "nesterov": {"memory"}, "adam": {"memory"}, "adamw": {"memory", "decay"}}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_is_taken_apart(optimizer: str) -> None:
    """After some steps, with a penalty: the memory's part is there where there is memory, and all adds up."""
    spec = Spec.make(optimizer=optimizer, regularization="l2", regularization_rate=0.1, samples=40)
    step = trace(advance(start(spec), 7).state)
    told = parameter_receipt(step, "W2.1.3")
    names = [part.name for part in told.parts]
    assert told.now + sum(part.value for part in told.parts) == pytest.approx(told.next, rel=1e-12)
    if OPTIMIZERS[optimizer].search or not OPTIMIZERS[optimizer].parts:
        assert names == ["trial" if OPTIMIZERS[optimizer].search else "step"]
    else:
        assert names[:2] == ["gradient", "penalty"]
        assert {"memory", "decay"} & set(names) == BESIDES.get(optimizer, {"memory", "decay"} & set(names))


@settings(max_examples=40, deadline=None)
@given(EITHER)
def test_a_unit_comes_to_its_numbers(step: Trace) -> None:
    """What came in adds up to z, what came back to da, and da × slope is delta."""
    for k, layer in enumerate(step.layers, 1):
        for j in range(1, layer.W.shape[0] + 1):
            told = unit_receipt(step, f"a{k}.{j}")
            np.testing.assert_allclose(told.incoming.sum(axis=1) + told.bias, layer.z[:, j - 1], rtol=1e-9, atol=1e-11)
            if told.outgoing is not None:
                back = told.outgoing.sum(axis=1) + (0.0 if told.arcs is None else told.arcs.sum(axis=1))
                summed = told.da if told.dh is None else told.dh
                np.testing.assert_allclose(back, summed, rtol=1e-9, atol=1e-12)
            if told.slope is not None and not (k == len(step.layers) and step.spec.network.joined):
                bent = told.dz if told.norm is None else told.norm.dn
                np.testing.assert_allclose(told.da * told.slope, bent, rtol=1e-9, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(EITHER)
def test_every_receipt_leads_back_to_the_loss(step: Trace) -> None:
    """Each click further back is a receipt again, and ends at the outputs or the inputs."""
    path = list(step.spec.network.addresses())
    seen = set(path)
    while path:
        told = receipt(step, path.pop())
        assert text_of(told.words)
        assert told.symbols
        layers = {source.layer for source in told.came_from}
        if told.address.startswith("a"):
            assert layers <= {told.of.layer + 1, *step.spec.network.arcs(told.of.layer)}
        came_from = set(map(str, told.came_from))
        path += came_from - seen
        seen |= came_from


KINDS = {
    "δ": "dz", "δ, over the three ways": "dz", "μ": "mean", "σ": "spread", "x̂": "xhat", "∂L/∂x̂": "dxhat",
    "through x̂ itself": "dz_own", "through the mean": "dz_mean", "through the spread": "dz_spread",
}  # fmt: skip


def told_of(found: Receipt) -> dict[str, str]:
    """The numbers of a receipt's main lines, by the quantity that each is."""
    address = found.address
    if address.startswith("a"):
        labels = [line.label.removeprefix("mean ").removeprefix("sum of ").split(" = ")[0] for line in found.lines]
        return dict(zip([KINDS.get(label, label) + address[1:] for label in labels], found.lines, strict=True))
    return {f"d{address}": found.lines[1], address: found.lines[-1]}


def check_told(whole: Receipt, part: Receipt, so_far: frozenset[Quantity]) -> None:
    """Each line is the whole receipt's if its quantity is known, and "?" if it is not."""
    for (quantity, line), full in zip(told_of(part).items(), told_of(whole).values(), strict=True):
        assert line.value == (full.value if Quantity.parse(quantity).is_in(so_far) else "?"), quantity
    words, address = text_of(part.words), part.address
    letters = [quantity[0] for quantity in told_of(part) if quantity[1:2].isdecimal()]
    own = next((f"{letter}{address[1:]}" for letter in "oh" if letter in letters), address)
    names = [own, f"dz{address[1:]}"] if address.startswith("a") else [f"d{address}", address]
    later = [Quantity.parse(name).is_in(so_far) for name in names]
    assert ("yet to come" in words) == (not all(later))
    assert all(later) == (part == whole) or address.startswith("a")


@settings(max_examples=30, deadline=None)
@given(EITHER, st.sampled_from(GRAINS), st.floats(0, 1))
def test_a_receipt_tells_no_more_than_the_walkthrough(step: Trace, grain: str, share: float) -> None:
    """At any moment of any grain, what is not computed yet is "?" and said to come; at the end all is told."""
    walk = walkthrough(step, grain)
    sizes = step.spec.network.sizes
    units = [f"a{k}.{j}" for k in range(1, len(sizes)) for j in range(1, sizes[k] + 1)]
    so_far, in_the_end = known(walk, int(share * (len(walk) - 1))), known(walk, len(walk) - 1)
    for address in (*step.spec.network.addresses(), *units):
        whole = receipt(step, address)
        check_told(whole, receipt(step, address, so_far), so_far)
        check_told(whole, whole, in_the_end)
        assert receipt(step, address, in_the_end) == whole


def test_what_a_receipt_comes_from_is_not_told_too_early() -> None:
    """Before anything is computed the factors are "?", in their own order; what is given is told."""
    step = trace(start(Spec.make(hidden=[12, 12])), 3)
    nothing = frozenset()
    into, back = receipt(step, "a2.1", nothing).more
    assert [line.value for line in into.lines[:-1]] == ["?"] * 7
    assert [line.label for line in into.lines[:2]] == ["w × a from hidden 1, unit 1", "w × a from hidden 1, unit 2"]
    assert into.lines[-1].value != "?"
    assert {line.value for line in back.lines} == {"?"}
    (factors,) = receipt(step, "W1.1.2", nothing).more
    assert [line.value == "?" for line in factors.lines] == [True, False]


@pytest.mark.parametrize(
    "address", ["W9.1.1", "W1.1.9", "b1.9", "a9.1", "a0.9", "x", "", "a1", "W1.1", "b1.1.1", "a١.1"]
)
def test_an_address_that_is_not_there(address: str) -> None:
    """Is named in the error, with what would be allowed."""
    step = trace(start(Spec.make()))
    with pytest.raises(SpecError) as caught:
        receipt(step, address)
    assert caught.value.field == "address"
    assert caught.value.allowed


SATURATED = {
    "sure and wrong, low": ("binary", "sigmoid", [[-40.0]], 1, "−2.354×10¹⁷", "−1.000"),
    "sure and wrong, high": ("binary", "sigmoid", [[40.0]], 0, "+2.354×10¹⁷", "+1.000"),
    "a class that has no share": ("multiclass", "softmax", [[-80.0], [0.0]], 0, "−5.541×10³⁴", "−1.000"),
}


@pytest.mark.parametrize("case", SATURATED)
def test_a_saturated_output_does_not_contradict_itself(case: str) -> None:
    """dL/da of an output that the loss is joined with is not clipped, and comes to delta: in numbers and in lines."""
    task, output, W, y, da, delta = SATURATED[case]
    step = trace(start(saturated(task, output, W, y)), 0)
    facts = unit_receipt(step, "a1.1")
    if facts.slope is not None:
        np.testing.assert_allclose(facts.da * facts.slope, facts.dz, rtol=1e-14)
    told = {line.label: line.value for line in receipt(step, "a1.1").lines}
    assert told["da = ∂L/∂a"] == da
    assert [value for label, value in told.items() if label.startswith("δ")] == [delta]


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("weight", [-800.0, 800.0])
def test_what_is_beyond_any_number_is_not_told(weight: float, grain: str) -> None:
    """Where a is 0 to the last bit, or 1, dL/da is "–" and a sentence says why; delta stays, and the run goes on."""
    state = start(saturated("binary", "sigmoid", [[weight]], int(weight < 0)))
    step = trace(state)
    told = receipt(step, "a1.1")
    assert [line.value for line in told.lines[2:]] == ["–", signed(step.layers[0].dz.item())]
    assert "beyond any number" in text_of(told.words)
    moments = [moment for moment in walkthrough(step, grain) if Quantity.parse("dz1.1") in moment.targets]
    assert len(moments) == (grain in ("operation", "unit"))
    assert all("beyond any number" in text_of(moment.words) for moment in moments)
    assert not any("∞" in text_of(moment.numbers) for moment in walkthrough(step, grain))
    assert advance(state, 5).state.divergence is None


def saturated(task: str, output: str, W: list[list[float]], y: int) -> Spec:
    """A network without hidden layers that is sure of its one example."""
    return Spec.make(
        dataset="custom", data={"x": [[1.0]], "y": [y], "task": task} if task == "binary" else
        {"x": [[1.0], [0.0]], "y": [y, 1], "task": task}, hidden=[], output_activation=output, test_share=0,
        loss={"sigmoid": "binary_cross_entropy", "softmax": "cross_entropy"}[output], batch_size=1,
        parameters=[{"W": W, "b": [0.0] * len(W)}],
    )  # fmt: skip
