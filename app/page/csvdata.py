"""A person's own examples from pasted text: one example a line, inputs first, the class or the value last."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine import LIMITS, SpecError

SAMPLE = "such as 1.5, -0.2, 1: the inputs, then the class or the value"
LARGEST = 1e6  # as the engine has it for numbers of one's own


class WrongData(SpecError):
    """Pasted text that cannot be trained on. Its text is a sentence: which line and column, and what is allowed."""

    def __init__(self, sentence: str) -> None:
        super().__init__("csv", None, "")
        self.args = (sentence,)


@dataclass(frozen=True)
class Line:
    """One example: its number among all lines, from 1, its cells as they were pasted, and their numbers."""

    number: int
    cells: tuple[str, ...]
    values: tuple[float, ...]

    def wrong(self, column: int, allowed: str) -> WrongData:
        """That a cell, counted from 0, is not what it must be."""
        text = self.cells[column]
        shown = f"is “{text[:20]}{'…' * (len(text) > 20)}”" if text else "is empty"
        return WrongData(f"Line {self.number}, column {column + 1} {shown}: it must be {allowed}.")


def parse_csv(text: str, task: str = "") -> dict[str, Any]:
    """Text as {"x": rows, "y": labels}, and the task if one is given; WrongData says what is wrong and where.

    A first line without any number is a heading. Commas, semicolons or blanks part the numbers, one kind a line.
    """
    found = [(i, cells) for i, line in enumerate(text.splitlines(), start=1) if any(cells := _cells(line))]
    if found and not any(_number(cell) is not None for cell in found[0][1]):
        del found[0]
    _check_count(len(found))
    lines = [_line(i, cells) for i, cells in found]
    _check_columns(lines)
    task = task or ("multiclass" if _are_classes(lines) else "")
    if task:
        _check_labels(lines, task)
    data = {"x": [list(line.values[:-1]) for line in lines], "y": [line.values[-1] for line in lines]}
    return data | {"task": task} if task else data


def _cells(line: str) -> tuple[str, ...]:
    mark = next((mark for mark in ";," if mark in line), None)
    return tuple(cell.strip() for cell in line.split(mark))


def _check_count(count: int) -> None:
    if count < 2:
        there = "There are no lines of numbers" if not count else "There is only 1 line of numbers"
        raise WrongData(f"{there}: there must be at least 2, {SAMPLE}.")
    if count > LIMITS.custom_rows:
        raise WrongData(f"There are {count:,} lines of numbers: there must be at most {LIMITS.custom_rows:,}.")


def _line(number: int, cells: tuple[str, ...]) -> Line:
    values = [_number(cell) for cell in cells]
    line = Line(number, cells, tuple(value or 0.0 for value in values))
    for column, value in enumerate(values):
        if value is None:
            raise line.wrong(column, "a number" + (", with a decimal point" if "," in cells[column] else ""))
        if not abs(value) <= LARGEST:
            raise line.wrong(column, f"a number from {-LARGEST:,.0f} to {LARGEST:,.0f}")
    return line


def _check_columns(lines: Sequence[Line]) -> None:
    first, most = lines[0], LIMITS.custom_columns + 1
    width = len(first.cells)
    if width < 2:
        raise WrongData(f"Line {first.number} has 1 column: it must have at least 2, {SAMPLE}.")
    if width > most:
        raise WrongData(f"Line {first.number} has {width:,} columns: it must have at most {most:,}.")
    for line in lines:
        if (here := len(line.cells)) != width:
            columns = "1 column" if here == 1 else f"{here:,} columns"
            raise WrongData(f"Line {line.number} has {columns}: it must have {width:,}, as line {first.number} has.")
    if (inputs := len(lines) * (width - 1)) > LIMITS.custom_values:
        told = f"{len(lines):,} lines of {width - 1:,} inputs are {inputs:,} numbers"
        raise WrongData(f"{told}: they must be at most {LIMITS.custom_values:,}.")


def _are_classes(lines: Sequence[Line]) -> bool:
    """Whether the labels look like three or more classes: 0, 1, 2 and so on, none left out, each of several lines."""
    counts = Counter(line.values[-1] for line in lines)
    whole = sorted(counts) == list(range(len(counts)))
    return whole and 3 <= len(counts) <= LIMITS.custom_outputs and min(counts.values()) > 1


def _check_labels(lines: Sequence[Line], task: str) -> None:
    if task not in ("binary", "multiclass"):
        return
    last, most = len(lines[0].cells) - 1, LIMITS.custom_outputs
    signed = lines[0].values[-1] == -1
    classes = set(range(most)) if task == "multiclass" else {-1, 1} if signed else {0, 1}
    of_two = "-1 or 1" if signed else "0 or 1"
    allowed = f"a class, 0 to {most - 1}" if task == "multiclass" else f"{of_two} where there are two classes"
    for line in lines:
        if line.values[-1] not in classes:
            raise line.wrong(last, allowed)


def _number(text: str) -> float | None:
    """The number that a text is, not a number and infinity among them; None if it is none."""
    try:
        return float(text) if len(text) < 40 else None
    except ValueError:
        return None
