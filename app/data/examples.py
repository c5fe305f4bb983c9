"""From a table to what the engine is given: numbers, names and classes; and from there back to a CSV."""

import csv
import re
from collections.abc import Sequence
from io import StringIO
from typing import Any

from app.data.figures import number
from app.data.table import Choices, Column, Table, WrongData
from engine import LIMITS, CustomData
from engine.labels import name_of

_SPECIAL = re.compile(r"""["'“”„‚‘’«»#%&~|]|//""")


def data_of(table: Table, choices: Choices) -> dict[str, Any]:
    """The `data` field of a spec."""
    kept = table.kept
    inputs, targets = table.of_part("input"), table.of_part("target")
    pairs = [pair for column in inputs for pair in _as_numbers(column, kept)]
    if len(pairs) > LIMITS.custom_columns:
        raise WrongData("{count} columns go in: there may be {most}.", count=len(pairs), most=LIMITS.custom_columns)
    data: dict[str, Any] = {"x": list(map(list, zip(*(values for _, values in pairs), strict=True)))}
    data["y"] = [[column.values[i] for column in targets] for i in kept]
    if table.named or any(column.kind == "text" for column in inputs):
        data["names"] = [name for name, _ in pairs]
    if table.named:
        data["targets"] = [column.name for column in targets]
    if table.missing:
        data["missing"] = table.missing.to_dict()
    return data | _task(targets, kept, choices)


def _task(targets: Sequence[Column], kept: Sequence[int], choices: Choices) -> dict[str, Any]:
    said = choices.of("task", "binary", "multiclass", "regression")
    if len(targets) > 1:
        return {"task": said} if said == "regression" else {}
    (one,) = targets
    if not one.classes:
        return {"task": "regression"}
    names = [name for name, _ in one.classes]
    task = said or ("binary" if len(names) == 2 else "multiclass")
    places = {label: k for k, label in enumerate(one.labels)}
    return {"task": task, "classes": names, "y": [places[name_of(one.values[i] or 0.0)] for i in kept]}


def _as_numbers(column: Column, kept: Sequence[int]) -> list[tuple[str, list[Any]]]:
    """An input as numbers; words as one column for each, of two words as one."""
    values = [column.values[i] for i in kept]
    if column.kind == "number":
        return [(column.name, values)]
    words = sorted({str(value) for value in values})
    told = words[1:] if len(words) == 2 else words
    return [(f"{column.name[:30]}={word[:25]}", [float(value == word) for value in values]) for word in told]


def csv_of(data: CustomData) -> str:
    """The examples as a table with a heading, as they were given and in that order; a text stays one, even where a
    spreadsheet would take it for a formula."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    width = data.y.shape[1]
    names = data.names or tuple(f"x{i + 1}" for i in range(data.x.shape[1]))
    targets = data.targets or (("y",) if width == 1 else tuple(f"y{i + 1}" for i in range(width)))
    table.writerow([as_text(name) for name in (*names, *targets)])
    for x, y in zip(data.x.tolist(), data.y.tolist(), strict=True):
        labels = [as_text(data.classes[int(y[0])])] if data.classes else [_short(value) for value in y]
        table.writerow([*map(_short, x), *labels])
    return text.getvalue()


def as_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula; a number stays one."""
    return "'" + text if text[:1] in "=+-@\t\r" and text and number(text) is None else text


def as_cell(text: str) -> str:
    """A cell of a text that tabs part: one line, in quotes where it would else be read as a remark or a quote."""
    line = " ".join(text.split())
    return '"' + line.replace('"', '""') + '"' if _SPECIAL.search(line) else line


def _short(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
