"""What is said of a formula's graph: its messages, and its vertices' names in symbols and in plain text."""

import re
from dataclasses import dataclass

from app.words.formulas import MathML, Typeset, role_of
from app.words.messages import Message
from app.words.numbers import SUBSCRIPTS
from engine import Graph, Quantity

GRAPH: dict[str, Message] = {
    "graph forward": Message("{name} is computed from what goes in: {data:forward}."),
    "graph start": Message("The way back begins here: {name} changes with itself one for one, so its gradient is 1."),
    "graph way": Message(
        "Over {target} comes {comes:backward}; times the local slope, {slope:forward}, {name} gets {back:backward}."
    ),
    "graph ways": Message(
        "{name} went {count} ways, so {count} gradients come back to it, and they add. With = instead of += all but "
        "one would be lost."
    ),
    "graph none": Message("Nothing of {output} depends on {name}: its gradient is 0."),
    "graph wish": Message(
        by="gradient", tone="backward", none="A little more of {name} would [not change] {output}.",
        up="A little more of {name} would make {output} [larger].",
        down="A little more of {name} would make {output} [smaller].",
    ),
    "graph tie": Message("Where two are equal the first gets all of it, and at 0 the slope is 0."),
}  # fmt: skip

_NAME = re.compile(r"(.*?)_?(\d+(?:_\d+)*)?")


def parted(name: str) -> tuple[str, str]:
    """A name's letters, and the numbers at its end that stand below: W2_1_3 is W and 2,1,3."""
    found = _NAME.fullmatch(name)
    return (found[1], (found[2] or "").replace("_", ",")) if found and found[1] else (name, "")


def plain_name(name: str) -> str:
    """A name in text: w₁."""
    letters, below = parted(name)
    return letters + below.translate(SUBSCRIPTS)


@dataclass(frozen=True)
class Named(Typeset):
    """Formulas of a graph, whose quantities are called as its vertices are."""

    graph: Graph

    def quantity(self, of: Quantity) -> str:
        """A vertex's name, or how the output changes with it."""
        name = self._name(self.graph.vertices[of.unit - 1].name)
        if of.kind == "grad":
            output = self._name(self.graph.vertices[self.graph.output].name)
            name = self.set.fraction(self.set.row(self.set.sign("d"), output), self.set.row(self.set.sign("d"), name))
        return self.set.coloured(role_of(of.kind), name, of)

    def _name(self, name: str) -> str:
        letters, below = parted(name)
        return self.set.scripts(self.set.name(letters), self.set.number(below) if below else "", "")


class Text(MathML):
    """Formulas as plain text, for a drawing."""

    def name(self, letter: str, greek: bool = False) -> str:
        return "σ" if greek else letter

    def number(self, text: str) -> str:
        return text

    def sign(self, text: str) -> str:
        return {"neg": "−", "d": "∂", "-": " − ", " ": "·", ",": ", "}.get(text, f" {text} ")

    def words(self, text: str) -> str:
        return text

    def row(self, *pieces: str) -> str:
        return "".join(pieces)

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def scripts(self, base: str, below: str, above: str) -> str:
        return base + below.translate(SUBSCRIPTS) + {"2": "²", "3": "³"}.get(above, f"^{above}" if above else "")

    def root(self, inner: str) -> str:
        return f"√{inner}"

    def function(self, name: str) -> str:
        return name + " "

    def fenced(self, opening: str, inner: str, closing: str) -> str:
        return opening + inner + closing

    def coloured(self, role: str, inner: str, part: Quantity) -> str:
        return inner
