"""The programs that lessons show and run: their text, lit by the standard library's tokens, and what they compute."""

import keyword
from collections.abc import Iterator
from functools import lru_cache
from io import StringIO
from runpy import run_path
from tokenize import COMMENT, NAME, NUMBER, STRING, TokenInfo, generate_tokens
from typing import Any

from markupsafe import Markup, escape

from app.assets import TEMPLATES

CODE = TEMPLATES / "lessons" / "code"
LISTINGS = tuple(sorted(file.name for file in CODE.glob("*.py")))
_KINDS = {COMMENT: "remark", NUMBER: "number", STRING: "text"}


def code_of(name: str) -> str:
    """The text of a listing without its first docstring, which its title says already."""
    text = (CODE / name).read_text(encoding="utf-8")
    return text.split('"""\n', 1)[-1].strip() + "\n"


@lru_cache(maxsize=16)
def highlighted(name: str) -> Markup:
    """A listing as HTML with classes: a span a line, which says how far it is indented, so that it can wrap below."""
    code = code_of(name)
    lit: dict[int, list[tuple[int, int, str]]] = {}
    for number, begin, end, kind in _lit(code):
        lit.setdefault(number, []).append((begin, end, kind))
    lines = (_line(line, lit.get(row, [])) for row, line in enumerate(code.splitlines(), 1))
    return Markup('<div class="highlight"><pre><code>{}</code></pre></div>').format(Markup("").join(lines))


def _line(line: str, lit: list[tuple[int, int, str]]) -> Markup:
    pieces, at = Markup(), 0
    for begin, end, kind in lit:
        pieces += escape(line[at:begin]) + Markup('<span class="{}">{}</span>').format(kind, line[begin:end])
        at = end
    depth = len(line) - len(line.lstrip())
    return Markup('<span class="code-line in-{}">{}\n</span>').format(depth, pieces + escape(line[at:]))


def _lit(code: str) -> Iterator[tuple[int, int, int, str]]:
    """What has a colour: row, begin, end, kind; a text of several lines is told line by line."""
    before, lines = "", code.splitlines()
    for token in generate_tokens(StringIO(code).readline):
        kind = _kind(token, before)
        before = token.string
        (first, begin), (last, end) = token.start, token.end
        for row in range(first, last + 1) if kind else ():
            yield row, begin if row == first else 0, end if row == last else len(lines[row - 1]), kind


def _kind(token: TokenInfo, before: str) -> str:
    if token.type != NAME:
        return _KINDS.get(token.type, "")
    return "keyword" if keyword.iskeyword(token.string) else "defined" if before in ("def", "class") else ""


@lru_cache(maxsize=16)
def run_listing(name: str) -> dict[str, Any]:
    """The names that a listing leaves behind when it is run; the files are ours."""
    if name not in LISTINGS:
        raise ValueError(f"unknown listing {name!r}, must be one of: {', '.join(LISTINGS)}")
    return run_path(str(CODE / name))
