"""The lines of a receipt, told as far as a walkthrough has computed them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan

from app.words.formulas import Role
from app.words.numbers import DIGITS, UNKNOWN, digits_of, signed
from engine import Quantity
from engine.arrays import Floats

Known = frozenset[Quantity] | None


@dataclass(frozen=True)
class Detail:
    """One line: what, how much, and the colour of what it is. `select` is where a further click leads."""

    label: str
    value: str
    role: Role = "plain"
    select: str = ""
    total: bool = False
    number: float = nan
    """What is told, where it is one of those that make up another number."""


@dataclass(frozen=True)
class Lines:
    """Lines that say what one of the numbers is made of."""

    title: str
    lines: tuple[Detail, ...]


def closed(lines: Sequence[Detail], make: Callable[[list[float]], float] = sum) -> tuple[Detail, ...]:
    """Lines that add up, or with prod multiply, to what is told of them; as they are where some are yet to come."""
    numbers = [line.number for line in lines]
    if any(line.value == UNKNOWN for line in lines) or not all(map(isfinite, numbers)):
        return tuple(lines)
    digits = digits_of(make, numbers, make(numbers))
    return tuple(replace(line, value=signed(line.number, digits)) for line in lines)


@dataclass(frozen=True)
class Teller:
    """Numbers as they are told: "?" for what a walkthrough has yet to compute, all if `known` is None."""

    known: Known

    def __call__(self, value: float, *quantities: Quantity, digits: int = DIGITS) -> str:
        """A number that is told once one of these quantities is computed; at any time, if there are none."""
        return signed(value, digits) if not quantities or self.knows(*quantities) else UNKNOWN

    def line(self, label: str, value: float, role: Role, *quantities: Quantity, select: str = "") -> Detail:
        """A line about a number that is told once one of these quantities is computed."""
        return Detail(label, self(value, *quantities), role, select, number=value)

    def mean(self, label: str, of: Quantity, values: Floats, select: str = "") -> Detail:
        """A line about what goes forward; of a batch it is the mean."""
        return self.line(label, float(values.mean()), "forward", of, select=select)

    def sum(self, label: str, of: Quantity, values: Floats, select: str = "") -> Detail:
        """A line about what comes back; of a batch it is the sum."""
        return self.line(label, float(values.sum()), "backward", of, select=select)

    def knows(self, *quantities: Quantity) -> bool:
        """Whether one of these is computed: a coarser grain takes several together under one of their names.

        The inputs are given from the start.
        """
        return self.known is None or any(not each.layer or each.is_in(self.known) for each in quantities)
