"""Normalizations: what they compute, the three ways back through them, and how all of that is told."""

import json
import re
from dataclasses import replace

import autograd.numpy as anp
import numpy as np
import pytest
import textbook
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st

from app.explain.receipts import receipt
from app.explain.walkthrough import known, walkthrough
from app.explain.why import Curves, why_of
from app.page.links import Link
from app.run.backprop import backprop, spec_of
from app.run.backprop_body import BackpropBody
from app.settings import Settings
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
    predict,
    start,
    trace,
    unpack,
)
from engine.edits import replay
from engine.network import Network, layers_of
from engine.operations.base import Node, Place
from engine.paths import paths
from engine.probes import check_all, nudge, slice_, wishes
from engine.program import program
from engine.receipts import parameter_receipt, unit_receipt
from engine.scalars import graph_of
from engine.session import next_batch
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


@pytest.mark.parametrize("name", ["layer_norm", "batch_norm"])
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
        items += draw(st.sampled_from([["layer_norm"], ["batch_norm"], []]))
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


MIXED = "dense 5 tanh, batch_norm, dense 5 relu, batch_norm, dropout 0.2, shortcut 1, dense 3 softmax, layer_norm"


def test_running_statistics_are_a_runs_own() -> None:
    """At once or in parts, through bytes and by replaying: the same bits; a start has means of 0 and variances of 1."""
    state = ready(MIXED, 30)
    spec = state.spec
    assert start(spec).running.tolist() == ([0.0] * 5 + [1.0] * 5) * 2
    parts = start(spec)
    for count in (1, 12, 17):
        parts = unpack(pack(advance(parts, count).state))
    assert parts == state
    assert parts.running.tobytes() == state.running.tobytes()
    assert replay(start(spec), (), 30) == state
    assert state.running.any()
    assert replace(state, running=state.running * 2) != state
    plain = ready("dense 4 tanh", 3)
    assert plain.running.size == 0
    assert unpack(pack(plain)) == plain


def test_running_statistics_go_towards_the_batchs() -> None:
    """A tenth of the way, the variance without bias; not by a batch of one, and not by what only looks."""
    state = ready(MIXED, 3, batch_size=8)
    step, norm = trace(state), norm_of(trace(state))
    assert norm.running is not None
    assert norm.running_next is not None
    z = step.layers[0].z
    np.testing.assert_allclose(norm.running_next[0], 0.9 * norm.running[0] + 0.1 * z.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(norm.running_next[1], 0.9 * norm.running[1] + 0.1 * z.var(axis=0, ddof=1), rtol=1e-9)
    assert advance(state, 1).state.running.tobytes() == step.running_next.tobytes()
    check_all(state)
    evaluate(state)
    assert trace(state).running.tobytes() == state.running.tobytes()
    alone = apply(state, "batch_size", 1)
    assert advance(alone, 1).state.running.tobytes() == alone.running.tobytes()
    tried = ready("dense 3 tanh, batch_norm", 2, optimizer="trial_and_error")
    assert advance(tried, 1).state.running.tobytes() == trace(tried).running_next.tobytes()


def test_running_statistics_evaluate_as_published() -> None:
    """CS231n's notebook on batch normalization, fifty training passes and one in test mode: the means and deviations
    that it prints. Its running variance begins at 0 and is that of a batch as it is, with the bias."""
    rng = np.random.RandomState(231)
    first, second = rng.randn(50, 60), rng.randn(60, 3)
    eye = {"W": np.eye(3), "b": np.zeros(3)}
    layers = [eye | {"gamma": np.ones(3), "beta": np.zeros(3)}, eye]
    running = np.zeros(6)
    for _ in range(51):
        a = np.maximum(0, rng.randn(200, 50) @ first) @ second
        spec = Spec.make(
            data={"x": a, "y": np.zeros((200, 3)), "task": "regression"}, scaling="none", test_share=0, batch_size=200,
            layers="dense 3 identity, batch_norm", output_activation="identity", parameters=layers,
        )  # fmt: skip
        state = replace(start(spec), running=running)
        running = advance(state, 1).state.running
    as_theirs = np.concatenate([state.running[:3], state.running[3:] * 199 / 200])
    told = predict(replace(state, running=as_theirs), a)
    np.testing.assert_allclose(told.mean(axis=0), [-0.03927354, -0.04349152, -0.10452688], atol=5e-9)
    np.testing.assert_allclose(told.std(axis=0), [1.01531428, 1.01238373, 0.97819988], atol=5e-9)


def test_who_evaluates_takes_the_running_ones() -> None:
    """So an example's prediction is its own, whatever comes with it."""
    state = ready("dense 5 tanh, batch_norm, dense 4 relu, batch_norm", 60)
    rows = [[0.5, -1.0], [3.0, 2.0], [-2.0, 0.3]]
    together = predict(state, rows)
    np.testing.assert_allclose([predict(state, [row])[0] for row in rows], together, rtol=1e-12)
    (mean, variance), layer = (
        state.spec.network.running_of(state.running)[1],
        state.spec.network.layers(state.parameters)[0],
    )
    gamma, beta = (state.spec.network.named(state.parameters)[name] for name in ("gamma1", "beta1"))
    z = np.array(rows) @ layer[0].T + layer[1]
    x = np.vstack([np.array(rows).T, np.ones(3)])
    first = next(layers_of(state.spec.network, state.parameters, x, state.running))[1][:-1].T
    np.testing.assert_allclose(first, np.tanh(gamma * (z - mean) / np.sqrt(variance + 1e-5) + beta), rtol=1e-12)


def test_an_example_is_shown_inside_its_batch() -> None:
    """First of it, with the batch's statistics and gradient; one from elsewhere takes the first one's place."""
    state = ready(MIXED, 5)
    batch = next_batch(state)
    inside = trace(state, int(batch[3]))
    assert inside.examples[0] == batch[3]
    assert sorted(inside.examples) == sorted(batch)
    np.testing.assert_allclose(inside.gradient, trace(state).gradient, rtol=1e-9, atol=1e-14)
    outside = next(n for n in range(300) if n not in batch)
    assert trace(state, outside).examples.tolist() == [outside, *batch[1:]]
    assert check_all(state).passed
    assert check_all(state, outside).passed
    assert nudge(state, "gamma2.3", example=int(batch[2])).agrees


def test_its_walk_receipts_and_wishes_are_the_batchs() -> None:
    """All grains; receipts add up; what examples want adds up to the gradient; ways and graphs say why not."""
    state = ready(MIXED, 5)
    step = trace(state, 3)
    for grain in ("operation", "unit", "layer", "pass"):
        walk = walkthrough(step, grain)
        assert all(text_of(walk[n].words) and walk[n].numbers for n in range(len(walk)))
    spread = next(m for m in walkthrough(step, "unit") if m.kind == "spread")
    assert "over the 7 examples" in text_of(spread.words)
    three = next(m for m in walkthrough(step, "operation") if m.kind == "three_ways" and m.layer == 1)
    assert "all examples of the batch" in text_of(three.words)
    for address in ("gamma1.2", "a1.2", "W1.1.1", "a2.3"):
        assert receipt(step, address).lines
    told = parameter_receipt(step, "gamma2.1")
    assert float(told.deltas @ told.carried) == pytest.approx(told.gradient, rel=1e-9, abs=1e-15)
    found = wishes(state)
    np.testing.assert_allclose(found.gradients.mean(axis=0), found.mean, rtol=1e-8, atol=1e-13)
    for ask in (lambda: paths(step, "W1.1.1"), lambda: graph_of(step)):
        with pytest.raises(SpecError, match="batch"):
            ask()


def test_the_program_of_a_batch_norm_is_the_step() -> None:
    """Its text, run, gives the step's deltas and next parameters."""
    step = trace(ready(MIXED, 5))
    names = program(step).run()
    for k, layer in enumerate(step.layers, 1):
        np.testing.assert_allclose(names[f"dz{k}"], layer.dz, rtol=1e-8, atol=1e-14)
        np.testing.assert_allclose(names[f"W{k}_next"], layer.W_next, rtol=1e-9)
        if layer.norm:
            np.testing.assert_allclose(names[f"gamma_{k}_next"], layer.norm.gamma_next, rtol=1e-9)


@pytest.mark.parametrize("name", ["layer_norm", "batch_norm"])
def test_backprop_takes_it(name: str) -> None:
    """With its gains and shifts, of a mean or a sum of losses; not at the output, and of the right number."""
    hidden = {"W": [[0.5, -0.2], [0.1, 0.4], [0.2, 0.3]], "activation": "tanh", name: {"gamma": [1, 2, 0.5]}}
    output = {"W": [[0.3, -0.6, 0.2]]}
    given = {"layers": [hidden, output], "x": [[1, 2], [0.5, -1], [2, 0]], "y": [[1], [0], [1]]}
    bodies = (BackpropBody(**given, reduction=reduction) for reduction in ("mean", "sum"))
    mean, total = (backprop(body, spec_of(body, Settings()))["layers"][0]["norm"] for body in bodies)
    assert mean["gamma"].tolist() == [1, 2, 0.5]
    assert mean["beta"].tolist() == [0, 0, 0]
    np.testing.assert_allclose(total["dgamma"], 3 * mean["dgamma"], rtol=1e-9)
    np.testing.assert_allclose(total["gamma_next"], mean["gamma"] - 0.03 * total["dgamma"], rtol=1e-12)
    for layers, field in (
        ([hidden | {name: {"beta": [1]}}, output], f"layers.0.{name}.beta"),
        ([hidden, output | {name: {}}], f"layers.1.{name}"),
        ([hidden | {"layer_norm": {}, "batch_norm": {}}, output], "layers.0"),
    ):
        with pytest.raises(SpecError) as caught:
            spec_of(BackpropBody(**given | {"layers": layers}), Settings())
        assert caught.value.field.startswith(field)


@pytest.mark.parametrize("name", ["layer_norm", "batch_norm"])
def test_why_draws_both_distributions_and_the_three_ways(name: str) -> None:
    """A line from each z to its n, on one scale; bars as long as each way brings, the last their sum."""
    step = trace(ready(f"dense 4 tanh, {name}, dense 3 tanh"), 3)
    walk = walkthrough(step, "unit")
    for moment in walk:
        drawn = [each.picture for each in why_of(walk.scene, moment) if isinstance(each.picture, Curves)]
        if moment.kind in ("norm", "three_ways"):
            norm, j = step.layers[moment.layer - 1].norm, moment.units[0] - 1
            assert norm is not None
        if moment.kind == "norm":
            z = step.layers[moment.layer - 1].z
            before, after = (z[0], norm.n[0]) if name == "layer_norm" else (z[:, j], norm.n[:, j])
            ends = re.findall(r"M([\d.]+) 34V28M\1 34L([\d.]+) 92V98", drawn[0].curve)
            scale = 52 / np.abs([before, after]).max()
            found = (np.array(ends, dtype=float) - 60) / scale
            assert np.allclose(found.T, [before, after], atol=0.1 / scale)
            own = j if name == "layer_norm" else 0
            assert drawn[0].line == "M{0} 34V28M{0} 34L{1} 92V98".format(*ends[own])
            assert drawn[0].point == pytest.approx((float(ends[own][1]), 98), abs=0.06)
        if moment.kind == "three_ways":
            bars = re.findall(r"M(\d+) ([\d.]+)h20V([\d.]+)", drawn[0].curve)
            heights = np.array([(float(low), float(high)) for _, low, high in bars])
            ways = [float(each[0, j]) for each in (norm.dz_own, norm.dz_mean, norm.dz_spread)]
            scale = 42 / np.abs(np.cumsum(ways)).max()  # upwards is more
            assert np.allclose((heights[:, 0] - heights[:, 1]) / scale, [*ways, sum(ways)], atol=0.11 / scale)
            assert list(heights[1:3, 0]) == list(heights[:2, 1])
            assert list(heights[3]) == [60.0, heights[2, 1]]
            names = [text for x, _, text in sorted(drawn[0].labels)]
            assert names == ["x̂", "μ", "σ", "δ"]
            assert all(0 < x - float(bar[0]) < 20 for (x, _, _), bar in zip(sorted(drawn[0].labels), bars, strict=True))
