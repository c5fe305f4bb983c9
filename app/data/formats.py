"""Texts in a form of their own, into the rows of a table: matrices of MATLAB and Octave, files of Weka (ARFF) and of
LIBSVM, tables as polars and R print them. Each is known by its first lines; what is none of them is None."""

import csv
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import groupby

from app.data.dput import of_r
from app.data.figures import number
from app.data.records import inserted, paired, vowpal_wabbit
from app.data.table import Note, Row, Split, WrongData
from engine.wording import Words, said

_MOST_INDEX = 300
_BEFORE = re.compile(r"[\s;,.']*(?:([A-Za-z]\w{0,60})\s?=\s?)?")
_NAME_LINE = re.compile(r"\s*([A-Za-z]\w*)\s*=\s*")
_FACTOR = re.compile(r"\s*(\d(?:\.\d+)?[eE][+-]?\d+)\s*\*\s*")
_FIRST_COLUMN = re.compile(r"\s*Columns?\s+(\d+)(?:\s+(?:through|to|and)\s+\d+)?:?\s*", re.IGNORECASE)
_SPARSE = re.compile(r"\s*(\S+)(?:\s+qid:\d+)?((?:\s+\d+:\S+)+)\s*(?:#.*)?")
_ATTRIBUTE = re.compile(r"\s*@attribute\s+(\"[^\"]*\"|'[^']*'|\S+)\s+(.*)", re.IGNORECASE)
_CUT_SHORT = re.compile(r"[ \t|]*(?:\.\.\.?|…)(?:[ \t|]+(?:\.\.\.?|…))*[ \t|]*")
_FOOTER = re.compile(r"\s*\[?(\d{1,9}) rows [x×] \d+ columns\]?\s*")
_ROW_OF_R = re.compile(r"\s*\[(\d+),\]\s")
_Matrix = tuple[str, list[list[str]]]


def formatted(text: str) -> Split | None:
    """The rows of a text of one of these forms, None if it is of none; WrongData if it is, and is not whole."""
    for read in (_matlab, _printed, _arff, _sparse, _boxes, _of_r, of_r, _html, inserted, vowpal_wabbit, paired):
        if (found := read(text)) is not None:
            return found
    lines = text.splitlines()
    counted = [int(match[1]) for line in lines[-3:] if (match := _FOOTER.fullmatch(line))]
    if any(_CUT_SHORT.fullmatch(line) for line in lines if len(line) < 400) or any(n > len(lines) for n in counted):
        raise WrongData("The table was printed in part, with “..” in it: print all of it, or bring a file.")
    return None


def _split(rows: Sequence[Sequence[str]], told: Words, named: bool = False) -> Split:
    made = tuple(Row(i, tuple(cell.strip() for cell in row)) for i, row in enumerate(rows, 1))
    return Split(made, "json", (Note(told),), named=named)


def _matlab(text: str) -> Split | None:
    """[0 0; 0 1] with semicolons, or lines, between its rows; several of them side by side."""
    begins = text.lstrip()[:1] == "[" or "=" in text[:100]
    *parts, rest = _without_dots(text).split("]") if begins else [""]
    found = list[_Matrix]()
    several = False
    if not parts:
        return None
    for part, after in zip(parts, [*parts[1:], rest], strict=True):
        head, bracket, body = part.partition("[")
        name = _BEFORE.fullmatch(head[-100:])
        rows = [re.split(r"[,\s]+", row.strip(" ,\t\r")) for row in re.split(r"[;\n]", body) if row.strip(" ,\t\r")]
        if not bracket or not name or not rows or any(number(cell) is None for row in rows for cell in row):
            return None
        several = several or len(rows) > 1
        turned = after.lstrip(".")[:1] == "'"
        found.append((name[1] or "", [list(row) for row in zip(*rows, strict=False)] if turned else rows))
    return _beside(found, "Read as matrices of MATLAB.") if several and not rest.strip(" ;.'\n\r\t") else None


def _without_dots(text: str) -> str:
    """Without remarks, and without the dots that end a line that goes on in the next."""
    lines = [line.partition("...")[0] for line in text.splitlines() if line.lstrip()[:1] != "%"]
    return "\n".join(lines)


def _printed(text: str) -> Split | None:
    """What MATLAB and Octave print: a name and =, then rows, perhaps times a power of ten, perhaps column by column."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if not _NAME_LINE.fullmatch(first) and not _FIRST_COLUMN.fullmatch(first):
        return None
    found, times = list[_Matrix](), 1.0
    for line in lines:
        cells = line.split()
        if name := _NAME_LINE.fullmatch(line):
            found.append((name[1], []))
            times = 1.0
        elif factor := _FACTOR.fullmatch(line):
            times = float(factor[1])
        elif at := _FIRST_COLUMN.fullmatch(line):
            if at[1] == "1" or not found:
                found += [] if found and not found[-1][1] else [("", [])]
            else:
                found.append((found[-1][0], []))
        elif cells and (not found or any(number(cell) is None and cell.lower() != "nan" for cell in cells)):
            return None
        elif cells:
            found[-1][1].append([cell if times == 1.0 else _scaled(cell, times) for cell in cells])
    return _beside([pair for pair in found if pair[1]], "Read as MATLAB prints a matrix.")


def _scaled(cell: str, times: float) -> str:
    value = number(cell)
    return cell if value is None else f"{value * times:.12g}"


def _beside(found: Sequence[_Matrix], told: str) -> Split | None:
    """Matrices of as many rows side by side, their columns by name; a row of numbers beside them is a column."""
    most = max((len(rows) for _, rows in found), default=0)
    turned = [(name, [[cell] for cell in rows[0]] if len(rows) == 1 and most > 1 else rows) for name, rows in found]
    if most < 2 or any(len(rows) != most for _, rows in turned) or any(len({*map(len, r)}) > 1 for _, r in turned):
        return None
    heading = list[str]()
    for name, parts in groupby(turned, key=lambda pair: pair[0]):
        width = sum(len(rows[0]) for _, rows in parts)
        heading += [name] if width == 1 else [f"{name}{i}" for i in range(1, width + 1)]
    rows = [[cell for _, each in turned for cell in each[i]] for i in range(most)]
    several = len({name for name, _ in turned}) > 1 and all(name for name, _ in turned)
    return _split([heading, *rows] if several else rows, told, several)


def _arff(text: str) -> Split | None:
    """Weka: attributes by name, then rows of cells, or of places and cells where the others are 0."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("%")]
    if not lines or not re.match(r"\s*@(relation|attribute)\b", lines[0], re.IGNORECASE):
        return None
    start = next((i for i, line in enumerate(lines) if line.strip().lower() == "@data"), None)
    named = [match for line in lines[:start] if (match := _ATTRIBUTE.fullmatch(line))]
    if start is None or not named:
        raise WrongData("This looks like a file of Weka (ARFF), but there is no @data, or no @attribute above it.")
    kinds = [match[2].strip() for match in named]
    blank = [_options(kind)[0] if kind.startswith("{") else "0" for kind in kinds]
    rows = [[match[1].strip("\"'") for match in named], *(_arff_row(line, blank) for line in lines[start + 1 :])]
    return _split(rows, said("Read as a file of Weka (ARFF) with {count} attributes.", count=len(named)), True)


def _options(kind: str) -> list[str]:
    return [cell.strip().strip("\"'") for cell in kind.strip("{} ").split(",")]


def _arff_row(line: str, blank: Sequence[str]) -> list[str]:
    quoted = line.replace('"', "'")
    if not (line.lstrip().startswith("{") and line.rstrip().endswith("}")):
        return next(csv.reader([quoted], quotechar="'", skipinitialspace=True))
    row = list(blank)
    for pair in _options(line):
        place, _, value = pair.partition(" ")
        if pair and (not place.isdecimal() or int(place) >= len(row)):
            raise WrongData(
                "“{pair}” names no attribute: their places go from 0 to {count}.", pair=pair[:20], count=len(row) - 1
            )
        if pair:
            row[int(place)] = value.strip().strip("'")
    return row


def _sparse(text: str) -> Split | None:
    """LIBSVM: a label, then places and values of what is not 0."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    first = [_SPARSE.fullmatch(line) for line in lines[:5]]
    if len(lines) < 2 or not all(first):
        return None
    found = list[tuple[str, dict[int, str]]]()
    for i, line in enumerate(lines, 1):
        match = _SPARSE.fullmatch(line)
        if match is None and number(line.split()[0]) is None:
            raise WrongData("Line {i} is “{line}”: it must be a label, then place:value.", i=i, line=line[:20])
        label = match[1] if match else line.split()[0]
        cells = [pair.partition(":") for pair in (match[2].split() if match else ())]
        found.append((label, {int(place): value for place, _, value in cells if len(place) < 8}))
    most = max((max(cells, default=0) for _, cells in found), default=0)
    if most > _MOST_INDEX:
        raise WrongData("The places go up to {largest:,}: there may be {most} columns.", largest=most, most=_MOST_INDEX)
    least = min((min(cells, default=1) for _, cells in found), default=1)
    places = range(min(1, least), most + 1)
    rows = [[f"x{place}" for place in places] + ["y"]]
    rows += [[cells.get(place, "0") for place in places] + [label] for label, cells in found]
    return _split(rows, "Read as LIBSVM writes it: a label, then place:value; what is not there is 0.", True)


def _boxes(text: str) -> Split | None:
    """A table in a box, as polars prints it."""
    if "│" not in text:
        return None
    if "…" in text:
        raise WrongData("The table was printed in part, with “…” in it: print all of it, or bring a file.")
    lines = [line for line in text.splitlines() if line.lstrip().startswith(("│", "┃"))]
    rows = [[cell.strip() for cell in re.split("[│┆┃]", line.strip())[1:-1]] for line in lines]
    rows = [row for row in rows if any(row) and not all(cell in ("---", "") for cell in row)]
    typed = len(rows) > 1 and all(re.fullmatch(r"[iuf]\d+|str|bool|cat|enum|date.*", cell) for cell in rows[1])
    return _split([*rows[:1], *rows[2:]] if typed else rows, "Read as a table in a box.", typed)


def _of_r(text: str) -> Split | None:
    """A matrix as R prints it: [1,] before each row."""
    lines = [line for line in text.splitlines() if line.strip()]
    rows = [line for line in lines if _ROW_OF_R.match(line)]
    if len(rows) < 2 or len(lines) - len(rows) > 1 or any(not _ROW_OF_R.match(line) for line in lines[1:]):
        return None
    names = lines[0].split() if lines[0] != rows[0] else []
    named = bool(names) and not any(re.fullmatch(r"\[?,\d+\]", name) for name in names)
    body = [_ROW_OF_R.sub("", line).split() for line in rows]
    return _split([names, *body] if named else body, "Read as R prints a matrix.", named)


class _Cells(HTMLParser):
    """The cells of the first table of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.open, self.done, self.head = list[list[str]](), False, False, False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if self.done:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.head = self.head or (tag == "th" and len(self.rows) == 1)
            self.rows[-1].append("")
            self.open = True

    def handle_endtag(self, tag: str) -> None:
        self.open = self.open and tag not in ("td", "th", "tr")
        self.done = self.done or tag == "table"

    def handle_data(self, data: str) -> None:
        if self.open and not self.done:
            self.rows[-1][-1] += data


def _html(text: str) -> Split | None:
    """A table of a web page, copied with its marks."""
    if not re.match(r"\s*<(!doctype|html|table|meta|div|body)\b", text, re.IGNORECASE):
        return None
    cells = _Cells()
    cells.feed(text)
    rows = [row for row in cells.rows if any(cell.strip() for cell in row)]
    if not rows:
        raise WrongData("This is a web page without a table: copy the table out of it, or save it as CSV.")
    return _split(rows, "Read as the first table of a web page.", cells.head)
