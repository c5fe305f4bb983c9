"""What a lesson's template may call beside its visit: numbers, formulas, plots, pieces, problems and listings."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from runpy import run_path
from typing import Any

from markupsafe import Markup
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from app.assets import TEMPLATES
from app.learn import digits as lesson_digits
from app.learn import information as lesson_information
from app.learn import pieces, plots, problems
from app.learn import walk as lesson_walk
from app.learn.facts import Facts
from app.page.links import Link, View
from app.words.maths import mathml
from app.words.names import name_of
from app.words.numbers import fixed, fixed_signed, percent, short, unsigned
from engine import Edit, Quantity

CODE = TEMPLATES / "lessons" / "code"
LISTINGS = tuple(sorted(file.name for file in CODE.glob("*.py")))


def open_in_playground(facts: Facts, values: dict[str, float] | None = None, **view: Any) -> str:
    """The address of the playground with the same spec and step, and parameters set by hand at the start."""
    edits = tuple(Edit(0, address, value) for address, value in (values or {}).items())
    return Link(facts.state.spec, edits, View(**view)).url()


def code_of(name: str) -> str:
    """The text of a listing without its first docstring, which its title says already."""
    text = (CODE / name).read_text(encoding="utf-8")
    return text.split('"""\n', 1)[-1].strip() + "\n"


@lru_cache(maxsize=16)
def highlighted(name: str) -> Markup:
    """A listing as HTML with classes: a span a line, which says how far it is indented, so that it can wrap below."""
    code = code_of(name)
    lit = highlight(code, PythonLexer(), HtmlFormatter(cssclass="highlight", wrapcode=True, linespans="line"))
    depths = [len(line) - len(line.lstrip()) for line in code.splitlines()]
    return Markup(re.sub(r'id="line-(\d+)"', lambda found: f'class="code-line in-{depths[int(found[1]) - 1]}"', lit))


@lru_cache(maxsize=16)
def run_listing(name: str) -> dict[str, Any]:
    """The names that a listing leaves behind when it is run; the files are ours."""
    if name not in LISTINGS:
        raise ValueError(f"unknown listing {name!r}, must be one of: {', '.join(LISTINGS)}")
    return run_path(str(CODE / name))


def pairs(xs: tuple[float, ...], ys: tuple[float, ...]) -> list[tuple[float, float]]:
    """Two sequences side by side."""
    return list(zip(xs, ys, strict=True))


def latex(value: float, digits: int = 4) -> str:
    """A number inside a formula."""
    return unsigned(value, digits).replace("−", "-")


def column(values: Sequence[float], role: str = "") -> str:
    """Numbers one below the other, in LaTeX, in the colour of a role."""
    return matrix([[value] for value in values], role)


def row(values: Sequence[float], role: str = "") -> str:
    """Numbers side by side, in LaTeX."""
    return matrix([values], role)


def matrix(rows: Iterable[Sequence[float]], role: str = "") -> str:
    """Rows of numbers in brackets, in LaTeX; the numbers are coloured and the brackets are not."""
    kind = role or "plain"
    lines = (" & ".join(rf"\class{{{kind}}}{{{latex(value)}}}" for value in each) for each in rows)
    return r"\begin{pmatrix}" + r" \\ ".join(lines) + r"\end{pmatrix}"


TOOLS: dict[str, Any] = {
    "latex": latex,
    "column": column,
    "row": row,
    "matrix": matrix,
    "n": fixed,
    "percent": percent,
    "s": fixed_signed,
    "sig": unsigned,
    "short": short,
    "name_of": name_of,
    "quantity": Quantity.parse,
    "math": mathml,
    "plot": plots.plot,
    "pieces": pieces,
    "digits": lesson_digits,
    "information": lesson_information,
    "moments": lesson_walk,
    "ask": problems,
    "open_url": open_in_playground,
    "highlighted": highlighted,
    "run_listing": run_listing,
    "pairs": pairs,
    "abs": abs,
    "max": max,
    "min": min,
}
