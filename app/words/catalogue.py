"""Every message that the product can say, for Babel: `pybabel extract -F pyproject.toml -o messages.pot .`

A message is a literal that is annotated as `Words`: in a table, as a default, where a function gives it back, and where
it is handed to a parameter or a field of that kind. So whoever writes a table says what of it is a message, and nothing
is listed twice. Templates say theirs by `_("…")`.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

import jinja2
from jinja2 import nodes

from app.assets import TEMPLATES

PACKAGES = ("app", "engine")
_ROOT = Path(__file__).resolve().parents[2]
_WORDS = "Words"
_SAYS = {"_": 1, "counted": 3}  # how many arguments of these may be messages, in a template
Found = tuple[int, str, str, list[str]]  # a line, the function, the message, no comments: as Babel wants it
Annotated = dict[int | str, ast.expr]  # by place or by name
_Literal = tuple[int, str]


def of_python(file: IO[bytes], keywords: Any, comments: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """The messages of a module."""
    for line, message in sorted(set(_Module().read(ast.parse(file.read())))):
        yield line, "_", message, []


def of_template(file: IO[bytes], keywords: Any, comments: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """The messages of a template, those of a loop over literals among them."""
    for line, message in sorted(set(_said(_ENV.parse(file.read().decode()), {}))):
        yield line, "_", message, []


def messages() -> frozenset[str]:
    """All of them."""
    modules = (path for name in PACKAGES for path in (_ROOT / name).rglob("*.py"))
    found = set[str]()
    for read, paths in ((of_python, modules), (of_template, TEMPLATES.rglob("*.*"))):
        for path in paths:
            with path.open("rb") as file:
                found |= {message for _, _, message, _ in read(file, (), (), {})}
    return frozenset(found)


# --- modules -------------------------------------------------------------------------------------------------------


@cache
def _signatures() -> Mapping[str, tuple[Annotated, ...]]:
    """By the name of a function, a class, or a method (.name): which of its parameters or fields are messages."""
    found, above = defaultdict[str, list[Annotated]](list), dict[str, str]()
    for package in PACKAGES:
        for path in (_ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                for each in ast.iter_child_nodes(node):
                    if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                        found["." * isinstance(node, ast.ClassDef) + each.name].append(_parameters(each))
                    elif isinstance(each, ast.ClassDef):
                        found[each.name].append(_fields(each))
                        above.update((each.name, base.id) for base in each.bases if isinstance(base, ast.Name))
    for name, base in above.items():  # one without fields of its own takes what that one takes
        if not any(found[name]):
            found[name] += found[base]
    return {name: tuple(filter(None, each)) for name, each in found.items() if any(each)}


def _parameters(of: ast.FunctionDef | ast.AsyncFunctionDef) -> Annotated:
    places = [each for each in (*of.args.posonlyargs, *of.args.args) if each.arg not in ("self", "cls")]
    named = [(each.arg, each.annotation) for each in (*places, *of.args.kwonlyargs)]
    return _speaking([*enumerate(each.annotation for each in places), *named])


def _fields(of: ast.ClassDef) -> Annotated:
    """Those of a frozen value, in their order; or what its `__init__` takes."""
    for each in of.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return _parameters(each)
    own = [(ast.unparse(each.target), each.annotation) for each in of.body if isinstance(each, ast.AnnAssign)]
    return _speaking([*enumerate(annotation for _, annotation in own), *own])


def _speaking(of: Iterable[tuple[int | str, ast.expr | None]]) -> Annotated:
    return {key: annotation for key, annotation in of if annotation is not None and _speaks(annotation)}


def _speaks(annotation: ast.expr | None) -> bool:
    return annotation is not None and any(isinstance(e, ast.Name) and e.id == _WORDS for e in ast.walk(annotation))


class _Module:
    """Goes through a module with what is annotated in the function that it is in."""

    def read(self, module: ast.AST) -> Iterator[_Literal]:
        yield from self._of(module, {}, None)

    def _of(self, node: ast.AST, known: dict[str, ast.expr], gives: ast.expr | None) -> Iterator[_Literal]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            known, gives = dict(known), node.returns if _speaks(node.returns) else None
            for each, default in _defaults(node.args):
                yield from _matched(each, default)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _speaks(node.annotation):
            known[node.target.id] = node.annotation
        yield from self._here(node, known, gives)
        for child in ast.iter_child_nodes(node):
            yield from self._of(child, known, gives)

    def _here(self, node: ast.AST, known: Mapping[str, ast.expr], gives: ast.expr | None) -> Iterator[_Literal]:
        if isinstance(node, ast.AnnAssign) and _speaks(node.annotation):
            yield from _matched(node.annotation, node.value)
        elif isinstance(node, ast.Assign | ast.AugAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name) and target.id in known:
                    yield from _matched(known[target.id], node.value)
        elif isinstance(node, ast.Return) and gives is not None:
            yield from _matched(gives, node.value)
        elif isinstance(node, ast.Call):
            yield from _handed(node)


def _defaults(of: ast.arguments) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    places = [*of.posonlyargs, *of.args]
    last = zip(places[len(places) - len(of.defaults) :], of.defaults, strict=True)
    for each, default in (*last, *zip(of.kwonlyargs, of.kw_defaults, strict=True)):
        if each.annotation is not None and _speaks(each.annotation):
            yield each.annotation, default


def _handed(call: ast.Call) -> Iterator[_Literal]:
    """The messages among the arguments of a call; behind a starred one places are counted from the end."""
    name = f".{call.func.attr}" if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for taken in _signatures().get(name, ()) if name != ".__init__" else ():
        for place, given in enumerate(call.args):
            if place in taken:
                yield from _matched(taken[place], given)
        if any(isinstance(each, ast.Starred) for each in call.args):
            yield from _matched(next(iter(taken.values())), call.args[-1])
        for each in call.keywords:
            if each.arg in taken:
                yield from _matched(taken[each.arg], each.value)


_ALIKE = {"list", "set", "frozenset", "Sequence", "Iterable", "Iterator", "Collection"}


def _matched(kind: ast.expr, value: ast.expr | None) -> Iterator[_Literal]:
    """The literals of a value at the places that its annotation calls messages."""
    if value is None or not _speaks(kind):
        return
    if isinstance(value, ast.IfExp):
        yield from chained(kind, (value.body, value.orelse))
    elif isinstance(value, ast.BoolOp):
        yield from chained(kind, value.values)
    elif isinstance(value, ast.BinOp):
        yield from chained(kind, (value.left, value.right))
    elif isinstance(kind, ast.BinOp):
        yield from chained(kind.left, [value])
        yield from chained(kind.right, [value])
    elif isinstance(kind, ast.Subscript):
        yield from _inside(ast.unparse(kind.value).rpartition(".")[2], kind.slice, value)
    elif isinstance(value, ast.JoinedStr):
        raise ValueError(f"line {value.lineno}: a message is whole, not put together: {ast.unparse(value)}")
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.lineno, value.value


def chained(kind: ast.expr, values: Iterable[ast.expr]) -> Iterator[_Literal]:
    """The same of several values of one kind."""
    for each in values:
        yield from _matched(kind, each)


def _inside(name: str, of: ast.expr, value: ast.expr) -> Iterator[_Literal]:
    kinds = of.elts if isinstance(of, ast.Tuple) else [of]
    if isinstance(value, ast.Dict) and len(kinds) == 2:
        yield from chained(kinds[0], filter(None, value.keys))
        yield from chained(kinds[1], value.values)
    elif isinstance(value, ast.Lambda) and name == "Callable":
        yield from _matched(kinds[-1], value.body)
    elif isinstance(value, ast.Tuple | ast.List | ast.Set):
        same = name in _ALIKE or (len(kinds) == 2 and isinstance(kinds[1], ast.Constant))
        elements = [each for one in value.elts for each in _unpacked(one)]
        for kind, each in zip(kinds[:1] * len(elements) if same else kinds, elements, strict=False):
            yield from _matched(kind, each)


def _unpacked(element: ast.expr) -> list[ast.expr]:
    inner = element.value if isinstance(element, ast.Starred) else None
    return inner.elts if isinstance(inner, ast.Tuple | ast.List) else [element]


# --- templates -----------------------------------------------------------------------------------------------------

_ENV = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=True)
_Loops = dict[str, list[str]]


def _said(node: nodes.Node, loops: _Loops) -> Iterator[_Literal]:
    if isinstance(node, nodes.For):
        loops = loops | _walked(node)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        for argument in node.args[: _SAYS.get(node.node.name, 0)]:
            for text in _texts(argument, loops):
                yield node.lineno, text
    for child in node.iter_child_nodes():
        yield from _said(child, loops)


def _walked(loop: nodes.For) -> _Loops:
    """What the names of a loop over literals may be."""
    names = loop.target.items if isinstance(loop.target, nodes.Tuple) else [loop.target]
    rows = loop.iter.items if isinstance(loop.iter, nodes.Tuple | nodes.List) else []
    found: _Loops = {}
    for row in rows:
        cells = row.items if isinstance(row, nodes.Tuple) and len(names) > 1 else [row]
        for name, cell in zip(names, cells, strict=False):
            if isinstance(name, nodes.Name):
                found.setdefault(name.name, []).extend(_texts(cell, {}))
    return found


def _texts(of: nodes.Node, loops: _Loops) -> Iterator[str]:
    if isinstance(of, nodes.Const) and isinstance(of.value, str) and of.value:
        yield of.value
    elif isinstance(of, nodes.CondExpr):
        yield from _texts(of.expr1, loops)
        if of.expr2 is not None:
            yield from _texts(of.expr2, loops)
    elif isinstance(of, nodes.Name):
        yield from loops.get(of.name, ())
