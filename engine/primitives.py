"""PRIMITIVES: what a formula of `engine.graph` is made of, each with its local slopes. A new one is one entry.

An entry's tree and slopes are trees of what comes in and, where that is shorter, of what comes out: by them a graph
is computed, forwards and backwards, and told. Where a slope jumps (max, min, relu, abs) the first of two equals gets
all of it, and at 0 it is 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from engine.equation import Number, Tree, f, tree

Slopes = Callable[[Sequence[Tree], Tree], Sequence[Tree]]  # of what comes in and what comes out
ONE, ZERO = Number(1.0), Number(0.0)


@dataclass(frozen=True)
class Primitive:
    """An operation on numbers: its name, the sign drawn in its node, the letter of a result that nobody named, how
    many numbers it takes (0: two or more), and the two trees."""

    name: str
    sign: str
    letter: str
    takes: int
    tree: Callable[[Sequence[Tree]], Tree]
    slopes: Slopes
    called: bool = False
    """Whether it is written as a function, by its name."""


def _function(name: str, slope: Callable[[Tree, Tree], Tree], made: str = "") -> Primitive:
    """A function of one number, of which FUNCTIONS has the value."""
    return Primitive(
        name,
        name,
        name[0],
        1,
        lambda of: f(made or name, of[0]),
        lambda of, out: (slope(of[0], out),),
        called=True,
    )


def _power_slopes(of: Sequence[Tree], out: Tree) -> Sequence[Tree]:
    base, exponent = of
    if isinstance(exponent, Number):
        less = exponent.value - 1.0
        lower = {0.0: ONE, 1.0: base, 2.0: f("square", base)}.get(less, f("power", base, less))
        return ZERO if exponent.value == 0.0 else exponent * lower, ZERO
    return exponent * f("power", base, exponent - 1.0), out * f("ln", base)


_ENTRIES = (
    Primitive("add", "+", "s", 0, lambda of: reduce(add, of), lambda of, out: (ONE,) * len(of)),
    Primitive("sub", "−", "d", 2, lambda of: of[0] - of[1], lambda of, out: (ONE, -ONE)),
    Primitive("mul", "×", "p", 2, lambda of: of[0] * of[1], lambda of, out: (of[1], of[0])),
    Primitive("div", "÷", "q", 2, lambda of: of[0] / of[1], lambda of, out: (ONE / of[1], -(out / of[1]))),
    Primitive("neg", "−x", "m", 1, lambda of: -of[0], lambda of, out: (-ONE,)),
    Primitive("square", "x²", "q", 1, lambda of: f("square", of[0]), lambda of, out: (2.0 * of[0],)),
    Primitive("power", "xⁿ", "r", 2, lambda of: f("power", *of), _power_slopes),
    _function("exp", lambda x, out: out),
    _function("log", lambda x, out: 1.0 / x, "ln"),
    _function("sqrt", lambda x, out: 1.0 / (2.0 * out)),
    _function("sin", lambda x, out: f("cos", x)),
    _function("cos", lambda x, out: -f("sin", x)),
    _function("tanh", lambda x, out: 1.0 - f("square", out)),
    _function("sigmoid", lambda x, out: out * (1.0 - out)),
    Primitive(
        "relu", "relu", "r", 1, lambda of: f("max", 0.0, of[0]),
        lambda of, out: (f("choose", of[0], 0.0, 1.0, 0.0),), called=True,
    ),
    _function("softplus", lambda x, out: f("sigmoid", x)),
    _function("abs", lambda x, out: f("sign", x)),
    Primitive(
        "max", "max", "m", 2, lambda of: f("max", *of),
        lambda of, out: (f("choose", of[1], of[0], 0.0, 1.0), f("choose", of[1], of[0], 1.0, 0.0)), called=True,
    ),
    Primitive(
        "min", "min", "m", 2, lambda of: f("min", *of),
        lambda of, out: (f("choose", of[0], of[1], 0.0, 1.0), f("choose", of[0], of[1], 1.0, 0.0)), called=True,
    ),
    Primitive(
        "choose", "a > b ?", "k", 4, lambda of: f("choose", *of),
        lambda of, out: (
            ZERO, ZERO, f("choose", of[0], of[1], 1.0, 0.0), f("choose", of[0], of[1], 0.0, 1.0),
        ), called=True,
    ),
)  # fmt: skip
PRIMITIVES: dict[str, Primitive] = {entry.name: entry for entry in _ENTRIES}


def applied(kind: str, of: Sequence[Tree]) -> Tree:
    """What a primitive makes of its arguments."""
    return tree(PRIMITIVES[kind].tree(of))
