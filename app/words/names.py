"""What layers, units and quantities are called: hidden 1, unit 2; W²₁₃."""

from app.words.numbers import SUBSCRIPTS, SUPERSCRIPTS
from engine import Quantity

LETTERS = {"dz": "δ"}


def layer_name(index: int, layers: int) -> str:
    """input, hidden 1, …, output; `layers` counts all but the inputs."""
    return "input" if index == 0 else "output" if index == layers else f"hidden {index}"


def unit_name(layer: int, unit: int, layers: int) -> str:
    """ "hidden 1, unit 2", both counted from 1."""
    return f"{layer_name(layer, layers)}, unit {unit}"


def indices(quantity: Quantity) -> str:
    """What stands below a quantity's letter: 13, or 1,13 where that would be read as 113."""
    index = quantity.index
    wide = any(isinstance(i, int) and i >= 10 for i in index)
    return ("," if wide else "").join(map(str, index))


def name_of(quantity: Quantity | str) -> str:
    """A quantity in plain text: W²₁₃, b²₁, a⁰₂, δ²₁."""
    of = Quantity.parse(quantity) if isinstance(quantity, str) else quantity
    return LETTERS.get(of.kind, of.kind) + str(of.layer).translate(SUPERSCRIPTS) + indices(of).translate(SUBSCRIPTS)
