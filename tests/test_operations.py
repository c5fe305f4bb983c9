"""The table of operations, and the field `layers`: what it says, how it travels, and what makes no sense in it."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.costs import step_cost
from app.page.links import Link
from app.words.health import advice
from engine import OPERATIONS, Spec, SpecError, advance, evaluate, pack, start, trace, unpack
from engine.arrays import Floats
from engine.health import complaint
from engine.layers import LayerItem, items_from, text_of
from engine.network import Network, layers_of
from engine.operations.base import Call, Cost, Node, Operation, Parameter, Place
from engine.receipts import unit_receipt
from engine.spec import LIMITS
from engine.workspace import Workspace

SHORT = "dense 8 tanh, dense 8 tanh, shortcut 1"
LONG = "dense 2 tanh, shortcut 1, dense 3 relu, dense 3 gelu, shortcut 1, dense 3 elu, shortcut 2"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
def test_an_entry_says_what_it_is(operation: Any) -> None:
    """A sentence for people, a letter for what it gives, and parameters if and only if it has a matrix for them."""
    assert operation.sentence.endswith(".")
    assert len(operation.letter) == bool(operation.letter)
    assert (operation.matrix is None) == (operation.parameters is None)
    assert all(
        option.sentence.endswith(".") and (option.limit or option.choices or option.bounds)
        for option in operation.options
    )


def test_text_json_and_short_form_are_one() -> None:
    """A chain is the same spec however it is told, and tells itself as hidden and activation."""
    plain = Spec.make(hidden=[8, 8], activation="relu")
    for layers in ("dense 8 relu, dense 8 relu", " dense  8 relu,dense 8 relu ",
                   [{"kind": "dense", "units": 8, "activation": "relu"}] * 2, ["dense 8 relu"] * 2):  # fmt: skip
        assert Spec.make(layers=layers) == plain
    told = plain.to_dict()
    assert (told["hidden"], told["activation"], told["layers"]) == ([8, 8], ["relu", "relu"], None)
    assert Spec.make(layers=[]) == Spec.make(hidden=[])
    assert Spec.make(layers="dense 5") == Spec.make(hidden=[5])


def test_a_shortcut_through_json_links_and_bytes() -> None:
    """Nothing of it is lost on the way, nor of the run."""
    spec = Spec.make(layers=LONG)
    told = json.loads(json.dumps(spec.to_dict()))
    assert told["hidden"] is told["activation"] is None
    assert text_of(told["layers"]) == LONG
    assert Spec.make(told) == spec
    link = Link(spec)
    assert link.fields()["layers"] == LONG
    assert {"hidden", "activation"} & set(link.fields()) == set()
    assert Link.parse(link.fields()).spec == spec
    state = advance(start(spec), 20).state
    again = unpack(pack(state))
    assert again.spec == spec
    assert advance(again, 5).state.parameters.tobytes() == advance(state, 5).state.parameters.tobytes()


@pytest.mark.parametrize(
    ("layers", "field", "reason"),
    [
        ("shortcut 1", "layers.0", "right after the layer that it belongs to, one a layer: "),
        ("dense 2, shortcut 1, shortcut 1", "layers.2", "shortcut comes before it"),
        ("dropout 0.5", "layers.0", "no layer comes before it"),
        ("dense 2, dropout 0.5, dropout 0.5", "layers.2", "dropout comes before it"),
        (
            "dense 2, shortcut 1, dropout 0.5",
            "layers.2",
            "one a layer: layer_norm or batch_norm, then dropout, then ",
        ),
        ("dense 4, dropout 1", "layers.1.rate", "a number from 0 to 0.9"),
        ("dense 4, dropout much", "layers.1.rate", "a number from 0 to 0.9"),
        ("dense 4, dropout 0.2.1", "layers.1.rate", "a number from 0 to 0.9"),
        ("dense 8, shortcut 1", "layers.1", "the 2 numbers of the input to the 8 of hidden 1"),
        ("dense 4, dense 5, shortcut 1", "layers.2", "the 4 numbers of hidden 1 to the 5 of hidden 2"),
        ("dense 4, dense 4, shortcut 3", "layers.2", "over at most 2"),
        ("dense 4, dense 4, shortcut 0", "layers.2.over", "from 1"),
        ("dense", "layers.0.units", "a whole number from 1 to 256"),
        ("dense 257", "layers.0.units", "a whole number from 1 to 256"),
        ("dense 4 tangent", "layers.0.activation", "one of identity"),
        ("dense 4 tanh 1", "layers.0", "dense <units> <activation>, and no more"),
        ("convolution 3", "layers.0", "one of dense, conv2d, layer_norm, batch_norm"),
        ("activation tanh", "layers.0", "one of dense, conv2d, layer_norm, batch_norm"),
        ("dense 4,", "layers.1", "one of dense, conv2d, layer_norm, batch_norm"),
        ("", "layers", "a text such as"),
        (5, "layers", "a text such as"),
        ([5], "layers.0", "an object with a kind"),
        ([{"units": 4}], "layers.0.kind", "one of dense, conv2d, layer_norm, batch_norm"),
        ([{"kind": "dense", "units": 4, "rate": 1}], "layers.0.rate", "left out: it is dense <units> <activation>"),
        ([{"kind": "dense", "units": [4]}], "layers.0.units", "a whole number"),
        (", ".join(["dense 1"] * 9), "layers.8", "at most 8 layers"),
        (", ".join(["dense 1"] * 10**5), "layers.8", "at most 8 layers"),
        ("dense 256, dense 256, dense 256", "layers", "smaller"),
    ],
)
def test_what_makes_no_sense_is_refused(layers: Any, field: str, reason: str) -> None:
    """With the item, the reason and, where they do not fit, the shapes."""
    if "smaller" in reason:
        layers += ", shortcut 1"
    with pytest.raises(SpecError) as caught:
        Spec.make(limits=LIMITS, layers=layers)
    assert caught.value.field == field
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["hidden", "activation"])
def test_both_forms_at_once_are_refused(name: str) -> None:
    """One of them would be silently left aside."""
    with pytest.raises(SpecError) as caught:
        Spec.make(layers=SHORT, **{name: [8, 8] if name == "hidden" else "relu"})
    assert caught.value.field == name


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="dense dropout shortcut layer_norm,.0123 tanh", max_size=60))
def test_any_text_is_items_or_a_reason(text: str) -> None:
    """And what is read is written as it is read."""
    try:
        items = items_from(text, 2, LIMITS)
    except SpecError:
        return
    assert items_from(", ".join(item.text for item in items), 2, LIMITS) == items


def test_o_is_a_and_what_was_added() -> None:
    """In the trace, where they differ; above it, o is what is received, and what came back is shared."""
    state = advance(start(Spec.make(layers=LONG)), 3).state
    step = trace(state)
    first, second, third, fourth, output = step.layers
    assert (second.o, output.o) == (None, None)
    assert first.o is not None
    assert third.o is not None
    assert fourth.o is not None
    np.testing.assert_array_equal(first.o, first.a + step.x)
    np.testing.assert_array_equal(third.o, third.a + second.a)
    np.testing.assert_array_equal(fourth.o, fourth.a + second.a)
    assert fourth.gives is step.inputs_of(4)
    np.testing.assert_allclose(third.da, fourth.dz @ fourth.W, rtol=1e-14)
    np.testing.assert_allclose(second.da, third.dz @ third.W + third.da + fourth.da, rtol=1e-13)
    np.testing.assert_allclose(first.dW, first.dz.T @ step.x, rtol=1e-13)


def test_every_forward_pass_sees_the_shortcut() -> None:
    """The one that trains and the one that only looks."""
    state = advance(start(Spec.make(layers=LONG)), 3).state
    step, network = trace(state), state.spec.network
    x = np.vstack([step.x.T, np.ones(len(step.x))])
    for layer, (z, gives) in zip(step.layers, layers_of(network, state.parameters, x), strict=True):
        np.testing.assert_allclose(z.T, layer.z, rtol=1e-13)
        np.testing.assert_allclose(gives[:-1].T, layer.gives, rtol=1e-13)
        assert (gives[-1] == 1).all()
    assert math.isfinite(evaluate(state)["test"].loss or math.nan)


def test_a_chain_needs_no_more_room_than_before() -> None:
    """z, a, da, dz and slope, each with a row for the ones; a shortcut has its o besides, and one block to add from."""
    for layers, more in (("dense 8 tanh, dense 8 tanh", 0), (SHORT, 9 + 9)):
        network = Spec.make(layers=layers).network
        buffers = Workspace(network, np.zeros(network.size), np.zeros(network.size), 10)
        assert buffers.nbytes == 8 * 10 * (5 * (9 + 9 + 2) + more)


def test_a_longer_way_round_costs_more() -> None:
    """The estimate goes by the table, and a shortcut is not free."""
    with_it, without = Spec.make(layers=SHORT), Spec.make(hidden=[8, 8])
    assert with_it.network.cost.activations == without.network.cost.activations + 8
    assert with_it.network.cost.multiplications == without.network.cost.multiplications == without.network.size
    assert step_cost(with_it) > step_cost(without)


def test_an_item_is_a_value() -> None:
    """Hashable, for networks are looked up by them."""
    item = LayerItem("shortcut", (("over", 1),))
    assert {item: 1}[LayerItem("shortcut", (("over", 1),))] == 1
    assert (item.text, item.to_dict()) == ("shortcut 1", {"kind": "shortcut", "over": 1})


def test_a_unit_receipt_adds_up_over_the_shortcuts() -> None:
    """dL/da is what comes over the links and over every shortcut from the unit; o is its a and what was added."""
    step = trace(advance(start(Spec.make(layers=LONG)), 3).state)
    for k in (1, 2, 3, 4):
        told = unit_receipt(step, f"a{k}.2")
        assert told.outgoing is not None
        back = told.outgoing.sum(axis=1) + (0.0 if told.arcs is None else told.arcs.sum(axis=1))
        np.testing.assert_allclose(back, told.da, rtol=1e-12)
        assert (told.arcs is None) == (k != 2)
        assert (told.o is None) == (told.added is None) == (k == 2)
        if told.o is not None:
            np.testing.assert_array_equal(told.o, told.a + told.added)
        np.testing.assert_allclose(told.incoming.sum(axis=1) + told.bias, told.z, rtol=1e-12)


def test_health_knows_a_way_round() -> None:
    """Past a threshold, and with weights of 0, a shortcut still brings a gradient back, and no unit is like another."""
    spec = Spec.make(layers="dense 3 tanh, dense 3 threshold, shortcut 1")
    found = complaint(trace(start(spec)))
    assert found is not None
    assert "hidden 2: it cannot learn" in advice(spec, found)
    still = {"W": [[0.0] * 3] * 3, "b": [0.0] * 3}
    given = [{"W": [[1.0, 0.5], [-0.5, 1.0], [0.2, 0.1]], "b": [0.0] * 3}, still, {"W": [[1.0, 0.5, -1.0]], "b": [0.0]}]
    names = []
    for layers in ("dense 3 tanh, dense 3 tanh", "dense 3 tanh, dense 3 tanh, shortcut 1"):
        found = complaint(trace(start(Spec.make(layers=layers, parameters=given))))
        names.append(found.name if found else "")
    assert names[0] == "zero"
    assert names[1] != "zero"


def _halves(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> tuple[Call, ...]:
    return ((np.multiply, inputs[0][:-1], 0.5, out[:-1]),)


def _halves_back(node: Node, at: Place) -> Iterator[Call]:
    (into,) = at.into
    if into is not None:
        yield np.multiply, at.d_out, 0.5, into


def _scaled(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterator[Call]:
    yield np.multiply, inputs[0][:-1], matrix[0][:, None], out[:-1]
    yield np.add, out[:-1], matrix[1][:, None], out[:-1]


def _scaled_back(node: Node, at: Place) -> Iterator[Call]:
    (into,) = at.into
    yield lambda dn, z, out: np.copyto(out, (dn * z).sum(axis=1)), at.d_out[:-1], at.inputs[0][:-1], at.gradient[0]
    yield lambda dn, out: np.copyto(out, dn.sum(axis=1)), at.d_out[:-1], at.gradient[1]
    if into is not None:
        yield np.multiply, at.d_out[:-1], at.matrix[0][:, None], into[:-1]


def test_what_is_attached_may_have_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand after those of all layers, have addresses and first values, are free of penalties, and are found by
    the passes, forwards and back."""
    scale = Operation(
        "scale", "Scale", "h", "Scales all.", (), lambda node, inputs: inputs[0],
        lambda node, inputs: Cost(0, inputs[0]), _scaled, _scaled_back, lambda node, inputs: (2, inputs[0]),
        lambda node, inputs: (Parameter("gamma", (inputs[0],), 0, (1,), first=1.0),
                              Parameter("beta", (inputs[0],), inputs[0], (1,))), rank=2,
    )  # fmt: skip
    monkeypatch.setitem(OPERATIONS, "scale", scale)
    units, tanh = (("units", 3),), (("function", "tanh"),)
    nodes = (
        Node("dense", 1, (0,), units), Node("activation", 1, (1,), tanh), Node("scale", 1, (2,)),
        Node("dense", 2, (3,), units), Node("activation", 2, (4,), tanh),
    )  # fmt: skip
    network, rng = Network(2, nodes, "squared_error"), np.random.default_rng(0)
    assert network.offsets == (0, 9, 21, 27)
    last = ["b2.3", *(f"{name}1.{j}" for name in ("gamma", "beta") for j in (1, 2, 3))]
    assert list(network.addresses())[-7:] == last
    assert [network.locate(address) for address in network.addresses()] == list(range(network.size))
    assert network.is_weight[21:].sum() == 0
    assert "beta<layer>.<unit>" in network.address_form
    parameters, gradient = rng.normal(size=(2, network.size))
    first = network.flatten(network.layers(parameters))
    assert (first[:21] == parameters[:21]).all()
    assert first[21:].tolist() == [1.0] * 3 + [0.0] * 3
    x, y = np.vstack([rng.normal(size=(2, 5)), np.ones((1, 5))]), rng.normal(size=(3, 5))
    passes = Workspace(network, parameters, gradient, 5)
    passes.forward(x)
    passes.backward(x, y)
    assert_central_differences(passes, parameters, gradient.copy(), x, y)
    *_, (_, outputs) = layers_of(network, parameters, x)
    np.testing.assert_array_equal(outputs[:-1], passes.forward(x))


def assert_central_differences(passes: Workspace, parameters: Floats, found: Floats, x: Floats, y: Floats) -> None:
    """Every gradient against reruns."""
    step = 1e-6
    for i in range(len(parameters)):
        losses = []
        for way in (step, -step):
            parameters[i] += way
            passes.forward(x)
            losses.append(passes.loss(y))
            parameters[i] -= way
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(found[i], rel=1e-6, abs=1e-9)


def test_one_more_entry_is_all_that_the_passes_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that is nowhere but in the table: after an activation, and what it gives is used twice."""
    half = Operation(
        "half", "Half", "o", "Halves all.", (), lambda node, inputs: inputs[0], lambda node, inputs: Cost(0, inputs[0]),
        _halves, _halves_back,
    )  # fmt: skip
    monkeypatch.setitem(OPERATIONS, "half", half)
    units, tanh = (("units", 3),), (("function", "tanh"),)
    nodes = (
        Node("dense", 1, (0,), units), Node("activation", 1, (1,), tanh), Node("half", 1, (2,)),
        Node("dense", 2, (3,), units), Node("activation", 2, (4,), tanh), Node("shortcut", 2, (5, 3)),
        Node("dense", 3, (6,), units), Node("activation", 3, (7,), tanh),
    )  # fmt: skip
    network, rng = Network(2, nodes, "squared_error"), np.random.default_rng(0)
    parameters, gradient = rng.normal(size=(2, network.size))
    x, y = np.vstack([rng.normal(size=(2, 5)), np.ones((1, 5))]), rng.normal(size=(3, 5))
    passes = Workspace(network, parameters, gradient, 5)
    passes.forward(x)
    passes.backward(x, y)
    assert_central_differences(passes, parameters, gradient.copy(), x, y)
    assert network.cost.activations == 3 + 3 + 3 + 3 + 3
