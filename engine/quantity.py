"""Quantity: which number of one step is meant, as a value with one spelling.

"W2.1.3" is layer 2, to unit 1, from unit 3; "b2.1" a bias; "a2.1" a unit's activation, "a0.2" an input; "dz2" all the
deltas of a layer; "loss" belongs to no layer. Layers, units and inputs count from 1. The address of a number, the id
of what is drawn of it, the place of a parameter in the flat vector, a variable of the program: all of them are made
of a Quantity here, and nothing else takes such a text apart.

An equation of a whole layer has letters where its numbers differ: "W2.j.i", and "n" for the example.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.wording import Words, said


@dataclass(frozen=True)
class Shifted:
    """A place that moves with letters, each times a whole number: y + i - 1."""

    terms: tuple[tuple[int, str], ...]
    offset: int

    def at(self, values: Mapping[str, Any]) -> Any:
        """Where it is for numbers, or arrays of them, in the letters' place."""
        return sum(times * values[letter] for times, letter in self.terms) + self.offset

    def bind(self, values: Mapping[str, int]) -> "Shifted | int":
        """The same with numbers for its letters, where there are some."""
        left = tuple(each for each in self.terms if each[1] not in values)
        offset = self.offset + sum(times * values[letter] for times, letter in self.terms if letter in values)
        return Shifted(left, offset) if left else offset

    def __str__(self) -> str:
        told = "".join(
            f"{'+' if times > 0 else '-'}{abs(times) if abs(times) > 1 else ''}{letter}" for times, letter in self.terms
        )
        return told.lstrip("+") + (f"{self.offset:+d}" if self.offset else "")


Index = int | str | Shifted

_ADDRESS = re.compile(r"([A-Za-z]+(?:_[A-Za-z]+)*)(?:([1-9][0-9]{0,3}|0)((?:\.[1-9][0-9]{0,3})*))?")
PARAMETERS = ("W", "b", "gamma", "beta")
_ALSO = {"delta": "dz"}  # read for ever, never written
_OF_PARAMETERS = re.compile(rf"d?({'|'.join(PARAMETERS)})(?:_next)?")


@dataclass(frozen=True)
class Quantity:
    """One number of a step, or with a shorter index all that begin with it.

    `kind` is z, a, da, dz, W, b, dW, db; h, what dropout lets through of an a, mask, by how much, and dh; v, what a
    pool gives, and dv; o, what a unit gives where a shortcut adds to that; x for what is given; p (weight x input), s
    (their sum), q (weight x dz on its way back), slope, dR (what regularization adds to dW), W_next, b_next; loss,
    penalty; a setting. `layer` is 0 for the inputs and for what belongs to none. `example` is a place in the batch from
    0, "n" for each of them, None where there is but one number for all.
    """

    kind: str
    layer: int = 0
    index: tuple[Index, ...] = ()
    example: Index | None = None

    @classmethod
    def parse(cls, text: str) -> "Quantity":
        """The quantity of an address; ValueError if it is none."""
        found = _parsed(text)
        if found is None:
            raise ValueError(f"no quantity {text!r}, must be one such as W2.1.3, b2.1, a2.1 or dz2.1")
        return found

    def __str__(self) -> str:
        placed = self.layer or self.index or self.kind in ("a", "x")
        return self.kind + ".".join(map(str, (self.layer, *self.index))) if placed else self.kind

    @property
    def is_parameter(self) -> bool:
        """Whether it is one parameter, or its gradient or next value."""
        letter = self.letter
        return len(self.index) in (2, 4) if letter == "W" else bool(letter) and len(self.index) == 1

    @property
    def letter(self) -> str:
        """W, b, gamma or beta, of what is a parameter, its gradient or next value; else nothing."""
        found = _OF_PARAMETERS.fullmatch(self.kind)
        return found[1] if found else ""

    @property
    def unit(self) -> int:
        """Its unit, 0 for a whole layer."""
        return self.index[0] if self.index and isinstance(self.index[0], int) else 0

    @property
    def source(self) -> int:
        """The unit of the layer below that a weight comes from, 0 where there is none."""
        return self.index[1] if len(self.index) in (2, 4) and isinstance(self.index[1], int) else 0

    def covers(self, other: "Quantity") -> bool:
        """Whether the other is this one or a part of it: z2 covers z2.1."""
        same = self.kind == other.kind and self.layer == other.layer
        return same and other.index[: len(self.index)] == self.index

    def is_in(self, known: Collection["Quantity"]) -> bool:
        """Whether one of these quantities covers it."""
        return any(self.of(self.kind, *self.index[:length]) in known for length in range(len(self.index), -1, -1))

    def of(self, kind: str, *index: Index) -> "Quantity":
        """Another kind of number in the same layer, of its whole batch."""
        return Quantity(kind, self.layer, index)

    def like(self, kind: str) -> "Quantity":
        """Another kind of number in the very same place."""
        return Quantity(kind, self.layer, self.index, self.example)

    def at(self, example: Index | None) -> "Quantity":
        """The same of one example."""
        return Quantity(self.kind, self.layer, self.index, example)

    def bind(self, values: Mapping[str, int]) -> "Quantity":
        """The same with numbers for its letters."""
        index = tuple(_bound(i, values) for i in self.index)
        example = None if self.example is None else _bound(self.example, values)
        return Quantity(self.kind, self.layer, index, example)

    @property
    def svg_id(self) -> str:
        """The id of what is drawn of it: link-2-1-3, bias-2-1, node-2-1; a whole layer is layer-2. A weight of a kernel
        is in its link, and a place of a feature map in its node."""
        if not self.index:
            return f"layer-{self.layer}"
        index = self.index[:1] if len(self.index) == 3 else self.index[:2]
        drawn = "link" if len(index) > 1 else "bias" if "b" in self.kind else "node"
        return "-".join(map(str, (drawn, self.layer, *index)))


def _bound(index: Index, values: Mapping[str, int]) -> Index:
    return (
        index if isinstance(index, int) else values.get(index, index) if isinstance(index, str) else index.bind(values)
    )


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Quantity | None:
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    kind, layer, index = _ALSO.get(match[1], match[1]), int(match[2] or 0), match[3] or ""
    return Quantity(kind, layer, tuple(int(part) for part in index.split(".")[1:]))


def weight(layer: int, unit: Index, source: Index) -> Quantity:
    """The weight into a unit from one of the layer below."""
    return Quantity("W", layer, (unit, source))


def bias(layer: int, unit: Index) -> Quantity:
    """The bias of a unit."""
    return Quantity("b", layer, (unit,))


def unit(layer: int, unit: Index) -> Quantity:
    """A unit, by its activation."""
    return Quantity("a", layer, (unit,))


def form_of(letters: Sequence[str], sizes: Sequence[int], images: bool) -> Words:
    """What the address of a parameter looks like in a network that has these."""
    forms = [f"{letter}<layer>.<unit>" + ".<input>" * (letter == "W") for letter in dict.fromkeys(letters)]
    forms[1:1] = ["W<layer>.<channel>.<channel below>.<row>.<column>"] * images
    return said(
        "{forms} or {last}, counted from 1, in a network of {units} units",
        forms=", ".join(forms[:-1]),
        last=forms[-1],
        units=" - ".join(map(str, sizes)),
    )
