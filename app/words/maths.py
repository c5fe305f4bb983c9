"""Formulas as people read them: LaTeX as native MathML.

Formulas are coloured by `\\class{forward}{…}` and the like, which become CSS classes: no style attribute anywhere.
"""

from functools import lru_cache
from html import unescape
from xml.etree.ElementTree import Element, SubElement, tostring

from latex2mathml.converter import convert_to_element
from markupsafe import Markup

_PRIME = "′"
_BLOCKED = ("style", "mathcolor", "mathbackground")


def symbol(letter: str, layer: int, unit: int = 0, source: int = 0) -> str:
    """LaTeX with all places below, by commas: W_{2,1,3}; without a unit, the whole layer: W_{2}."""
    places = (layer, unit, source) if source else (layer, unit) if unit else (layer,)
    return f"{letter}_{{{','.join(map(str, places))}}}"


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
    math = convert_to_element(latex, display=display)
    for each in math.iter():
        _settle(each)
    return Markup(tostring(math, encoding="unicode"))


def _settle(of: Element) -> None:
    """Letters for their entities; no attribute that is a style; and a prime, which is raised by itself, is not raised
    once more."""
    of.text = unescape(of.text or "")
    for name in _BLOCKED:
        of.attrib.pop(name, None)
    if of.tag == "msup" and unescape(of[1].text or "") == _PRIME:
        of.tag = "mrow"
        of.remove(of[1])
        SubElement(of, "mo", {"lspace": "0", "rspace": "0"}).text = _PRIME


def equations(latex: str) -> list[Markup]:
    """The equations of a formula, one MathML element each, so that they can stand below each other."""
    return [mathml(part.strip()) for part in latex.split(r",\quad")]
