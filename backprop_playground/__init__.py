"""The one name of the installed playground: `backprop-playground`, and `from backprop_playground import Playground`.

In a wheel its two packages, `app` and `engine`, lie in this folder (hatch_build.py). In a checkout they lie beside it,
under their own names; where a folder or file of somebody else's has one of these and comes first on the path, it is
named, rather than half of it imported.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.learn.predicting import predictions as predictions
    from app.notebook import Playground as Playground
    from backprop_playground import engine as engine

_MADE_IN = {"Playground": "app.notebook", "predictions": "app.learn.predicting", "__version__": "engine"}
_HERE = Path(__file__).resolve().parent
_INSIDE = f"{__name__}." if (_HERE / "app").is_dir() else ""


def _in_the_way() -> str:
    """Which foreign module hides one of ours, as a sentence; empty if none does."""
    for name in ("engine", "app") if not _INSIDE else ():
        found = find_spec(name)
        if found is None or Path(found.origin or "").resolve() != _HERE.parent / name / "__init__.py":
            what = found.origin or f"a folder {name}" if found else "nothing"
            return (
                f"{what} is found where the playground's own package '{name}' should be: rename it, or start elsewhere."
            )
    return ""


def main() -> None:
    """The command line."""
    if sentence := _in_the_way():
        sys.exit(sentence)
    import_module(f"{_INSIDE}app.__main__").main()


def __getattr__(name: str) -> Any:
    """`engine`, `Playground`, `predictions`, `__version__`, when asked for; ImportError names what is in the way."""
    if name != "engine" and name not in _MADE_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if sentence := _in_the_way():
        raise ImportError(sentence)
    if name == "engine":
        return import_module(f"{_INSIDE}engine")
    return getattr(import_module(_INSIDE + _MADE_IN[name]), name)
