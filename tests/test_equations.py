"""Every equation that people are told, evaluated on a step's own numbers, gives that step's number."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from drawn import traces
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    ACTIVATIONS,
    LOSSES,
    OPERATIONS,
    OPTIMIZERS,
    PENALTIES,
    Quantity,
    Spec,
    Trace,
    advance,
    apply,
    start,
    trace,
)
from engine.equation import Equation, Number, Product, Tree, axes_of, f, mapped, parts, solved, tree
from engine.equations import Equations
from engine.lookup import Numbers
from engine.session import frozen_mask

PAIRS = [
    (output, loss) for output, loss in product(ACTIVATIONS, LOSSES) if not LOSSES[loss].refuses(ACTIVATIONS[output])
]


def spec_of(output: str, loss: str, n: int = 0) -> Spec:
    """A small spec with that pair; hidden activations, optimizer and penalty go round with n."""
    names = sorted(ACTIVATIONS)
    return Spec.make(
        dataset="three_blobs" if output == "softmax" else "circle",
        samples=24,
        hidden=[3, 2],
        activation=[names[n % len(names)], names[(n // 2) % len(names)]],
        output_activation=output,
        loss=loss,
        optimizer=sorted(OPTIMIZERS)[n % len(OPTIMIZERS)],
        regularization=sorted(PENALTIES)[n % len(PENALTIES)],
        regularization_rate=0.1,
        batch_size=5,
        initializer="normal",
        seed=n,
    )


def of_layer(made: Equations, k: int, j: Any, i: Any, n: Any) -> Iterator[Equation]:
    """Every equation about a unit, or with letters about a whole layer."""
    yield from (made.product(k, j, i, n), made.sum(k, j, n), made.bias(k, j, n), made.z(k, j, n))
    yield from (made.a(k, j, n), made.a(k, j, n, stable=True))
    if k in made.network.norms:
        back = (made.bent, made.dxhat)
        yield from (each(k, j, n) for each in (made.mean, made.spread, made.xhat, made.n, *back))
        yield from (*made.ways(k, j, n), made.dgamma(k, j), made.dbeta(k, j))
    yield from (made.attached(letter, k, j, n) for letter in made.network.attached(k))
    to = j if k == made.last or isinstance(j, int) else "i"
    yield from (made.came(letter, k, to, n) for letter in "a" + made.network.behind(k))
    yield from (made.product_back(k, j, i, n), made.dz(k, j, n), made.dW(k, j, i), made.db(k, j))
    if made.activation(k).derivative:
        yield made.slope(k, j, n)
    if made.penalty_name:
        yield from (made.pull(k, j, i), made.pulled(k, j, i))


def equations(step: Trace, whole: bool) -> Iterator[Equation]:
    """All of a step: of each unit on each example, or of each layer with letters."""
    made = Equations.of(step)
    yield from (made.loss(), made.loss(stable=True))
    if step.spec.penalized:
        yield made.penalty()
    for k in range(1, made.last + 1):
        if whole:
            yield from of_layer(made, k, "j", "i", "n")
            continue
        for j, i, n in product(made.units(k), made.units(k - 1), range(made.count)):
            yield from of_layer(made, k, j, i, n)


def letters(step: Trace, of: Quantity) -> dict[str, Any]:
    """Numbers for a quantity's letters, an axis each."""
    sizes = step.spec.network.sizes
    places: dict[str, Any] = {}
    axes = axes_of(of)
    for place, letter in enumerate(axes):
        count = len(step.x)
        values = np.arange(count)
        if letter != "n":
            above = of.index.index(letter) == 0
            values = np.arange(1, sizes[of.layer if above else of.layer - 1] + 1)
        places[letter] = values.reshape([-1 if axis == place else 1 for axis in range(len(axes))])
    return places


def bounded(step: Trace, of: Quantity) -> bool:
    """Whether a number is one that the engine keeps from 0 or from overflow, which the textbook's formula does not."""
    last = step.layers[-1]
    sure = step.spec.loss in ("binary_cross_entropy", "cross_entropy") and (
        (np.abs(last.a - 0.5) > 0.5 - 1e-9).any() or (np.abs(last.z) > 30).any()
    )
    return bool(sure) and (of.kind == "loss" or (of.kind == "da" and of.layer == len(step.layers)))


def far(found: Any, theirs: Any) -> float:
    """The largest difference, relative to the largest number."""
    a, b = np.broadcast_arrays(np.asarray(found, float), np.asarray(theirs, float))
    largest = max(float(np.abs(b).max(initial=0.0)), 1e-3)
    return float(np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b)).max(initial=0.0)) / largest


def wrong(step: Trace, whole: bool = False) -> list[tuple[str, float]]:
    """The equations of a step that do not give its numbers."""
    numbers, found = Numbers(step), []
    with np.errstate(all="ignore"):
        for equation in equations(step, whole):
            at = letters(step, equation.target) if whole else {}
            if bounded(step, equation.target):
                continue
            difference = far(solved(equation, numbers, at), numbers(equation.target, at))
            if not difference <= 1e-12:  # so that one which is not a number is found, too
                found.append((str(equation.target), difference))
    return found


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_pair_of_loss_and_output(output: str, loss: str) -> None:
    """Unit by unit and layer by layer, whatever lies below."""
    for n in range(2):
        state = advance(start(spec_of(output, loss, n + 3 * PAIRS.index((output, loss)))), 2).state
        for example in (None, 3):
            step = trace(state, example)
            assert not wrong(step)
            assert not wrong(step, whole=True)


@settings(max_examples=40, deadline=None)
@given(traces())
def test_any_step(step: Trace) -> None:
    """Random networks, batches and settings."""
    assert not wrong(step)
    assert not wrong(step, whole=True)


@settings(max_examples=40, deadline=None)
@given(traces(shortcuts=True))
def test_any_step_with_shortcuts(step: Trace) -> None:
    """What is added, and what comes back over several ways."""
    assert not wrong(step)
    assert not wrong(step, whole=True)


@pytest.mark.parametrize("example", [None, 3])
def test_a_step_with_batch_norm(example: int | None) -> None:
    """On the batch, and on one example inside it; a sum over the examples of a batch is one over letters, too."""
    spec = Spec.make(
        layers="dense 4 tanh, batch_norm, dense 3 softmax, batch_norm, shortcut 2", features=["x1", "x2", "x1x2"]
    )
    step = trace(advance(start(spec), 5).state, example)
    assert not wrong(step)
    assert not wrong(step, whole=True)


@pytest.mark.parametrize("planted", ["forward", "backward"])
def test_a_wrong_shortcut_would_be_seen(planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes away in place of adding, and one that brings nothing back."""
    step = trace(start(Spec.make(layers="dense 3 tanh, dense 3 tanh, shortcut 1, dense 3 tanh, shortcut 2")))
    assert not wrong(step, whole=True)
    if planted == "forward":
        entry = replace(OPERATIONS["shortcut"], equation=lambda node, inputs: inputs[0] - inputs[1])
        monkeypatch.setitem(OPERATIONS, "shortcut", entry)
    else:
        monkeypatch.setattr(type(step.spec.network), "arcs", lambda network, layer: [])
    assert {name for name, _ in wrong(step, whole=True)} == ({"o2.j", "o3.j"} if planted == "forward" else {"da1.i"})


def updated(step: Trace, of: Quantity) -> float:
    """How far the optimizer's lines, one after the other, are from the parameter's next value."""
    numbers, made = Numbers(step), Equations.of(step)
    known: dict[Quantity, Any] = {}
    found: Any = None
    for line in made.update(of):
        found = solved(line, lambda quantity, at: known[quantity] if quantity in known else numbers(quantity, at))
        known[of if line.target.kind == f"{of.kind}_next" else line.target] = found
    return far(found, numbers(of.like(f"{of.kind}_next")))


@settings(max_examples=60, deadline=None)
@given(traces(), st.integers(0, 10**6))
def test_the_optimizers_lines_give_the_next_value(step: Trace, seed: int) -> None:
    """Of every rule that is one, for parameters that may move."""
    network = step.spec.network
    index = seed % network.size
    if OPTIMIZERS[step.spec.optimizer].search or frozen_mask(step.spec)[index]:
        return
    assert updated(step, Quantity.parse(network.address(index))) < 1e-11


def mutants(of: Tree, even: bool = False) -> Iterator[Tree]:
    """The tree with one sign or one operator changed; `even`: in a square or a size, where the sign is all one."""
    if not even and (parts(of) or (isinstance(of, Number) and of.value)):
        yield -of
    if isinstance(of, Product) and len(of.factors) > 1 and not isinstance(of.factors[0], Number):
        yield of.factors[0] + Product(of.factors[1:], of.over)
    if isinstance(of, Product) and of.over:
        yield Product((*of.factors, *of.over))
    for place, part in enumerate(parts(of)):
        for changed in mutants(part, getattr(of, "function", "") in ("square", "abs")):
            yield swapped(of, place, changed)


def swapped(of: Tree, place: int, part: Tree) -> Tree:
    """The tree with another part at a place."""
    if isinstance(of, Product):
        every = [*of.factors, *of.over]
        every[place] = part
        return Product(tuple(every[: len(of.factors)]), tuple(every[len(of.factors) :]))
    if hasattr(of, "body"):
        return replace(of, body=part)
    name = "terms" if hasattr(of, "terms") else "arguments"
    every = list(getattr(of, name))
    every[place] = part
    return replace(of, **{name: tuple(every)})


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"threshold"}))
def test_a_wrong_activation_would_be_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sign, operator and bracket of an entry, changed, makes an equation false."""
    entry = ACTIVATIONS[name]
    output, loss = ("softmax", "squared_error") if name == "softmax" else ("tanh", "squared_error")
    hidden = name if name != "softmax" else "tanh"
    spec = Spec.make(spec_of(output, loss).to_dict(), activation=hidden)
    steps = [trace(start(replace(spec, seed=seed))) for seed in range(3)]
    survived = []
    for field in ("tree", "slope"):
        for changed in mutants(getattr(entry, field)):
            monkeypatch.setitem(ACTIVATIONS, name, replace(entry, **{field: changed}))
            if not any(wrong(step, whole=True) for step in steps):
                survived.append((field, changed))
    assert not survived


@pytest.mark.parametrize("name", LOSSES)
def test_a_wrong_loss_would_be_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of every loss and its slope, and of what it is together with its output."""
    entry = LOSSES[name]
    output = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(name, "identity")
    states = [start(spec_of(output, name, n)) for n in (0, 3, 6)]
    steps = [trace(state) for state in (*states, apply(states[0], "b3.1", 2.0))]
    survived = []
    for field in ("tree", "slope"):
        for changed in mutants(getattr(entry, field)):
            monkeypatch.setitem(LOSSES, name, replace(entry, **{field: changed}))
            if not any(wrong(step, whole=True) for step in steps):
                survived.append((field, changed))
    assert not survived


def test_trees_keep_numbers_in_front() -> None:
    """Products are flat, ones fall away, and taking away is adding what is turned round."""
    x = tree(Quantity("x"))
    assert 1.0 * x == x
    turned = -x
    assert -turned == x
    assert 2.0 * (3.0 * x) == 6.0 * x
    assert x / (x * x) == Product((x,), (x, x))
    assert mapped(1.0 - f("square", x), lambda _: Number(3.0)) == 1.0 - f("square", Number(3.0))
