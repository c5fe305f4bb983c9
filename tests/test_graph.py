"""Formulas as graphs: every number and gradient against autograd, central differences and published ones."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad as autograd_of
from micrograd.engine import Value

from engine import Graph, SpecError, graph
from engine.equation import value
from engine.language import CALLED, DEPTH, NODES, SourceError, Vertex
from engine.primitives import PRIMITIVES

NAMES = ("a", "b", "c", "d", "e")
KINKED = ("relu", "abs", "max", "min", "choose")
AUTOGRAD = {
    "exp": anp.exp, "log": anp.log, "sqrt": anp.sqrt, "sin": anp.sin, "cos": anp.cos, "tanh": anp.tanh,
    "sigmoid": lambda x: 1 / (1 + anp.exp(-x)), "relu": lambda x: anp.maximum(x, 0.0),
    "softplus": lambda x: anp.log(1 + anp.exp(x)), "abs": anp.abs, "max": anp.maximum, "min": anp.minimum,
    "choose": lambda a, b, yes, no: anp.where(a > b, yes, no),
}  # fmt: skip
DRAWN = 300
FINE = np.finfo(np.longdouble).eps < 1e-18  # not everywhere has a number more than 53 bits


def expression(rng: np.random.Generator, depth: int) -> str:
    """A formula that has a value everywhere: what goes into log, sqrt and a division is kept above 0."""
    if depth == 0 or rng.random() < 0.1:
        return str(rng.choice(NAMES)) if rng.random() < 0.8 else f"{rng.uniform(0.2, 2):.2f}"

    def part() -> str:
        return expression(rng, depth - 1)

    made = [
        lambda: f"({part()} + {part()})",
        lambda: f"({part()} - {part()})",
        lambda: f"{part()} * {part()}",
        lambda: f"{part()} / (0.7 + tanh({part()})**2)",
        lambda: f"(-{part()})",
        lambda: f"tanh({part()})**{rng.integers(2, 5)}",
        lambda: f"(1.2 + sin({part()}))**{rng.choice(NAMES)}",
        lambda: f"exp(-(tanh({part()}))**2)",
        lambda: f"log(1.1 + tanh({part()})**2)",
        lambda: f"sqrt(0.6 + sin({part()})**2)",
        lambda: f"max({part()}, {part()})",
        lambda: f"min({part()}, {part()})",
        lambda: f"choose({part()}, {part()}, {part()}, {part()})",
        *(
            (lambda name=name: f"{name}({part()})")
            for name in ("sin", "cos", "tanh", "sigmoid", "relu", "softplus", "abs")
        ),
    ]
    return made[int(rng.integers(len(made)))]()


def gap(made: Graph, vertex: Vertex) -> float:
    """How far a vertex is from its kink: of what it compares, or of 0."""
    left, right = (*(float(value(each, made.look)) for each in vertex.of[:2]), 0.0)[:2]
    return abs(left - right)


def drawn(number: int) -> tuple[str, dict[str, float]]:
    """A formula and values at which no kink is near."""
    rng = np.random.default_rng(number)
    while True:
        source = expression(rng, 4)
        values = {name: float(rng.uniform(-1.5, 1.5)) for name in NAMES if name in set(source)}
        try:
            made = graph(source, given(source, values))
        except SpecError:
            continue
        gaps = [gap(made, vertex) for vertex in made.vertices if vertex.kind in KINKED]
        if len(made.operations) > 1 and min(gaps, default=1.0) > 1e-2 and np.abs(made.data).max() < 1e3:
            return source, dict(made.values)


def given(source: str, values: dict[str, float]) -> dict[str, float]:
    """The values of the names that a formula has."""
    try:
        graph(source, {})
    except SpecError as error:
        if not error.field.startswith("values."):
            raise
    return {name: values[name] for name in NAMES if re.search(rf"\b{name}\b", source)}


@pytest.mark.parametrize("number", range(DRAWN))
def test_gradients_are_autograds_and_central_differences(number: int) -> None:
    """To 1e-10 of autograd's, and of central differences, which are taken with more digits where there are some."""
    source, values = drawn(number)
    made, names = graph(source, values), list(values)

    def function(*numbers: float) -> float:
        return eval(source, {"__builtins__": {}}, AUTOGRAD | dict(zip(names, numbers, strict=True)))

    numbers = [values[name] for name in names]
    assert made.data[made.output] == pytest.approx(float(function(*numbers)), rel=1e-12)
    for place, name in enumerate(names):
        mine = made.grad[made.place_of(name)]
        assert mine == pytest.approx(float(autograd_of(function, place)(*numbers)), rel=1e-10, abs=1e-10)
        step, near = (np.longdouble(1e-4), 1e-10) if FINE else (np.longdouble(1e-3), 1e-5)
        # five points: the error goes with the fourth power of the step
        ends = made.along(made.place_of(name), numbers[place] + step * np.array([-2, -1, 1, 2], np.longdouble))
        differences = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
        assert mine == pytest.approx(float(differences), rel=near, abs=near)


def plain(rng: np.random.Generator, depth: int) -> str:
    """A formula of what micrograd has: + - * / ** and relu."""
    if depth == 0 or rng.random() < 0.1:
        return str(rng.choice(NAMES)) if rng.random() < 0.8 else f"{rng.uniform(0.2, 2):.2f}"
    one, other = plain(rng, depth - 1), plain(rng, depth - 1)
    forms = (
        f"({one} + {other})", f"({one} - {other})", f"({one} * {other})", f"({one} / (0.7 + {other}**2))",
        f"(-{one})", f"(0.8 + {one})**{rng.integers(2, 4)}", f"relu({one})", f"(1.3 + {one}**2)**-0.5",
    )  # fmt: skip
    return str(rng.choice(forms))


def test_gradients_are_micrograds() -> None:
    """Of 300 formulas in what micrograd has: its numbers and its gradients, to 1e-10."""
    compared, number = 0, 0
    while compared < DRAWN:
        rng = np.random.default_rng([number, 7])
        number += 1
        source, values = plain(rng, 4), {name: float(rng.uniform(-1.5, 1.5)) for name in NAMES}
        names = {name: Value(value) for name, value in values.items() if name in source.replace("relu", "")}
        try:
            made = graph(source, {name: values[name] for name in names})
        except SpecError:
            continue
        found = eval(
            source, {"__builtins__": {}, "relu": lambda x: x.relu() if hasattr(x, "relu") else max(x, 0)}, names
        )
        found.backward()
        assert made.data[made.output] == pytest.approx(found.data, rel=1e-10, abs=1e-12)
        for name, theirs in names.items():
            assert made.grad[made.place_of(name)] == pytest.approx(theirs.grad, rel=1e-10, abs=1e-10), source
        compared += 1


@pytest.mark.parametrize("number", range(0, DRAWN, 10))
def test_the_program_gives_every_number(number: int) -> None:
    """Its text, run, has each datum and each gradient under its name; each moment is a line of it."""
    source, values = drawn(number)
    made = graph(source, values)
    names: dict[str, object] = {}
    exec(made.program, names)
    for place, vertex in enumerate(made.vertices):
        assert names[vertex.name] == pytest.approx(made.data[place], rel=1e-13)
        assert names[made.letter + vertex.name] == pytest.approx(made.grad[place], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("number", range(0, DRAWN, 10))
def test_what_comes_back_over_the_edges_adds_up(number: int) -> None:
    """At the grain of edges, too: each way is what comes in times the local slope, and their sum is the gradient."""
    source, values = drawn(number)
    made = graph(source, values)
    for place, ways in enumerate(made.ways):
        back = sum(made.grad[edge.target] * made.slopes[edge] for edge in ways) + (place == made.output)
        assert back == pytest.approx(made.grad[place], rel=1e-12, abs=1e-15)
    adding = {beat.vertex for beat in made.beats("edge") if beat.adds}
    assert adding == {n for n, ways in enumerate(made.ways) if len(ways) > 1 and n != made.output}


@pytest.mark.parametrize("kind", list(PRIMITIVES))
def test_every_primitive_has_its_slopes(kind: str) -> None:
    """Each by itself, at both of its places, by a central difference."""
    signs = {
        "add": "a + b",
        "sub": "a - b",
        "mul": "a * b",
        "div": "a / b",
        "neg": "-a",
        "square": "a**2",
        "power": "a**b",
        "choose": "choose(a, b, a*a, b)",
    }
    source = signs.get(kind) or f"{kind}(a, b)" if kind in signs or PRIMITIVES[kind].takes == 2 else f"{kind}(a)"
    made = graph(source, {"a": 0.7, "b": 1.3} if "b" in source.replace("abs", "") else {"a": 0.7})
    for place in made.inputs:
        up, down = made.along(place, made.data[place] + np.array([1e-5, -1e-5]))
        assert made.grad[place] == pytest.approx((up - down) / 2e-5, rel=1e-8, abs=1e-9)


def test_a_value_used_twice_gets_both_gradients() -> None:
    """They add; = for += would lose one."""
    made = graph("L = (tanh(a*b + c) - y)**2 + 0.1*a**2", {"a": 0.8, "b": -1.5, "c": 2, "y": -0.5})
    place = made.place_of("a")
    assert [round(float(made.grad[way.target] * made.slopes[way]), 3) for way in made.ways[place]] == [-1.952, 0.16]
    assert made.grad[place] == pytest.approx(-1.7923, abs=1e-4)


def test_ties_go_to_the_first_and_slopes_at_zero_are_zero() -> None:
    """As it is said."""
    for name in ("max", "min"):
        made = graph(f"{name}(a, b)", {"a": 2, "b": 2})
        assert made.grad[:2] == (1.0, 0.0)
    assert graph("relu(a)", {"a": 0}).grad[0] == 0 == graph("abs(a)", {"a": 0}).grad[0]


def test_lists_are_what_they_are_made_of() -> None:
    """dot, sum, mean, softmax and cross-entropy, number by number."""
    made = graph("L = w @ x + dot(w, [1, 2]) + sum(x) + mean(x)", {"w": [1, 2], "x": [3, 4]})
    assert made.data[made.output] == 11 + 5 + 7 + 3.5
    made = graph("L = cross_entropy(z, 2)", {"z": [1.0, 2.0, 3.0]})
    shares = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    np.testing.assert_allclose(made.grad[:3], shares - [0, 0, 1], atol=1e-12)
    told = graph("L = cross_entropy(z, [0, 0, 1])", {"z": [1.0, 2.0, 3.0]})
    assert told.data[told.output] == pytest.approx(made.data[made.output])


@pytest.mark.parametrize(
    ("source", "line", "column", "allowed"),
    [
        ("a +", 1, 4, "a formula of names"),
        ("b = a*2\nfoo(b)", 2, 1, "one of the functions exp"),
        ("a[0]", 1, 1, "a number of a list"),
        ("2**9**9 + a", 1, 1, "a number up to"),
        ("lambda: a", 1, 7, "letters, digits"),
        ("a if a else b", 1, 1, "a formula of names"),
        ("'x'", 1, 1, "letters, digits"),
        ("__import__", 1, 1, "a name"),
        ("a.real", 1, 1, "a formula of names"),
        ("max(a)", 1, 1, "max of 2"),
        ("a + tanh(b, c)", 1, 5, "tanh of 1"),
        ("(" * 60 + "a", 1, DEPTH + 1, "brackets"),
        ("-" * 200 + "a", 1, 1, "in a row"),
        ("a" + "**a" * 60, 1, 2, "powers in a line"),
        ("a" + "+a" * (NODES + 9), 1, 1, f"at most {NODES} nodes"),
        ("h = a*b\nh = h*2\nh", 2, 1, "a new name"),
        ("a = a + 1", 1, 1, "a new name"),
        ("3", 1, 1, "at least one name"),
        ("", 1, 1, "a formula such as"),
        ("1e999 * a", 1, 1, "a number up to"),
        ("9" * 3000 + "*a", 1, 1, "a number up to"),
        ("True * a", 1, 1, "a number up to"),
        ("exp * a", 1, 1, "a name of up to"),
        ("a @ b", 1, 1, "two lists"),
        ("[a, b] @ [a]", 1, 1, "two lists"),
        ("sum([a, b][2])", 1, 12, "a place"),
        ("softmax(a)", 1, 9, "a list"),
        ("a = [[1]]\na", 1, 5, "a list of 1 to"),
        ("a < b", 1, 3, "letters, digits"),
        ("max(a, b=c)", 1, 1, "arguments without names"),
        ("a += 2", 1, 1, "a name, ="),
        ("import os", 1, 1, "a name, ="),
        ("é", 1, 1, "letters, digits"),
    ],
)
def test_what_the_language_has_not_is_refused_by_its_place(source: str, line: int, column: int, allowed: str) -> None:
    """Line, column, what stands there and what may."""
    with pytest.raises(SpecError) as refused:
        graph(source, {})
    assert refused.value.field == f"source, line {line}, column {column}"
    assert allowed in refused.value.allowed


def test_long_sources_are_refused_before_they_are_read() -> None:
    """By their length alone."""
    with pytest.raises(SpecError, match="at most 4,000 characters"):
        graph("a" * 4001, {})


@pytest.mark.parametrize(
    ("values", "field", "allowed"),
    [
        ({}, "values.a", "given"),
        ({"a": "1"}, "values.a", "a number"),
        ({"a": True}, "values.a", "a number"),
        ({"a": float("nan")}, "values.a", "a number"),
        ({"a": 1, "q": 2}, "values.q", "the inputs are a"),
        ({"a": [1, "x"]}, "values.a.1", "a number"),
        ({"a": []}, "values.a", "a list of 1"),
        ({"a": 1, "": 2}, "values", "names"),
        ([1], "values", "an object"),
    ],
)
def test_values_are_refused_by_name(values: object, field: str, allowed: str) -> None:
    """Missing ones, too many, and what is no number."""
    with pytest.raises(SpecError) as refused:
        graph("a*2", values)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert allowed in refused.value.allowed


def test_numbers_in_the_source_are_values_that_may_be_changed() -> None:
    """A line that sets a name to a number is an input."""
    source = "a = 2.0\nw = [1, -1]\nL = a * (w @ [3, 4])"
    assert graph(source).data[-1] == -2.0
    assert graph(source, {"a": 3, "w": [1, 1]}).data[-1] == 21.0


def test_names_of_the_program_do_not_meet() -> None:
    """A value called as another's gradient would be."""
    made = graph("da * a + d", {"da": 2, "a": 3, "d": 1})
    names: dict[str, object] = {}
    exec(made.program, names)
    assert (names["da"], names[made.letter + "a"], made.letter) == (2, 2, "d_")


def test_what_has_no_value_is_told_as_it_is() -> None:
    """log of a negative number is none, and nothing breaks."""
    made = graph("log(a) + 1 / b", {"a": -1, "b": 0})
    assert np.isnan(made.data[made.output])
    assert len(made.beats()) == len(made.operations) + len(made.vertices)


def test_every_function_is_named() -> None:
    """Of the table, those that are called by a name."""
    assert set(CALLED) == set(AUTOGRAD)


@pytest.mark.parametrize(
    "source",
    [
        "L = (" + "a**\n" * 300 + "a)", "L = (" + "-\n" * 1900 + "a)", "(" + "+\n" * 1900 + "a)",
        "L = a" + "[0]" * 900, "L = a" + "()" * 900, "L = a" + " if a else a" * 300, "L = a" + ".b" * 900,
    ],
)  # fmt: skip
def test_however_it_is_nested_depth_has_an_end(source: str) -> None:
    with pytest.raises(SourceError, match="levels within each other"):
        graph(source, {"a": 1.0})


def test_a_long_sum_is_not_deep() -> None:
    assert graph("L = " + "+".join(["a"] * 390), {"a": 1.0}).grad[0] == 390


def test_signs_as_they_are_printed_are_read() -> None:
    made = graph("L = a − b · 2 × c", {"a": 3.0, "b": 2.0, "c": 0.5})
    found = {made.vertices[place].name: made.grad[place] for place in made.inputs}
    assert found == {"a": 1.0, "b": -1.0, "c": -4.0}
