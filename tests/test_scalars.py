"""One example of a step as the graph of its scalars: every number and every gradient is the walkthrough's."""

import pytest

from engine import ACTIVATIONS, LOSSES, Graph, Spec, SpecError, Trace, advance, graph_of, start, trace
from engine.language import NODES
from engine.lookup import Numbers
from engine.quantity import Quantity
from engine.scalars import STRONGEST, largest_graph_of, name_in_graph

SHAPES = {
    "the default": {},
    "shortcut and dropout": {"layers": "dense 3 tanh, dropout 0.3, dense 3 gelu, shortcut 1"},
    "classes": {"dataset": "three_blobs", "hidden": (3,)},
    "a sigmoid": {"dataset": "xor", "loss": "binary_cross_entropy", "output_activation": "sigmoid"},
}


def traced(example: int = 3, steps: int = 20, **fields: object) -> Trace:
    return trace(advance(start(Spec.make(**fields)), steps).state, example)


def same(of: Graph, step: Trace) -> int:
    """Whatever of the graph has an address has the trace's number and gradient; how many there are."""
    look, found = Numbers(step), 0
    network = step.spec.network
    names = {name_in_graph(each): each for each in map(Quantity.parse, network.addresses())}
    for k in range(1, len(network.sizes)):
        for j in range(1, network.sizes[k] + 1):
            names |= {name_in_graph(Quantity(kind, k, (j,), 0)): Quantity(kind, k, (j,), 0) for kind in "zaho"}
    for place, vertex in enumerate(of.vertices):
        if (of_step := names.get(vertex.name)) is None:
            continue
        assert of.data[place] == pytest.approx(float(look(of_step)), rel=1e-12, abs=1e-12), vertex.name
        given = vertex.kind == "input" and not of_step.is_parameter  # in a part: other ways lead to it, too
        if of.ways[place] and not given and (of_step.is_parameter or of_step.kind in "za"):
            slope = float(look(of_step.like("d" + of_step.kind)))
            assert of.grad[place] == pytest.approx(slope, rel=1e-12, abs=1e-12), vertex.name
            found += 1
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_a_network_as_a_graph_has_the_gradients_of_its_trace(shape: str) -> None:
    """Of every parameter, every z and every a; the output is the loss."""
    step = traced(**SHAPES[shape])
    made = graph_of(step)
    assert made.vertices[made.output].name == "L"
    assert made.data[made.output] == pytest.approx(step.loss, rel=1e-12)
    hidden = sum(step.spec.network.sizes[1:])
    assert same(made, step) >= step.spec.network.size + hidden


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_in_the_language(name: str) -> None:
    """Hidden, in the whole and in a unit's part."""
    step = traced(layers=f"dense 3 {name}, dense 2 tanh")
    assert same(graph_of(step), step) >= step.spec.network.size
    assert same(graph_of(step, "a1.2"), step) >= 4


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_in_the_language(name: str) -> None:
    """With the output that it asks for, on a task that it judges."""
    dataset = "three_blobs" if name == "cross_entropy" else "xor"
    step = traced(dataset=dataset, loss=name, hidden=(3,))
    made = graph_of(step)
    assert made.data[made.output] == pytest.approx(step.loss, rel=1e-12)
    assert same(made, step) >= step.spec.network.size


def test_a_units_part_has_the_gradients_of_the_whole() -> None:
    """Of every unit: hidden ones end in what comes back to them, an output in the loss."""
    for fields in SHAPES.values():
        step = traced(**fields)
        for k, size in enumerate(step.spec.network.sizes[1:], 1):
            for j in range(1, size + 1):
                made = graph_of(step, Quantity("a", k, (j,)))
                assert same(made, step) >= step.spec.network.sizes[k - 1] + 2
                assert (made.data[made.output] == pytest.approx(step.loss)) == (k == len(step.layers)) or k == 1


def test_what_is_too_large_is_told_of_its_unit() -> None:
    """The whole is refused by its size; a unit with very many links has the strongest, and the rest as one number."""
    step = traced(dataset="digits16", hidden=(8,), steps=3)
    with pytest.raises(SpecError, match="unit"):
        graph_of(step)
    made = largest_graph_of(step, "W1.2.7")
    assert len(made.vertices) <= NODES
    assert sum(vertex.kind == "mul" for vertex in made.vertices) == STRONGEST + 1
    assert same(made, step) >= STRONGEST + 3
    assert largest_graph_of(step).vertices[-1].name == "L"


@pytest.mark.parametrize(("unit", "field"), [("a9.1", "unit"), ("a1.99", "unit"), ("x", "unit"), ("a1", "unit")])
def test_what_is_no_unit_is_named(unit: str, field: str) -> None:
    """With what is allowed; so is a trace of more than one example."""
    with pytest.raises(SpecError) as found:
        graph_of(traced(), unit)
    assert found.value.field == field
    with pytest.raises(SpecError, match="trace"):
        graph_of(trace(start(Spec.make())))
    with pytest.raises(SpecError, match="trace"):
        graph_of("a")  # type: ignore[arg-type]


def test_the_formula_of_a_unit_is_read_as_it_is_told() -> None:
    """In the names of the addresses."""
    made = graph_of(traced(dataset="three_blobs", hidden=(3,)), "a2.1")
    assert "z2_1 = sum([W2_1_1*a1_1, W2_1_2*a1_2, W2_1_3*a1_3, b2_1])" in made.source
    assert "t2_1 = exp(z2_1)" in made.source
    assert made.data[made.output] > 0
