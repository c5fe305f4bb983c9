"""Texts whose every record names its own values: SQL's INSERT, lines of Vowpal Wabbit, and logs of name=value."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from app.data.table import Note, Row, Split, WrongData
from engine.wording import Words, said

MOST_NAMES = 300
LONGEST = 20_000  # characters of a row
_INSERT = re.compile(
    r"\binsert\s+(?:ignore\s+)?into\s+([^\s(]{1,200})\s*(?:\(([^()]{0,9000})\))?\s*values?\s*", re.IGNORECASE
)
_CREATE = re.compile(r"\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?([^\s(]{1,200})\s*\(([^;]{0,20000})", re.IGNORECASE)
_NO_COLUMN = re.compile(r"(primary|key|unique|constraint|foreign|index|check)\b", re.IGNORECASE)
_TUPLE = re.compile(r"\s*,?\s*\(((?:'(?:[^'\\]|\\.)*'|[^()'])*)\)")
_CELL = re.compile(r"\s*(?:N?'((?:[^'\\]|''|\\.)*)'|([^,']*?))\s*(?:,|$)")
_WABBIT = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)(?:\s+\d+(?:\.\d+)?)*(?:\s*'?[^\s|]+)?\s*((?:\|[^|]*)+)")
_PAIR = re.compile(r"([A-Za-z_][\w.%-]{0,60})\s?=\s?(\"[^\"]*\"|'[^']*'|[^\s,;]+)")


def split_of(names: Sequence[str], rows: Sequence[Sequence[str]], told: Words) -> Split:
    """Rows under a heading that is beyond doubt."""
    if len(names) > MOST_NAMES:
        raise WrongData(
            "There are {count:,} different names: there may be {most} columns.", count=len(names), most=MOST_NAMES
        )
    return Split(
        tuple(Row(i, tuple(row)) for i, row in enumerate([names, *rows], 1)), "json", (Note(told),), named=True
    )


def inserted(text: str) -> Split | None:
    """The rows that SQL's INSERT puts into a table, the one with most of them."""
    found = list(_INSERT.finditer(text)) if "insert" in text[:20_000].lower() else []
    if not found:
        return None
    table = Counter(match[1] for match in found).most_common(1)[0][0]
    rows, names = list[list[str]](), next((match[2] for match in found if match[1] == table and match[2]), None)
    for match in found:
        at = match.end()
        while match[1] == table and (each := _TUPLE.match(text, at)):
            if len(each[1]) > LONGEST:
                raise WrongData(
                    "Row {row} has {size:,} characters: it may have {most:,}.",
                    row=len(rows) + 1,
                    size=len(each[1]),
                    most=LONGEST,
                )
            rows.append(_cells(each[1]))
            at = each.end()
    if not rows:
        return None
    heading = [_bare(name) for name in names.split(",")] if names else _created(text, table)
    if len(heading) != len(rows[0]):
        heading = [f"column {k + 1}" for k in range(len(rows[0]))]
    return split_of(heading, rows, said("Read as rows that are inserted into {table}.", table=_bare(table)))


def _cells(text: str) -> list[str]:
    cells = [match[1] if match[1] is not None else match[2] for match in _CELL.finditer(text + ",") if match[0]]
    return [cell.replace("''", "'").replace("\\'", "'") for cell in cells]


def _bare(name: str) -> str:
    return name.strip().strip('`"[]').split(".")[-1].strip('`"[]')


def _created(text: str, table: str) -> list[str]:
    """The columns of CREATE TABLE; what stands in brackets of their own, as in decimal(5,2), parts none."""
    found = next((match for match in _CREATE.finditer(text) if _bare(match[1]) == _bare(table)), None)
    body = re.sub(r"\([^()]*\)", "", found[2]).partition(")")[0] if found else ""
    lines = [line.strip() for line in body.split(",") if line.strip()]
    return [_bare(line.split()[0]) for line in lines if not _NO_COLUMN.match(line)]


def _lines(text: str) -> list[str]:
    """The lines that say something; none if one is too long to be a record."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [] if any(len(line) > LONGEST for line in lines) else lines


def vowpal_wabbit(text: str) -> Split | None:
    """A label, then namespaces behind bars with name:value; a name alone counts 1, what is not there 0."""
    lines = _lines(text)
    if len(lines) < 2 or not all(_WABBIT.fullmatch(line) and ":" in line for line in lines[:5]):
        return None
    found = list[tuple[str, dict[str, str]]]()
    for i, line in enumerate(lines, 1):
        match = _WABBIT.fullmatch(line)
        if match is None:
            raise WrongData("Line {i} is “{line}”: it must be a label, then | name:value.", i=i, line=line[:20])
        pairs = [pair.rpartition(":") for part in match[2].split("|")[1:] for pair in _features(part)]
        found.append((match[1], {name or value: value if name else "1" for name, _, value in pairs}))
    names = list(dict.fromkeys(name for _, cells in found for name in cells))
    rows = [[*(cells.get(name, "0") for name in names), label] for label, cells in found]
    return split_of(
        [*names, "label"], rows, "Read as Vowpal Wabbit writes it: a label, then name:value; what is not there is 0."
    )


def _features(part: str) -> list[str]:
    """The features of a namespace, whose own name stands at the bar."""
    return part.split() if part[:1].isspace() else part.split()[1:]


def paired(text: str) -> Split | None:
    """Lines in which every value has its name before it: temp=21.5 state=ok."""
    lines = _lines(text)
    first = [dict(_PAIR.findall(line)) for line in lines[:5]]
    if len(lines) < 2 or len(first[0]) < 2 or any(each.keys() != first[0].keys() for each in first):
        return None
    found: list[Mapping[str, str]] = [dict(_PAIR.findall(line)) for line in lines]
    names = list(first[0])
    rows = [[each.get(name, "").strip("\"'") for name in names] for each in found if each.keys() & first[0].keys()]
    return split_of(names, rows, "Read as lines of name=value.")
