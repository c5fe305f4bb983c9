# ruff: noqa: E501 (tables, each on one line)
"""Tables as people have them: every form is read, what was understood is said, and what cannot be is refused by place."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook

from app.data.decoding import rows_of
from app.data.examples import as_cell, as_text, csv_of, data_of
from app.data.figures import number
from app.data.splitting import split
from app.data.table import Choices, Table, WrongData
from app.data.understanding import understand
from app.page.own import own, set_by_hand
from engine import FIELDS, Spec


def read(source: str | bytes, **choices: str) -> tuple[Spec, Table]:
    given = Choices({name.replace("_at_", "."): value for name, value in choices.items()})
    table = understand(rows_of(source) if isinstance(source, bytes) else split(source), given)
    return Spec.make(dataset="custom", data=data_of(table, given)), table


def said(table: Table) -> str:
    return " ".join(note.sentence for note in table.notes)


LINES = [[1.5, 2, 0], [2.5, -1, 1], [-0.5, 20, 0], [3.5, 1, 1]]
PLAIN = "1.5,2,0\n2.5,-1,1\n-0.5,20,0\n3.5,1,1"
FORMS: dict[str, str | bytes] = {
    "commas": PLAIN,
    "a heading": "a,b,y\n" + PLAIN,
    "blanks after commas": PLAIN.replace(",", ", "),
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "blanks": PLAIN.replace(",", "   "),
    "blanks and tabs": "1.5 2\t0\n2.5 -1\t1\n-0.5 20\t0\n3.5 1\t1",
    "bars": PLAIN.replace(",", "|"),
    "a table of markdown": "| a | b | y |\n|---|:-:|---|\n"
    + "\n".join(f"| {' | '.join(map(str, r))} |" for r in LINES),
    "decimal commas": "1,5;2;0\n2,5;-1;1\n-0,5;20;0\n3,5;1;1",
    "decimal commas and tabs": "1,5\t2\t0\n2,5\t-1\t1\n-0,5\t20\t0\n3,5\t1\t1",
    "sep=": "sep=;\na;b;y\n" + PLAIN.replace(",", ";"),
    "a byte order mark": "\ufeff" + PLAIN,
    "its bytes": ("\ufeffa,b,y\r\n" + PLAIN.replace("\n", "\r\n")).encode(),
    "UTF-16": ("a\tb\ty\n" + PLAIN.replace(",", "\t")).encode("utf-16"),
    "Latin-1": ("Länge;Größe;Prüfung\n" + PLAIN.replace(",", ";")).encode("latin-1"),
    "old Macs": PLAIN.replace("\n", "\r"),
    "quotes": "\n".join(",".join(f'"{v}"' for v in row) for row in LINES),
    "single quotes": "\n".join(",".join(f"'{v}'" for v in row) for row in LINES),
    "a true minus": PLAIN.replace("-", "−"),
    "comments": "# made in the lab\n# at night\n" + PLAIN,
    "a title": "My experiment\n\na,b,y\n" + PLAIN,
    "a title with a comma": "Results, 2026\na,b,y\n" + PLAIN,
    "units": "a,b,y\ncm,m,\n" + PLAIN,
    "separators at the end": "\n".join(line + "," for line in ("a,b,y\n" + PLAIN).split("\n")),
    "separators at the end of lines alone": "a,b,y\n" + "\n".join(line + "," for line in PLAIN.split("\n")),
    "empty lines": PLAIN.replace("\n", "\n\n") + "\n\n",
    "exponents": "1.5e0,2,0\n25E-1,-1,1\n-.5,2e1,0\n3.5,1,1",
    "per cent": "1.5%,2,0\n2.5 %,-1,1\n-0.5%,20,0\n3.5%,1,1",
    "money": "$1.5,2,0\n$2.5,-1,1\n-$0.5,20,0\n$3.5,1,1",
    "euros": "1,5 €;2;0\n2,5 €;-1;1\n-0,5 €;20;0\n3,5 €;1;1",
    "row names of R": "a b y\n" + "\n".join(f"{i} {' '.join(map(str, row))}" for i, row in enumerate(LINES, 1)),
    "an index of pandas": ",a,b,y\n" + "\n".join(f"{i},{','.join(map(str, row))}" for i, row in enumerate(LINES)),
    "a list of Python": str(LINES),
    "tuples": str([tuple(row) for row in LINES]),
    "NumPy, printed": str(np.array(LINES)),
    "NumPy, repr": repr(np.array(LINES)),
    "x and y": f"X = {[row[:2] for row in LINES]}\ny = {[row[2] for row in LINES]}",
    "JSON with x and y": json.dumps({"x": [row[:2] for row in LINES], "y": [row[2] for row in LINES]}),
    "PyTorch, printed": "tensor([[ 1.5,  2.,  0.],\n        [ 2.5, -1.,  1.],\n        [-0.5, 20.,  0.],\n        [ 3.5,  1.,  1.]], dtype=torch.float64)",
    "x and y as NumPy's": f"import numpy as np\nX = np.array({[row[:2] for row in LINES]})\ny = np.array({[[row[2]] for row in LINES]}, dtype=int)",
    "pairs": str([(row[:2], [row[2]]) for row in LINES]),
    "pairs of JSON": json.dumps([[row[:2], row[2]] for row in LINES]),
    "a dict of Python": str({name: [row[i] for row in LINES] for i, name in enumerate("aby")}),
    "records of Python": str([dict(zip("aby", row, strict=True)) for row in LINES]),
    "records of JavaScript": "const rows = [" + ", ".join(f"{{a: {a}, b: {b}, y: {y}}}" for a, b, y in LINES) + "];",
    "records with lists": json.dumps([{"input": row[:2], "output": row[2:]} for row in LINES]),
    "columns as pandas writes them": json.dumps(
        {n: {str(k): row[i] for k, row in enumerate(LINES)} for i, n in enumerate("aby")}
    ),
    "records in a record": json.dumps({"rows": [dict(zip("aby", row, strict=True)) for row in LINES]}),
    "curly quotes": "\n".join(",".join(f"“{v}”" for v in row) for row in LINES),
    "records": json.dumps([dict(zip("aby", row, strict=True)) for row in LINES]),
    "a record a line": "\n".join(json.dumps(dict(zip("aby", row, strict=True))) for row in LINES),
    "JSON with features and labels": json.dumps(
        {"features": [row[:2] for row in LINES], "labels": [row[2] for row in LINES]}
    ),
    "JSON as scikit-learn's": json.dumps(
        {"target": [r[2] for r in LINES], "data": [r[:2] for r in LINES], "feature_names": ["a", "b"]}
    ),
    "brackets line by line": "\n".join(f"({a}, {b}), {y}" for a, b, y in LINES),
    "YAML": "\n".join(f"- {{a: {a}, b: {b}, y: {y}}}" for a, b, y in LINES),
    "braces": "{" + ",".join("{" + ",".join(map(str, row)) + "}" for row in LINES) + "}",
    "vectors of R": "\n".join(f"{n} <- c({', '.join(str(r[i]) for r in LINES)})" for i, n in enumerate("aby")),
    "a matrix of R": "     [,1] [,2] [,3]\n"
    + "\n".join(f"[{i},]  {a} {b} {y}" for i, (a, b, y) in enumerate(LINES, 1)),
    "MATLAB": "A = [1.5 2 0; 2.5 -1 1; ...\n     -0.5, 20, 0; 3.5 1 1];",
    "MATLAB, x and y": "X = [1.5 2\n 2.5 -1\n -0.5 20\n 3.5 1];\ny = [0 1 0 1]';",
    "MATLAB, printed": "A =\n\n" + "\n".join("   ".join(["", *map(str, row)]) for row in LINES) + "\n",
    "MATLAB, printed times": "ans =\n\n   1.0e+01 *\n\n    0.15  0.2  0\n    0.25 -0.1 0.1\n   -0.05  2  0\n    0.35  0.1  0.1",
    "MATLAB, column by column": "  Columns 1 through 2\n\n"
    + "\n".join(f" {a} {b}" for a, b, _ in LINES)
    + "\n\n  Column 3\n\n 0\n 1\n 0\n 1",
    "ARFF": "% Weka\n@RELATION r\n@ATTRIBUTE 'a b' NUMERIC\n@attribute b real\n@attribute class {0,1}\n\n@DATA\n"
    + PLAIN,
    "LIBSVM": "\n".join(f"{y} qid:1 1:{a} 2:{b}  # {a}" for a, b, y in LINES),
    "polars, printed": "shape: (4, 3)\n┌─────┬─────┬─────┐\n│ a   ┆ b   ┆ y   │\n│ --- ┆ --- ┆ --- │\n│ f64 ┆ i64 ┆ i64 │\n╞═════╪═════╪═════╡\n"
    + "\n".join(f"│ {a} ┆ {b} ┆ {y} │" for a, b, y in LINES)
    + "\n└─────┴─────┴─────┘",
    "SQL, printed": "+---+---+---+\n| a | b | y |\n+---+---+---+\n"
    + "\n".join(f"| {a} | {b} | {y} |" for a, b, y in LINES)
    + "\n+---+---+---+\n4 rows in set",
    "LaTeX": "a & b & y \\\\\n\\hline\n" + "\n".join(f"{a} & {b} & {y} \\\\" for a, b, y in LINES),
    "HTML": "<table><tr><th>a<th>b<th>y</tr>"
    + "".join(f"<tr><td>{a}</td><td>{b}</td><td>{y}</td></tr>" for a, b, y in LINES)
    + "</table>",
    "colons": "a:b:y\n" + PLAIN.replace(",", ":"),
    "a heading with other marks": "a,b,y\n" + PLAIN.replace(",", ";"),
    "two marks": "\n".join(f"{a}, {b}; {y}" for a, b, y in LINES),
    "arrows": "\n".join(f"{a} {b} -> {y}" for a, b, y in LINES),
    "remarks behind": PLAIN.replace("1\n", "1 # an outlier?\n", 1),
    "remarks behind another mark": PLAIN.replace(",", ";").replace("1\n", "1;# seen by Ann\n", 1),
    "UTF-32": ("a,b,y\n" + PLAIN).encode("utf-32"),
    "units in cells": "a,b,y\n" + "\n".join(f"{a} cm,{b} m/s,{y}" for a, b, y in LINES),
    "how far it may be off": "a,b,y\n" + "\n".join(f"{a}±0.1,{b},{y}" for a, b, y in LINES),
    "per cent and shares": "a,b,y\n150%,2,0\n250%,-1,1\n-0.5,20,0\n350%,1,1",
    "totals below": "a,b,n,y\n".replace(",n", "") + PLAIN + "\nTotal,22,",
    "columns": json.dumps({name: [row[i] for row in LINES] for i, name in enumerate("aby")}),
}


@pytest.mark.parametrize("form", FORMS)
def test_one_table_in_every_form(form: str) -> None:
    """Four examples of two numbers and a class, however they are written."""
    spec, _ = read(FORMS[form])
    assert spec.data is not None
    assert (spec.task, spec.data.classes) == ("binary", ("0", "1"))
    assert spec.data.x.tolist() == [row[:2] for row in LINES]
    assert spec.data.y.ravel().tolist() == [0, 1, 0, 1]


def test_cells_merged_downwards_have_one_value() -> None:
    """A site that stands once beside several rows is the site of each."""
    book = Workbook()
    for row in (["site", "a", "y"], ["A", 2, 0], [None, 1, 1], ["B", 3, 0], [None, 5, 1]):
        book.active.append(row)
    for merged in ("A2:A3", "A4:A5"):
        book.active.merge_cells(merged)
    out = io.BytesIO()
    book.save(out)
    spec, _ = read(out.getvalue())
    assert spec.data is not None
    assert spec.data.names == ("site=B", "a")
    assert spec.data.x[:, 0].tolist() == [0, 0, 1, 1]


def workbook(rows: list[list[Any]], **more: list[list[Any]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for name, others in more.items():
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read() -> None:
    """Numbers, words, dates, empty cells; the first sheet that has a table; a formula is never worked out."""
    rows = [
        ["when", "a", "b", "kind"],
        *(
            [f"2026-01-{i + 1:02}", a, b, "=1+1" if i == 9 else "xy"[i % 2]]
            for i, (a, b) in enumerate([(1.5, i) for i in range(8)])
        ),
    ]
    spec, table = read(workbook([], first=rows))
    assert spec.data is not None
    assert spec.data.classes == ("x", "y")
    assert spec.data.names == ("b",)  # `a` is always the same
    assert "when is a date: left out." in said(table)
    assert "“first” is read" in said(table)


NUMBERS = {
    "1,234.5": 1234.5, "1.234,5": 1234.5, "1 234,5": 1234.5, "1'234.5": 1234.5, "1\u202f234": 1234.0, "932,741": 932741.0,
    "1,234,567": 1234567.0, "1.234.567": 1234567.0, "−3": -3.0, "(5)": -5.0, "+7": 7.0, "12 %": 12.0, "€ 5": 5.0,
    "5 USD": 5.0, "1e-3": 0.001, ".5": 0.5, "5.": 5.0, "0,5": 0.5, "1,5e3": 1500.0,
    "n/k": None, "1-2": None, "1_000": 1000, "1_00": None, "US$5": 5, "CHF 1'200.–": 1200, "1.200,5 kr": 1200.5, "R$ 1.200,50": 1200.5, "$1.2k": 1200, "₽3400": 3400,
    "2.5×10^3": 2500, "1 kr": 1, "infinity": None, "0x10": None, "--": None, "1.2.3": None, "": None,
    "2024-01-01": None, "12:30": None, "1e999": None,
}  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_as_it_is_written_somewhere(text: str) -> None:
    """Marks that leave no doubt are read by themselves; what is no number is none."""
    assert number(text) == NUMBERS[text]


IRIS = "\n".join(
    f"{5 + i / 9:.2f},{3 + i % 4},{1 + i % 5},{['setosa', 'versicolor', 'virginica'][i % 3]}" for i in range(30)
)
MANY = "\n".join(f"{1 + i % 3},{i * 1.37:.2f},{100 + i * 7 % 31},{i * i}" for i in range(30))
GUESSES: dict[str, tuple[str, dict[str, Any], str]] = {
    "words": (IRIS, {"task": "multiclass", "inputs": 3}, ""),
    "1, 2, 3": ("\n".join(f"{i}.5,{i * i},{1 + i % 3}" for i in range(12)), {"task": "multiclass"}, "whole numbers, 1, 2, 3: 3"),
    "numbers above": ("0,1,2,3\n5,1,4,0\n6,2,4,1\n7,1,3,2\n5,2,4,0\n6,1,4,1\n7,2,4,2", {"samples": 6}, "Line 1 counts 0, 1, 2, 3"),
    "label first": ("kind,a,b\n" + "\n".join(f"{'xy'[i % 2]},{i}.5,{i * i}" for i in range(9)), {"inputs": 2, "task": "binary"}, "kind holds words: it is the column to predict."),
    "UCI, label first": (MANY, {"task": "multiclass", "inputs": 3}, "column 1 has few whole numbers"),
    "called target": ("target,a,b\n0,1.5,2.5\n1,2.5,3.5\n0,0.5,2\n", {"inputs": 2, "task": "binary"}, "target is called so"),
    "two targets": ("x1;x2;y1;y2\n0;0;0;1\n0;1;1;0\n1;0;1;0\n1;1;0;1", {"inputs": 2, "outputs": 2}, "y1 and y2 are columns to predict"),
    "two values": ("a,b,y1,y2\n1,2,0.5,3\n2,3,1.5,1\n5,1,2.5,2", {"inputs": 2, "outputs": 2, "task": "regression"}, "2 outputs"),
    "one-hot": ("\n".join(f"{i}.5,{i * i},{int(i % 3 == 0)},{int(i % 3 == 1)},{int(i % 3 == 2)}" for i in range(9)), {"inputs": 2, "outputs": 3, "task": "multiclass"}, "3 classes"),
    "a constant": ("1.4,100000,0\n4.7,100000,1\n3,100000,1", {"inputs": 1}, "is always 100,000 and tells nothing"),
    "an index": (",a,b,y\n" + "\n".join(f"{i},{i * 1.5},{i * i % 7},{i % 2}" for i in range(9)), {"inputs": 2}, "index, the number of the row"),
    "a name each": ("name,a,y\nann,1.5,2\nbob,2.5,3\ncy,1,5\ndi,2,7\nel,4,2\nfi,1,1\ngo,2,2\nhy,3,1\nio,2,8\njo,3,3\nky,2,4\nlo,2,3", {"inputs": 1, "task": "regression"}, "one a row"),
    "an empty cell": ("a,b,y\n1.5,2,0\n2.5,,1\n3.5,1,1\n0.5,1,0", {"samples": 3}, "1 row without a value left out. Line 3, column 2 is empty."),
    "a stray word": ("\n".join(f"{i}.5,{'n/k' if i == 3 else i * i},{i % 2}" for i in range(9)), {"samples": 8}, "Line 4, column 2 is “n/k”; the others are numbers"),
    "a short line": ("a,b,y\n1,2,0\n2,3\n3,5,1\n5,6,0", {"samples": 3}, "1 row of another length left out: line 3 has 2 columns"),
    "thousands?": ("x;y\n1.234;10\n2.345;20\n350.000;3000", {"task": "regression"}, "350.000 is read as 350"),
    "scikit-learn's own": ("4,2,red,blue\n1.5,2,0\n2.5,3,1\n3,4,0\n4,4,1", {"task": "binary", "classes": ("red", "blue")}, "names the classes"),
    "yes and no": ("a,b,ok\n1.5,2,yes\n2.5,3,no\n3,4,yes", {"classes": ("no", "yes")}, ""),
    "words go in": ("sex,a,y\nf,1.5,2.5\nm,2.5,3.5\nf,3.5,1.5\nm,1,2", {"inputs": 2, "task": "regression"}, ""),
    "two columns of truth": ("a,b,no,yes\n1,2,True,False\n2,1,False,True\n3,3,True,False\n4,1,False,True", {"outputs": 2, "classes": ("no", "yes")}, "they are 2 classes"),
    "plus and minus": ("x1,x2,y\n-1,-1,-\n-1,1,+\n1,-1,+\n1,1,-", {"classes": ("+", "−"), "samples": 4}, ""),
    "days": ("when,a,y\n20240101,1,0\n20240102,2,1\n20240103,3,0", {"inputs": 1}, "when is a date"),
    "months": ("month,a,y\nMär 2024,1,0\nJuni 2024,2,1\nOkt. 2024,3,0", {"inputs": 1}, "month is a date"),
    "weekdays": ("on,a,y\nMon 01 Jan 2024,1,0\nTue 02 Jan 2024,2,1\nWed 03 Jan 2024,3,0", {"inputs": 1}, "on is a date"),
    "quarters": ("on,a,y\n2024-Q1,1,0\n2024-Q2,2,1\n2024-Q3,3,0", {"inputs": 1}, "on is a date"),
    "days alone": ("when,y\n31.12.2023,1.5\n01.01.2024,2\n05.01.2024,9", {"inputs": 1}, "when is told in days from 2023-12-31."),
    "hours alone": ("when,y\n8:00 am,1.5\n9:30 pm,2\n12:15 am,9", {"inputs": 1}, "when is told in hours."),
    "LIBSVM, -1 and +1": ("+1 1:0.5 3:2\n-1 2:1\n+1 1:.25", {"inputs": 3, "classes": ("-1", "1")}, "what is not there is 0"),
    "ARFF, few cells": ("@relation r\n@attribute a real\n@attribute b real\n@attribute c {n,y}\n@data\n{0 1.5, 2 y}\n{1 2}\n{0 3, 1 1}", {"inputs": 2, "classes": ("n", "y")}, "Weka"),
    "a row of totals": ("n,a,y\nx,2,10.5\nz,1,11\nw,3,12.5\nSumme,6,34", {"samples": 3}, "Line 5 is called “Summe”"),
    "imbalance": ("\n".join(f"{i}.5,{i * i},{int(i == 3)}" for i in range(50)), {"task": "binary"}, "98 % of the rows are 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", GUESSES)
def test_what_is_guessed_is_right_and_said(name: str) -> None:
    """Targets, classes, headings, what is left out: each as a person would read it, with a sentence where it is not
    plain to see."""
    text, wanted, sentence = GUESSES[name]
    spec, table = read(text)
    assert spec.data is not None
    found = {
        "task": spec.task, "inputs": spec.raw_inputs, "outputs": spec.network.sizes[-1], "samples": spec.samples,
        "classes": spec.data.classes,
    }  # fmt: skip
    assert {key: found[key] for key in wanted} == wanted
    assert sentence in said(table)


def test_every_other_reading_can_be_had() -> None:
    """What a note offers is what its choice does."""
    spec, table = read("x;y\n1.234;10\n2.345;20\n350.000;3000")
    choice = next(note.choice for note in table.notes if note.other == "points group thousands")
    spec, _ = read("x;y\n1.234;10\n2.345;20\n350.000;3000", **dict([choice]))
    assert spec.data is not None
    assert spec.data.x.ravel().tolist() == [1234, 2345, 350000]
    text = "0,1,2,3\n5,1,4,0\n6,2,4,1\n7,1,3,2\n5,2,4,0\n6,1,4,1\n7,2,4,2"
    assert read(text, heading="no")[0].samples == 7
    assert read("a,b,y\n1.5,2,0\n2.5,,1\n3.5,1,1\n0.5,1,0", missing="fill")[0].samples == 4
    three = "\n".join(f"{i}.5,{i * i},{1 + i % 3}" for i in range(12))
    assert read(three, task="regression")[0].task == "regression"
    other = read(three, part_at_1="target", part_at_2="input", targets="2")[0]
    assert (other.task, other.raw_inputs) == ("regression", 2)
    assert read("when,a,y\n2026-01-01,2,0\n2026-01-02,3,1\n2026-01-03,5,1", part_at_0="out")[0].raw_inputs == 1


TIMES: dict[str, tuple[list[str], list[float]]] = {
    "ISO": (["2024-01-01", "2024-01-03", "2024-03-01"], [0, 2, 60]),
    "with a time": (["2024-01-01T10:00:00Z", "2024-01-01 22:00", "2024-01-02T10:00:00+01:00"], [0, 0.5, 1]),
    "day first": (["01.02.24", "13.02.24", "01.03.24"], [0, 12, 29]),
    "month first": (["02/01/2024", "02/13/2024", "03/01/2024"], [0, 12, 29]),
    "names": (["3. März 2024", "4. März 2024", "7. Mai 2024"], [0, 1, 65]),
    "weekdays": (["Mon 01 Jan 2024", "Tue 02 Jan 2024", "Fri 05 Jan 2024"], [0, 1, 4]),
    "English": (["January 1st, 2024", "Feb 1, 2024", "March 1, 2024"], [0, 31, 60]),
    "months": (["2023-11", "2023-12", "2024-01"], [0, 30, 61]),
    "quarters": (["2023-Q4", "2024-Q1", "2024-Q2"], [0, 92, 183]),
    "weeks": (["2024-W01", "2024-W02", "2024-W05"], [0, 7, 28]),
    "in one": (["20231231", "20240101", "20240105"], [0, 1, 5]),
    "clock": (["08:00", "09:30", "23:59:30"], [8, 9.5, 23 + 59.5 / 60]),
}


@pytest.mark.parametrize("form", TIMES)
def test_a_time_is_a_number_where_nothing_else_goes_in_or_it_is_asked_for(form: str) -> None:
    """Days from the first, or hours; beside another input it stays out until a person uses it."""
    cells, numbers = TIMES[form]
    alone, _ = read("when;y\n" + "\n".join(f"{cell};{i}.5" for i, cell in enumerate(cells)))
    beside = "when;a;y\n" + "\n".join(f"{cell};{i * i};{i}.5" for i, cell in enumerate(cells))
    asked, _ = read(beside, part_at_0="input")
    for data in (alone.data, asked.data):
        assert data is not None
        assert np.allclose(data.x[:, 0], numbers)
    assert read(beside)[0].raw_inputs == 1


def test_more_rows_than_there_is_room_for_are_sampled_and_it_is_said() -> None:
    """Always the same ones; or the first, if asked for. scikit-learn's digits, 1,797 by 64, go in whole."""
    text = "\n".join(f"{i % 97}.5,{i % 89},{i % 2}" for i in range(12_000))
    spec, table = read(text)
    assert spec.samples == 10_000
    assert "10,000 of 12,000 rows are taken: a sample, at random." in said(table)
    assert read(text)[0] == spec
    first, _ = read(text, sample="first")
    assert first.data is not None
    assert first.data.x[:3, 0].tolist() == [0.5, 1.5, 2.5]
    digits = "\n".join(",".join([str((i * j) % 17) for j in range(1, 65)] + [str(i % 10)]) for i in range(1797))
    assert read(digits)[0].samples == 1797


def test_words_of_yes_and_no_are_two_classes_however_they_are_spelt() -> None:
    """TRUE and True are one; other words are taken as they are written."""
    for words in (("TRUE", "false", "True", "FALSE"), ("Yes", "NO", "yes", "no"), ("WAHR", "FALSCH", "wahr", "falsch")):
        spec, _ = read("a,b,y\n" + "\n".join(f"{i},{i * i},{word}" for i, word in enumerate(words)))
        assert spec.data is not None
        assert len(spec.data.classes) == 2
    spec, _ = read("a,y\n1,Cat\n2,cat\n3,CAT")
    assert spec.data is not None
    assert len(spec.data.classes) == 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a,b,y\n0,0,1\n0,1,0\n1,0,1\n1,1,0", "iit"),  # y is called so: it is not the second half of b
        ("0,0,1\n0,1,0\n1,0,1\n1,1,0", "iit"),  # a truth table
        ("u,red,green\n1,1,0\n2,1,0\n3,0,1\n4,0,1\n5,0,1", "itt"),
    ],
)
def test_columns_that_seem_to_be_one_choice(text: str, parts: str) -> None:
    _, table = read(text)
    assert "".join(column.part[0] for column in table.columns) == parts
    if parts.endswith("tt"):  # and the other reading is at hand
        (note,) = [note for note in table.notes if note.other]
        assert [
            c.name for c in read(text, **{note.choice[0].replace(".", "_at_"): note.choice[1]})[1].of_part("target")
        ] == ["green"]


def test_lines_that_all_begin_with_the_mark_of_a_comment_are_none() -> None:
    for text in (
        "color,name\n#ff0000,red\n#00ff00,green\n#ff0001,red\n#00ff01,green",
        "#1,2,red\n#2,3,green\n#3,5,red\n#4,1,green",
    ):
        (hot,) = read(text, **{"part.0": "out"} if text.startswith("#") else {"kind.0": "text"})[1].of_part("target")
        assert hot.labels == ("green", "red")


def test_the_largest_class_is_said_once_and_only_if_it_is_large() -> None:
    even = "\n".join(f"{i},{','.join(str(int(i % 5 == k)) for k in range(5))}" for i in range(50))
    assert "always guessing" not in said(read("u,a,b,c,d,e\n" + even)[1])
    most = "\n".join(f"{i},{int(i < 45)},{int(45 <= i < 48)},{int(i >= 48)}" for i in range(50))
    told = said(read("u,cat,dog,bird\n" + most)[1])
    assert told.count("always guessing") == 1
    assert "90 % of the rows are cat" in told


def test_a_record_that_names_a_class_is_one_and_what_it_leaves_out_is_0() -> None:
    """As brain.js has its examples."""
    rows = [{"input": {"r": 0.5}, "output": {"black": 1}}, {"input": {"g": 0.25}, "output": {"white": 1}}]
    spec, _ = read(json.dumps(rows * 2))
    assert spec.data is not None
    assert (spec.data.classes, spec.data.x[:2].tolist()) == (("black", "white"), [[0.5, 0.0], [0.0, 0.25]])


def test_a_plain_number_takes_few_calls_to_be_read() -> None:
    """A table of 10,000 rows is read in a second or two, for its cells are cleaned only where there is something to
    clean: as many calls a cell however many there are.
    """
    rng = np.random.default_rng(0)
    text = "\n".join(
        ",".join(f"{v:.4f}" for v in row) + f",{i % 2}" for i, row in enumerate(rng.normal(5, 30, (300, 20)))
    )
    calls = 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        table = understand(split(text), Choices({}))
    finally:
        sys.setprofile(None)
    assert len(table.rows) == 300
    assert calls < 55 * 300 * 21


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (80 << 20))
    return out.getvalue()


def entities() -> bytes:
    """A sound workbook, but for entities that swell in its sheet."""
    out, sound = io.BytesIO(), zipfile.ZipFile(io.BytesIO(workbook([["a", "b"], [1, 2]])))
    swell = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    with zipfile.ZipFile(out, "w") as archive:
        for name in sound.namelist():
            text = sound.read(name).decode()
            if "sheet1" in name or name == "xl/workbook.xml":
                text = swell + text.removeprefix('<?xml version="1.0"?>')
            archive.writestr(name, text)
    return out.getvalue()


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "10,000 columns": (",".join(["1"] * 10_000) + "\n" + ",".join(["1"] * 10_000), "Line 1 has 10,000 columns"),
    "a frame printed in part": (
        "    a  b  y\n0   1  2  0\n..  ..  .. ..\n99  4  1  1\n\n[100 rows x 3 columns]",
        "printed in part, with “..” in it",
    ),
    "a frame of polars printed in part": (
        "│ a ┆ y │\n│ 1 ┆ 2 │\n│ … ┆ … │\n│ 3 ┆ 4 │",
        "printed in part, with “…” in it",
    ),
    "an array printed in part": ("array([[0., 0., 0.],\n       ...,\n       [1., 1., 0.]])", "printed in part"),
    "LIBSVM, too wide": ("1 1:2 5000:1\n0 1:3\n1 1:2", "The places go up to 5,000"),
    "ARFF without data": ("@relation r\n@attribute a real\n", "there is no @data"),
    "a page without a table": ("<html><body>no</body></html>", "a web page without a table"),
    "a megabyte of brackets": ("A = [" + "[" * 1_000_000, ""),
    "a megabyte of dots": ("A = [" + "." * 1_000_000, ""),
    "a megabyte of blanks": ("a,b #" + " " * 1_000_000 + "#\n1,2", ""),
    "a cell of a megabyte": ("1,2,0\n3," + "x" * 1_000_000 + ",1", "Line 2, column 2 has 1,000,000 characters"),
    "a quote that never ends": ('1,2,0\n3,"4,1\n' + "5,6,0\n" * 500, "Line 2, column 2 has"),
    "a bomb": (bomb(), "This workbook unpacks to"),
    "entities": (entities(), "This workbook is damaged"),
    "another archive": (b"PK\x03\x04" + b"\0" * 40, "This workbook is damaged"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel file (.xls)"),
    "a PDF": (b"%PDF-1.7 ...", "a PDF"),
    "bytes": (bytes(range(256)) * 8, "This file is no text"),
    "endless words": ("[" + "1." * 200_000 + " a", "no list of rows"),
    "endless digits": ("[[" + "1" * 200_000 + "x]]", "has a cell of 200,001 characters"),
    "endless quotes": ("[" + "\\'" * 200_000, "no list of rows"),
    "endless names": ("[1] " + "a" * 200_000, "This JSON is no table"),
    "deep JSON": ("[" * 100_000 + "]" * 100_000, "no list of rows"),
    "a JSON of something else": ('{"a": 1}', "This JSON is no table"),
    "nothing": ("", "There are no lines of numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_sentence(name: str) -> None:
    """What it is, or where; nothing raises anything else."""
    source, sentence = REFUSED[name]
    with pytest.raises(WrongData) as caught:
        read(source)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("seed", range(60))
def test_no_text_raises_anything_but_a_sentence(seed: int) -> None:
    """Odd texts from the pieces that tables are made of."""
    rng = np.random.default_rng(seed)
    pieces = [
        *list("01259.,;\t |\n\n\n-−+eE%$€\"'#()[]{}:=ax_"),
        "nan",
        "1,5",
        "�",
        "\x00",
        "\u202e",
        "10" * 200,
        "NA",
        "2024-01-01",
    ]
    for _ in range(40):
        text = "".join(rng.choice(pieces, int(rng.integers(1, 120))).tolist())
        for source in (text, text.encode("utf-8", "replace")):
            with suppress(WrongData):
                read(source)


def test_a_formula_stays_a_text_in_a_download_and_comes_back() -> None:
    """Names and classes that a spreadsheet would take for formulas; numbers stay numbers."""
    spec, _ = read("=1+1,b,kind\n1.5,-2,=cmd()\n2.5,3,@x\n3.5,4,=cmd()\n4.5,1,@x")
    assert spec.data is not None
    text = csv_of(spec.data)
    assert text.splitlines()[:2] == ["'=1+1,b,kind", "1.5,-2,'=cmd()"]
    assert as_text("-5") == "-5"
    again, _ = read(text)
    assert again.data is not None
    assert again.data.x.tolist() == spec.data.x.tolist()
    assert (again.data.names, again.data.classes) == (spec.data.names, spec.data.classes)


def many(line: str, count: int = 12) -> str:
    """So many lines, with their number at {i} and two words by turns at {w}."""
    return "\n".join(line.format(i=i, j=i % 5 + 1, w=("oak", "fir")[i % 2], b=i % 2) for i in range(count))


SPELLED: dict[str, tuple[str, list[str], list[float], str]] = {
    "fractions": ("dose,kind\n" + many("{j}/4,{w}"), ["dose"], [0.25], "dose: 1/4 is 0.25."),
    "mixed numbers": ("size,kind\n" + many("{j} 3/4,{w}"), ["size"], [1.75], "size: 1 3/4 is 1.75."),
    "hexadecimal": ("flag,size,kind\n" + many("0x{j}F,{i}.5,{w}"), ["flag", "size"], [31, 0.5], "flag: 0x1F is 31."),
    "Fortran": (many("{j}.5D+02 {i}.25D-01 {b}"), [], [150, 0.025], ""),
    "SQL": (
        "INSERT INTO `trees` (`size`, `age`, `kind`) VALUES\n" + many("({i}.5, {j}, 'an {w}''s'),").rstrip(",") + ";",
        ["size", "age"], [0.5, 1], "Read as rows that are inserted into trees.",
    ),
    "SQL, a row each": (
        "CREATE TABLE t (a DECIMAL(5,2), b INT NOT NULL, c TEXT, PRIMARY KEY (a));\n"
        + many("INSERT INTO t VALUES ({i}.5, {j}, '{w}');"),
        ["a", "b"], [0.5, 1], "Read as rows that are inserted into t.",
    ),
    "Vowpal Wabbit": (
        many("{b} 1.0 'tag{i}|f size:{i}.5 age:{j} |g old"), ["size", "age"], [0.5, 1], "Read as Vowpal Wabbit writes it",
    ),
    "name=value": (
        many("2024-03-01T10:{i:02d}Z temp={j}.5 load={i} state={w}"), ["temp", "load"], [1.5, 0], "lines of name=value",
    ),
    "times before a comma": ("time,load,kind\n" + many("{i:02d}:30,{j}00,{w}"), ["load"], [100], ""),
    "plus or minus": ("mass,kind\n" + many("{j}.5 ± 0.2,{w}"), ["mass"], [1.5], "± and what follows is left out."),
    "headings that come again": (
        "a,b,kind\n" + many("{i},{j},{w}") + "\na,b,kind\n" + many("{i},{j},{w}"), ["a", "b"], [0, 1],
        "The heading comes again in line 14",
    ),
    "JSON with words beside": (
        '{"made": {"by": "x"}, "rows": [' + many('{{"a": {i}, "b": {j}, "kind": "{w}"}},')[:-1] + "]}",
        ["a", "b"], [0, 1], "",
    ),
    "limits": ("lead,kind\n<0.01,fir\n" + many("0.{j},{w}"), ["lead"], [0.01], "lead: <0.01 is read as 0.01."),
    "limits with a comma": ("ph;kind\n" + many("{j},5;{w}") + "\n>14,0;oak", ["ph"], [1.5], "ph: >14,0 is read as 14,0."),
    "stars": ("p,kind\n" + many("0.0{j}*,{w}"), ["p"], [0.01], "p: 0.01* is read as 0.01."),
    "dput of R": (
        "structure(list(a = 0:11, `my b` = c(" + many("{j},")[:-1] + "), kind = structure(c("
        + many("{b}L,").replace("0L", "2L")[:-1] + "), levels = c(\"oak\", 'fir'), class = \"factor\")), "
        "row.names = c(NA, -12L), class = \"data.frame\")", ["a", "my b"], [0, 1], "Read as R writes a data frame.",
    ),
    "data.frame of R": (
        "df <- data.frame(\n a = 0:11, g = rep(c(TRUE, FALSE), times = 6),\n b = -rep(2, 12),\n kind = c("
        + many("'{w}',")[:-1] + "), stringsAsFactors = FALSE)", ["a", "g=TRUE"], [0, 1], "b is always -2",
    ),
    "a footer of pandas": ("   a  b kind\n" + many("{i}  {i}  {j}  {w}") + "\n\n[12 rows x 3 columns]", ["a", "b"], [0, 1], ""),
}  # fmt: skip


def sheets_of(*sheets: tuple[str, list[list[Any]]], hidden: str = "") -> bytes:
    book, into = Workbook(), io.BytesIO()
    for k, (name, rows) in enumerate(sheets):
        sheet = book.active if k == 0 else book.create_sheet()
        sheet.title = name
        for row in rows:
            sheet.append(row)
        if name == hidden:
            sheet.sheet_state = "hidden"
    book.save(into)
    return into.getvalue()


BEASTS: list[list[Any]] = [["a", "b", "kind"], *([i, i % 5 + 1, ("oak", "fir")[i % 2]] for i in range(12))]
FOREIGN: dict[str, tuple[str | bytes, list[str], list[float], str]] = {
    "commas of China": ("高，宽，kind\n" + many("{i}，{j}，{w}"), ["高", "宽"], [0, 1], ""),
    "units in cells": ("a,b,kind\n" + many("{i} kg,{j} cm,{w}"), ["a", "b"], [0, 1], "a is in kg"),
    "a source below": ("a,b,kind\n" + many("{i},{j},{w}") + "\n\nSource: The Bureau, 2024", ["a", "b"], [0, 1], "left out: line 15"),
    "notes below": ("a;b;kind\n" + many("{i};{j};{w}") + "\n;;\nQuelle: Amt;;\nStand: 1.1.2024;;", ["a", "b"], [0, 1], "Line 15 below the table"),
    "blank rows below": ("a,b,kind\n" + many("{i},{j},{w}") + "\n,,\n,,", ["a", "b"], [0, 1], ""),
    "a heading of years": ("2019,2020,kind\n" + many("{j},{i},{w}"), ["2019", "2020"], [1, 0], "read as the heading"),
    "a heading of two lines": ("size,,kind\nmin,max,\n" + many("{i},{j},{w}"), ["size min", "size max"], [0, 1], "Lines 1 and 2 are the heading"),
    "names that come again": ("a,a,kind\n" + many("{i},{j},{w}"), ["a", "a 2"], [0, 1], ""),
    "two blanks": ("a     b   kind\n" + many("{i}.5  {j}   an {w}"), ["a", "b"], [0.5, 1], "two blanks"),
    "rows of LaTeX": (many(r"{i} & {j} & {w} \\\\").replace("\n", " "), [], [0, 1], "ampersands"),
    "minus behind": ("a;b;kind\n" + many("{i}-;{j};{w}"), ["a", "b"], [-11, 2], ""),
    "cp1252": (("Größe;€;kind\n" + many("{i};{j};{w}")).encode("cp1252"), ["Größe", "€"], [0, 1], "cp1252"),
    "Spanish": (("año,b,kind\n" + many("{i},{j},{w}")).encode("latin-1"), ["año", "b"], [0, 1], "cp1252"),
    "an old Mac": (("Größe;Fuß;kind\n" + many("{i};{j};{w}")).encode("mac_roman"), ["Größe", "Fuß"], [0, 1], "mac_roman"),
    "Russian": (("рост;вес;kind\n" + many("{i};{j};{w}")).encode("cp1251"), ["рост", "вес"], [0, 1], "cp1251"),
    "Chinese": (("身高,体重,kind\n" + many("{i},{j},{w}")).encode("gb18030"), ["身高", "体重"], [0, 1], "gb18030"),
    "Czech": (("výška;třída šípů;kind\n" + many("{i};{j};{w}")).encode("cp1250"), ["výška", "třída šípů"], [0, 1], "cp1250"),
    "rows by name": (
        "{" + many('"r{i}": {{"a": {i}, "b": {j}, "kind": "{w}"}},')[:-1] + "}", ["a", "b"], [0, 1], "Read as JSON",
    ),
    "GeoJSON": (
        '{"type": "All", "features": [' + many('{{"geometry": {{"at": [{i}, {j}]}}, "properties": {{"kind": "{w}"}}}},')[:-1]
        + "]}", ["geometry.at1", "geometry.at2"], [0, 1], "Read as JSON",
    ),
    "a hidden sheet": (sheets_of(("Own", BEASTS[:5]), ("Data", BEASTS), hidden="Own"), ["a", "b"], [0, 1], "“Data” is read"),
    "a sheet of words": (sheets_of(("Read me", [["By X"], ["2024"], ["Notes"]]), ("Data", BEASTS)), ["a", "b"], [0, 1], "“Data” is read"),
    "a sheet with two lines above": (
        sheets_of(("Data", [["size", None, "kind"], ["low", "high", None], *BEASTS[1:]])), ["size low", "size high"], [0, 1],
        "Lines 1 and 2 are the heading",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_table_from_anywhere_is_read(kind: str) -> None:
    """All 12 rows, the columns by name, and what was done: headings, footers, encodings, sheets."""
    source, names, first, note = FOREIGN[kind]
    found = own(source, {}, None)
    data = found.spec.data
    assert data is not None
    assert (list(data.names), data.task, len(data.x)) == (names, "binary", 12)
    assert first in data.x.tolist()
    assert not note or any(note in each.sentence for each in found.table.notes)


def test_a_last_column_of_two_numbers_is_predicted_whatever_words_stand_first() -> None:
    """Where the columns have names; without, words in front are the label."""
    text = many("{w},{i}.5,{b}")
    named, _ = read("kind,a,good\n" + text)
    assert named.data is not None
    assert named.data.targets == ("good",)
    bare, _ = read(text)
    assert bare.data is not None
    assert bare.data.classes == ("fir", "oak")


@pytest.mark.parametrize("kind", SPELLED)
def test_what_other_programs_write_is_read(kind: str) -> None:
    """Numbers, records and logs in spellings of their own: the columns by name, the first row, and what was done."""
    text, names, first, note = SPELLED[kind]
    found = own(text, {}, None)
    data = found.spec.data
    assert data is not None
    assert (list(data.names), data.task) == (names, "binary")
    assert first in data.x.tolist()
    assert not note or any(note in each.sentence for each in found.table.notes)


@pytest.mark.parametrize(
    ("none", "others"), [("-999", "3{j}"), ("-9999.0", "101{j}.5"), ("9999", "{j}"), ("-99", "{j}0")]
)
def test_nines_far_from_all_others_are_no_value(none: str, others: str) -> None:
    """They are said and left out, and are numbers where a person says so; a number among others is one."""
    text = "size,mass,kind\n" + many("{i}," + others + ",{w}") + f"\n3,{none},oak\n4,{none},fir"
    found = own(text, {}, None)
    assert found.spec.data is not None
    assert found.spec.data.x.shape == (12, 2)
    note = next(each for each in found.table.notes if "far from all others" in each.sentence)
    assert note.choice == ("kind.1", "number")
    told = own(text, dict([note.choice]), None).spec.data
    assert told is not None
    assert told.x.shape == (14, 2)
    near = own("size,mass,kind\n" + many("{i},9{j},{w}") + "\n3,99,oak", {}, None).spec.data
    assert near is not None
    assert near.x.shape == (13, 2)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES (" + "''" * 5_000,
        "INSERT INTO t VALUES ('" + "''" * 50_000 + "', 1), ('b', 2);",
        "1 " + "2 " * 9_000 + "x:",
        "a" * 200_000 + "=1 b=2\nc=3",
        "INSERT INTO " + "insert into " * 20_000,
    ],
    ids=["open", "long", "numbers", "name", "words"],
)
def test_a_text_that_seems_to_be_such_a_record_is_refused(text: str) -> None:
    """In a sentence, however long it goes on: a pattern that tries every way would never end."""
    with pytest.raises(WrongData):
        own(text, {}, None)


@pytest.mark.parametrize(
    ("base", "text", "stays"),
    [
        ({"loss": "hinge"}, "a,b\n1,0.0\n2,1.5\n3,2.5\n4,7.1", set()),
        ({"loss": "binary_cross_entropy", "output_activation": "sigmoid"}, "a,b\n1,0.0\n2,1.5\n3,2.5\n4,7.1", set()),
        ({"features": ["x1", "x2", "x1x2"]}, "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0", {"features"}),
        ({"features": ["x1", "x2", "x1x2"]}, "a,b,c,y\n0,0,5,0\n0,1,4,1\n1,0,3,1\n1,1,2,0", set()),
        ({"dataset": "sine"}, "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0", set()),  # its features follow the data
        ({"dataset": "digits16", "hidden": [5]}, "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0", {"hidden"}),
    ],
)
def test_what_is_set_by_hand_stays_if_it_fits(base: dict[str, Any], text: str, stays: set[str]) -> None:
    before = Spec.make(base)
    found = own(text, {}, before)
    assert set(set_by_hand(found.spec)) == stays
    left = [FIELDS[name].title.lower() for name in set_by_hand(before) if name not in stays]
    told = " ".join(note.sentence for note in found.told)
    assert all(title in told for title in left)


@pytest.mark.parametrize(
    "rows",
    [
        [["a", "b", "y"], ["1", "2", "# one"], ["2", "3", "# two"], ["4", "5", "# one"], ["7", "5", "# two"]],
        [["id", "v", "y"], ["#0", "1.5", "u"], ["#1", "2.5", "w"], ["#2", "3.5", "u"], ["#3", "0.5", "w"]],
        [["a", "b", "y"], ["1", "2", '"open'], ["2", "3", 'closed"'], ["4", "5", '"open'], ["3", "2", 'closed"']],
        [["// y", "b", "c"], ["1", "2", "50 %"], ["0", "3", "5 %"], ["1", "5", "7 %"], ["0", "4", "9 %"]],
        [["a", "b"], ["x // z", "p # q"], ["w // z", "p # r"], ["x // z", "p # q"], ["x // z", "p # r"]],
    ],
)
def test_a_workbook_is_the_same_table_when_its_text_is_sent_back(rows: list[list[str]]) -> None:
    again = split("\n".join("\t".join(map(as_cell, row)) for row in rows))
    assert [list(row.cells) for row in again.rows] == rows


def test_a_word_for_no_value_can_be_a_class() -> None:
    often = "a,pet\n1,none\n2,cat\n3,none\n4,dog\n5,none\n6,cat\n7,dog"
    assert [name for name, _ in read(often)[1].columns[1].classes] == ["cat", "dog", "none"]
    seldom = often.replace("3,none", "3,dog").replace("5,none", "5,cat")
    _, table = read(seldom)
    assert [name for name, _ in table.columns[1].classes] == ["cat", "dog"]
    (note,) = [note for note in table.notes if note.other == "it is a word"]
    _, table = read(seldom, **{note.choice[0].replace(".", "_at_"): note.choice[1]})
    assert [name for name, _ in table.columns[1].classes] == ["cat", "dog", "none"]


def test_a_sheet_whose_last_cells_are_empty_keeps_its_heading() -> None:
    """A sheet does not tell of empty cells at the end of a row: as many as its heading are there."""
    rows = [[i, i * 2 % 7, i % 2] for i in range(10)]
    _, table = read(workbook([["a", "b", "y", "remark"], *rows, [3, 4, 1, "ok"]]))
    assert [column.name for column in table.of_part("input") + table.of_part("target")] == ["a", "b", "y"]
    assert len(table.kept) == 11
    _, table = read(workbook([["a", "b", "y"], *rows[:5], *(row[:2] for row in rows)]))
    assert [column.name for column in table.of_part("target")] == ["y"]
    assert len(table.kept) == 5
    _, table = read(workbook([["a", "b", "sum"], *([i, i * 3 % 5, f"=A{i}+B{i}"] for i in range(2, 9))]))
    assert [column.name for column in table.columns] == ["a", "b", "sum"]
    assert "open the workbook in a spreadsheet" in said(table)
