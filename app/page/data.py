"""My data: the form to bring a table in, what was understood of it, and the run that it becomes. It needs no script."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from app.data.decoding import text_of
from app.data.examples import as_cell, csv_of
from app.data.table import PARTS, SHOWN, Column, Note, Table
from app.draw.rendering import render
from app.failures import RunNotFound
from app.page.asked import Asked
from app.page.links import Link
from app.page.own import Own, as_it_is, own
from app.page.refused import refused
from app.run.runs import Run, owner_of
from app.serve.cookies import visitor_of
from app.serve.forms import MOST_FIELDS, Fields, fields_of
from app.serve.html import html
from app.serve.root import at
from app.words.texts import counted, text
from engine import Spec, SpecError, examples_of
from engine.examples import input_names

router = APIRouter(include_in_schema=False)

BINS = 12
LONGEST_TEXT = 2_000_000  # characters that the form gives back; of a longer file the rows that are used
_SECONDS = 1.5e-6  # for a character to be understood
CHOICES = ("heading", "decimal", "missing", "sample", "task", "scaling", "share")
PER_COLUMN = ("part", "kind", "name")  # fields of the table's head


@dataclass(frozen=True)
class Brought:
    """A form with a table: its fields, and the file if one was chosen."""

    ask: Asked
    file: bytes
    name: str

    @property
    def source(self) -> str | bytes:
        """The file, else the text."""
        return self.file or self.ask.text("csv")

    @property
    def choices(self) -> dict[str, str]:
        """What was said about the reading, if it was of this very text."""
        fields = self.ask.fields
        task = {"task": fields.get("task", "")}
        if self.file or fields.get("of", "") not in ("", digest(self.ask.text("csv"))):
            return task
        return {
            n: v for n, v in fields.items() if n in (*CHOICES, "targets") or n.partition(".")[0] in PER_COLUMN
        } | task


def digest(text: str) -> str:
    """What tells one text from another, whatever ends its lines."""
    return sha256("\n".join(text.splitlines()).encode("utf-8", "replace")).hexdigest()[:16]


async def brought(request: Request) -> Brought:
    """What a form brings, its file streamed to disk where it is large."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return Brought(Asked(request, visitor_of(request), await fields_of(request)), b"", "")
    most = request.app.state.settings.upload_bytes
    async with request.form(max_files=4, max_fields=MOST_FIELDS, max_part_size=most) as found:
        texts = Fields([(name, value) for name, value in found.multi_items() if isinstance(value, str)])
        file = next((f for f in found.getlist("file") if isinstance(f, UploadFile) and f.size), None)
        content = await file.read() if file else b""
        name = (file.filename or "") if file else ""
    return Brought(Asked(request, visitor_of(request), texts), content, name)


async def base_of(ask: Asked) -> Spec | None:
    """The spec of the run on screen, whose settings stay: a run that is not stored yet is told by its link."""
    try:
        if link := ask.text("base"):
            return Link.parse(dict(parse_qsl(link, keep_blank_values=True, max_num_fields=MOST_FIELDS))).spec
        return (await ask.runs.get(ask.text("run"))).state.spec if ask.text("run") else None
    except (RunNotFound, ValueError):  # of a link that is none
        return None


async def understood(ask: Asked, source: str | bytes, choices: Mapping[str, str]) -> Own:
    """What was brought, worked out aside where it is much."""
    base, limits = await base_of(ask), ask.runs.settings.engine_limits
    work = partial(own, source, choices, base, limits)
    return await ask.runs.pool.do(_SECONDS * len(source), owner_of(ask.visitor), work)


async def run_of(ask: Asked) -> tuple[Run, list[str]]:
    """A new run on the pasted data of an ordinary form, and what was understood of it."""
    given = Brought(ask, b"", "")
    found = await understood(ask, given.source, given.choices)
    notes = [summary(found.table, found.spec), *(note.sentence for note in _notes(found))]
    return await ask.runs.create(ask.visitor, found.spec, key=ask.key("start")), notes


@router.get("/data")
async def form(request: Request) -> Response:
    """The form, with the data of the run that is named, if that is one's own."""
    ask = Asked(request, visitor_of(request), await fields_of(request))
    spec = await base_of(ask)
    text = csv_of(spec.data) if spec and spec.data else ""
    if not spec or not text:
        return _page(ask, text, None)
    try:
        work = partial(as_it_is, text, _as_it_was(spec), spec)
        return _page(ask, text, await ask.runs.pool.do(_SECONDS * len(text), owner_of(ask.visitor), work))
    except SpecError as error:
        return _page(ask, text, None, error)


def _as_it_was(spec: Spec | None) -> dict[str, str]:
    """The reading of a run's own data that gives the same again."""
    if spec is None or spec.data is None:
        return {}
    data = spec.data
    width = data.x.shape[1]
    count = width + data.y.shape[1]
    parts = {f"part.{i}": "input" if i < width else "target" for i in range(count)}
    return parts | {"heading": "yes", "scaling": spec.scaling, "task": data.task, "decimal": "."}


@router.post("/data")
async def look(request: Request) -> Response:
    """What is understood of what was brought, before anything is trained on it."""
    given = await brought(request)
    ask = given.ask
    try:
        found = await understood(ask, given.source, given.choices)
        text = _text_back(given, found)
    except SpecError as error:
        return _page(ask, ask.text("csv"), None, error)
    return _page(ask, text, found, choices=given.choices, name=given.name)


def _text_back(given: Brought, found: Own) -> str:
    """The table as text, to be corrected: a file's own, where it is one and not too long, else the rows as read."""
    if not given.file:
        return given.ask.text("csv")
    if not given.file.startswith(b"PK") and len(given.file) <= LONGEST_TEXT:
        return text_of(given.file)[0]
    table = found.table
    heading = [column.name for column in table.columns] if table.named else None
    lines = ([heading] if heading else []) + [list(row.cells) for row in table.rows]
    return "\n".join("\t".join(map(as_cell, cells)) for cells in lines)


@router.post("/data/runs")
async def train(request: Request) -> Response:
    """A run on what was brought; its address, to which the page goes."""
    given = await brought(request)
    ask = given.ask
    try:
        found = await understood(ask, given.source, given.choices)
        run = await ask.runs.create(ask.visitor, found.spec)
    except SpecError as error:
        return _page(ask, ask.text("csv"), None, error)
    address = at(f"/?run={run.id}")
    return (
        Response(status_code=204, headers={"HX-Redirect": address}) if ask.scripted else RedirectResponse(address, 303)
    )


@router.get("/runs/{run_id}/data.csv")
async def download(run_id: str, request: Request) -> Response:
    """The run's own data as a table."""
    run = await request.app.state.runs.get(run_id)
    data = run.origin.data
    if data is None:
        raise RunNotFound(run_id)
    headers = {"content-disposition": 'attachment; filename="my-data.csv"'}
    return Response("\ufeff" + csv_of(data), 200, headers, "text/csv; charset=utf-8")


def _page(
    ask: Asked,
    text: str,
    found: Own | None,
    error: SpecError | None = None,
    choices: Mapping[str, str] | None = None,
    name: str = "",
) -> Response:
    says = refused(error).notice if error else ""
    context: dict[str, Any] = {
        "text": text, "run": ask.text("run"), "base": ask.text("base"),
        "says": says, "name": name[:80], "of": digest(text),
        "task": ask.text("task"), "o": shown(found, choices or {}) if found else None,
    }  # fmt: skip
    part = ask.text("only") == "understood"
    template = "_understood.html" if part else "_data.html" if ask.scripted else "data.html"
    return html(ask.request, render(template, context, part=part), 422 if error else 200)


@dataclass(frozen=True)
class ColumnHead:
    """A column as the table's head shows it: bars of a histogram with its range, or the classes with their counts."""

    column: Column
    bars: tuple[tuple[float, float], ...]
    span: str
    classes: tuple[tuple[str, int], ...]


def shown(found: Own, choices: Mapping[str, str]) -> dict[str, Any]:
    """What the template needs of what was understood."""
    table = found.table
    said = [
        (name, value)
        for name, value in choices.items()
        if value and name != "task" and name.partition(".")[0] not in PER_COLUMN
    ]
    return {
        "table": table, "spec": found.spec, "heads": [_head(column) for column in table.columns], "parts": PARTS,
        "notes": _notes(found), "said": said, "shown": SHOWN,
        "kinds": {column.index: choices.get(f"kind.{column.index}", "") for column in table.columns},
        "targets": ",".join(str(column.index) for column in table.of_part("target")),
        "summary": summary(table, found.spec), "scales": _scales(found.spec),
    }  # fmt: skip


def _notes(found: Own) -> list[Note]:
    """What was understood, in the words of whoever reads it: a table is kept, and may be read in several languages."""
    read = (replace(note, sentence=text(note.sentence), other=text(note.other)) for note in found.table.notes)
    return [note for note in (*read, *found.told) if note.sentence]


def summary(table: Table, spec: Spec) -> str:
    """One sentence: how many inputs, and what is predicted."""
    targets = table.of_part("target")
    inputs = counted(spec.raw_inputs, "{count} input", "{count} inputs")
    if spec.data and spec.data.classes:
        name = targets[0].name if len(targets) == 1 else text("columns")
        return text("{inputs}, {count} classes of {name}.", inputs=inputs, count=len(spec.data.classes), name=name)
    names = ", ".join(column.name for column in targets[:3])
    return text("{inputs}, to predict: {names}.", inputs=inputs, names=names)


def _head(column: Column) -> ColumnHead:
    numbers = column.numbers
    if column.classes or not numbers or column.kind != "number":
        words = [value for value in column.values if isinstance(value, str)]
        different = len(set(words))
        none = not words and not numbers
        span = "" if column.classes else text("no values") if none else text("{count:,} values", count=different)
        return ColumnHead(column, (), span, column.classes)
    low, high = min(numbers), max(numbers)
    counts, _ = np.histogram(numbers, BINS, (low, high if high > low else low + 1.0))
    most = max(1, int(counts.max()))
    bars = tuple((5.0 * i, round(24 - 23 * int(count) / most, 1)) for i, count in enumerate(counts.tolist()))
    return ColumnHead(column, bars, f"{low:,.5g} … {high:,.5g}", ())


def _scales(spec: Spec) -> list[tuple[str, float, float]]:

    scale = examples_of(spec).inputs_by
    if scale is None:
        return []
    return list(zip(input_names(spec), scale.mean.tolist(), scale.deviation.tolist(), strict=True))
