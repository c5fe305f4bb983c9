"""Which rows are the table: titles, units and lines of another length are not, and the first may be its heading."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.data.figures import number, within
from app.data.table import Choices, Note, Row, Split, WrongData, many, printable
from engine.labels import LONGEST_NAME
from engine.missing import is_missing
from engine.wording import Words, said

MOSTLY = 0.6
SAMPLE = said("such as 1.5, -0.2, 1: the inputs, then the class or the value")
MOST_COLUMNS = 300
_TOTAL = re.compile(
    r"(?:grand |sub)?totals?|sum|summe|gesamt|insgesamt|averages?|means?|mittelwert|durchschnitt|somme|moyenne|media|"
    r"std\.?( ?dev(iation)?)?|median",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Headed:
    """The rows of a table, all of one length, and its names, "" where a column has none; `named` says whether any
    heading was there. `classes` are names of classes that stood in the first line, as scikit-learn writes them."""

    rows: tuple[Row, ...]
    names: tuple[str, ...]
    named: bool
    notes: tuple[Note, ...]
    classes: tuple[str, ...] = ()


_COUNTS: Words = "Line {line} counts {names}: read as the heading, names of columns."
_UNEVEN: Words = "{rows} of another length left out: line {line} has {columns}, not {width:,}."


def body_of(split: Split, choices: Choices) -> Headed:
    """The rows and the names; WrongData where there are fewer than two rows or columns."""
    rows, notes = list(split.rows), list(split.notes)
    _check_columns(rows)
    width = _width(rows, split.mark == "xlsx")
    classes, rows = _counted(rows, width, notes)
    rows = _top(rows, width, notes)
    rows, uneven = _even(rows, width, split.mark == "xlsx")
    if len(uneven) > max(3, len(rows) // 5):
        first = uneven[0]
        raise WrongData(
            "Line {line} has {columns}: it must have {width:,}, as most lines have.",
            line=first.line,
            columns=many(len(first.cells), "1 column", "{count:,} columns"),
            width=width,
        )
    if uneven:
        rows_out = many(len(uneven), "1 row", "{count:,} rows")
        columns = many(len(uneven[0].cells), "1 column", "{count:,} columns")
        notes.append(Note(said(_UNEVEN, rows=rows_out, line=uneven[0].line, columns=columns, width=width)))
    commented = split.heading if split.heading and len(split.heading.cells) == width else None
    heading = _heading(rows, commented, split.named, choices, notes)
    if heading and heading in rows:
        rows = rows[rows.index(heading) + 1 :]
        rows = _without_headings(rows, heading, notes)
        heading, rows = _with_second(heading, rows, notes)
        rows = _without_units(rows, notes)
        rows = _without_totals(rows, notes)
    rows = _without_footers(rows, width, notes)
    names = _told_apart([_name(cell) for cell in heading.cells]) if heading else ("",) * width
    rows, names = _without_empty(rows, names)
    _check_size(rows, len(names))
    return Headed(tuple(rows), names, any(names), tuple(notes), classes)


def _width(rows: Sequence[Row], sheet: bool) -> int:
    """How many cells most rows have; of a sheet, whose rows end before empty cells, as many as its heading has."""
    width = Counter(len(row.cells) for row in rows).most_common(1)[0][0] if rows else 0
    if not sheet:
        return width
    wider = (row.cells for row in rows[:11] if len(row.cells) > width)
    return next((len(cells) for cells in wider if all(cells) and all(number(cell) is None for cell in cells)), width)


def _check_columns(rows: Sequence[Row]) -> None:
    for row in rows:
        if len(row.cells) > MOST_COLUMNS:
            raise WrongData(
                "Line {line} has {count:,} columns: it must have at most {most}.",
                line=row.line,
                count=len(row.cells),
                most=MOST_COLUMNS,
            )


def _check_size(rows: Sequence[Row], width: int) -> None:
    if rows and width < 2:
        raise WrongData(
            "Line {line} has 1 column: it must have at least 2, {sample}.", line=rows[0].line, sample=SAMPLE
        )
    if len(rows) < 2:
        there: Words = "There are no lines of numbers: there must be at least 2, {sample}."
        if rows:
            there = "There is only 1 line of numbers: there must be at least 2, {sample}."
        raise WrongData(there, sample=SAMPLE)


def _name(cell: str) -> str:
    return printable(cell, LONGEST_NAME - 16)


def _counted(rows: list[Row], width: int, notes: list[Note]) -> tuple[tuple[str, ...], list[Row]]:
    """A first line as scikit-learn's files have it: how many rows, how many inputs, and the names of the classes."""
    first = rows[0].cells if rows else ()
    if len(first) < 3 or [number(cell) for cell in first[:2]] != [len(rows) - 1, width - 1]:
        return (), rows
    names = tuple(_name(cell) for cell in first[2:] if cell)
    if any(number(name) is not None for name in names) or len(set(names)) < max(2, len(names)):
        return (), rows
    notes.append(Note(said("The first line counts {count:,} rows and names the classes.", count=len(rows) - 1)))
    return names, rows[1:]


def _top(rows: list[Row], width: int, notes: list[Note]) -> list[Row]:
    """Without the titles above the table."""
    first = next((i for i, row in enumerate(rows) if len(row.cells) >= width - 1 or _filled(row) >= width - 1), 0)
    rest = [row for row in rows[1:] if len(row.cells) == width]
    if first == 0 and len(rest) > 1 and len(rows[0].cells) == width - 1 and _is_heading(rest[0], rest[1:]):
        first = int(not any(number(cell) is not None for cell in rest[0].cells))
    if 0 < first <= 10 and width > 2:
        title = next((cell for cell in rows[0].cells if cell), "")
        lines = said("Line 1") if first == 1 else said("Lines 1 to {line}", line=rows[first - 1].line)
        notes.append(Note(said("{lines} above the table passed over: “{title}”.", lines=lines, title=title[:30])))
        return rows[first:]
    if width == 2 and len(rows) > 2 and len(rows[0].cells) == 1:
        notes.append(Note(said("Line 1 above the table passed over: “{cell}”.", cell=rows[0].cells[0][:30])))
        return rows[1:]
    return rows


def _filled(row: Row) -> int:
    return sum(bool(cell) for cell in row.cells)


def _even(rows: list[Row], width: int, sheet: bool) -> tuple[list[Row], list[Row]]:
    """Rows brought to one length where that is beyond doubt, as in a sheet, and those of another length."""
    even, uneven = list[Row](), list[Row]()
    for i, row in enumerate(rows):
        cells = row.cells
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        elif sheet and 1 < len(cells) < width:  # what is empty at the end of a sheet's row is not told
            cells += ("",) * (width - len(cells))
        elif len(cells) == width - 1 and i == 0 and len(rows) > 1:  # the row names of R and pandas have no name
            ends_empty = len(rows[1].cells) == width and not any(r.cells[-1] for r in rows[1:] if len(r.cells) == width)
            cells = (*cells, "") if ends_empty else ("", *cells)
        (even if len(cells) == width else uneven).append(replace(row, cells=cells))
    return even, uneven


def _heading(rows: list[Row], commented: Row | None, named: bool, choices: Choices, notes: list[Note]) -> Row | None:
    asked = choices.of("heading", "yes", "no")
    if not rows or asked == "no":
        return None
    if asked == "yes" or named:
        return rows[0]
    first = rows[0]
    if _is_heading(first, rows[1:]):
        if any(number(cell) is not None for cell in first.cells):
            names = ", ".join(cell for cell in first.cells if cell)[:24]
            notes.append(Note(said(_COUNTS, line=first.line, names=names), "it is a row", ("heading", "no")))
        return first
    if commented:
        notes.append(
            Note(said("The comment in line {line} names the columns: it is the heading.", line=commented.line))
        )
    return commented


def _is_heading(first: Row, rest: Sequence[Row]) -> bool:
    """Names over numbers; numbers that count 0, 1, 2 and on; or words of which none comes again below."""
    if not rest:
        return not any(number(cell) is not None for cell in first.cells)
    cells = first.cells
    filled = [i for i, cell in enumerate(cells) if not is_missing(cell)]
    words = [i for i in filled if number(cells[i]) is None]
    over = [i for i in words if _is_numeric(rest, i)]
    counted = [cells[i] for i in filled if i not in words]
    counts = _counts(counted) and not all(_counts([r.cells[i] for i in filled if i not in words]) for r in rest[:3])
    if not counted:
        again = any(row.cells[i] == cells[i] for row in rest[:200] for i in words)
        repeats = any(len({row.cells[i] for row in rest}) < len(rest) for i in words)
        return bool(over) or (bool(words) and not again and repeats and len(set(cells)) == len(cells))
    if words:
        if counts and len(counted) > 1 and not any(row.cells[i] == cells[i] for row in rest for i in words):
            return True
        return 2 * len(over) > len(cells)
    return counts and len(counted) >= 3 and len(rest) >= 3


def _counts(cells: Sequence[str]) -> bool:
    """Whether these are whole numbers, each one more than the last."""
    values = [int(cell) if cell.isdecimal() and len(cell) < 9 else None for cell in cells]
    return len(values) > 0 and all(a is not None and b is not None and b == a + 1 for a, b in pairwise(values))


def _is_numeric(rows: Sequence[Row], column: int) -> bool:
    found = [cell for row in rows[:200] if not is_missing(cell := row.cells[column])]
    return bool(found) and sum(number(cell) is not None for cell in found) >= MOSTLY * len(found)


def _without_units(rows: list[Row], notes: list[Note]) -> list[Row]:
    """Without a row of units below the heading: words where numbers follow."""
    if len(rows) < 3:
        return rows
    over = [i for i in range(len(rows[0].cells)) if _is_numeric(rows[1:], i)]
    cells = [rows[0].cells[i] for i in over]
    words = [cell for cell in cells if not is_missing(cell)]
    if not words or any(number(within(cell)) is not None for cell in words):
        return rows
    notes.append(
        Note(
            said(
                "Line {line} has units, such as “{words}”: no row of the table.", line=rows[0].line, words=words[0][:12]
            )
        )
    )
    return rows[1:]


def _with_second(heading: Row, rows: list[Row], notes: list[Note]) -> tuple[Row, list[Row]]:
    """A heading of two lines as one: names above that stand over several columns, and names below."""
    upper = list(heading.cells)
    doubled = [
        i for i in range(1, len(upper)) if (not upper[i] and upper[i - 1]) or (upper[i] and upper[i] in upper[:i])
    ]
    if not doubled or len(rows) < 3:
        return heading, rows
    lower = rows[0].cells
    if any(number(cell) is not None for cell in lower) or not all(lower[i] for i in doubled):
        return heading, rows
    for i in range(1, len(upper)):
        upper[i] = upper[i] or (upper[i - 1] if lower[i] else "")
    both = tuple(f"{up} {low}".strip() for up, low in zip(upper, lower, strict=True))
    notes.append(
        Note(
            said(
                "Lines {line} and {other} are the heading: “{both}”.",
                line=heading.line,
                other=rows[0].line,
                both=both[doubled[0]][:30],
            )
        )
    )
    return replace(heading, cells=both), rows[1:]


def _without_footers(rows: list[Row], width: int, notes: list[Note]) -> list[Row]:
    """Without what stands below a table: its last rows with words in the first cell and nothing else, or nothing."""
    end = len(rows)
    while end > 2 and width > 1 and not any(rows[end - 1].cells[1:]) and number(rows[end - 1].cells[0]) is None:
        end -= 1
    asked = next((row for row in rows[end:] if row.cells[0]), None)
    if asked:
        notes.append(
            Note(said("Line {line} below the table passed over: “{cell}”.", line=asked.line, cell=asked.cells[0][:30]))
        )
    return rows[:end]


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Names of which none comes twice: the second a is a 2."""
    found = list[str]()
    for name in names:
        again = 2
        other = name
        while name and other in found:
            other, again = f"{name} {again}", again + 1
        found.append(other)
    return tuple(found)


def _without_headings(rows: list[Row], heading: Row, notes: list[Note]) -> list[Row]:
    """Without the heading where it comes again, as in files that were put one behind the other."""
    again = [row for row in rows if row.cells == heading.cells]
    if not again:
        return rows
    notes.append(Note(said("The heading comes again in line {line}: no row of the table.", line=again[0].line)))
    return [row for row in rows if row.cells != heading.cells]


def _without_totals(rows: list[Row], notes: list[Note]) -> list[Row]:
    """Without a last row of totals or means."""
    last = rows[-1] if len(rows) > 2 else None
    at = next((i for i, cell in enumerate(last.cells) if cell), 0) if last else 0
    if (
        last is None
        or not _TOTAL.fullmatch(last.cells[at])
        or any(row.cells[at] == last.cells[at] for row in rows[:-1])
    ):
        return rows
    notes.append(
        Note(said("Line {line} is called “{cell}”: no row of the table.", line=last.line, cell=last.cells[at]))
    )
    return rows[:-1]


def _without_empty(rows: list[Row], names: tuple[str, ...]) -> tuple[list[Row], tuple[str, ...]]:
    """Without columns that have neither name nor value."""
    kept = [i for i, name in enumerate(names) if name or any(row.cells[i] for row in rows)]
    if len(kept) == len(names):
        return rows, names
    return [replace(row, cells=tuple(row.cells[i] for i in kept)) for row in rows], tuple(names[i] for i in kept)
