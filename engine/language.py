"""The language of formulas: Python's expressions, those few of them that are arithmetic, as a list of vertices.

    h = tanh(w @ x + b)
    L = (h - y)**2

A line gives a name to what it says, the last is the output. Python's own parser reads it, and a white list takes it
from there: nothing is ever evaluated as Python. Length and depth are checked before parsing. A name that no line
explains is an input; so is one that a line sets to a plain number or to a list of numbers, which is its value where
none is given. Lists are worked on number by number; `softmax`, `cross_entropy`, `dot`, `sum` and `mean` are what they
are made of.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from engine.checks import SpecError, short_form
from engine.equation import Number, Ref, Tree, value
from engine.primitives import PRIMITIVES, applied
from engine.quantity import Quantity
from engine.wording import Words, said

CHARACTERS, DEPTH, NODES, ITEMS, LARGEST = 4_000, 50, 400, 100, 1e150
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,23}")
_STRANGE = re.compile(r"[^A-Za-z0-9_ \n+\-*/@().,=\[\]#]")
_WRITTEN = str.maketrans({"\t": " ", "−": "-", "·": "*", "×": "*", "\xa0": " "})  # letter for letter, so places stay
_SIGNS = re.compile(rf"(?:[+-] *){{{DEPTH + 1}}}")

Amount = Tree | tuple[Tree, ...]  # a number or a list of numbers
Given = float | Sequence[float]


@dataclass(frozen=True)
class Vertex:
    """One node of a graph: an input, or a primitive with what goes into it; `line` is where the source says so."""

    name: str
    kind: str
    of: tuple[Tree, ...] = ()
    line: int = 0

    @property
    def sources(self) -> tuple[int | None, ...]:
        """The vertices that go in, place by place; None for a number."""
        return tuple(each.quantity.unit - 1 if isinstance(each, Ref) else None for each in self.of)


class SourceError(SpecError):
    """What a formula cannot say: where, and what is allowed there."""

    def __init__(self, line: int, column: int, value: object, allowed: Words) -> None:
        self.line, self.column = line, column
        super().__init__(f"source, line {line}, column {column}", value, allowed)


@dataclass(frozen=True)
class Read:
    """A source that has been read: its vertices in computing order, the output's place, the inputs' names as they are
    written (a list's once) and the values that its lines give them."""

    vertices: tuple[Vertex, ...]
    output: int
    inputs: Mapping[str, int]
    set: Mapping[str, Given]


def datum(place: int) -> Ref:
    """The number of a vertex."""
    return Ref(Quantity("data", 0, (place + 1,)))


def read(source: str, lengths: Mapping[str, int]) -> Read:
    """A source as vertices; `lengths` says how long each input is whose value is a list, 0 for a number. SourceError
    says line, column and what is allowed there."""
    return _Reader(source, lengths).read()


def _checked(source: str) -> ast.Module:
    if len(source) > CHARACTERS:
        raise SpecError(
            "source", said("{count} characters", count=len(source)), "at most {most:,} characters", most=CHARACTERS
        )
    if found := _STRANGE.search(source):
        raise SourceError(*_place(source, found.start()), found[0], "letters, digits and + - * / @ ( ) [ ] . , = _ #")
    depth = 0
    for place, letter in enumerate(source):
        depth += (letter in "([") - (letter in ")]")
        if depth > DEPTH:
            raise SourceError(
                *_place(source, place), "(", said("at most {depth} brackets within each other", depth=DEPTH)
            )
    if found := _SIGNS.search(source):
        raise SourceError(
            *_place(source, found.start()), found[0][:8], said("at most {depth} signs in a row", depth=DEPTH)
        )
    for line, text in enumerate(source.split("\n"), 1):
        if text.count("**") > DEPTH:
            raise SourceError(line, text.index("**") + 1, "**", said("at most {depth} powers in a line", depth=DEPTH))
    try:
        module = ast.parse(source)
    except SyntaxError as error:
        text = (error.text or "").rstrip("\n")[max((error.offset or 1) - 1, 0) :] or "the end"
        raise SourceError(error.lineno or 1, max(error.offset or 1, 1), text, _SAYS) from None
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise SpecError("source", short_form(source), "a simpler formula, of shorter numbers") from None
    _check_depth(source, module)
    return module


def _check_depth(source: str, module: ast.Module) -> None:
    """Refuse what is nested too deeply, whatever it is nested by; a + b + c is on one level."""
    todo: list[tuple[ast.AST, int]] = [(module, -2)]
    while todo:
        at, depth = todo.pop()
        if depth > DEPTH and isinstance(at, ast.expr):
            text = (ast.get_source_segment(source, at) or "")[:8]
            raise SourceError(
                at.lineno, at.col_offset + 1, text, said("at most {depth} levels within each other", depth=DEPTH)
            )
        for child in ast.iter_child_nodes(at):
            chained = isinstance(at, ast.BinOp) and child is at.left and not isinstance(at.op, ast.Pow)
            todo.append((child, depth + (not chained)))


def _place(source: str, at: int) -> tuple[int, int]:
    before = source[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


class _Reader:
    def __init__(self, source: str, lengths: Mapping[str, int]) -> None:
        self.source = source.replace("\r\n", "\n").translate(_WRITTEN)
        self.module, self.lengths = _checked(self.source), lengths
        self.vertices: list[Vertex] = []
        self.names: dict[str, Amount] = {}
        self.inputs: dict[str, int] = {}
        self.set: dict[str, Given] = {}
        self.taken = set(re.findall(NAME, source))

    def read(self) -> Read:
        if not self.module.body:
            raise SourceError(1, 1, "", "a formula such as L = (tanh(a*b + c) - y)**2")
        last: Amount = Number(0.0)
        for statement in self.module.body:
            last = self._statement(statement)
        end = self.module.body[-1]
        if not isinstance(last, Ref):
            raise self._wrong(end, "one number made of at least one name" if isinstance(last, Number) else "one number")
        return Read(tuple(self.vertices), last.quantity.unit - 1, self.inputs, self.set)

    def _wrong(self, at: Any, allowed: Words) -> SourceError:
        text = ast.get_source_segment(self.source, at) or ""
        return SourceError(at.lineno, at.col_offset + 1, text, allowed)

    def _statement(self, of: ast.stmt) -> Amount:
        if isinstance(of, ast.Expr):
            return self._named("", self._amount(of.value), of)
        if not isinstance(of, ast.Assign) or len(of.targets) != 1 or not isinstance(of.targets[0], ast.Name):
            raise self._wrong(of, "a name, =, and a formula")
        target = of.targets[0]
        name = self._name(target)
        if name in self.names:
            raise self._wrong(target, said("a new name: {name} means something already", name=name))
        given = _plain(of.value)
        if given is not None:
            self.set[name] = given
            return self._input(target, len(given) if isinstance(given, tuple) else 0)
        amount = self._amount(of.value)
        if name in self.names:
            raise self._wrong(target, said("a new name: {name} stands on the other side, too", name=name))
        made = self._named(name, amount, of)
        self.names[name] = made
        return made

    def _named(self, name: str, made: Amount, at: ast.stmt) -> Amount:
        """The name goes to the vertex that the line has made; a list's to each with its place."""
        if not isinstance(made, Ref):
            for n, each in enumerate(made if isinstance(made, tuple) else ()):
                self._call(each, f"{name}_{n}" if name and f"{name}_{n}" not in self.taken else "")
            return made
        if at is self.module.body[-1] and not name and self.vertices[made.quantity.unit - 1].kind != "input":
            name = "L" if "L" not in self.taken else ""
        self._call(made, name)
        return made

    def _call(self, of: Tree, name: str) -> None:
        """Give a vertex that nobody named a name."""
        if not isinstance(of, Ref) or not name:
            return
        place = of.quantity.unit - 1
        known = self.vertices[place]
        free = all(each.name != name for each in self.vertices)
        if known.kind != "input" and known.name.startswith("?") and free:
            self.vertices[place] = Vertex(name, known.kind, known.of, known.line)

    def _name(self, of: ast.Name) -> str:
        if not NAME.fullmatch(of.id) or of.id in ("np", *FUNCTIONS_OF, *CALLED):
            raise self._wrong(
                of, "a name of up to 24 letters and digits, which begins with a letter and is no function"
            )
        return of.id

    def _input(self, of: ast.Name, length: int) -> Amount:
        name = of.id
        length = self.lengths.get(name, length)
        self.inputs[name] = length
        if length and any(f"{name}_{n}" in self.taken for n in range(length)):
            raise self._wrong(of, said("a list whose numbers, {name}_0 and so on, have names of their own", name=name))
        made = [self._vertex(of, name if not length else f"{name}_{n}", "input", ()) for n in range(length or 1)]
        self.names[name] = tuple(made) if length else made[0]
        return self.names[name]

    def _vertex(self, at: Any, name: str, kind: str, of: tuple[Tree, ...]) -> Tree:
        if kind != "input" and all(isinstance(each, Number) for each in of):
            return self._folded(at, kind, of)
        if len(self.vertices) >= NODES:
            raise self._wrong(at, said("at most {most} nodes", most=NODES))
        self.vertices.append(Vertex(name, kind, of, at.lineno))
        return datum(len(self.vertices) - 1)

    def _folded(self, at: Any, kind: str, of: tuple[Tree, ...]) -> Tree:
        """What is made of plain numbers alone is one."""
        with np.errstate(all="ignore"):
            found = float(value(applied(kind, [Number(np.float64(each.value)) for each in of]), _nothing))  # type: ignore[attr-defined]
        if not isfinite(found) or abs(found) > LARGEST:
            raise self._wrong(at, said("a number up to {largest:g}", largest=LARGEST))
        return Number(found)

    def _made(self, at: Any, kind: str, *of: Tree) -> Tree:
        return self._vertex(at, f"?{len(self.vertices)}", kind, of)

    def _each(self, at: Any, kind: str, *of: Amount) -> Amount:
        """A primitive on numbers, or on lists number by number."""
        longest = max((len(each) for each in of if isinstance(each, tuple)), default=0)
        if not longest:
            return self._made(at, kind, *(each for each in of if not isinstance(each, tuple)))
        if any(isinstance(each, tuple) and len(each) != longest for each in of):
            raise self._wrong(at, "lists of one length")
        rows = [each if isinstance(each, tuple) else (each,) * longest for each in of]
        return tuple(self._made(at, kind, *places) for places in zip(*rows, strict=True))

    def _amount(self, of: ast.expr) -> Amount:
        match of:
            case ast.Constant():
                return Number(self._number(of))
            case ast.Name():
                name = self._name(of)
                return self.names[name] if name in self.names else self._input(of, 0)
            case ast.UnaryOp(ast.USub(), operand):
                inner = self._amount(operand)
                return self._each(of, "neg", inner)
            case ast.UnaryOp(ast.UAdd(), operand):
                return self._amount(operand)
            case ast.BinOp():
                return self._binary(of)
            case ast.Call():
                return self._applied(of)
            case ast.List() | ast.Tuple():
                return self._list(of)
            case ast.Subscript():
                return self._item(of)
        raise self._wrong(of, _SAYS)

    def _number(self, of: ast.Constant) -> float:
        if isinstance(of.value, int | float) and not isinstance(of.value, bool) and -LARGEST <= of.value <= LARGEST:
            return float(of.value)
        raise self._wrong(of, said("a number up to {largest:g}, or a name", largest=LARGEST))

    def _binary(self, of: ast.BinOp) -> Amount:
        """A chain of operators from its left end, so that a long one is no deep one."""
        chain: list[ast.BinOp] = []
        left: ast.expr = of
        while isinstance(left, ast.BinOp):
            chain.append(left)
            left = left.left
        made = self._amount(left)
        for each in reversed(chain):
            made = self._operator(each, made, self._amount(each.right))
        return made

    def _operator(self, at: ast.BinOp, left: Amount, right: Amount) -> Amount:
        if isinstance(at.op, ast.MatMult):
            return self._dot(at, left, right)
        if isinstance(at.op, ast.Pow) and right == Number(2.0):
            return self._each(at, "square", left)
        for operator, kind in _OPERATORS.items():
            if isinstance(at.op, operator):
                return self._each(at, kind, left, right)
        raise self._wrong(at, "one of + - * / ** @")

    def _list(self, of: ast.List | ast.Tuple) -> Amount:
        made = [self._amount(each) for each in of.elts]
        if not 1 <= len(made) <= ITEMS or any(isinstance(each, tuple) for each in made):
            raise self._wrong(of, said("a list of 1 to {items} numbers", items=ITEMS))
        return tuple(each for each in made if not isinstance(each, tuple))

    def _item(self, of: ast.Subscript) -> Amount:
        row = self._amount(of.value)
        if not isinstance(row, tuple):
            raise self._wrong(of, "a number of a list, such as w[0]")
        return row[self._place(of.slice, len(row))]

    def _place(self, of: ast.expr, length: int) -> int:
        place = of.value if isinstance(of, ast.Constant) else None
        if isinstance(place, int) and not isinstance(place, bool) and 0 <= place < length:
            return place
        raise self._wrong(of, said("a place in the list, a whole number from 0 to {length}", length=length - 1))

    def _applied(self, of: ast.Call) -> Amount:
        name = of.func.id if isinstance(of.func, ast.Name) else ""
        if of.keywords or any(isinstance(each, ast.Starred) for each in of.args):
            raise self._wrong(of, "arguments without names")
        if name in FUNCTIONS_OF:
            takes, function = FUNCTIONS_OF[name]
            self._count(of, takes)
            return function(self, of)
        if name not in CALLED:
            raise self._wrong(
                of.func, said("one of the functions {functions}", functions=", ".join((*CALLED, *FUNCTIONS_OF)))
            )
        self._count(of, PRIMITIVES[name].takes)
        return self._each(of, name, *(self._amount(each) for each in of.args))

    def _count(self, of: ast.Call, takes: int) -> None:
        if len(of.args) != takes:
            name = ast.unparse(of.func)
            one = said("{name} of 1 argument", name=name)
            raise self._wrong(of, one if takes == 1 else said("{name} of {takes} arguments", name=name, takes=takes))

    def _row(self, of: ast.expr) -> tuple[Tree, ...]:
        made = self._amount(of)
        if not isinstance(made, tuple):
            raise self._wrong(of, "a list: write [1, 2, 3], or give such a value")
        return made

    def total(self, at: Any, row: Sequence[Tree]) -> Tree:
        """The sum of a list, one vertex."""
        return row[0] if len(row) == 1 else self._made(at, "add", *row)

    def _dot(self, at: Any, left: Amount, right: Amount) -> Tree:
        if not isinstance(left, tuple) or not isinstance(right, tuple) or len(left) != len(right):
            raise self._wrong(at, "two lists of one length: write w = [1, 2], or give such values")
        return self.total(at, [self._made(at, "mul", *pair) for pair in zip(left, right, strict=True)])

    def dot(self, of: ast.Call) -> Amount:
        """Products of two lists, added up."""
        return self._dot(of, self._amount(of.args[0]), self._amount(of.args[1]))

    def sum(self, of: ast.Call) -> Amount:
        """The sum of a list."""
        return self.total(of, self._row(of.args[0]))

    def mean(self, of: ast.Call) -> Amount:
        """The mean of a list: its sum, divided by how many it has."""
        row = self._row(of.args[0])
        return self._made(of, "div", self.total(of, row), Number(float(len(row))))

    def softmax(self, of: ast.Call) -> Amount:
        """Each number's e to the power of it, divided by the sum of them all."""
        return self._shares(of, self._row(of.args[0]))

    def _shares(self, at: Any, row: Sequence[Tree]) -> tuple[Tree, ...]:
        powers = [self._made(at, "exp", each) for each in row]
        whole = self.total(at, powers)
        return tuple(self._made(at, "div", each, whole) for each in powers)

    def cross_entropy(self, of: ast.Call) -> Amount:
        """−ln of the share of the right class, which is named by its place from 0; or of each by its target."""
        row = self._row(of.args[0])
        shares, target = self._shares(of, row), of.args[1]
        if isinstance(target, ast.Constant):
            return self._made(of, "neg", self._made(of, "log", shares[self._place(target, len(row))]))
        logs = [self._made(of, "log", each) for each in shares]
        return self._made(of, "neg", self._dot(of, self._amount(target), tuple(logs)))


FUNCTIONS_OF: dict[str, tuple[int, Callable[[_Reader, ast.Call], Amount]]] = {
    "dot": (2, _Reader.dot),
    "sum": (1, _Reader.sum),
    "mean": (1, _Reader.mean),
    "softmax": (1, _Reader.softmax),
    "cross_entropy": (2, _Reader.cross_entropy),
}
CALLED = tuple(name for name, entry in PRIMITIVES.items() if entry.called)
_OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "power"}
_SAYS = said(
    "a formula of names, numbers, + - * / ** @, brackets, lists and {functions}",
    functions=", ".join((*CALLED, *FUNCTIONS_OF)),
)


def _nothing(of: Quantity, at: Any) -> Any:
    raise LookupError(of)


def _plain(of: ast.expr) -> Given | None:
    """A plain number, or a list of such; None for anything else."""
    if isinstance(of, ast.List) and of.elts and len(of.elts) <= ITEMS:
        each = [_plain(item) for item in of.elts]
        numbers = [number for number in each if isinstance(number, float)]
        return tuple(numbers) if len(numbers) == len(each) else None
    if isinstance(of, ast.UnaryOp) and isinstance(of.op, ast.USub):
        inner = _plain(of.operand) if isinstance(of.operand, ast.Constant) else None
        return -inner if isinstance(inner, float) else None
    if isinstance(of, ast.Constant) and isinstance(of.value, int | float) and not isinstance(of.value, bool):
        return float(of.value) if abs(of.value) <= LARGEST else None
    return None


def named(vertices: Sequence[Vertex], taken: set[str]) -> tuple[Vertex, ...]:
    """Vertices that nobody named get the letter of what they do, and a number where there are several."""
    unnamed = [each for each in vertices if each.name.startswith("?")]
    letters = [PRIMITIVES[each.kind].letter for each in unnamed]
    counts: dict[str, int] = {}
    taken = taken | {each.name for each in vertices}

    def called(letter: str) -> str:
        if letters.count(letter) == 1 and letter not in taken:
            return letter
        counts[letter] = counts.get(letter, 0) + 1
        found = f"{letter}{counts[letter]}"
        return found if found not in taken else called(letter)

    return tuple(
        Vertex(called(PRIMITIVES[each.kind].letter), each.kind, each.of, each.line) if each in unnamed else each
        for each in vertices
    )
