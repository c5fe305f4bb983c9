"""Cells without a value, and dates: what becomes of the rows and columns that have them. One rule for every door: a row
that lacks a value is left out, or its inputs are filled in; an input that is a date or empty in most rows is left out.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, time
from itertools import chain
from typing import Any, NamedTuple

from engine.checks import SpecError, integer, one_of, sequence

WAYS = ("leave", "fill")  # what may be done with rows that lack an input
MOST = 0.5  # of a column that may be empty
Rows = list[list[Any]]

_WORDS = frozenset({
    "", "na", "n/a", "n.a.", "n. a.", "nan", "-nan", "+nan", "null", "none", "nil", "nat", "?", "??", "-", "--", "---",
    "–", "—", ".", "..", "...", "*", "#n/a", "#na", "#nv", "#value!", "#div/0!", "#num!", "#ref!", "#name?", "#null!",
    "1.#ind", "-1.#ind", "1.#qnan", "1.#inf", "missing", "unknown", "undefined", "not available", "no data",
    "keine angabe", "k.a.", "k. a.", "n.d.", "n. d.", "n.v.", "s.o.", "s/d", "<na>", "(null)", "\\n", "inf", "-inf",
    "+inf", "infinity", "-infinity",
})  # fmt: skip
_TEN = frozenset("0123456789")
_DAY = re.compile(r"\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?\s*")


@dataclass(frozen=True)
class Missing:
    """What had no value: places of the rows that are left out, counted from 0 in what was given; how many cells are
    filled in, by the mean or the commonest word of their column; and the columns left out, which are empty in most rows
    or dates."""

    rows_left_out: tuple[int, ...] = ()
    cells_filled: int = 0
    columns_left_out: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows_left_out or self.cells_filled or self.columns_left_out)

    def __str__(self) -> str:
        """In words, for a warning."""
        rows, columns, told = self.rows_left_out, self.columns_left_out, []
        if rows:
            which = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
            told.append(f"rows without a value are left out, {len(rows):,} in all: {which}, counted from 0")
        if self.cells_filled:
            told.append(
                f"empty cells are filled in by their column's mean or commonest word, {self.cells_filled:,} in all"
            )
        if columns:
            told.append(f"columns that are dates or empty in most rows are left out: {', '.join(columns[:5])}")
        return "; ".join(told)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, and `told_before` of it is equal."""
        return {name: list(told) if isinstance(told, tuple) else told for name, told in asdict(self).items()}


NOTHING = Missing()


class Complete(NamedTuple):
    """Rows that lack nothing, and the places of these rows and columns in what was given."""

    x: Rows
    y: Rows
    rows: Sequence[int]
    columns: Sequence[int]
    missing: Missing


def is_missing(text: str) -> bool:
    """Whether a cell of text says that there is no value."""
    return (not text or text[-1] not in _TEN) and text.strip().lower() in _WORDS


def stand_in(present: Sequence[Any]) -> Any:
    """What a cell without a value is filled in by: the mean of its column's numbers, or the commonest of its words."""
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in present):
        return sum(map(float, present)) / len(present)
    return Counter(present).most_common(1)[0][0]


def way_of(given: Any) -> str:
    """What is to be done, by the field `missing`."""
    return WAYS[0] if given is None or isinstance(given, Mapping) else one_of("data.missing", given, WAYS)


def told_before(given: Any) -> Missing:
    """What `missing` says of data that were complete when they were stored."""
    if not isinstance(given, Mapping):
        return NOTHING
    fields = Missing.__dataclass_fields__
    for name in given:
        if name not in fields:
            raise SpecError(f"data.missing.{name}", given[name], "left out: it has {fields}", fields=", ".join(fields))
    rows = sequence("data.missing.rows_left_out", given.get("rows_left_out", ()), "a list of places")
    columns = sequence("data.missing.columns_left_out", given.get("columns_left_out", ()), "a list of names")
    return Missing(
        tuple(integer(f"data.missing.rows_left_out.{i}", row, 0, 1e9) for i, row in enumerate(rows)),
        integer("data.missing.cells_filled", given.get("cells_filled", 0), 0, 1e9),
        tuple(ascii(name)[1:-1] if not str(name).isprintable() else str(name)[:60] for name in columns),
    )


def complete(names: Sequence[str], x: Rows, y: Rows, fill: bool) -> Complete:
    """The rows that lack nothing; SpecError where none is left."""
    if _all_there(x) and _all_there(y):
        return Complete(x, y, range(len(x)), range(len(x[0])), NOTHING)
    kept, without, filled = dict[int, list[Any]](), set[int](), 0
    for k, column in enumerate(map(list, zip(*x, strict=True))):
        empty = _gaps(column)
        present = [cell for i, cell in enumerate(column) if i not in empty]
        if len(present) < MOST * len(column) or all(map(_is_date, present)):
            continue
        kept[k] = column
        if fill and empty:
            other = stand_in(present)
            kept[k] = [other if i in empty else cell for i, cell in enumerate(column)]
            filled += len(empty)
        else:
            without |= empty
    for column in map(list, zip(*y, strict=True)):
        without |= _gaps(column)
    gone = tuple(names[k] if names else f"x{k + 1}" for k in range(len(x[0])) if k not in kept)
    rows = [i for i in range(len(x)) if i not in without]
    if not kept:
        raise SpecError("data.x", "no other columns", "at least one that is no date, with a value in most rows")
    if not rows:
        raise SpecError("data", "a value missing in every row", "rows with all values, or missing: 'fill'")
    columns = list(kept.values())
    found, missing = [[column[i] for column in columns] for i in rows], Missing(tuple(sorted(without)), filled, gone)
    return Complete(found, [y[i] for i in rows], rows, list(kept), missing)


def _all_there(rows: Rows) -> bool:
    """Whether these are numbers and none of them is missing: seen quickly, for there may be many."""
    if not set(map(type, chain.from_iterable(rows))) <= {int, float, bool}:
        return False
    return all(cell == cell for cell in chain.from_iterable(rows))


def _gaps(column: Sequence[Any]) -> set[int]:
    """The places without a value; among numbers also those of a text that says so."""
    numbers = any(isinstance(cell, int | float) and not isinstance(cell, bool) and cell == cell for cell in column)
    return {
        i
        for i, cell in enumerate(column)
        if _is_empty(cell) or (numbers and isinstance(cell, str) and is_missing(cell))
    }


def _is_empty(cell: object) -> bool:
    """Whether this is no value, in the ways of Python, NumPy and pandas."""
    if isinstance(cell, float):
        return cell != cell
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or type(cell).__name__ in ("NAType", "NaTType")


def _is_date(cell: object) -> bool:
    if isinstance(cell, date | time) or type(cell).__name__ == "Period":  # of pandas
        return True
    return isinstance(cell, str) and _DAY.fullmatch(cell) is not None
