"""A receipt in four faces: how one parameter came to its next value, or a unit to its numbers, in words, symbols,
numbers and code. The facts are `engine.receipts`; the moments of the walkthrough say the same things in the same words.

In the middle of a walkthrough a receipt says what is computed so far, and what is yet to come.
"""

from dataclasses import dataclass

import numpy as np

from app.draw.drawing import Known
from app.draw.maths import name_of, parts_of, symbol
from app.explain.faces_backward import BACKWARD
from app.explain.faces_forward import FORWARD
from app.explain.faces_update import update_numbers, update_symbols, update_words
from app.explain.moments import Segment, Segments, say
from app.explain.plan import Key
from app.explain.program import program
from app.explain.scene import Scene, Sum
from engine import SpecError, Trace
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


def receipt(trace: Trace, address: str, known: Known | None = None) -> Receipt:
    """The receipt of "W2.1.3", "b2.1" or "a2.1" (a0.2 is an input); SpecError if there is no such thing.

    Its words and numbers are of the quantities in `known` alone, by default of all; `facts` are always whole.
    """
    try:
        letter, layer, unit, _ = parts_of(address)
    except ValueError as error:
        raise SpecError("address", address, str(error).partition("must be ")[2]) from None
    scene = Scene(trace)
    with np.errstate(all="ignore"):
        if letter != "a":
            return _of_parameter(scene, parameter_receipt(trace, address), known)
        if layer == 0 and 1 <= unit <= scene.sizes[0]:
            return _of_input(scene, address, unit)
        return _of_unit(scene, unit_receipt(trace, address), known)


def place_of(scene: Scene, address: str) -> str:
    """An address in words: hidden 1, unit 3 → hidden 2, unit 1."""
    letter, layer, unit, source = parts_of(address)
    own = scene.unit(layer, unit)
    return f"{scene.unit(layer - 1, source)} → {own}" if letter == "W" else f"bias of {own}" if letter == "b" else own


def is_known(known: Known | None, *quantities: str) -> bool:
    """Whether one of the quantities is computed: a coarser grain takes several together under one of their names.

    The inputs are given from the start.
    """
    return known is None or any(quantity.startswith("a0.") or quantity in known for quantity in quantities)


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


def _of_parameter(scene: Scene, facts: ParameterReceipt, known: Known | None) -> Receipt:
    k, j, i = facts.layer, facts.unit, facts.source
    letter, kind = ("W", "dW") if i else ("b", "db")
    gradient = BACKWARD[kind](scene, Key("backward", kind, k, j, i))
    code = _lines(scene, f"{kind}{k}", f"g{letter}{k}", f"{letter}{k}_next", "try")
    came_from = (f"a{k}.{j}", *([f"a{k - 1}.{i}"] if i else []))
    told = is_known(known, f"d{facts.address}"), is_known(known, facts.address)
    words = [("gradient", told[0], gradient.words), ("step", told[1], update_words(scene, facts))]
    numbers = [("gradient", told[0], gradient.numbers), ("step", told[1], update_numbers(scene, facts))]
    return Receipt(
        facts.address, name_of(facts.address), place_of(scene, facts.address), facts, came_from,
        _joined(words), rf"{gradient.symbols},\quad {update_symbols(scene, facts)}", _joined(numbers, "; "), code,
        gradient.total if told[0] else None,
    )  # fmt: skip


def _of_unit(scene: Scene, facts: UnitReceipt, known: Known | None) -> Receipt:
    k, j = facts.layer, facts.unit
    ahead = FORWARD["forward"](scene, Key("forward", "forward", k, j))
    back = BACKWARD["delta"](scene, Key("backward", "delta", k, j))
    told = is_known(known, f"a{k}.{j}"), is_known(known, f"delta{k}.{j}")
    words = [("activation", told[0], ahead.words), ("delta", told[1], back.words)]
    numbers = [("activation", told[0], ahead.numbers), ("delta", told[1], say("back: ") + back.numbers)]
    came_from = tuple(f"a{k + 1}.{n}" for n in range(1, scene.sizes[k + 1] + 1)) if k < scene.last else ()
    return Receipt(
        facts.address, name_of(facts.address), place_of(scene, facts.address), facts, came_from,
        _joined(words), rf"{ahead.symbols},\quad {back.symbols}", _joined(numbers, "; "),
        _lines(scene, f"z{k}", f"a{k}", f"da{k}", f"dz{k}"), back.total if told[1] else None,
    )  # fmt: skip


def _of_input(scene: Scene, address: str, unit: int) -> Receipt:
    values = scene.trace.x[:, unit - 1]
    words = say("An input: it is given with the example, and nothing computes it.")
    numbers = say(f"{scene.unit(0, unit)} = ", *scene.each(values, "forward"))
    return Receipt(
        address, scene.unit(0, unit), scene.unit(0, unit), None, (), words, symbol("x", 0, unit).replace("^{0}", ""),
        numbers, (), None,
    )  # fmt: skip


def _lines(scene: Scene, *quantities: str) -> tuple[str, ...]:
    code = program(scene.trace)
    return tuple(code.lines[code.places[name] - 1] for name in quantities if name in code.places)
