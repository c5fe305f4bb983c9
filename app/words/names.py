"""What layers, units and quantities are called: hidden 1, unit 2; W₂,₁,₃."""

from app.words.numbers import SUBSCRIPTS
from app.words.texts import text
from engine import Quantity

LETTERS = {
    "dz": "δ",
    "dh": "∂L/∂h",
    "da": "∂L/∂a",
    "mask": "m",
    "dW": "∂L/∂W",
    "db": "∂L/∂b",
    "loss": "L",
    "slope": "slope",
    "rate": "learning rate",
}


def layer_name(index: int, layers: int) -> str:
    """input, hidden 1, …, output; `layers` counts all but the inputs."""
    if 0 < index < layers:
        return text("hidden {layer}", layer=index)
    return text("input" if index == 0 else "output")


def unit_name(layer: int, unit: int, layers: int) -> str:
    """ "hidden 1, unit 2", both counted from 1."""
    return text("{layer}, unit {unit}", layer=layer_name(layer, layers), unit=unit)


def name_of(quantity: Quantity | str) -> str:
    """A quantity in plain text, its places below by commas: W₂,₁,₃, b₂,₁, a₀,₂, δ₂,₁."""
    of = Quantity.parse(quantity) if isinstance(quantity, str) else quantity
    places = of.layer or of.index or of.kind in ("a", "x")
    below = ",".join(map(str, (of.layer, *of.index))).translate(SUBSCRIPTS) if places else ""
    return LETTERS.get(of.kind, of.kind) + below
