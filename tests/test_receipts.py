"""A receipt's terms add up: to the gradient, to the new value, to a unit's z and delta."""

import numpy as np
import pytest
from drawn import traces
from hypothesis import given, settings

from app.draw.maths import parts_of
from app.explain.moments import text_of
from app.explain.receipts import receipt
from engine import OPTIMIZERS, Spec, SpecError, Trace, advance, start, trace
from engine.receipts import parameter_receipt, unit_receipt


@settings(max_examples=60, deadline=None)
@given(traces())
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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_is_taken_apart(optimizer: str) -> None:
    """After some steps, with a penalty: the memory's part is there where there is memory, and all adds up."""
    spec = Spec.make(optimizer=optimizer, regularization="l2", regularization_rate=0.1, samples=40)
    step = trace(advance(start(spec), 7).state)
    told = parameter_receipt(step, "W2.1.3")
    names = [part.name for part in told.parts]
    assert told.now + sum(part.value for part in told.parts) == pytest.approx(told.next, rel=1e-12)
    if OPTIMIZERS[optimizer].search:
        assert names == ["trial"]
    else:
        assert names[:2] == ["gradient", "penalty"]
        assert ("memory" in names) == (optimizer in ("momentum", "nesterov", "adam", "adamw"))
        assert ("decay" in names) == (optimizer == "adamw")


@settings(max_examples=40, deadline=None)
@given(traces())
def test_a_unit_comes_to_its_numbers(step: Trace) -> None:
    """What came in adds up to z, what came back to da, and da × slope is delta."""
    for k, layer in enumerate(step.layers, 1):
        for j in range(1, layer.W.shape[0] + 1):
            told = unit_receipt(step, f"a{k}.{j}")
            np.testing.assert_allclose(told.incoming.sum(axis=1) + told.bias, layer.z[:, j - 1], rtol=1e-9, atol=1e-11)
            if told.outgoing is not None:
                np.testing.assert_allclose(told.outgoing.sum(axis=1), told.da, rtol=1e-9, atol=1e-12)
            if told.slope is not None and not (k == len(step.layers) and step.spec.network.joined):
                np.testing.assert_allclose(told.da * told.slope, told.dz, rtol=1e-9, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(traces())
def test_every_receipt_leads_back_to_the_loss(step: Trace) -> None:
    """Each click further back is a receipt again, and ends at the outputs or the inputs."""
    for address in step.spec.network.addresses():
        path, seen = [address], set()
        while path:
            told = receipt(step, path.pop())
            assert text_of(told.words)
            assert told.symbols
            layers = {parts_of(source)[1] for source in told.came_from}
            if told.address.startswith("a"):
                assert layers <= {parts_of(told.address)[1] + 1}
            path += [source for source in told.came_from if source not in seen]
            seen |= set(told.came_from)


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
