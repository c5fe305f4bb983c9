"""Normalizations: what they compute, the three ways back through them, and how all of that is told."""

import json

import autograd.numpy as anp
import numpy as np
import pytest
import textbook
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st

from app.explain.receipts import receipt
from app.explain.walkthrough import known, walkthrough
from app.page.links import Link
from app.words.segments import text_of
from engine import (
    OPERATIONS,
    Quantity,
    RunState,
    Spec,
    SpecError,
    Trace,
    advance,
    apply,
    evaluate,
    pack,
    start,
    trace,
    unpack,
)
from engine.network import Network, layers_of
from engine.operations.base import Node, Place
from engine.paths import paths
from engine.probes import check_all, nudge, slice_
from engine.receipts import parameter_receipt, unit_receipt
from engine.scalars import graph_of
from engine.tracing import NormTrace

LAYERS = "dense 5 tanh, layer_norm, dense 5 relu, layer_norm, dropout 0.2, shortcut 1, dense 3 softmax, layer_norm"


def bits(state: RunState) -> bytes:
    return state.parameters.tobytes() + state.slots.tobytes()


def norm_of(step: Trace, layer: int = 1) -> NormTrace:
    norm = step.layers[layer - 1].norm
    assert norm is not None
    return norm


def ready(layers: str = LAYERS, steps: int = 20, **fields: object) -> RunState:
    """A run whose gains and shifts are no longer 1 and 0."""
    given = {"batch_size": 7, "optimizer": "adam"} | fields
    return advance(start(Spec.make(layers=layers, **given)), steps).state


@pytest.mark.parametrize("name", ["layer_norm"])
@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 999))
def test_its_backward_pass_is_that_of_autograd(name: str, units: int, examples: int, seed: int) -> None:
    """With what comes back uneven: for even gradients the right answer would be 0, whatever is computed."""
    rng, operation, node = np.random.default_rng(seed), OPERATIONS[name], Node(name, 1, (0,))
    z, dn = np.ones((units + 1, examples)), np.ones((units + 1, examples))
    z[:-1], dn[:-1] = 3 * rng.normal(size=(units, examples)) + 2, rng.normal(size=(units, examples))
    matrix, out, into = rng.normal(size=(2, units)), np.ones_like(z), np.ones_like(z)
    gradient = np.empty((2, units))
    saved = [np.empty((count, examples)) for count in operation.saves(node, [units]).values()]
    for function, *arguments in operation.forward(node, [z], out, matrix, saved):
        function(*arguments)
    place = Place([z], out, matrix, gradient, dn, [into], np.empty(0), saved)
    for function, *arguments in operation.backward(node, place):
        function(*arguments)

    def weighed(z: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> float:
        return anp.sum(textbook.normalized(name, z, gamma, beta) * dn[:-1].T)

    np.testing.assert_allclose(out[:-1].T, textbook.normalized(name, z[:-1].T, *matrix), rtol=1e-11, atol=1e-12)
    theirs = [grad(weighed, place)(z[:-1].T, *matrix) for place in range(3)]
    largest = np.abs(dn).max() / min(1.0, float(saved[2].min()))
    np.testing.assert_allclose(into[:-1].T, theirs[0], rtol=1e-9, atol=1e-11 * largest)
    np.testing.assert_allclose(gradient, theirs[1:], rtol=1e-10, atol=1e-12)


@st.composite
def cases(draw: st.DrawFn) -> Trace:
    """1 to 4 layers of 3 or 4 units, normalized or not, with dropout and shortcuts between them."""
    items, widths = list[str](), [2]
    for k in range(1, draw(st.integers(1, 4)) + 1):
        widths.append(draw(st.integers(3, 4)))
        items.append(f"dense {widths[k]} {draw(st.sampled_from(['tanh', 'silu', 'softmax', 'identity']))}")
        items += draw(st.sampled_from([["layer_norm"], ["layer_norm"], []]))
        items += draw(st.sampled_from([[], ["dropout 0.2"]]))
        over = draw(st.sampled_from([0, *(n for n in range(1, k + 1) if widths[k - n] == widths[k])]))
        items += [f"shortcut {over}"] * (over > 0)
    spec = Spec.make(layers=", ".join(items), seed=draw(st.integers(0, 999)), batch_size=draw(st.integers(2, 9)))
    return trace(advance(start(spec), draw(st.integers(0, 3))).state)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_gradients_are_those_of_autograd(step: Trace) -> None:
    """Of any network of them, written a second time."""
    network = step.spec.network
    masks = {k: layer.mask for k, layer in enumerate(step.layers, 1) if layer.mask is not None}
    layers = [(W.copy(), b.copy()) for W, b in network.layers(step.parameters)]
    gains = {k: (layer.norm.gamma, layer.norm.beta) for k, layer in enumerate(step.layers, 1) if layer.norm}

    def lost(both: tuple) -> float:
        made = textbook.outputs(
            both[0], network.activation_names, step.x, network.shortcuts, masks, network.norms, both[1]
        )
        return textbook.mean_loss(network.loss_name, made, step.y)

    assert lost((layers, gains)) == pytest.approx(step.loss, rel=1e-10)
    dlayers, dgains = textbook.grad(lost)((layers, gains))
    largest = max(np.abs(dW).max() for dW, _ in dlayers)
    for k, ((dW, db), layer) in enumerate(zip(dlayers, step.layers, strict=True), 1):
        np.testing.assert_allclose(layer.dW, dW, rtol=1e-8, atol=1e-11 * max(1.0, largest))
        np.testing.assert_allclose(layer.db, db, rtol=1e-8, atol=1e-11 * max(1.0, largest))
        if layer.norm:
            np.testing.assert_allclose((layer.norm.dgamma, layer.norm.dbeta), dgains[k], rtol=1e-8, atol=1e-12)


def test_every_gradient_holds_against_reruns() -> None:
    """On the batch and on one example; a gain can be nudged and sliced, set, frozen and asked about."""
    state = ready(regularization="l2", regularization_rate=0.01)
    assert check_all(state).passed
    assert check_all(state, 4).passed
    assert nudge(state, "gamma2.3").agrees
    assert slice_(state, "beta1.2").address == "beta1.2"
    moved = apply(state, "gamma1.2", 3.5)
    assert norm_of(trace(moved)).gamma[1] == 3.5
    frozen = ready(steps=5, frozen=["gamma1.2", "biases"])
    assert norm_of(trace(frozen)).gamma[1] == 1.0
    assert norm_of(trace(frozen)).beta.any()
    assert not trace(frozen).layers[0].b.any()


def test_what_is_normalized_has_mean_0_and_spread_1() -> None:
    """Of each example; n is that scaled and shifted, a what the activation makes of it; the three ways add up."""
    step = trace(ready())
    for k, layer in enumerate(step.layers, 1):
        if k not in step.spec.network.norms:
            assert layer.norm is None
            continue
        norm = norm_of(step, k)
        np.testing.assert_allclose(norm.xhat.mean(axis=1), 0, atol=1e-14)
        np.testing.assert_allclose((norm.xhat**2).mean(axis=1), 1 - 1e-5 / norm.spread[:, 0] ** 2, rtol=1e-9)
        np.testing.assert_allclose(norm.xhat, (layer.z - norm.mean) / norm.spread, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(norm.n, norm.gamma * norm.xhat + norm.beta, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(norm.dz_own + norm.dz_mean + norm.dz_spread, layer.dz, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(step.layers[0].a, np.tanh(norm_of(step).n), rtol=1e-14)


def test_gains_start_at_1_and_come_last() -> None:
    """So that every address and every stored bit of a network without them is what it was."""
    spec, plain = Spec.make(layers="dense 4 tanh, layer_norm"), Spec.make(hidden=[4], activation="tanh")
    size = plain.network.size
    assert spec.network.size == size + 8
    assert start(spec).parameters[:size].tobytes() == start(plain).parameters.tobytes()
    assert start(spec).parameters[size:].tolist() == [1.0] * 4 + [0.0] * 4
    assert spec.network.address(size) == "gamma1.1"
    assert spec.network.locate("beta1.4") == size + 7
    with pytest.raises(ValueError, match="gamma<layer>"):
        spec.network.locate("gamma2.1")
    with pytest.raises(ValueError, match=r"W<layer>.<unit>.<input> or b<layer>.<unit>, counted"):
        plain.network.locate("gamma1.1")


def test_it_travels(capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON, links and bytes, with its parameters; at once or in parts the same bits."""
    state = ready()
    spec = state.spec
    assert Spec.make(json.loads(json.dumps(spec.to_dict()))) == spec
    assert Link.parse(Link(spec).fields()).spec == spec
    assert unpack(pack(state)) == state
    parts = start(spec)
    for count in (1, 12, 7):
        parts = unpack(pack(advance(parts, count).state))
    assert bits(parts) == bits(state)
    given = [dict(layer) for layer in Spec.make(spec.to_dict() | {"parameters": None}).to_dict()["layers"]]
    assert {"kind": "layer_norm"} in given
    own = Spec.make(layers="dense 2, layer_norm", parameters=[
        {"W": [[1, 2], [3, 4]], "b": [0, 0], "gamma": [2, 3], "beta": [0.5, 1]}, {"W": [[1, 1]], "b": [0]},
    ])  # fmt: skip
    assert start(own).parameters[-4:].tolist() == [2, 3, 0.5, 1]
    assert Spec.make(own.to_dict()) == own
    with pytest.raises(SpecError, match="an object with W, b, gamma and beta"):
        Spec.make(
            layers="dense 2, layer_norm", parameters=[{"W": [[1, 2], [3, 4]], "b": [0, 0]}, {"W": [[1, 1]], "b": [0]}]
        )


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ("layer_norm", "right after the layer"),
        ("dense 3, layer_norm, layer_norm", "one a layer"),
        ("dense 3, dropout 0.5, layer_norm", "right after the layer"),
        ("dense 3, shortcut 1, layer_norm", "the 2 numbers"),
        ("dense 3, layer_norm 5", "layer_norm, and no more"),
    ],
)
def test_where_it_makes_no_sense_it_is_refused(layers: str, reason: str) -> None:
    """It follows the layer whose sums it normalizes."""
    with pytest.raises(SpecError, match=reason):
        Spec.make(layers=layers)


def test_who_evaluates_normalizes_as_well() -> None:
    """The pass that only looks gives what the pass that trains gives."""
    state = ready("dense 5 tanh, layer_norm, dense 4 relu, layer_norm")
    step, network = trace(state), state.spec.network
    x = np.vstack([step.x.T, np.ones(len(step.x))])
    for layer, (z, gives) in zip(step.layers, layers_of(network, state.parameters, x), strict=True):
        np.testing.assert_allclose(z.T, layer.z, rtol=1e-12)
        np.testing.assert_allclose(gives[:-1].T, layer.gives, rtol=1e-12)
    assert evaluate(state)["train"].loss is not None


def test_a_neighbours_slope_is_not_shared_past_it() -> None:
    """Two equal activations, one of z and one of n: each has the slope at its own."""
    step = trace(ready("dense 4 tanh, dense 4 tanh, layer_norm, dense 4 tanh"))
    for layer in step.layers[:3]:
        np.testing.assert_allclose(layer.asked, layer.da * (1 - layer.a**2), rtol=1e-12)


def test_the_network_knows_its_norms() -> None:
    """By layer; the activation of such a layer takes n."""
    network = Spec.make(layers=LAYERS).network
    assert isinstance(network, Network)
    assert network.norms == {1: "layer_norm", 2: "layer_norm", 3: "layer_norm"}
    assert [network.bent_kind(k) for k in (1, 2, 3, 4)] == ["n", "n", "n", "z"]


@pytest.mark.parametrize("grain", ["operation", "unit", "layer", "pass"])
def test_it_is_walked(grain: str) -> None:
    """Everything of it is computed by some moment; three ways, and what they add up to, stand in one."""
    step = trace(ready(), 3)
    walk = walkthrough(step, grain)
    told = known(walk, len(walk) - 1)
    for kind in ("mean", "spread", "xhat", "n", "dn", "dgamma", "dbeta", "dxhat", "dz_own", "dz_mean", "dz_spread"):
        assert Quantity(kind, 1, () if kind in ("mean", "spread") else (2,)).is_in(told)
    for moment in [m for m in walk if m.kind == "three_ways"]:
        ways = [float(np.sum(moment.values[name])) for name in ("dz_own", "dz_mean", "dz_spread")]
        assert sum(ways) == pytest.approx(float(np.sum(moment.values["dz"])), rel=1e-6, abs=1e-12)
        assert "three ways back" in text_of(moment.words)
    assert any(m.kind == "three_ways" for m in walk) == (grain in ("operation", "unit"))


def test_receipts_of_it_add_up() -> None:
    """Of a gain, a shift and a unit: factors make the gradient, and the three ways the delta."""
    for example in (None, 3):
        step = trace(ready(), example)
        for address in ("gamma1.2", "beta1.2"):
            told = parameter_receipt(step, address)
            assert float(told.deltas @ told.carried) == pytest.approx(told.gradient, rel=1e-9, abs=1e-15)
            assert receipt(step, address).code
            assert receipt(step, address).words
        unit = unit_receipt(step, "a1.2")
        assert unit.norm is not None
        assert unit.slope is not None
        np.testing.assert_allclose(unit.norm.dn, unit.da * unit.slope, rtol=1e-12)
        ways = unit.norm.dz_own + unit.norm.dz_mean + unit.norm.dz_spread
        np.testing.assert_allclose(ways, unit.dz, rtol=1e-9, atol=1e-15)
        labels = [line.label for line in receipt(step, "a1.2").lines]
        assert any("through the mean" in label for label in labels)
        assert any("x̂ = (z − μ) / σ" in label for label in labels)


def test_ways_through_it_are_the_gradient() -> None:
    """From the loss to a weight below it over every unit of its layer, and to its own gains."""
    step = trace(ready("dense 2 tanh, layer_norm, dense 2 silu, layer_norm"), 3)
    for address in ("W1.2.1", "b1.1", "W2.1.2", "gamma1.1", "beta2.2", "gamma2.1"):
        found = paths(step, address)
        assert sum(way.product for way in found.ways) == pytest.approx(found.gradient, rel=1e-6, abs=1e-13)
        assert len(found.ways) == found.count


def test_its_graph_has_the_steps_gradients() -> None:
    """Of the whole network and of one unit's part, its own gain included."""
    step = trace(ready("dense 3 tanh, layer_norm, dense 3 softmax, layer_norm, shortcut 1"), 3)
    whole = graph_of(step)
    names = [vertex.name for vertex in whole.vertices]
    for address, name in (("W1.2.1", "W1_2_1"), ("gamma1.2", "gamma1_2"), ("beta2.3", "beta2_3")):
        index = step.spec.network.locate(address)
        assert whole.grad[names.index(name)] == pytest.approx(step.gradient[index], rel=1e-7, abs=1e-13)
    part = graph_of(step, "a1.2")
    found = dict(zip([vertex.name for vertex in part.vertices], part.grad, strict=True))
    assert found["gamma1_2"] == pytest.approx(norm_of(step).dgamma[1], rel=1e-7)
    assert found["b1_2"] == pytest.approx(step.layers[0].db[1], rel=1e-7)
