"""One step as a short NumPy program: running its text reproduces the loss, every gradient and the new parameters.

Its lines are the step's equations, written for whole layers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np

from engine import program_maps as maps
from engine.arrays import Value
from engine.checks import asked_of
from engine.equation import Equation, code_name, line_of, mapped, written_out
from engine.equations import Equations
from engine.operations.normalizing import EPSILON
from engine.optimizers import OPTIMIZERS
from engine.quantity import Quantity
from engine.session import frozen_mask
from engine.tracing import Trace

_LETTERS = ("j", "i", "r", "c")  # along the axes of a parameter
Line = tuple[str, str]  # the quantity that the line computes, "" for none; and the line


@dataclass(frozen=True, eq=False)
class Program(Value):
    """The lines, and the arrays and numbers that are given to them.

    `places` says which line (from 1) computes a quantity: "x", "z2", "a2", "loss", "penalty", "da2", "dz2", "dW2",
    "h2", "o2", "dh2", "db2", "gW2" (with the penalty's),"W2_next", "b2_next"; trial and error has "try" in place of
    these last.
    """

    lines: tuple[str, ...]
    namespace: dict[str, Any]
    places: dict[str, int]

    @property
    def text(self) -> str:
        """The program as one text, ready to run where NumPy is `np` and the namespace is given."""
        return "\n".join(self.lines) + "\n"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Program({len(self.lines)} lines)"

    def _repr_html_(self) -> str:
        """As a notebook shows it: its text."""
        return f"<pre>{escape(self.text)}</pre>"

    def line_of(self, *quantities: str) -> int:
        """The line that computes the first of these quantities that has one; 1 if none has."""
        return next((self.places[name] for name in quantities if name in self.places), 1)

    def run(self) -> dict[str, Any]:
        """Everything that the program has computed, by name."""
        names = dict(self.namespace)
        with np.errstate(all="ignore"):
            exec(compile(self.text, "<one step>", "exec"), names)  # our own text, no user's word in it
        return names


@asked_of(Trace)
def program(trace: Trace) -> Program:
    """The whole step of a trace as a program, with its own numbers."""
    made = replace(Equations.of(trace), count=1)  # so that steps which look alike share their text
    lines, places = _text(made, bool(trace.spec.frozen))
    return Program(lines, _namespace(trace), places)


@lru_cache(maxsize=256)
def _text(made: Equations, held: bool) -> tuple[tuple[str, ...], dict[str, int]]:
    searches = OPTIMIZERS[made.optimizer].search is not None
    lines: list[Line] = [("x", "n, outputs = y.shape  # x, y and W1, b1, … are given")]
    lines += [("", ""), ("", "# forward"), *_forward(made, _line)]
    unused = ", to compare: trial and error uses no gradient" if searches else ""
    lines += [("", ""), ("", "# backward" + unused), *_backward(made)]
    lines += [("", ""), ("", "# update"), *(_trial_and_error(made) if searches else _update(made, held))]
    places = {name: number for number, (name, _) in enumerate(lines, 1) if name}
    return tuple(line for _, line in lines), places


def _line(of: Equation) -> Line:
    return code_name(of.target), line_of(of)


def _forward(made: Equations, line: Callable[[Equation], Line], spell: maps.Spell = str) -> Iterator[Line]:
    for k in range(1, made.last + 1):
        if made.network.image(k):
            yield from maps.forward(made, k, spell)
        else:
            yield from map(line, _of_units(made, k))
        yield from maps.flat(made.network, k)
    yield line(made.loss(stable=True))
    if made.penalty_name:
        yield line(made.penalty())


def _of_units(made: Equations, k: int) -> Iterator[Equation]:
    yield maps.flattened(made, made.z(k, "j", "n"), k)
    if k in made.network.norms:
        yield from (each(k, "j", "n") for each in (made.mean, made.spread, made.xhat, made.n))
    yield made.a(k, "j", "n", stable=True)
    yield from (made.attached(letter, k, "j", "n") for letter in made.network.attached(k))


def _backward(made: Equations) -> Iterator[Line]:
    for k in range(made.last, 0, -1):
        if made.network.image(k):
            yield from maps.backward(made, k)
        else:
            yield from _back_over_units(made, k)


def _back_over_units(made: Equations, k: int) -> Iterator[Line]:
    if k < made.last and made.network.image(k + 1):
        yield from maps.came_back(made, k)
    else:
        yield from map(_line, _came_back(made, k))
    yield _line(made.bent(k, "j", "n"))
    if k in made.network.norms:
        yield from map(_line, (made.dgamma(k, "j"), made.dbeta(k, "j"), made.dxhat(k, "j", "n")))
        yield from map(_line, (*made.ways(k, "j", "n"), made.dz(k, "j", "n")))
    yield from map(_line, (maps.flattened(made, made.dW(k, "j", "i"), k), made.db(k, "j")))


def _came_back(made: Equations, k: int) -> Iterator[Equation]:
    if k < made.last or not made.network.joined:
        back = reversed("a" + made.network.behind(k))
        yield from (made.came(letter, k, "j" if k == made.last else "i", "n") for letter in back)


def _update(made: Equations, held: bool) -> Iterator[Line]:
    optimizer, layers = OPTIMIZERS[made.optimizer], range(1, made.last + 1)
    if made.penalty_name:
        yield from (_line(made.pulled(k, *made.weights(k).index)) for k in layers)
    if len(optimizer.steps) > 1:
        yield "", f"def {optimizer.name}_step({', '.join(('p', 'g', *optimizer.slots))}):"
        yield from (("", "    " + line) for line in optimizer.code)
        yield "", f"    return {', '.join(('p', *optimizer.slots))}"
    for of in (Quantity(each.letter, each.layer, _LETTERS[: len(each.shape)]) for each in made.network.parameters):
        parameter, (last,) = code_name(of), list(made.update(of))[-1:]
        yield f"{parameter}_next", line_of(last) if len(optimizer.steps) == 1 else _one_update(made, of)
        if held:
            yield "", f"{parameter}_next = np.where({parameter}_frozen, {parameter}, {parameter}_next)"


def _one_update(made: Equations, of: Quantity) -> str:
    optimizer, parameter = OPTIMIZERS[made.optimizer], code_name(of)
    slots = [code_name(of.like(f"{slot}_{of.kind}")) for slot in optimizer.slots]
    left, given = ", ".join([f"{parameter}_next", *slots]), ", ".join([parameter, code_name(made.gradient(of)), *slots])
    return f"{left} = {optimizer.name}_step({given})"


def _next(of: Quantity) -> Quantity:
    return of.like(f"{of.kind}_next") if of.kind == of.letter else of


def _rerun(of: Equation) -> Line:
    """A line of the forward pass on the parameters that are tried."""
    return "", line_of(Equation(of.target, mapped(written_out(of.tree, of.where), _next)))


def _trial_and_error(made: Equations) -> Iterator[Line]:
    """The search as it is: parameter by parameter, unit by unit, a rerun for every try."""
    for k in range(1, made.last + 1):
        yield "", f"W{k}_next, b{k}_next = W{k}.copy(), b{k}.copy()"
    yield "", "def rerun():"
    yield from (("", "    " + line) for _, line in _forward(made, _rerun, lambda name: f"{name}_next"))
    yield "", "    return loss" + (" + penalty" if made.penalty_name else "")
    yield "", "places = []"
    yield "", "for W, b, sW, sb, fW, fb in ("
    for k in range(1, made.last + 1):
        yield "", f"    (W{k}_next, b{k}_next, direction_W{k}, direction_b{k}, W{k}_frozen, b{k}_frozen),"
    yield "", "):"
    yield "", "    for i in range(len(b)):"
    if made.network.has_images:
        yield "", "        places += [(W, sW, (i, *at)) for at in np.ndindex(W.shape[1:]) if not fW[i, *at]]"
    else:
        yield "", "        places += [(W, sW, (i, j)) for j in range(W.shape[1]) if not fW[i, j]]"
    yield "", "        places += [(b, sb, i)] * (not fb[i])"
    yield from _gains(made)
    yield from (("try" if line == _TRY else "", line) for line in _SEARCH)


def _gains(made: Equations) -> Iterator[Line]:
    """The places of what is attached to layers, which come after all weights and biases."""
    for each in (each for each in made.network.parameters if each.letter in ("gamma", "beta")):
        p = code_name(Quantity(each.letter, each.layer))
        yield "", f"{p}_next = {p}.copy()"
        yield "", f"places += [({p}_next, direction_{p}, i) for i in range(len({p})) if not {p}_frozen[i]]"


_TRY = "        p[i] = old + step"
_SEARCH = (
    "best = rerun()",
    "for p, direction, i in places:",
    "    old = p[i]",
    "    first = -rate if direction[i] < 0 else rate",
    "    for step in (first, -first):",
    _TRY,
    "        now = rerun()",
    "        if now < best:",
    "            best, direction[i] = now, step",
    "            break",
    "    else:",
    "        p[i] = old",
)


def _namespace(trace: Trace) -> dict[str, Any]:
    """Every name that the text reads; arrays are copies, so that running it changes nothing of the trace."""
    spec, network = trace.spec, trace.spec.network
    names: dict[str, Any] = {"np": np, "x": trace.x.copy(), "y": trace.y.copy(), "rate": trace.learning_rate}
    names |= dict(spec.optimizer_settings)
    names |= {"t": trace.t, "regularization_rate": spec.regularization_rate}
    names |= {"eps": EPSILON} if network.norms else {}
    frozen = frozen_mask(spec)
    for k, layer in enumerate(trace.layers, 1):
        names |= {f"{name}{k}": layer.number(name).copy() for name in network.kept(k)}
    for each in network.parameters:
        name = code_name(Quantity(each.letter, each.layer))
        names |= {name: each.of(trace.parameters).copy(), f"{name}_frozen": each.of(frozen).copy()}
        slots = zip(OPTIMIZERS[spec.optimizer].slots, trace.slots, strict=True)
        names |= {f"{slot}_{name}": each.of(numbers).copy() for slot, numbers in slots}
    return names
