"""Imports point one way, the engine knows nothing of the web, and nothing grows too long."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from machine import ROOT

FUNCTION_LINES = 40
MODULE_LINES = 450
MODULES = sorted(path for top in ("app", "engine") for path in (ROOT / top).rglob("*.py"))
WEB = ("app", "fastapi", "starlette", "pydantic", "jinja2", "uvicorn")

# A module may import another of its own height or lower; one that is not named here stands
# wherever it fits, as long as the imports stay free of cycles.
HEIGHT = {
    "engine.activations": 0,
    "engine.losses": 0,
    "engine.initializers": 0,
    "engine.optimizers": 0,
    "engine.schedules": 0,
    "engine.datasets": 0,
    "engine.quantity": 0,
    "engine.operations": 1,
    "engine.equation": 0,
    "engine.spec": 2,
    "engine.network": 2,
    "engine.workspace": 2,
    "engine.training": 3,
    "engine.equations": 4,
    "engine.lookup": 4,
    "engine.program": 4,
    "engine.probed": 4,
    "engine.probes": 4,
    "engine": 5,
    "app.serve": 6,
    "app.assets": 6,
    "app.failures": 6,
    "app.settings": 6,
    "app.stores": 7,
    "app.words": 7,
    "app.data": 7,
    "app.draw": 7,
    "app.run.runs": 8,
    "app.run.api": 10,
    "app.explain": 10,
    "app.page": 11,
    "app.graph": 12,
    "app.learn": 12,
    "app.room": 13,
    "app.refusals": 13,
    "app.main": 14,
    "app.__main__": 15,
    "app.notebook": 15,
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def height(module: str) -> int | None:
    """That of the module, or else of the package it is in: app.stores.redis as app.stores."""
    package = module.rpartition(".")[0]
    return HEIGHT.get(module, HEIGHT.get(package) if package.count(".") else None)


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: what stands under `if TYPE_CHECKING` does not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from nodes(node)


def imports(path: Path) -> set[str]:
    """Full names of what a module imports, of ours to the module."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    found: set[str] = set()
    for node in nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, *([base] if base else [])])
            full = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else base for name in full}
    return found - {name_of(path)}


@pytest.fixture(scope="module")
def every_import() -> dict[str, set[str]]:
    """Of each module."""
    return {name_of(path): imports(path) for path in MODULES}


def test_the_engine_needs_numpy_alone(every_import: dict[str, set[str]]) -> None:
    """Every import in engine/ is of the engine, NumPy or the standard library."""
    allowed = {"engine", "numpy", *sys.stdlib_module_names}
    foreign = [
        f"{module} imports {name}"
        for module, names in every_import.items()
        if module.partition(".")[0] == "engine"
        for name in names
        if name.partition(".")[0] not in allowed
    ]
    assert not foreign


def test_importing_the_engine_loads_nothing_of_the_web() -> None:
    """In a fresh interpreter, so that no other test has loaded it."""
    code = f"import engine, sys; print([name for name in {WEB} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_imports_point_downwards(every_import: dict[str, set[str]]) -> None:
    """main -> room -> learn -> page -> explain, api -> runs -> draw, stores -> engine; serve is below all of app."""
    wrong = []
    for module, names in every_import.items():
        for name in names & NAMES:
            above, below = height(module), height(name)
            if above is not None and below is not None and below > above:
                wrong.append(f"{module} imports {name}")
    assert not wrong


def test_serve_stands_on_nothing_of_the_product(every_import: dict[str, set[str]]) -> None:
    """HTTP itself: what it serves, its limits and what is said of each failure are handed in."""
    product = [
        f"{module} imports {name}"
        for module, names in every_import.items()
        if module.startswith("app.serve")
        for name in names & NAMES
        if not name.startswith("app.serve")
    ]
    assert not product


def test_imports_have_no_cycle(every_import: dict[str, set[str]]) -> None:
    """Raises CycleError with the cycle."""
    TopologicalSorter({m: names & NAMES for m, names in every_import.items()}).prepare()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_and_its_functions_are_short(path: Path) -> None:
    """Nothing over 40 lines a function or 450 a module, and a module says what it is for."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = len(text.splitlines())
    assert lines <= MODULE_LINES
    assert not text.strip() or ast.get_docstring(tree), "opens with no docstring"
    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert not long


def test_a_class_has_a_name_of_its_own() -> None:
    """No two modules call a class the same, so that a name says which."""
    trees = (ast.walk(ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES)
    names = Counter(node.name for tree in trees for node in tree if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


CUTS = {"compile", "sub", "match", "search", "findall", "finditer", "fullmatch", "split"}
CUTS |= {"replace", "partition", "rpartition", "removeprefix", "removesuffix"}
MARKUP = re.compile(r"""(?<!P)</?[a-z]+\b|=["']|\bvar\\?\(|/\\?\*""")
CUT_BY_TEXT = {
    "app.draw.rendering": "the source of a template, before it is compiled: its addresses lead to where the app lies",
    "app.data.decoding": "what people bring is read, which may be a sheet of their own",
}


def plain(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("latin-1")


def test_no_markup_is_cut_by_text() -> None:
    """HTML, SVG, MathML and styles are made of values, and what is to differ differs there: no pattern looks for tags,
    but in modules that are named with the reason, each of which does."""
    found = set[str]()
    for path in MODULES:
        name = name_of(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CUTS:
                texts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
                found |= {name for text in texts if isinstance(text, str | bytes) and MARKUP.search(plain(text))}
    assert found == {*CUT_BY_TEXT}
