"""Bytes into text or rows: which encoding it is (charset-normalizer), and workbooks of Excel (openpyxl, with
defusedxml, which refuses entities). What a workbook would unpack to is looked up before anything of it is read.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from io import BytesIO
from itertools import zip_longest
from typing import Any
from warnings import catch_warnings, simplefilter
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from charset_normalizer import from_bytes

from app.data.splitting import split
from app.data.table import LONGEST_CELL, MOST_CELLS, Note, Row, Split, WrongData
from engine.wording import Words, said

UNPACKED = 48 << 20  # bytes of a workbook, unpacked
RATIO = 200  # unpacked to packed, of what is larger than a megabyte
MOST_ROWS = 100_000
Merged = set[tuple[int, int]]
_UNSTORED = re.compile(rb"</f>(?:<v ?/>)?</c>")
_OPEN_IT: Words = (
    "Formulas without a stored result are empty: open the workbook in a spreadsheet and save it to have them."
)
_MERGE = re.compile(rb'<mergeCell ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ENCODINGS = ["cp1252", "cp1250", "cp1251", "cp1253", "mac_roman", "shift_jis", "gb18030", "big5", "euc_kr", "euc_jp"]
_LETTERS = frozenset("äöüßÄÖÜéèêàâçñóíúáôîûåøæãõëïÅØÆÉÈÀÂÇÑÓÍÚÁÔÎÛœŒ")
_SIGNS = frozenset("€£§°µ²³±·–—’‘“”„…®©½¼¾ªº¡¿«»×‰\xa0")
# A sign within a word, or three such letters in a row: it is another encoding.
_ODD = re.compile(r"[^\W\d_][€£§°µ³±·„…®©½¼¾ªº¡¿«»×‰][^\W\d_]|[\u00c0-\u00ff]{3}|(?:^|[,;\t\n])[…·§¡„]\w")
_MAGIC: dict[bytes, Words] = {
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls): save it as .xlsx or as CSV",
    b"%PDF": "a PDF: copy the table out of it, or save it as CSV",
    b"\x1f\x8b": "packed by gzip: unpack it first",
    b"\x89PNG": "a picture: a table is needed, as CSV or .xlsx",
    b"\xff\xd8\xff": "a picture: a table is needed, as CSV or .xlsx",
    b"PAR1": "a Parquet file: save it as CSV",
    b"\x93NUMPY": "a NumPy file (.npy): save it with np.savetxt",
    b"SQLite": "a database: save the table as CSV",
}


def rows_of(content: bytes) -> Split:
    """The rows of a file; WrongData says what it is that cannot be read."""
    for magic, what in _MAGIC.items():
        if content.startswith(magic):
            raise WrongData("This file is {what}.", what=said(what))
    if content.startswith(b"PK\x03\x04"):
        return _workbook(content)
    text, note = text_of(content)
    found = split(text)
    return replace(found, notes=(*note, *found.notes))


def text_of(content: bytes) -> tuple[str, tuple[Note, ...]]:
    """The text of a file in whatever encoding, and which, where it is not the usual one."""
    for mark, encoding in (
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
        (b"\xef\xbb\xbf", "utf-8-sig"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, "replace"), ()
    if content.count(b"\x00", 0, 4096) > len(content[:4096]) // 4:  # two bytes a letter, without a mark
        return content.decode("utf-16-le" if content[1:2] == b"\x00" else "utf-16-be", "replace"), ()
    if b"\x00" in content[:4096]:
        raise WrongData("This file is no text: bring a table as CSV, .xlsx or JSON.")
    try:
        return content.decode("utf-8"), ()
    except UnicodeDecodeError:
        encoding = _western(content[:200_000])
        if not encoding:
            found = from_bytes(content[:200_000], cp_isolation=_ENCODINGS).best()
            encoding = found.encoding if found else "cp1252"
        return content.decode(encoding, "replace"), (
            Note(said("The letters are read as {encoding}.", encoding=encoding)),
        )


def _western(content: bytes) -> str:
    """Windows' or an old Mac's encoding of the west, if all letters are those of its languages, as they stand in words;
    of a short text statistics tell less."""
    for encoding in ("cp1252", "mac_roman"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        beyond = {letter for letter in text if letter > "\x7f"}
        if beyond <= _LETTERS | _SIGNS and not _ODD.search(text):
            return encoding
    return ""


def _workbook(content: bytes) -> Split:
    try:
        with ZipFile(BytesIO(content)) as archive:
            _check(archive, len(content))
            parts = {name: archive.read(name) for name in archive.namelist() if "/worksheets/" in name}
        with catch_warnings():
            simplefilter("ignore")  # openpyxl tells of styles that it does not know
            return _sheet(content, partial(_merged, parts), _UNSTORED.search(b"".join(parts.values())) is not None)
    except WrongData:
        raise
    except (BadZipFile, ZlibError, KeyError, ValueError, TypeError, IndexError, AttributeError, OSError, EOFError):
        raise WrongData("This workbook is damaged: open it and save it again as .xlsx, or as CSV.") from None
    except Exception as error:  # of the XML inside, by defusedxml or its parser
        raise WrongData(
            "This workbook cannot be read ({error}): save it again as .xlsx.", error=type(error).__name__
        ) from None


def _check(archive: ZipFile, packed: int) -> None:
    """Refuse what is no workbook, or would unpack to more than there is room for: Python reads no more than is told."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise WrongData("This file is packed, but no Excel workbook: unpack it, and bring a table as CSV or .xlsx.")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > UNPACKED or (unpacked > 1 << 20 and unpacked > RATIO * packed) or len(parts) > 2_000:
        raise WrongData(
            "This workbook unpacks to {size:,} bytes: {most:,} are allowed. Save the table as CSV.",
            size=unpacked,
            most=UNPACKED,
        )


_SHEETS: Words = "Of {count} sheets “{title}” is read, the first with a table."


def _sheet(content: bytes, merged: Callable[[str], Merged], unstored: bool) -> Split:
    from openpyxl import load_workbook  # takes 0.2 s: only when there is a workbook

    book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
    try:
        notes = [Note(_OPEN_IT)] if unstored else []
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        found = ((sheet, tuple(_rows(sheet, merged(sheet._worksheet_path)))) for sheet in shown)
        tables = [next(((sheet, rows) for sheet, rows in found if sum(len(r.cells) > 1 for r in rows) > 2), None)]
        if not tables[0]:
            tables = [(sheet, rows) for sheet in shown if (rows := tuple(_rows(sheet, merged(sheet._worksheet_path))))]
        for sheet, rows in filter(None, tables):
            if len(book.worksheets) > 1:
                several = len(book.worksheets)
                notes.append(Note(said(_SHEETS, count=several, title=str(sheet.title)[:40])))
            return Split(rows, "xlsx", tuple(notes))
    finally:
        book.close()
    raise WrongData("There is no table in this workbook.")


def _merged(parts: dict[str, bytes], name: str) -> Merged:
    """Cells, line and column, that are merged with the one at the top, in the same column."""
    found = Merged()
    for low, first, high, last in _MERGE.findall(parts.get(name, b"")):
        if low == high and 0 < int(last) - int(first) <= MOST_ROWS:
            column = sum((ord(letter) - 64) * 26**k for k, letter in enumerate(reversed(low.decode()))) - 1
            found |= (
                {(line, column) for line in range(int(first) + 1, int(last) + 1)} if len(found) < MOST_ROWS else set()
            )
    return found


def _rows(sheet: Any, merged: Merged) -> Any:
    total, above = 0, ()
    for line, values in enumerate(sheet.iter_rows(values_only=True), 1):
        if merged:
            values = above = _filled(values, above, line, merged)
        while values and values[-1] is None:
            values = values[:-1]
        total += len(values)
        if total > MOST_CELLS or line > MOST_ROWS:
            raise WrongData(
                "Row {line:,} is too many: a workbook may have {most_rows:,} rows and {most_cells:,} cells.",
                line=line,
                most_rows=MOST_ROWS,
                most_cells=MOST_CELLS,
            )
        if values:
            yield Row(line, tuple(_cell(value, line, column) for column, value in enumerate(values, 1)))


def _filled(values: tuple[Any, ...], above: tuple[Any, ...], line: int, merged: Merged) -> tuple[Any, ...]:
    """A row whose merged cells have the value from above."""
    pairs = zip_longest(values, above[: len(values)])
    return tuple(up if (line, k) in merged and one is None else one for k, (one, up) in enumerate(pairs))


def _cell(value: Any, line: int, column: int) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()[:10] if isinstance(value, datetime) else value.isoformat()
    text = str(value).strip()
    if len(text) > LONGEST_CELL:
        raise WrongData(
            "Line {line}, column {column} has {count:,} characters: a cell may have {most:,}.",
            line=line,
            column=column,
            count=len(text),
            most=LONGEST_CELL,
        )
    return text
