"""A text into rows of cells: what parts them, and what is a comment.

Cells are cut by the csv module of the standard library; its Sniffer guesses badly (it takes a decimal comma or a letter
for what parts the cells), so the mark is the one under which most lines agree in length and most cells are of a kind.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from app.data.figures import number, spelled, within, without_unit
from app.data.formats import formatted
from app.data.lists import is_list, listed
from app.data.table import LONGEST_CELL, MOST_CELLS, Note, Row, Split, WrongData, many
from engine.missing import is_missing
from engine.wording import Words, said

MARKS: dict[str, Words] = {
    "\t": "tabs",
    ";": "semicolons",
    "|": "bars",
    ",": "commas",
    " ": "blanks",
    ":": "colons",
    "~": "tildes",
    "&": "ampersands",
    "  ": "two blanks or more",
}
WIDE = "  "
ANY = "any"  # several marks, one beside the other
_PENALTY = {
    " ": 0.05,
    ":": 0.06,
    "~": 0.06,
    "&": 0.06,
    ANY: 0.2,
    ANY + " ": 0.25,
    WIDE: 0.06,
}  # of what may only seem to part cells
_WIDE = re.compile(r"\s{2,}")
_OTHER_COMMAS = str.maketrans("，；、", ",;,")  # of Chinese and Japanese keyboards
_ANY = re.compile(r"[,;\t|:→]|[-=]>")
_TRIED = 60
_TIME = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?|\d{4}-\d\d-\d\d([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}( .*)?")
_COMMENT = re.compile(r"\s*(#|//|%)")
_BEHIND = re.compile(r"[\s,;](?:#|//|%)\s")
_QUOTES = ("''", "“”", "„“", "‘’", "‚‘", "«»", "»«")
_TEN = tuple("0123456789")
_RULE = re.compile(r"[:\s|+=-]+")


def split(text: str) -> Split:
    """The rows of a text; WrongData for what cannot be cut into any."""
    text = text.removeprefix("\ufeff").strip("\n\r\x00")
    return formatted(text) or (listed(text.lstrip()) if is_list(text) else _lines(text))


def _lines(text: str) -> Split:
    if "," not in text and ("，" in text or "；" in text):
        text = text.translate(_OTHER_COMMAS)
    if "&" in text and "\\\\" in text:  # LaTeX ends rows so, perhaps several in a line
        text = text.replace("\\\\", "\n")
    lines = text.splitlines()
    mark, notes, first = "", list[Note](), 0
    if lines and (own := re.fullmatch(r'\s*"?sep=(.)"?\s*', lines[0], re.IGNORECASE)):
        mark, first = own[1], 1
    body = [(i, line) for i, line in enumerate(lines, 1) if i > first and line.strip() and not _RULE.fullmatch(line)]
    comments = [(i, line) for i, line in body if _COMMENT.match(line)]
    if len(comments) > 1 and len(body) - len(comments) < 2:  # colours, say: #ff0000,red
        comments = []
    named = next((pair for pair in comments if _names_a_column(pair[1])), None)
    passed = {i for i, _ in comments if not named or i != named[0]}
    body = [pair for pair in body if pair[0] not in passed]
    body, behind = _without_remarks(body)
    mark = mark or _mark(lines_of(body))
    rows = tuple(_cut(body, mark))
    if comments and not named:
        notes.append(
            Note(many(len(comments), "1 line of comment is passed over.", "{count} lines of comment are passed over."))
        )
    if behind:
        notes.append(Note(said("What stands behind a # is passed over, as in line {behind}.", behind=behind)))
    if mark in ("\t", ";", "|", ":", "~", "&", WIDE):
        notes.append(Note(said("Cells are parted by {mark}.", mark=said(MARKS[mark]))))
    elif mark.startswith(ANY):
        notes.append(Note("Cells are parted by several marks, one beside the other."))
    return Split(rows, mark, tuple(notes), _commented(comments, mark, rows) if not named else None)


def _without_remarks(body: list[tuple[int, str]]) -> tuple[list[tuple[int, str]], int]:
    """The lines without a remark behind the cells, which begins with # (or // or %) between blanks, and the first line
    that has one; where every line has the mark, it is no remark but a part of the table."""
    cut = [(i, _before(line)) for i, line in body]
    changed = [i for (i, new), (_, old) in zip(cut, body, strict=True) if new != old]
    if not changed or any(not line.strip() for _, line in cut):
        return body, 0
    widths = {len(re.split(r"[,;\t|]|\s+", line.strip())) for i, line in cut if i in set(changed)}
    return (cut, changed[0]) if len(changed) < len(body) or widths != {1} else (body, 0)


def _before(line: str) -> str:
    found = _BEHIND.search(line)
    return line if not found or '"' in line[found.start() :] else line[: found.start()].rstrip(" ,;\t")


def lines_of(body: Sequence[tuple[int, str]]) -> list[str]:
    """The texts alone."""
    return [line for _, line in body]


def _names_a_column(line: str) -> bool:
    """Whether # is the name of a column, as in “#,a,b”, not the mark of a comment."""
    return re.match(r'\s*"?#"?\s*[,;\t|]', line) is not None


def _commented(comments: Sequence[tuple[int, str]], mark: str, rows: Sequence[Row]) -> Row | None:
    """The last comment, if it reads as a name for each column."""
    if not comments or not rows:
        return None
    line, text = comments[-1]
    bare = _COMMENT.sub("", text, count=1).strip()
    for way in (mark, " "):
        cells = tuple(_cells(bare, way))
        if len(cells) == len(rows[-1].cells) and not any(number(cell) is not None for cell in cells):
            return Row(line, cells)
    return None


def _cells(line: str, mark: str) -> list[str]:
    if mark == " ":
        return [a or b or c for a, b, c in re.findall(r"\"([^\"]*)\"|'([^']*)'|(\S+)", line)]
    if mark == WIDE:
        return _WIDE.split(line.strip())
    if mark == ANY:
        return _ANY.split(line)
    if mark == ANY + " ":
        return [cell for piece in _ANY.split(line) for cell in piece.split() or [""]]
    if mark == "&":
        line = line.partition("\\\\")[0]
    return [_unquoted(cell) for cell in next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])]


def _mark(lines: Sequence[str]) -> str:
    """What parts the cells: of all marks the one under which lines agree in length, and cells are numbers or words."""
    # From the middle too: a file may begin with a title.
    tried = [line[:20_000] for line in [*lines[:_TRIED], *lines[len(lines) // 2 :][:_TRIED]]]
    best, chosen = 0.0, ","
    for mark in (*MARKS, ANY, ANY + " "):
        try:
            found = [_cells(line, mark) for line in tried]
        except csv.Error:
            continue
        widths = Counter(map(len, found))
        width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]), default=(1, 0))
        if width < 2:
            continue
        cells = [cell for row in found if len(row) == width for cell in row[:200]]
        kinds = sum(
            1.0
            if number(cell) is not None or is_missing(cell) or _TIME.fullmatch(cell)
            else 0.95
            if _is_odd(cell)
            else 0.4 * _is_word(cell, mark)
            for cell in cells
        )
        score = (count / len(found)) ** 2 * kinds / len(cells) - _PENALTY.get(mark, 0.0)
        if score > best + 1e-9:
            best, chosen = score, mark
    return chosen


def _is_odd(cell: str) -> bool:
    """Whether it is a number in a way that only a whole column may show: 1/2, 1.5 ± 0.2, or <0.01."""
    bare = without_unit(cell) if "±" in cell or cell[:1] in _TEN else within(cell)
    return spelled(cell) is not None or (bare != cell and number(bare) is not None)


def _is_word(cell: str, mark: str) -> bool:
    return not any(other in cell for other in "\t;|," if other != mark)


def _cut(body: Sequence[tuple[int, str]], mark: str) -> Iterator[Row]:
    total = 0
    for line, cells in _records(body, mark):
        total += len(cells)
        if total > MOST_CELLS:
            raise WrongData(
                "Line {line} makes more than {most:,} cells: bring a part of the table.", line=line, most=MOST_CELLS
            )
        for column, cell in enumerate(cells, 1):
            if len(cell) > LONGEST_CELL:
                raise WrongData(_too_long(line, column, len(cell)))
        yield Row(line, tuple(cell.strip() for cell in cells))


def _records(body: Sequence[tuple[int, str]], mark: str) -> Iterator[tuple[int, list[str]]]:
    if mark in (" ", "&", WIDE) or mark.startswith(ANY):
        yield from ((i, _cells(line, mark)) for i, line in body)
        return
    reader = csv.reader((line + "\n" for _, line in body), delimiter=mark, skipinitialspace=True)
    while True:
        at = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            line, text = body[min(at, len(body) - 1)]
            pieces = text.split(mark)
            column = max(range(len(pieces)), key=lambda k: len(pieces[k]))
            raise WrongData(_too_long(line, column + 1, len(pieces[column]))) from None
        yield body[at][0], [_unquoted(cell) for cell in cells]


def _unquoted(cell: str) -> str:
    """Without quotes round it, or the apostrophe by which our own downloads keep a text from being a formula."""
    bare = cell.strip()
    if bare[:1] == "'" and bare[1:2] in ("=", "+", "-", "@") and not bare.endswith("'"):
        return bare[1:]
    return bare[1:-1] if len(bare) > 1 and bare[0] + bare[-1] in _QUOTES else cell


def _too_long(line: int, column: int, size: int) -> Words:
    told: Words = "Line {line}, column {column} has {size:,} characters: a cell may have {most:,}."
    if size <= LONGEST_CELL:
        told = "Line {line}, column {column} never ends, for its quote is not closed: a cell may have {most:,}."
    return said(told, line=line, column=column, size=size, most=LONGEST_CELL)
