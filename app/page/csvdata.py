"""A person's own examples from pasted text: one example a line, numbers apart by commas, the last one the label."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from engine import LIMITS, SpecError


def parse_csv(text: str) -> dict[str, Any]:
    """Text as {"x": rows, "y": labels}; SpecError names the line that is wrong, counted from 1.

    A first line without any number is a heading. Commas, semicolons, tabs or spaces part the numbers.
    """
    rows: list[list[float]] = []
    for i, line in enumerate(text.splitlines(), start=1):
        cells = line.replace(";", ",").replace("\t", ",").replace(",", " ").split()
        if not cells or (not rows and i == 1 and not any(_number(cell) is not None for cell in cells)):
            continue
        rows.append(_row(i, cells, rows))
        if len(rows) > LIMITS.custom_rows:
            raise SpecError("csv", f"line {i}", f"at most {LIMITS.custom_rows:,} lines")
    if len(rows) < 2:
        raise SpecError(
            "csv", f"{len(rows)} lines", "at least 2 lines such as 1.5, -0.2, 1: the inputs, then the label"
        )
    return {"x": [row[:-1] for row in rows], "y": [row[-1] for row in rows]}


def _row(line: int, cells: Sequence[str], before: list[list[float]]) -> list[float]:
    row = []
    for place, cell in enumerate(cells, start=1):
        value = _number(cell)
        if value is None:
            raise SpecError("csv", f"line {line}, value {place}: {cell[:20]}", "a number")
        row.append(value)
    if len(row) < 2:
        raise SpecError("csv", f"line {line}", "at least one input and a label")
    if before and len(row) != len(before[0]):
        raise SpecError("csv", f"line {line}: {len(row)} numbers", f"{len(before[0])}, as many as the first line")
    return row


def _number(text: str) -> float | None:
    try:
        value = float(text) if len(text) < 40 else None
    except ValueError:
        return None
    return value if value is not None and isfinite(value) else None
