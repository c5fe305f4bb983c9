"""Exercises drawn from a seed, so that no two students have the same numbers. An exercise is its type and its seed:
nothing is stored, and a new type is one entry of `TYPES`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np

from app.learn.facts import Facts
from app.learn.graph_problems import gradient_at
from app.learn.homework import POSES, Drawn
from app.learn.judging import Problem
from app.learn.problems import (
    activation_problem,
    delta_problem,
    direction_problem,
    gradient_problem,
    loss_problem,
    new_value_problem,
)
from engine import Graph, Spec, graph, start
from engine.wording import Words

LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Exercise:
    """A problem drawn from a seed, with what it gives: one step of a small network, one operation, or a formula."""

    type: str
    seed: int
    given: dict[str, Any]
    problem: Problem

    @cached_property
    def graph(self) -> Graph | None:
        """The formula's graph, of the type that asks about one."""
        return graph(self.given["source"], self.given["values"]) if "source" in self.given else None

    @property
    def id(self) -> str:
        """Names type and seed, and so everything."""
        return f"{self.type}-{self.seed}"


@dataclass(frozen=True)
class Type:
    """One type of exercise: what people are told, and how what is given and the problem are drawn."""

    name: str
    title: Words
    sentence: Words
    draw: Callable[[np.random.Generator], Drawn]


def _on_step(pose: Callable[[Facts, np.random.Generator], Problem]) -> Callable[[np.random.Generator], Drawn]:
    """A problem on one step of a small network."""

    def drawn(rng: np.random.Generator) -> Drawn:
        facts = Facts(start(_draw_spec(rng)), example=0)
        return _given(facts), pose(facts, rng)

    return drawn


def _given(facts: Facts) -> dict[str, Any]:
    """The step's givens: layers of {W, b, activation}, x, y, loss and learning_rate."""
    spec, trace = facts.state.spec, facts.trace
    layers = [{"W": each.W.tolist(), "b": each.b.tolist(), "activation": each.activation} for each in trace.layers]
    return {
        "layers": layers,
        "x": trace.x.tolist(),
        "y": trace.y.tolist(),
        "loss": spec.loss,
        "learning_rate": spec.learning_rate,
    }


def _on_graph(rng: np.random.Generator) -> Drawn:
    """A problem on a formula's graph."""
    of = _draw_graph(rng)
    while not (telling := [n for n in of.inputs if abs(of.grad[n]) not in (0, 1)]):
        of = _draw_graph(rng)  # here no gradient would show that it was worked out
    node = int(rng.choice(telling))
    return {"source": of.source, "values": dict(of.values)}, gradient_at(of, node)


def _any_unit(facts: Facts, rng: np.random.Generator) -> tuple[int, int]:
    """A unit, hidden twice as often as output."""
    layer = int(rng.choice([1, 1, 2]))
    return layer, int(rng.integers(1, facts.state.spec.network.sizes[layer] + 1))


def _any_weight(facts: Facts, rng: np.random.Generator) -> str:
    layer, unit = _any_unit(facts, rng)
    return f"W{layer}.{unit}.{rng.integers(1, facts.state.spec.network.sizes[layer - 1] + 1)}"


TYPES: dict[str, Type] = {
    entry.name: entry
    for entry in (
        Type(
            "activation",
            "Activation of a unit",
            "The forward pass through one unit.",
            _on_step(lambda facts, rng: activation_problem(facts, *_any_unit(facts, rng))),
        ),
        Type(
            "loss",
            "Loss of an example",
            "How far off the outputs are.",
            _on_step(lambda facts, rng: loss_problem(facts)),
        ),
        Type(
            "delta",
            "δ of a unit",
            "The backward pass through one unit.",
            _on_step(lambda facts, rng: delta_problem(facts, *_any_unit(facts, rng))),
        ),
        Type(
            "gradient",
            "Gradient of a weight",
            "From a unit's δ to one of its weights.",
            _on_step(lambda facts, rng: gradient_problem(facts, _any_weight(facts, rng))),
        ),
        Type(
            "direction",
            "Which way a weight moves",
            "The sign of a gradient is the sign of two factors.",
            _on_step(lambda facts, rng: direction_problem(facts, _any_weight(facts, rng))),
        ),
        Type(
            "new_value",
            "New value of a weight",
            "The whole way: backward pass and update.",
            _on_step(lambda facts, rng: new_value_problem(facts, _any_weight(facts, rng))),
        ),
        Type(
            "graph",
            "Gradient at a node",
            "Back through a formula: what comes in, times the local slope, over every way.",
            _on_graph,
        ),
        *(Type(name, *each) for name, each in POSES.items()),
    )
}
FORMULAS = (
    "L = (a*b + c)**2",
    "L = (a*b + c) * a",
    "p = a*b\nq = p + a\nL = q*c",
    "L = (w*x + b - y)**2",
    "L = (x + y)*z + x**2",
    "L = a*b + max(a, c)*c",
    "L = (a*b)**2 + b*c",
    "h = relu(w*x + b)\nL = (v*h - y)**2",
    "L = a*(b + c) - b*c",
)


def exercise(type_: str, seed: int) -> Exercise:
    """The exercise of that type and seed, the same every time; ValueError for a type or seed that is not allowed."""
    if type_ not in TYPES:
        raise ValueError(f"unknown type {type_!r}, must be one of: {', '.join(TYPES)}")
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed {seed} is not allowed, must be from 0 to {LARGEST_SEED}")
    attempt = 0
    while True:  # nearly every draw is clear; a second is wanted where a slip would look like the truth
        rng = np.random.default_rng([seed, crc32(type_.encode()), attempt])
        given, problem = TYPES[type_].draw(rng)
        if problem.clear:
            return Exercise(type_, seed, given, problem)
        attempt += 1


def exercise_by_id(identifier: str) -> Exercise:
    """The exercise that an id names; ValueError if it names none."""
    type_, _, seed = identifier.rpartition("-")
    if not (seed.isascii() and seed.isdigit() and len(seed) <= 10):
        raise ValueError(f"no exercise {identifier!r}: an id is a type, a dash and a seed")
    return exercise(type_, int(seed))


def _draw_graph(rng: np.random.Generator) -> Graph:
    """A formula at small numbers of one decimal, no two alike, so that no kink and no tie is near."""
    source = str(rng.choice(FORMULAS))
    names = sorted(set(re.findall(r"\b[abcvwxyz]\b", source)))
    values = rng.permutation([n for n in range(-20, 31) if abs(n) > 4])[: len(names)] / 10
    return graph(source, dict(zip(names, values.tolist(), strict=True)))


def _draw_spec(rng: np.random.Generator) -> Spec:
    """A 2-2-1 or 2-2-2 network and one example, all givens with one or two decimals."""
    outputs = int(rng.integers(1, 3))
    hidden = str(rng.choice(["sigmoid", "sigmoid", "tanh", "relu"]))
    shapes = [(2, 2), (outputs, 2)]

    def tenths(*shape: int) -> Any:
        return (rng.integers(1, 10, shape) * rng.choice([-1, 1], shape) / 10).tolist()

    return Spec.make(
        dataset="custom",
        test_share=0.0,
        batch_size=1,
        hidden=[2],
        data={"x": [tenths(2)], "y": [(rng.integers(0, 101, outputs) / 100).tolist()], "task": "regression"},
        activation=hidden,
        output_activation=str(rng.choice(["sigmoid", "identity"])),
        loss="squared_error",
        learning_rate=float(rng.choice([0.1, 0.2, 0.5, 1.0])),
        parameters=[{"W": tenths(*shape), "b": tenths(shape[0])} for shape in shapes],
    )
