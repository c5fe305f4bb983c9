"""A receipt in four faces: how one parameter came to its next value, or a unit to its numbers, in words, symbols,
numbers and code. The facts are `engine.receipts`; the moments of the walkthrough say the same things in the same words.

In the middle of a walkthrough a receipt says what is computed so far, and what is yet to come.
"""

from dataclasses import dataclass

import numpy as np

from app.explain.faces_backward import BACKWARD
from app.explain.faces_forward import FORWARD
from app.explain.faces_update import update_numbers, update_symbols, update_words
from app.explain.moments import Segment, Segments, say
from app.explain.plan import Key
from app.explain.scene import Scene, Sum
from app.words.names import name_of
from engine import Quantity, SpecError, Trace
from engine.program import program
from engine.quantity import unit
from engine.receipts import ParameterReceipt, UnitReceipt, parameter_receipt, unit_receipt


@dataclass(frozen=True)
class Receipt:
    """`facts` are the engine's, None for an input, which nothing computes.

    `came_from` are the addresses one click further back. `total` sets out the sum that the gradient is, or, for a
    unit, what came back to it. `code` are the lines of the program that compute it.
    """

    address: str
    name: str
    place: str
    facts: ParameterReceipt | UnitReceipt | None
    came_from: tuple[str, ...]
    words: Segments
    symbols: str
    numbers: Segments
    code: tuple[str, ...]
    total: Sum | None


def receipt(trace: Trace, address: str, known: frozenset[Quantity] | None = None) -> Receipt:
    """The receipt of "W2.1.3", "b2.1" or "a2.1" (a0.2 is an input); SpecError if there is no such thing.

    Its words and numbers are of the quantities in `known` alone, by default of all; `facts` are always whole.
    """
    try:
        of = Quantity.parse(address)
    except ValueError:
        raise SpecError("address", address, f"{trace.spec.network.address_form}, or a<layer>.<unit>") from None
    scene = Scene(trace)
    with np.errstate(all="ignore"):
        if of.kind != "a":
            return _of_parameter(scene, parameter_receipt(trace, address), known)
        if of.layer == 0 and trace.spec.network.has(of):
            return _of_input(scene, of)
        return _of_unit(scene, unit_receipt(trace, address), known)


def place_of(scene: Scene, of: Quantity) -> str:
    """An address in words: hidden 1, unit 3 → hidden 2, unit 1."""
    own = scene.unit(of.layer, of.unit)
    if of.source:
        return f"{scene.unit(of.layer - 1, of.source)} → {own}"
    return f"bias of {own}" if of.kind == "b" else own


def is_known(known: frozenset[Quantity] | None, *quantities: Quantity) -> bool:
    """Whether one of the quantities is computed: a coarser grain takes several together under one of their names.

    The inputs are given from the start.
    """
    return known is None or any(not quantity.layer or quantity.is_in(known) for quantity in quantities)


def _joined(parts: list[tuple[str, bool, Segments]], between: str = " ") -> Segments:
    """What is known of named parts, and which of them are yet to come."""
    faces = [face for _, told, face in parts if told]
    later = [name for name, told, _ in parts if not told]
    if later:
        faces.append(say(f"Its {' and its '.join(later)} {'is' if len(later) == 1 else 'are'} yet to come."))
    pieces: list[str | Segment] = []
    for face in faces:
        pieces += [between if pieces else "", *face]
    return say(*pieces)


def _of_parameter(scene: Scene, facts: ParameterReceipt, known: frozenset[Quantity] | None) -> Receipt:
    k, j, i = facts.layer, facts.unit, facts.source
    letter, kind = ("W", "dW") if i else ("b", "db")
    gradient = BACKWARD[kind](scene, Key("backward", kind, k, j, i))
    code = _lines(scene, f"{kind}{k}", f"g{letter}{k}", f"{letter}{k}_next", "try")
    came_from = tuple(map(str, (unit(k, j), *([unit(k - 1, i)] if i else []))))
    of = Quantity.parse(facts.address)
    told = is_known(known, of.like(kind)), is_known(known, of)
    words = [("gradient", told[0], gradient.words), ("step", told[1], update_words(scene, facts))]
    numbers = [("gradient", told[0], gradient.numbers), ("step", told[1], update_numbers(scene, facts))]
    return Receipt(
        facts.address, name_of(facts.address), place_of(scene, of), facts, came_from,
        _joined(words), rf"{gradient.symbols},\quad {update_symbols(scene, facts)}", _joined(numbers, "; "), code,
        gradient.total if told[0] else None,
    )  # fmt: skip


def _of_unit(scene: Scene, facts: UnitReceipt, known: frozenset[Quantity] | None) -> Receipt:
    k, j = facts.layer, facts.unit
    ahead = FORWARD["forward"](scene, Key("forward", "forward", k, j))
    back = BACKWARD["delta"](scene, Key("backward", "delta", k, j))
    of = unit(k, j)
    told = is_known(known, of), is_known(known, of.like("dz"))
    words = [("activation", told[0], ahead.words), ("delta", told[1], back.words)]
    numbers = [("activation", told[0], ahead.numbers), ("delta", told[1], say("back: ") + back.numbers)]
    came_from = tuple(str(unit(k + 1, n)) for n in range(1, scene.sizes[k + 1] + 1)) if k < scene.last else ()
    return Receipt(
        facts.address, name_of(facts.address), place_of(scene, of), facts, came_from,
        _joined(words), rf"{ahead.symbols},\quad {back.symbols}", _joined(numbers, "; "),
        _lines(scene, f"z{k}", f"a{k}", f"da{k}", f"dz{k}"), back.total if told[1] else None,
    )  # fmt: skip


def _of_input(scene: Scene, of: Quantity) -> Receipt:
    values, name = scene.trace.x[:, of.unit - 1], scene.unit(0, of.unit)
    words = say("An input: it is given with the example, and nothing computes it.")
    numbers = say(f"{name} = ", *scene.each(values, "forward"))
    return Receipt(str(of), name, name, None, (), words, rf"x_{{{of.unit}}}", numbers, (), None)


def _lines(scene: Scene, *quantities: str) -> tuple[str, ...]:
    code = program(scene.trace)
    return tuple(code.lines[code.places[name] - 1] for name in quantities if name in code.places)
