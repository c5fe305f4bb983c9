"""A table from rows of cells: kinds of columns, what each is for, rows that are left out, and all of it asked."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from app.data.figures import (
    Decimal,
    decimal_of,
    doubtful,
    number,
    per_cent,
    sentinel_of,
    spelled,
    unit_of,
    within,
    without_unit,
)
from app.data.heading import Headed, body_of
from app.data.parts import with_parts
from app.data.table import Choices, Column, Kind, Note, Row, Split, Table, WrongData, many, printable
from engine import LIMITS
from engine.labels import FEW, are_classes, classes_of, name_of
from engine.missing import is_missing, stand_in
from engine.wording import Words, said

_LOOKED_AT = 200  # rows that tell which decimal mark is usual in a table
STRAY = 0.1  # of a column's cells that may be no number in a column of numbers
_MONTH = (
    r"(?:jan|feb|f[eé]v|mar|mär|mrz|maa|apr|avr|abr|may|mai|mag|maj|mei|jun|jui|giu|jul|lug|aug|aoû|ago|sep|set|oct|okt|"
    r"ott|nov|dec|dez|dic|déc|ene|gen)[^\W\d_]{0,7}"
)
_CLOCK = r"(?:[T ,]+\d{1,2}:\d{2}.*)?"
_DATE = re.compile(
    rf"(?:[^\W\d_]{{2,10}}[,.]? +)?(?:\d{{4}}[-/.]\d{{1,2}}([-/.]\d{{1,2}})?([T ].*)?|"  # perhaps behind a weekday
    rf"\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}( .*)?|\d{{1,2}}[. -]+{_MONTH}[. ,-]+\d{{2,4}}{_CLOCK}|"
    rf"{_MONTH}\.?[ -]\d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}{_CLOCK}|{_MONTH}[. -]+'?\d{{2,4}})|"
    rf"\d{{1,2}}:\d{{2}}(:\d{{2}}([.,]\d+)?)?( ?[ap]m)?|\d{{4}}[- ]?(?:Q[1-4]|W\d{{1,2}})|Q[1-4][- ]\d{{4}}",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")  # as in 20240131
_YES = {"true", "false", "yes", "no", "y", "n", "t", "f", "ja", "nein", "oui", "non", "si", "sí", "wahr", "falsch"}


def understand(split: Split, choices: Choices) -> Table:
    """What a text says, with everything that was guessed; WrongData where there is nothing to train on."""
    body = body_of(split, choices)
    notes = list(body.notes)
    rows = _sampled(body.rows, len(body.names), choices, notes)
    usual = decimal_of(cell for row in rows[:_LOOKED_AT] for cell in row.cells)
    columns = [_column(i, body, rows, split.mark, usual, choices, notes) for i in range(len(body.names))]
    columns = list(with_parts(columns, body.named, choices, notes))
    columns = [_with_classes(column, choices) for column in columns]
    _check_parts(columns, rows)
    columns, without, filled = _complete(columns, rows, choices, notes)
    if len(rows) - len(without) < 2:
        raise WrongData(_nothing_left(columns, rows, without))
    columns = [
        _counted(column, without, body.classes, notes) if column.part == "target" else column for column in columns
    ]
    _say_the_largest([column for column in columns if column.part == "target"], notes)
    named = body.named or any(column.name != f"column {column.index + 1}" for column in columns)
    return Table(tuple(columns), rows, without, tuple(notes), named, filled)


def _sampled(rows: tuple[Row, ...], width: int, choices: Choices, notes: list[Note]) -> tuple[Row, ...]:
    """All rows, or so many as there is room for: drawn by lot, always the same, or the first."""
    most = min(LIMITS.custom_rows, LIMITS.custom_values // max(1, width - 1))
    if len(rows) <= most:
        return rows
    if choices.of("sample", "first"):
        told = said("{most:,} of {count:,} rows are taken: the first.", most=most, count=len(rows))
        notes.append(Note(told, "at random", ("sample", "random")))
        return rows[:most]
    chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[:most])
    told = said("{most:,} of {count:,} rows are taken: a sample, at random.", most=most, count=len(rows))
    notes.append(Note(told, said("the first {most:,}", most=most), ("sample", "first")))
    return tuple(rows[i] for i in chosen.tolist())


def _column(
    index: int, body: Headed, rows: Sequence[Row], mark: str, usual: Decimal | None, choices: Choices, notes: list[Note]
) -> Column:
    name = (
        printable(choices.given.get(f"name.{index}", ""), 40)
        or body.names[index]
        or said("column {number}", number=index + 1)
    )
    asked = choices.of(f"kind.{index}", "number", "text")
    cells = _bare_cells(index, name, [row.cells[index] for row in rows], asked, notes)
    decimal = _decimal(cells, usual, mark, choices)
    values: list[float | str | None] = [None if is_missing(cell) else number(cell, decimal) for cell in cells]
    filled = [i for i, cell in enumerate(cells) if not is_missing(cell)]
    strays = [i for i in filled if values[i] is None]
    kind = _kind([cells[i] for i in strays], len(filled), asked)
    if kind == "number" and not asked and filled and all(_DAY.fullmatch(cells[i]) for i in filled):
        kind = "date"
    if kind == "text":
        values, strays = [*_in_one_spelling(_words(index, name, cells, asked, notes))], []
    if kind == "date":
        values, strays = [None if is_missing(cell) else cell for cell in cells], []
    if kind == "number":
        _say_decimal(name, cells, values, decimal, mark, notes)
    numbers = [value for value in values if isinstance(value, float)]
    if kind == "number" and not asked and (none := sentinel_of(numbers)):
        told = said("{name}: {none:g} is far from all others, and is read as empty.", name=name, none=none)
        notes.append(Note(told, "it is a number", (f"kind.{index}", "number")))
        values = [None if value == none else value for value in values]
    if strays and kind == "number":
        where = rows[strays[0]].place(index)
        others: Words = "{where}; {count} cells are no numbers: read as empty."
        if len(strays) == 1:
            others = "{where}; the others are numbers: read as empty."
        notes.append(_or_text(index, name, said(others, where=where, count=len(strays))))
    return Column(index, name, kind, tuple(values))


def _or_text(index: int, name: str, told: Words) -> Note:
    """What was understood of a column of numbers, which may be one of words."""
    return Note(told, said("{name} is text", name=name), (f"kind.{index}", "text"))


def _words(index: int, name: str, cells: list[str], asked: str, notes: list[Note]) -> list[str | None]:
    """Words as they stand. One that says that there is no value is none, unless it is asked for as a word, or is the
    only such in more than a third of the rows."""
    doubtful_ones = [cell.strip() for cell in cells if is_missing(cell) and cell.strip()[:1].isalpha()]
    often = len(doubtful_ones) > len(cells) / 3 and len(set(map(str.lower, doubtful_ones))) == 1
    kept = asked == "text" or often
    if doubtful_ones and not asked:
        word = doubtful_ones[0]
        if often:
            notes.append(Note(said("{name}: “{word}” is read as a word.", name=name, word=word)))
        else:
            told = said("{name}: “{word}” is read as no value.", name=name, word=word)
            notes.append(Note(told, "it is a word", (f"kind.{index}", "text")))
    empty = (lambda cell: not cell.strip()[:1].isalpha() and is_missing(cell)) if kept else is_missing
    return [None if empty(cell) else printable(cell, 40) or None for cell in cells]


def _bare_cells(index: int, name: str, cells: list[str], asked: str, notes: list[Note]) -> list[str]:
    """The cells of a column without what all of them have in common: a unit, or a per cent where the others are shares;
    + and - alone are two classes, not a value and none."""
    filled = [cell for cell in cells if not is_missing(cell)]
    if asked == "text" or not filled:
        return cells
    if set(map(str.strip, cells)) <= {"+", "-", "−", "–"}:
        return [{"+": "+"}.get(cell.strip(), "− ") for cell in cells]
    if "%" in "".join(cells) and per_cent(filled):
        cell = next(c for c in filled if "%" in c)
        notes.append(Note(said("{name} has per cent and shares: {cell} is read as a share.", name=name, cell=cell)))
        return [_share(cell) for cell in cells]
    if (plain := _without_marks(cells, filled)) is not None:
        first = next(cell for cell in filled if within(cell) != cell)
        told = said("{name}: {cell} is read as {value}.", name=name, cell=first, value=within(first))
        notes.append(_or_text(index, name, told))
        return plain
    if number(filled[0]) is not None and number(filled[-1]) is not None:
        return cells
    if all(spelled(cell) is not None or number(cell) is not None for cell in filled):
        first = next(cell for cell in filled if number(cell) is None)
        told = said("{name}: {cell} is {value:g}.", name=name, cell=first, value=spelled(first))
        notes.append(_or_text(index, name, told))
        return [cell if number(cell) is not None or is_missing(cell) else repr(spelled(cell)) for cell in cells]
    bare = [cell if is_missing(cell) else without_unit(cell) for cell in cells]
    unit = unit_of(filled)
    if not unit and not all("±" in cell or "+/-" in cell or "+-" in cell for cell in filled):
        return cells
    if any(number(cell, ",") is None for cell in bare if not is_missing(cell)):
        return cells
    behind: Words = "{name} is in {unit}, which stands behind each number."
    told = said(behind if unit else "{name}: ± and what follows is left out.", name=name, unit=unit)
    notes.append(_or_text(index, name, told))
    return bare


def _without_marks(cells: Sequence[str], filled: Sequence[str]) -> list[str] | None:
    """Cells such as <0.01 as their number, where all others of the column are numbers; None if it has none of them."""
    marked = [cell for cell in filled if within(cell) != cell]
    if not marked or any(number(within(cell), ",") is None and number(within(cell)) is None for cell in filled):
        return None
    return [within(cell) for cell in cells]


def _share(cell: str) -> str:
    value = number(cell) if cell.rstrip().endswith("%") else None
    return cell if value is None else f"{value / 100:.12g}"


def _in_one_spelling(values: Sequence[str | None]) -> Sequence[str | None]:
    """Words of yes and no as each is first written: Yes, yes and YES are one."""
    first = dict[str, str]()
    for value in values:
        if value is not None:
            first.setdefault(value.lower(), value)
    return [value and first[value.lower()] for value in values] if first.keys() <= _YES else values


def _kind(strays: Sequence[str], filled: int, asked: str) -> Kind:
    if not filled:
        return "empty"
    if asked:
        return "number" if asked == "number" else "text"
    if sum(_DATE.fullmatch(cell) is not None for cell in strays) > 0.8 * filled:
        return "date"
    few = len(strays) <= max(1, STRAY * filled) and filled - len(strays) >= 2 and len(strays) < filled / 2
    return "number" if not strays or few else "text"


def _decimal(cells: Sequence[str], usual: Decimal | None, mark: str, choices: Choices) -> Decimal:
    """The decimal mark of a column: as asked for, as it or the table leaves no doubt of, as is usual in such files."""
    if asked := choices.of("decimal", ".", ","):
        return "," if asked == "," else "."
    if mark in ("json", "xlsx"):
        return "."
    own = decimal_of(cells)
    if own or not any("," in cell or "." in cell for cell in cells):
        return own or "."
    if usual:
        return usual
    return "," if mark in ";\t" and any("," in cell for cell in cells) else "."


def _say_decimal(
    name: str,
    cells: Sequence[str],
    values: Sequence[float | str | None],
    decimal: Decimal,
    mark: str,
    notes: list[Note],
) -> None:
    done = {note.choice for note in notes}
    if decimal == "," and ("decimal", ".") not in done and any("," in cell for cell in cells):
        at = next(i for i, cell in enumerate(cells) if "," in cell)
        told = said("Decimal comma: {cell} is {value}.", cell=cells[at], value=values[at])
        notes.append(Note(told, "commas group thousands", ("decimal", ".")))
    elif decimal == "." and ("decimal", ",") not in done and mark in (";", "\t"):
        plain = [cell for cell in cells if "." in cell]
        if len(plain) > 1 and all(map(doubtful, plain)):
            at = max(i for i, cell in enumerate(cells) if "." in cell)
            told = said(
                "{name}: {cell} is read as {value:g}, with a decimal point. It could be thousands: {other}.",
                name=name,
                cell=cells[at],
                value=values[at],
                other=cells[at].replace(".", ""),
            )
            notes.append(Note(told, "points group thousands", ("decimal", ",")))


def _with_classes(column: Column, choices: Choices) -> Column:
    """A target that stands for classes has them by name; `choices` may say that it is a number, or that it is none."""
    if column.part != "target":
        return column
    present = [value for value in column.values if value is not None]
    task = choices.of("task", "binary", "multiclass", "regression") or {
        "class": "multiclass",
        "number": "regression",
    }.get(choices.given.get(f"as.{column.index}", ""), "")
    if column.kind == "number" and (task == "regression" or (not task and not are_classes(column.numbers))):
        return column
    if task == "regression":
        raise WrongData(
            "{name} has words, such as “{present}”: they are classes, not values to predict.",
            name=column.name,
            present=present[0],
        )
    names = classes_of(present)
    if len(names) > FEW or any(isinstance(value, float) and value != int(value) for value in present):
        raise WrongData(
            "{name} has {count:,} different values: there may be {most} classes, of whole numbers or words.",
            name=column.name,
            count=len(set(present)),
            most=FEW,
        )
    if task == "binary" and len(names) > 2:
        raise WrongData(
            "{name} has {count} different values: two classes have two.", name=column.name, count=len(names)
        )
    return replace(column, labels=names)


def _check_parts(columns: Sequence[Column], rows: Sequence[Row]) -> None:
    if not any(column.part == "input" for column in columns):
        out = [said("{name} {why}", name=c.name, why=said(c.why)) for c in columns if c.part == "out" and c.why]
        if not out:
            raise WrongData("No column is left that could be an input.")
        why = reduce(lambda some, each: said("{some}; {each}", some=some, each=each), out)
        raise WrongData("No column is left that could be an input: {why}.", why=why)
    if not any(column.part == "target" for column in columns):
        raise WrongData("No column is left that could be predicted: which column is it?")
    hot = [c for c in columns if c.part == "target"]
    if len(hot) > LIMITS.custom_outputs:
        raise WrongData(
            "{count} columns are to be predicted: there may be {most}.", count=len(hot), most=LIMITS.custom_outputs
        )
    if len(hot) > 1 and (wordy := next((c for c in hot if c.kind != "number"), None)):
        raise WrongData("{name} holds words: of several columns to predict each has numbers.", name=wordy.name)


def _complete(
    columns: Sequence[Column], rows: Sequence[Row], choices: Choices, notes: list[Note]
) -> tuple[list[Column], frozenset[int], int]:
    """Rows without a value in a column that is used are left out; or the mean, or the commonest word, stands in."""
    fill = choices.of("missing", "fill")
    done, without, filled = [], set[int](), 0
    for column in columns:
        empty = [i for i, value in enumerate(column.values) if value is None]
        if column.part == "input" and fill and empty:
            filled += len(empty)
            other = stand_in([value for value in column.values if value is not None])
            column = replace(column, values=tuple(other if v is None else v for v in column.values))
        elif column.part != "out":
            without |= set(empty)
        done.append(column)
    if filled:
        one: Words = "1 empty cell is filled in by the column's mean."
        told = many(filled, one, "{count:,} empty cells are filled in by the column's mean.")
        notes.append(Note(told, "leave these rows out", ("missing", "leave")))
    if without:
        first = rows[min(without)]
        column_at = next(c.index for c in columns if c.part != "out" and c.values[min(without)] is None)
        count = many(len(without), "1 row without a value left out", "{count:,} rows without a value left out")
        told = said("{count}. {place}.", count=count, place=first.place(column_at))
        notes.append(Note(told, "" if fill else "fill them in", ("missing", "fill")))
    return done, frozenset(without), filled


def _nothing_left(columns: Sequence[Column], rows: Sequence[Row], without: frozenset[int]) -> Words:
    first = min(without)
    column = next(c for c in columns if c.part != "out" and c.values[first] is None)
    told: Words = "{place}: it must be a number. Without such rows fewer than 2 are left."
    if column.part == "target":
        told = "{place}: it must be a class or a value. Without such rows fewer than 2 are left."
    return said(told, place=rows[first].place(column.index))


def _counted(column: Column, without: frozenset[int], names: Sequence[str], notes: list[Note]) -> Column:
    """Classes with how many rows each has, and what is to be asked of them."""
    if not column.labels:
        return column
    kept = [value for i, value in enumerate(column.values) if i not in without and value is not None]
    counts = Counter(name_of(value) for value in kept)
    own = names if len(names) == len(column.labels) else column.labels
    classes = tuple((name, counts[label]) for name, label in zip(own, column.labels, strict=True))
    if column.kind == "number" and not all(name in ("0", "1") for name, _ in classes):
        names = ", ".join(name for name, _ in classes[:10])
        told = said(
            "{name} is one of {count} whole numbers, {names}: {count} classes.",
            name=column.name,
            count=len(classes),
            names=names,
        )
        notes.append(Note(told, "it is a number", ("task", "regression")))
    return replace(column, classes=classes)


def _say_the_largest(targets: Sequence[Column], notes: list[Note]) -> None:
    """Of classes of which one is far larger than another: how often it is. Columns with one 1 in each row are one
    choice."""
    total = sum(count for _, count in targets[0].classes)
    counts = list(targets[0].classes)
    if len(targets) > 1:
        counts = [(column.name, dict(column.classes).get("1", 0)) for column in targets]
    if not counts or sum(count for _, count in counts) != total:
        return
    most, least = max(counts, key=lambda pair: pair[1]), min(counts, key=lambda pair: pair[1])
    if most[1] > 3 * max(1, least[1]) and most[1] > 0.75 * total:
        share = 100 * most[1] / total
        told = said(
            "{share:.0f} % of the rows are {most}: always guessing it is right as often.", share=share, most=most[0]
        )
        notes.append(Note(told))
