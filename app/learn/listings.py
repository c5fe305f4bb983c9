"""The programs that lessons show and run: their text, lit by the standard library's tokens, and what they compute, at
the end and line by line.
"""

import keyword
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from io import StringIO
from tokenize import COMMENT, NAME, NUMBER, STRING, TokenInfo, generate_tokens
from types import FrameType
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from app.assets import TEMPLATES
from app.words.numbers import unsigned

CODE = TEMPLATES / "lessons" / "code"
LISTINGS = tuple(sorted(file.name for file in CODE.glob("*.py")))
MOST_LINES = 160  # that are followed of a program: its loops go on and on
_WIDEST = 8  # numbers of a value that are written out
_KINDS = {COMMENT: "remark", NUMBER: "number", STRING: "text"}


def code_of(name: str) -> str:
    """The text of a listing without its first docstring, which its title says already."""
    text = (CODE / name).read_text(encoding="utf-8")
    return text.split('"""\n', 1)[-1].strip() + "\n"


@lru_cache(maxsize=256)
def highlighted(name: str, at: int = 0) -> Markup:
    """A listing as HTML with classes: a span a line, which says how far it is indented, so that it can wrap below.

    `at` is the line that is running, from 1.
    """
    code = code_of(name)
    lit: dict[int, list[tuple[int, int, str]]] = {}
    for number, begin, end, kind in _lit(code):
        lit.setdefault(number, []).append((begin, end, kind))
    lines = (_line(line, lit.get(row, []), row == at) for row, line in enumerate(code.splitlines(), 1))
    return Markup('<div class="highlight"><pre><code>{}</code></pre></div>').format(Markup("").join(lines))


def _line(line: str, lit: list[tuple[int, int, str]], runs: bool) -> Markup:
    pieces, at = Markup(), 0
    for begin, end, kind in lit:
        pieces += escape(line[at:begin]) + Markup('<span class="{}">{}</span>').format(kind, line[begin:end])
        at = end
    depth = len(line) - len(line.lstrip())
    mark = Markup(' runs" aria-current="step') if runs else ""
    return Markup('<span class="code-line in-{}{}">{}\n</span>').format(depth, mark, pieces + escape(line[at:]))


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


@dataclass(frozen=True)
class Stop:
    """A line that has just been run: its number in the shown text, from 1, and the names it has changed, with their
    values as text."""

    line: int
    changed: tuple[tuple[str, str], ...]


def run_listing(name: str) -> dict[str, Any]:
    """The names that a listing leaves behind when it is run; the files are ours."""
    return _run(name)[0]


def stops_of(name: str) -> tuple[Stop, ...]:
    """The first lines that run when a listing runs, in the order in which they do."""
    return _run(name)[1]


@lru_cache(maxsize=16)
def _run(name: str) -> tuple[dict[str, Any], tuple[Stop, ...]]:
    if name not in LISTINGS:
        raise ValueError(f"unknown listing {name!r}, must be one of: {', '.join(LISTINGS)}")
    path = str(CODE / name)
    text = (CODE / name).read_text(encoding="utf-8")
    followed = _Followed(path, text[: text.index(code_of(name).rstrip())].count("\n"))
    names: dict[str, Any] = {"__name__": "<run_path>"}
    before = sys.gettrace()
    sys.settrace(followed.enter)
    try:
        exec(compile(text, path, "exec"), names)  # our own file
    finally:
        sys.settrace(before)
    return names, tuple(followed.stops)


@dataclass
class _Followed:
    """Follows a program as it runs. `above` are the lines of its file that are not shown."""

    path: str
    above: int
    stops: list[Stop] = field(default_factory=list)
    seen: dict[int, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """By frame: the line that is running there, and what its names said before it."""

    def enter(self, frame: FrameType, event: str, given: Any) -> Any:
        """Whether to follow what has just been called."""
        inside = frame.f_code.co_filename == self.path and not frame.f_code.co_name.startswith("<list")
        return self.step if inside and len(self.stops) < MOST_LINES else None

    def step(self, frame: FrameType, event: str, given: Any) -> Any:
        """A line is about to run, or the last one has: note what the one before it has changed."""
        now = _told(frame)
        line, before = self.seen.pop(id(frame), (0, now))
        if line > self.above and len(self.stops) < MOST_LINES:
            changed = tuple((name, text) for name, text in now.items() if before.get(name) != text)
            self.stops.append(Stop(line - self.above, changed))
        if event == "line":
            self.seen[id(frame)] = frame.f_lineno, now
        if len(self.stops) >= MOST_LINES:
            sys.settrace(None)  # None from here would not end it
        return self.step


def _told(frame: FrameType) -> dict[str, str]:
    """What the names of a frame stand for, as text; functions and modules apart."""
    values = {name: value for name, value in frame.f_locals.items() if not name.startswith("_")}
    return {name: _value(value) for name, value in values.items() if isinstance(value, int | float | list | np.ndarray)}


def _value(value: Any) -> str:
    """A number, or rows of numbers in brackets; what is long ends in dots."""
    if isinstance(value, bool | int | np.bool_ | np.integer):
        return str(value)
    if isinstance(value, float):
        return unsigned(value, 4)
    if isinstance(value, np.ndarray) and value.size > _WIDEST:
        return f"{' × '.join(map(str, value.shape))} numbers"
    inside = [_value(each) for each in value[:_WIDEST]]
    return f"[{', '.join([*inside, *['…'] * (len(value) > _WIDEST)])}]"
