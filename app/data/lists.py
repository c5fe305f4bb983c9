"""Lists as programs print and write them, into the rows of a table: JSON, Python, NumPy, PyTorch and JavaScript.

What is no JSON is made into it token by token and never run: brackets of any kind are lists, what is called (np.array,
tensor) is passed over, numbers may end in a point, and commas may be missing, as NumPy leaves them out.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from app.data.table import LONGEST_CELL, MOST_CELLS, Note, Row, Split, WrongData
from engine.wording import Words

_VALUE = r"\s*(?:(?:\w+\.)*\w+\s*\(\s*)*[\[({]"  # a list, perhaps within calls: np.array([
_NAMED = re.compile(rf"\b(?:(?:const|let|var)\s+)?(\w+)\s*=(?={_VALUE})")
_CALLED = re.compile(r"(?:\w+\.)*(?:array|tensor|Tensor|asarray|matrix|DataFrame|list|tuple)\s*\(\s*[\[({]")
_IMPORT = re.compile(r"\A(?:\s*(?:import|from)\s[^\n]*\n|\s*#[^\n]*\n)+")
# No token is begun twice, so that a text is walked through once: a quote that never ends goes to the end of its line.
_TOKEN = re.compile(r"""(?P<text>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)|(?P<word>[\w.+−-]+)|(?P<mark>[][(){}:=])""")
_WORDS = {"true": True, "false": False, "none": None, "null": None, "nan": None, "undefined": None}
_VECTORS = re.compile(r"<-\s?c\(|(?<==)\s?c\(")  # of R
_ITEM = re.compile(r"(?m)^- (?=[{\[])")  # of YAML
_BRACKETS = str.maketrans("()", "[]")
_INPUTS = re.compile(r"x|inputs?|features?|data|samples?|x_?train", re.IGNORECASE)
_OUTPUTS = re.compile(r"y|outputs?|targets?|labels?|class(es)?|expected|y_?train", re.IGNORECASE)
_OPEN, _CLOSE = ("[", "(", "{"), ("]", ")", "}")
_DEEPEST = 12


def is_list(text: str) -> bool:
    """Whether a text holds lists rather than lines of cells."""
    bare = _plain(text).lstrip()
    if bare[:1] == "(":
        return _by_line(bare) is not None
    return bare[:1] in ("[", "{") or bool(_NAMED.match(bare) or _CALLED.match(bare))


def _plain(text: str) -> str:
    """Without imports and without what R and YAML write in place of brackets."""
    return _ITEM.sub("", _VECTORS.sub("= [", _IMPORT.sub("", text)))


def _by_line(text: str) -> list[Any] | None:
    """A row a line, parts of it in brackets, as in (0, 1), 1; None if these are no such lines."""
    lines = [line.strip().rstrip(",;") for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line[:1] in ("(", "[") and 4 < len(line) < 10_000 for line in lines):
        return None
    found = _loaded([f"[{line.translate(_BRACKETS)}]" for line in lines])
    rows = [row[0] if len(row) == 1 else row for row in found or ()]
    return rows if rows and all(isinstance(row, list) and len(_flat(row)) > 1 for row in rows) else None


def listed(text: str) -> Split:
    """The rows of lists of lists, records or columns; WrongData where there are none."""
    whole = _loaded([text])
    if whole is not None:
        return _split(whole[0], "Read as JSON.")
    records = _loaded([line for line in text.splitlines() if line.strip()]) if text.startswith("{") else None
    if records is not None:
        return _split(records, "Read as JSON, a record a line.")
    if (rows := _by_line(text)) is not None:
        return _split(rows, "Brackets are parts of rows.")
    if "..." in text or "…" in text:
        raise WrongData("The list was printed in part, with “...” in it: print all of it, or bring a file.")
    return _split(_written(_plain(text)), "Brackets are rows, as Python prints them.")


def _split(value: Any, told: Words) -> Split:
    rows = tuple(
        Row(i, tuple(_cell(cell, i) for cell in row)) for i, row in enumerate(islice(_rows(value), MOST_CELLS), 1)
    )
    return Split(rows, "json", (Note(told),))


def _loaded(texts: Sequence[str]) -> list[Any] | None:
    """Each text as JSON; None if one of them is none."""
    try:
        return [json.loads(text) for text in texts]
    except (ValueError, RecursionError):
        return None


def _written(text: str) -> Any:
    """What stands in a text: one value, or by name where several are given names; x and y where two have none."""
    starts = list(_NAMED.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    parts = [(match[1], text[match.end() : end]) for match, end in zip(starts, ends, strict=False)] or [("", text)]
    found = [(name, value) for name, part in parts for value in _values(part)]
    if len(found) == 1:
        return found[0][1]
    if len(found) == 2 and not any(isinstance(value, dict) for _, value in found):
        return {"x": found[0][1], "y": found[1][1]}
    if len(found) > 2 and all(name for name, _ in found):
        return dict(found)
    if found and len({type(value) for _, value in found}) == 1:
        return [value for _, value in found]
    raise _no_list()


def _no_list() -> WrongData:
    return WrongData("There is a bracket, but no list of rows such as [[0, 1], [1, 0]], nor a heading and lines.")


def _values(text: str) -> list[Any]:
    """The values of a text, one after the other, however their parts are parted."""
    levels: list[tuple[str, list[Any]]] = [
        ("", [])
    ]  # brackets that are open, "" for those of a call, and what they hold
    before, skips = "", False
    for count, token in enumerate(_TOKEN.finditer(text)):
        kind, what = str(token.lastgroup), token[0]
        mark, items = levels[-1]
        if len(levels) > _DEEPEST or count > 4 * MOST_CELLS:
            raise _no_list()
        if what in _OPEN:
            if before == "word":
                items.pop()
            levels.append(("", items) if before == "word" else (what, []))
        elif what in _CLOSE:
            if len(levels) == 1:
                break
            levels.pop()
            if mark:
                levels[-1][1].append(_record(items) if mark == "{" and _COLON in items else items)
        elif what == "=":  # an option, as in dtype=int: neither its name nor its value is data
            if before == "word":
                items.pop()
            skips = True
        elif not (skips and kind != "mark"):
            items.append(_value(kind, what))
        skips = skips and what == "="
        before = kind if text[token.end() : token.end() + 1] in ("(", "=") and items else ""
    return [value for value in levels[0][1] if isinstance(value, list | dict)]


class _Colon:
    """What stands between a name and its value."""


_COLON = _Colon()


def _value(kind: str, what: str) -> Any:
    if what == ":":
        return _COLON
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", what[1:].removesuffix(what[0]))
    return _WORDS.get(what.lower(), what)


def _record(items: Sequence[Any]) -> dict[str, Any]:
    """A record from names, colons and values."""
    at = [i for i, item in enumerate(items) if item is _COLON and 0 < i < len(items) - 1]
    return {str(items[i - 1]): items[i + 1] for i in at}


def _pair(value: Mapping[str, Any]) -> tuple[list[Any], list[Any]] | None:
    """Inputs and what is to be predicted, by whatever names programs give the two; None if these are not the two."""
    x = [each for key, each in value.items() if _INPUTS.fullmatch(str(key)) and isinstance(each, list)]
    y = [each for key, each in value.items() if _OUTPUTS.fullmatch(str(key)) and isinstance(each, list)]
    if len(x) != 1 or len(y) != 1 or len(x[0]) != len(y[0]) or not x[0]:
        return None
    return (x[0], y[0]) if len(value) == 2 or isinstance(x[0][0], list) else None


def _names_of(value: Mapping[str, Any], x: list[Any], y: list[Any]) -> list[Any]:
    """The heading of a pair that brings names of its inputs, as scikit-learn's do."""
    names = next((each for key, each in value.items() if str(key) in ("feature_names", "columns", "names")), None)
    fits = isinstance(names, list) and len(names) == len(_flat(x[0])) and len(_flat(y[0])) == 1
    return [[*names, "target"]] if fits and isinstance(names, list) else []


def _rows(value: Any) -> Iterator[Sequence[Any]]:
    if isinstance(value, Mapping) and (pair := _pair(value)):
        x, y = pair
        words = next((each for key, each in value.items() if str(key) == "target_names"), None)
        if isinstance(words, list) and words and all(isinstance(k, int) and 0 <= k < len(words) for k in y):
            y = [words[k] for k in y]
        yield from _names_of(value, x, y)
        yield from ([*_flat(one), *_flat(other)] for one, other in zip(x, y, strict=True))
        return
    if isinstance(value, Mapping) and isinstance(value.get("data"), list):
        yield from ([value["columns"]] if isinstance(value.get("columns"), list) else [])
        yield from _rows(value["data"])
    elif isinstance(value, Mapping) and _are_rows(value):
        yield from _records(list(value.values()))
    elif isinstance(value, Mapping) and (columns := _columns(value)):
        yield list(columns)
        yield from zip(*columns.values(), strict=False)
    elif isinstance(value, Mapping) and len(tables := _tables(value)) == 1:
        yield from _rows(tables[0])
    elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        yield from _records(value)
    elif isinstance(value, list) and all(isinstance(row, list) for row in value):
        yield from map(_flat, value)
    else:
        raise WrongData("This JSON is no table: bring a list of rows, a list of records, or columns by name.")


def _tables(value: Mapping[str, Any]) -> list[Any]:
    """What may be a table in a record: its only value, or those with rows, beside words about them."""
    rows = [each for each in value.values() if isinstance(each, list) and each and isinstance(each[0], list | dict)]
    return rows or (list(value.values()) if len(value) == 1 else [])


def _columns(value: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Columns by name, each a list, or by row as pandas writes them; none if these are none."""
    if len({isinstance(each, dict) for each in value.values()}) > 1:
        return {}
    if _are_rows(value):
        return {}
    columns = {name: list(each.values()) if isinstance(each, dict) else each for name, each in value.items()}
    if not all(isinstance(each, list) for each in columns.values()):
        return {}
    if len(columns) == 1 and any(isinstance(cell, list | dict) for each in columns.values() for cell in each):
        return {}
    return columns


def _are_rows(value: Mapping[str, Any]) -> bool:
    """Whether records by name are rows: their values are numbers and words side by side, the same in each."""
    rows = [each for each in value.values() if isinstance(each, dict)]
    if len(rows) < 2 or len(rows) < len(value) or any(row.keys() != rows[0].keys() for row in rows):
        return False
    kinds = [{isinstance(row[key], str) for row in rows} for key in rows[0]]
    return {True} in kinds and {False} in kinds


def _records(value: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Any]]:
    """Records as rows below their names; what a record within names in some of them alone is 0 in the others."""
    words = {key for row in value for key, each in row.items() if isinstance(each, dict)}
    words = {key for key in words if all(_is_word(row.get(key)) for row in value)}
    plain = [{key: next(iter(each)) if key in words else each for key, each in row.items()} for row in value]
    flat = [dict(_named(row)) for row in plain]
    names = list(dict.fromkeys(name for row in flat for name in row))
    within = {key for row in plain for key, each in row.items() if isinstance(each, dict)}
    yield names
    yield from ([row.get(name, 0 if name.partition(".")[0] in within else None) for name in names] for row in flat)


def _is_word(value: Any) -> bool:
    """Whether a record names a class, as in {"black": 1}."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value.values())) in (1, "1")


def _named(row: Mapping[str, Any], before: str = "", depth: int = 3) -> Iterator[tuple[str, Any]]:
    """The cells of a record by name; of a list or a record in it each cell by a name of its own."""
    for key, cell in row.items():
        name = f"{before}{key}"
        if isinstance(cell, list) and len(cell) == 1:
            cell = cell[0]
        if isinstance(cell, list) and depth:
            cell = {f"{i}": each for i, each in enumerate(cell, 1)}
            yield from _named(cell, name, depth - 1)
        elif isinstance(cell, dict) and depth:
            yield from _named(cell, f"{name}.", depth - 1)
        else:
            yield name, cell


def _flat(value: Any) -> list[Any]:
    """A row, with the lists in it opened: [[0, 1], 1] is 0, 1, 1."""
    if not isinstance(value, list):
        return [value]
    return [cell for each in value for cell in (each if isinstance(each, list) else [each])]


def _cell(cell: Any, line: int) -> str:
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, list | dict):
        raise WrongData(
            "Row {line} of the JSON has a list or a record in a cell: there may be numbers and texts.", line=line
        )
    text = str(cell).strip()
    if len(text) > LONGEST_CELL:
        raise WrongData(
            "Row {line} of the JSON has a cell of {size:,} characters: a cell may have {most:,}.",
            line=line,
            size=len(text),
            most=LONGEST_CELL,
        )
    return text
