"""The values of this package: rows of cells, columns with what they are for, a table with what was understood of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine import SpecError
from engine.missing import Missing
from engine.wording import Said, Words, said

Kind = Literal["number", "text", "date", "empty"]
Part = Literal["input", "target", "out"]
PARTS: tuple[Part, ...] = ("input", "target", "out")
MOST_CELLS = 2_000_000
LONGEST_CELL = 1_000
SHOWN = 8  # rows of the table that are shown


def printable(text: str, most: int) -> str:
    """A text as a name can be: what cannot be shown is left out, and so is all beyond so many letters."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


class WrongData(SpecError):
    """Data that cannot be trained on. Its text is a sentence: which line and column, and what is allowed."""

    def __init__(self, sentence: Words, /, **parts: object) -> None:
        super().__init__("csv", None, "")
        self.sentence = said(sentence, **parts)
        self.args = (self.sentence,)


def many(count: int, one: Words, several: Words) -> Said:
    """One of two messages, for one and for several."""
    return said(one if count == 1 else several, count=count)


@dataclass(frozen=True)
class Row:
    """One line of a table: its number in the file, from 1, and its cells as they were written."""

    line: int
    cells: tuple[str, ...]

    def place(self, column: int) -> Words:
        """A cell, its column counted from 0, in words: what stands where."""
        text = self.cells[column] if column < len(self.cells) else ""
        if not text:
            return said("Line {line}, column {column} is empty", line=self.line, column=column + 1)
        text = text if len(text) <= 20 else text[:20] + "…"
        return said("Line {line}, column {column} is “{text}”", line=self.line, column=column + 1, text=text)


@dataclass(frozen=True)
class Split:
    """A text cut into rows. `mark` is what parts its cells; `heading` a row of names that stood in a comment; `named`
    says that the first row is the heading, where the form of the text leaves no doubt."""

    rows: tuple[Row, ...]
    mark: str
    notes: tuple["Note", ...] = ()
    heading: Row | None = None
    named: bool = False


@dataclass(frozen=True)
class Note:
    """One thing that was understood, in a sentence; `other` is the other reading, and `choice` the field and value that
    ask for it, both empty where there is none."""

    sentence: Words
    other: Words = ""
    choice: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Column:
    """A column: its name, what its cells are, what it is for, and why. `values` are numbers or texts, None where there
    is none. Of a target that stands for classes `labels` are its values as they are written, and `classes` what these
    are called, with their counts."""

    index: int
    name: str
    kind: Kind
    values: tuple[float | str | None, ...]
    part: Part = "input"
    why: Words = ""
    labels: tuple[str, ...] = ()
    classes: tuple[tuple[str, int], ...] = ()

    @property
    def missing(self) -> int:
        """How many cells have no value."""
        return sum(value is None for value in self.values)

    @property
    def numbers(self) -> list[float]:
        """The values of a column of numbers, those that there are."""
        return [value for value in self.values if isinstance(value, float)]


@dataclass(frozen=True)
class Table:
    """What was understood: columns, rows as they stood, which of them are left out, how many cells are filled in, and
    notes on all that was done."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    without: frozenset[int]
    notes: tuple[Note, ...]
    named: bool
    filled: int = 0

    @property
    def missing(self) -> Missing:
        """What is left out, and how many cells are filled in."""
        return Missing(tuple(sorted(self.without)), self.filled, tuple(column.name for column in self.of_part("out")))

    @property
    def kept(self) -> list[int]:
        """Places of the rows that are trained or tested on."""
        return [i for i in range(len(self.rows)) if i not in self.without]

    def of_part(self, part: Part) -> tuple[Column, ...]:
        """The columns that are for this."""
        return tuple(column for column in self.columns if column.part == part)


@dataclass(frozen=True)
class Choices:
    """What a person has said about the reading; everything empty is left to us."""

    given: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str, *allowed: str) -> str:
        """The choice for this, if it is one of those allowed."""
        value = self.given.get(name, "")
        return value if value in allowed else ""

    def part(self, index: int) -> Part | None:
        """What a column is said to be for."""
        value = self.given.get(f"part.{index}", "")
        return next((part for part in PARTS if part == value), None)
