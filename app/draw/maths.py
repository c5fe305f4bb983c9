"""Names and formulas as people read them: W²₁₃ for an address, LaTeX as native MathML.

Formulas are coloured by `\\class{forward}{…}` and the like, which become CSS classes: no style attribute anywhere.
"""

import re
from functools import lru_cache

from latex2mathml.converter import convert
from markupsafe import Markup

from app.draw.numbers import SUBSCRIPTS, SUPERSCRIPTS

_ADDRESS = re.compile(r"([Wba])(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", re.ASCII)
_PRIME = re.compile(r"<msup>(<mi>\w</mi>)<mi>&#x02032;</mi></msup>")  # a prime is raised by itself, not once more
_BLOCKED = re.compile(r'\s(?:style|mathcolor|mathbackground)="[^"]*"')


def parts_of(address: str) -> tuple[str, int, int, int]:
    """An address as (letter, layer, unit, source), the source 0 where there is none; ValueError for anything else."""
    match = _ADDRESS.fullmatch(address)
    if not match or (match[1] == "W") != (match[4] is not None):
        raise ValueError(f"no address {address!r}, must be W<layer>.<unit>.<input>, b<layer>.<unit> or a<layer>.<unit>")
    return match[1], int(match[2]), int(match[3]), int(match[4] or 0)


def name_of(address: str) -> str:
    """An address in plain text: W²₁₃, b²₁, a⁰₂."""
    letter, layer, unit, source = parts_of(address)
    return letter + str(layer).translate(SUPERSCRIPTS) + _indices(unit, source).translate(SUBSCRIPTS)


def symbol(letter: str, layer: int, unit: int = 0, source: int = 0) -> str:
    """LaTeX with the layer above and the unit below: W^{2}_{13}; without a unit, the whole layer: W^{2}."""
    below = f"_{{{_indices(unit, source)}}}" if unit else ""
    return f"{letter}^{{{layer}}}{below}"


def _indices(unit: int, source: int) -> str:
    if not source:
        return str(unit)
    return f"{unit}{source}" if max(unit, source) < 10 else f"{unit},{source}"


def forward(latex: str) -> str:
    """LaTeX in the colour of forward quantities."""
    return rf"\class{{forward}}{{{latex}}}"


def backward(latex: str) -> str:
    """LaTeX in the colour of backward quantities."""
    return rf"\class{{backward}}{{{latex}}}"


def update(latex: str) -> str:
    """LaTeX in the colour of the update."""
    return rf"\class{{update}}{{{latex}}}"


@lru_cache(maxsize=4096)
def mathml(latex: str, display: str = "inline") -> Markup:
    """Native MathML for one formula, safe to put on a page: classes only, no style attribute.

    `display` is "inline" or "block". The LaTeX is ours, never a user's.
    """
    text = _BLOCKED.sub("", convert(latex, display=display))
    return Markup(_PRIME.sub(r'<mrow>\1<mo lspace="0" rspace="0">&#x02032;</mo></mrow>', text))


def equations(latex: str) -> list[Markup]:
    """The equations of a formula, one MathML element each, so that they can stand below each other."""
    return [mathml(part.strip()) for part in latex.split(r",\quad")]
