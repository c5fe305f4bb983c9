"""What R's dput writes, and data frames as R's programs make them: calls of structure, list, c and data.frame."""

import re
from typing import Any

from app.data.records import MOST_NAMES
from app.data.table import LONGEST_CELL, MOST_CELLS, Note, Row, Split, WrongData

_BEGINS = re.compile(r"\s*(?:[\w.]+\s*(?:<-|=)\s*)?(?=(?:\w+::)?(?:structure|data\.frame|tibble|data\.table)\s*\()")
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>`[^`]*`|[A-Za-z.][\w.]*(?:::[\w.]+)?)|"""
    r"""(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)L?|(?P<mark><-|[-(),=:]))"""
)
_FRAMES = ("data.frame", "tibble", "data.table", "list")
_NONE = {"NA", "NULL", "NaN", "NA_character_", "NA_integer_", "NA_real_", "Inf"}
_TRUTH = {"TRUE": "TRUE", "FALSE": "FALSE", "T": "TRUE", "F": "FALSE"}
_DEEPEST = 12
Named = list[tuple[str, Any]]


class _Wrong(Exception):
    """A text that is no such call."""


def of_r(text: str) -> Split | None:
    """The columns of such a call as a table; None for any other text."""
    if not (begins := _BEGINS.match(text)):
        return None
    try:
        found = _DputReader(text[begins.end() :]).value(0)
    except _Wrong:
        return None
    columns = [(name, column) for name, column in found if isinstance(column, list)] if _is_named(found) else []
    if not columns or len({len(column) for _, column in columns}) != 1 or len(columns) > MOST_NAMES:
        raise WrongData("This is a call of R, but no data frame with columns of one length.")
    rows = [[name for name, _ in columns], *map(list, zip(*(column for _, column in columns), strict=True))]
    made = tuple(Row(i, tuple(row)) for i, row in enumerate(rows, 1))
    return Split(made, "json", (Note("Read as R writes a data frame."),), named=True)


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, tuple) for each in value)


class _DputReader:
    """Goes through the tokens of a text, once."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.cells = text, 0, 0
        self.kind, self.what = "", ""
        self.next()

    def next(self) -> None:
        """To the next token; none at the end."""
        found = _TOKEN.match(self.text, self.at)
        self.at = found.end() if found else len(self.text)
        self.kind = str(found.lastgroup) if found else ""
        self.what = found[self.kind] if found else ""
        if len(self.what) > LONGEST_CELL:
            raise WrongData(
                "A cell has {count:,} characters: it may have {most:,}.", count=len(self.what), most=LONGEST_CELL
            )

    def value(self, depth: int) -> Any:
        """A cell, a list of cells, or a list of pairs: columns by name."""
        kind, what = self.kind, self.what
        self.cells += 1
        if not kind or depth > _DEEPEST or self.cells > MOST_CELLS:
            raise _Wrong
        self.next()
        if what == "-" and self.kind in ("number", "name"):
            return _negated(self.value(depth + 1))
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", what[1:-1])
        if kind == "number":
            return self._range(what)
        if kind != "name":
            raise _Wrong
        if self.what == "(":
            return self._called(what.rpartition("::")[2], self._arguments(depth + 1))
        return "" if what in _NONE else _TRUTH.get(what, what)

    def _range(self, first: str) -> Any:
        """A number, or all of 1:150."""
        if self.what != ":":
            return first
        self.next()
        last = self.what
        self.next()
        try:
            low, high = int(first), int(last)
        except ValueError:
            raise _Wrong from None
        if abs(high - low) > MOST_CELLS:
            raise _Wrong
        return [str(k) for k in range(low, high + 1)] if low <= high else [str(k) for k in range(low, high - 1, -1)]

    def _arguments(self, depth: int) -> Named:
        """What stands in the brackets of a call, each with its name, or none."""
        found: Named = []
        self.next()
        while self.what != ")" or self.kind != "mark":
            name, at, kept = "", self.at, (self.kind, self.what)
            if self.kind in ("name", "text"):
                self.next()
                if self.kind == "mark" and self.what == "=":
                    name = kept[1].strip("`\"'")
                    self.next()
                else:
                    self.at, (self.kind, self.what) = at, kept
            found.append((name, self.value(depth)))
            if self.kind == "mark" and self.what == ",":
                self.next()
            elif self.what != ")":
                raise _Wrong
        self.next()
        return found

    def _called(self, name: str, given: Named) -> Any:
        if name == "c":
            return [cell for _, value in given for cell in (value if isinstance(value, list) else [value])]
        if name in _FRAMES:
            return [(key, value) for key, value in given if key not in ("stringsAsFactors", "check.names", "row.names")]
        if name in ("factor", "as.factor", "as.character", "as.numeric", "as.integer", "as.Date") and given:
            return given[0][1]
        if name == "rep" and given and isinstance(given[0][1], list | str):
            return _repeated(given)
        if name == "structure" and given:
            return _structured(given[0][1], dict(given[1:]))
        raise _Wrong


def _negated(value: Any) -> Any:
    return [_negated(each) for each in value] if isinstance(value, list) else f"-{value}"


def _repeated(given: Named) -> list[Any]:
    """A list so many times, or each of its cells."""
    cells = given[0][1] if isinstance(given[0][1], list) else [given[0][1]]
    how, count = given[1] if len(given) > 1 else ("times", "1")
    if not isinstance(count, str) or not count.isdigit() or int(count) * len(cells) > MOST_CELLS:
        raise _Wrong
    return [cell for cell in cells for _ in range(int(count))] if how == "each" else cells * int(count)


def _structured(value: Any, about: dict[str, Any]) -> Any:
    """A value with what is said about it: a factor's numbers are its levels, columns may be named behind them."""
    levels = about.get("levels", about.get(".Label"))
    if isinstance(levels, list) and isinstance(value, list) and all(isinstance(each, str) for each in levels):
        places = {str(k): level for k, level in enumerate(levels, 1)}
        return [places.get(str(cell), "") for cell in value]
    names = about.get("names", about.get(".Names"))
    if isinstance(names, list) and _is_named(value) and len(names) == len(value):
        return [(str(name), column) for name, (_, column) in zip(names, value, strict=True)]
    if "dim" in about and isinstance(about["dim"], list) and isinstance(value, list):
        return _matrix(value, about)
    return value


def _matrix(value: list[Any], about: dict[str, Any]) -> Named:
    """A matrix, column by column; the names of its columns stand in dimnames, behind those of its rows."""
    try:
        high, wide = (int(each) for each in about["dim"])
    except (ValueError, TypeError):
        raise _Wrong from None
    told: Any = about.get("dimnames")
    names = told[1][1] if _is_named(told) and len(told) == 2 and isinstance(told[1][1], list) else []
    if high * wide != len(value):
        raise _Wrong
    named = names if len(names) == wide else [f"column {k + 1}" for k in range(wide)]
    return [(str(named[k]), value[k * high : (k + 1) * high]) for k in range(wide)]
