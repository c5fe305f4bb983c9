"""What each column is for: which is to be predicted, which go in, and which tell nothing or too much."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import pairwise

from app.data.table import Choices, Column, Note, Part
from app.data.times import as_numbers
from engine.labels import FEW, are_classes
from engine.wording import Said, Words, said

_TARGET = re.compile(
    r"(y|target|label|labels|class|classes|output|outcome|result|klasse|ziel|zielgröße|species|variety|diagnosis|"
    r"survived|quality|category|type|clase|classe|etiqueta|cible|y_?true|response)",
    re.IGNORECASE,
)
_TARGETS = re.compile(r"(y|target|out|output|label|t|ziel|class|klasse)[ _.-]?(\d+|[a-z])", re.IGNORECASE)
_INDEX = re.compile(
    r"(|index|id|idx|nr\.?|no\.?|#|num|number|row|rows|rownames?|unnamed: 0|lfd\.? ?nr\.?|.+[_ ]?id|Id)", re.IGNORECASE
)

_TRUTH = {"true", "false", "wahr", "falsch"}


def with_parts(columns: Sequence[Column], named: bool, choices: Choices, notes: list[Note]) -> tuple[Column, ...]:
    """The columns with what each is for, and notes on what is not plain to see."""
    columns = _with_times([_left_out(column, columns, named) for column in columns], choices, notes)
    asked = {c.index: choices.part(c.index) for c in columns}
    if "target" in asked.values():
        chosen = _asked(columns, asked, choices.given.get("targets", ""))
    else:
        open_ones = [c for c in columns if not asked[c.index] and c.part == "input"]
        chosen = _targets(open_ones or [c for c in columns if c.kind != "empty"][-1:], named, notes)
    done = []
    for column in columns:
        part: Part = "target" if column.index in chosen else asked[column.index] or column.part
        why = column.why if part == column.part == "out" else ""
        if len(chosen) > 1 and part == "target" and _is_truth(column):
            column = _as_number(column)
        done.append(replace(column, part=part, why=why))
    _tell_left_out([column for column in done if column.part == "out" and column.why], notes)
    return tuple(done)


def _with_times(columns: Sequence[Column], choices: Choices, notes: list[Note]) -> list[Column]:
    """Dates as numbers where a person uses them, or where with one column besides there is nothing else to go in."""
    alone = sum(c.part == "input" for c in columns) < 2
    done = list[Column]()
    for column in columns:
        asked = choices.part(column.index)
        wanted = asked in ("input", "target") or (alone and asked is None)
        told = as_numbers([str(v) if v is not None else None for v in column.values]) if wanted else None
        if column.kind == "date" and column.why == "is a date" and told:
            numbers, unit = told
            column = replace(column, kind="number", values=tuple(numbers), part="input", why="")
            other = ("leave it out", (f"part.{column.index}", "out")) if not alone else ("", ("", ""))
            notes.append(Note(said("{name} is told in {unit}.", name=column.name, unit=unit), *other))
        done.append(column)
    return done


def _asked(columns: Sequence[Column], asked: dict[int, Part | None], before: str) -> list[int]:
    """The targets that a person has chosen; a new one takes the place of the old, unless all are values to predict."""
    chosen = [c for c in columns if asked[c.index] == "target"]
    new = [c for c in chosen if str(c.index) not in before.split(",")] if before else chosen
    if not new or len(new) == len(chosen) or not any(c.kind == "text" or _few(c) for c in chosen):
        return [c.index for c in chosen]
    for column in chosen:
        if column not in new:
            asked[column.index] = "out" if column.kind == "text" else "input"
    return [c.index for c in new]


def _is_truth(column: Column) -> bool:
    return column.kind == "text" and {str(value).lower() for value in column.values if value is not None} <= _TRUTH


def _as_number(column: Column) -> Column:
    values = tuple(None if value is None else float(str(value).lower() in ("true", "wahr")) for value in column.values)
    return replace(column, kind="number", values=values)


def _tell_left_out(columns: Sequence[Column], notes: list[Note]) -> None:
    constant = [column for column in columns if isinstance(column.why, Said) and column.why.message == _CONSTANT]
    told = [column for column in columns if column not in constant or len(constant) == 1]
    notes += [
        Note(said("{name} {why}: left out.", name=c.name, why=said(c.why)), "use it", (f"part.{c.index}", "input"))
        for c in told
    ]
    if len(constant) > 1:
        names = reduce(_comma, (column.name for column in constant[:4]))
        names = said("{names} and others", names=names) if len(constant) > 4 else names
        notes.append(
            Note(
                said(
                    "{count} columns are always the same and tell nothing: {names} left out.",
                    count=len(constant),
                    names=names,
                )
            )
        )


_CONSTANT: Words = "is always {value} and tells nothing"


def _left_out(column: Column, columns: Sequence[Column], named: bool) -> Column:
    """Out by default: what is empty, a date, always the same, a number of the row, or words of which each is new."""
    why: Words = ""
    present = [value for value in column.values if value is not None]
    different = len(set(present))
    if column.kind == "empty":
        why = "is empty"
    elif column.kind == "date":
        why = "is a date"
    elif len(present) < len(column.values) / 2 and not (named and different > 1 and _TARGET.fullmatch(column.name)):
        count = len(column.values)
        why = said("is empty in {empty:,} of {count:,} rows", empty=count - len(present), count=count)
    elif _is_index(column, columns, named):
        why = "is an index, the number of the row"
    elif different <= 1:
        shown = f"{present[0]:,.10g}" if isinstance(present[0], float) else f"“{str(present[0])[:20]}”"
        why = said(_CONSTANT, value=shown)
    elif column.kind == "text" and different > FEW:
        why = said("has {count:,} different words", count=different)
        if different == len(present):
            why = said("has {count:,} different words, one a row", count=different)
    return replace(column, part="out" if why else "input", why=why)


def _is_index(column: Column, columns: Sequence[Column], named: bool) -> bool:
    values = column.values
    if len(columns) < 3 or len(values) < 3 or column.kind != "number" or any(value is None for value in values):
        return False
    first = column.index == columns[0].index
    steps = {b - a for a, b in pairwise(values) if isinstance(a, float) and isinstance(b, float)}
    counts = steps == {1.0}
    name = column.name if named else "?"
    unique = len(set(values)) == len(values) and all(isinstance(v, float) and v == int(v) for v in values)
    if _INDEX.fullmatch(name) or name.startswith("column "):
        return (counts and (first or name.lower() in ("index", "id"))) or (
            unique and first and _INDEX.fullmatch(name) is not None
        )
    return counts and first and not named and len(columns) > 3 and values[0] in (0.0, 1.0) and len(values) > 4


def _targets(columns: Sequence[Column], named: bool, notes: list[Note]) -> list[int]:
    """The places of what is to be predicted; a choice that another could be is told."""
    if len(columns) < 2:
        return [c.index for c in columns[-1:]]
    if named and (several := [c for c in columns if _TARGETS.fullmatch(c.name)]) and 1 < len(several) < len(columns):
        names, one = reduce(_and, (c.name for c in several[:3])), several[0]
        notes.append(
            Note(
                said("{names} are columns to predict: {count} outputs.", names=names, count=len(several)),
                said("{name} is an input", name=one.name),
                (f"part.{one.index}", "input"),
            )
        )
        return [c.index for c in several]
    if hot := _one_hot(columns, named):
        notes.append(_one_choice(hot))
        return [c.index for c in hot]
    one = _one_target(columns, named)
    if one is not columns[-1]:
        reason: Words = "{name} has few whole numbers, the last column many: it is the column to predict."
        if one.kind == "text":
            reason = "{name} holds words: it is the column to predict."
        elif named:
            reason = "{name} is called so: it is the column to predict."
        last = columns[-1]
        other = said("predict {name}", name=last.name)
        notes.append(Note(said(reason, name=one.name), other, (f"part.{last.index}", "target")))
    return [one.index]


def _comma(some: Words, name: Words) -> Words:
    return said("{some}, {name}", some=some, name=name)


def _and(some: Words, name: Words) -> Words:
    return said("{some} and {name}", some=some, name=name)


def _one_choice(hot: Sequence[Column]) -> Note:
    names, last = reduce(_comma, (c.name for c in hot[:4])), hot[-1]
    told: Words = "{names}: a single 1 in each row, so they are {count} classes, the columns to predict."
    return Note(
        said(told, names=names, count=len(hot)),
        said("predict {name} alone", name=last.name),
        (f"part.{last.index}", "target"),
    )


def _one_target(columns: Sequence[Column], named: bool) -> Column:
    last, first = columns[-1], columns[0]
    if named:
        called = [c for c in columns if _TARGET.fullmatch(c.name)]
        if called:
            return called[-1] if last in called else called[0]
    words = [c for c in columns if c.kind == "text"]
    if (
        words
        and last.kind != "text"
        and not (_few(last) and (named or first.kind != "text"))
        and (first in words or len(words) == 1)
    ):
        return first if first in words else last if _is_value(last) else words[0]
    if not named and last.kind == "number" and not _few(last) and _few(first) and len(first.values) >= 20:
        numbers = sorted(set(first.numbers))
        if numbers[0] in (0.0, 1.0) and len(numbers) == numbers[-1] - numbers[0] + 1:
            return first
    return last


def _is_value(column: Column) -> bool:
    return column.kind == "number"


def _few(column: Column) -> bool:
    return column.kind == "number" and are_classes(column.numbers)


def _one_hot(columns: Sequence[Column], named: bool) -> list[Column]:
    """The columns at the end of which each row has a single 1, all else 0; two of them only of four rows or more. What
    alone among them is called a target is one by itself, and so is the last column of a truth table."""
    tail: list[Column] = []
    for column in reversed(columns):
        column = _as_number(column) if _is_truth(column) else column
        if column.kind != "number" or not set(column.numbers) <= {0.0, 1.0} or column.missing:
            break
        tail.insert(0, column)
    for count in range(min(len(tail), FEW, len(columns) - 1), 1, -1):
        hot = tail[-count:]
        rows = list(zip(*(c.values for c in hot), strict=True))
        present = all(1.0 in c.values for c in hot)
        if present and len(rows) >= 4 and all(sum(v for v in row if isinstance(v, float)) == 1.0 for row in rows):
            called = sum(_TARGET.fullmatch(c.name) is not None for c in hot) if named else 0
            return [] if called == 1 or (count == 2 and _is_truth_table(columns)) else hot
    return []


def _is_truth_table(columns: Sequence[Column]) -> bool:
    """Whether all is 0 and 1, and the columns before the last have each of their 2ⁿ rows once."""
    rows = set(zip(*(c.values for c in columns[:-1]), strict=True))
    binary = all(set(c.values) <= {0.0, 1.0} for c in columns)
    return binary and len(rows) == len(columns[0].values) == 2 ** (len(columns) - 1)
