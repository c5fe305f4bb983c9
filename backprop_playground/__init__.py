"""The one name of the installed playground: `backprop-playground`, and `from backprop_playground import engine`.

Its two packages, `app` and `engine`, lie beside this folder: to write `backprop_playground.engine.` in every import of
theirs would read worse than it helps. Where a folder or file of somebody else's has one of these names and comes first
on the path, it is named, rather than half of it imported.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import engine as engine
    from app.learn.predicting import predictions as predictions
    from app.notebook import Playground as Playground

_OF_THE_APP = {"Playground": "app.notebook", "predictions": "app.learn.predicting"}
_HOME = Path(__file__).resolve().parent.parent


def _in_the_way() -> str:
    """Which foreign module hides one of ours, as a sentence; empty if none does."""
    for name in ("engine", "app"):
        found = find_spec(name)
        if found is None or Path(found.origin or "").resolve() != _HOME / name / "__init__.py":
            what = found.origin or f"a folder {name}" if found else "nothing"
            return (
                f"{what} is found where the playground's own package '{name}' should be: rename it, or start elsewhere."
            )
    return ""


def main() -> None:
    """The command line."""
    if sentence := _in_the_way():
        sys.exit(sentence)
    from app.__main__ import main as run

    run()


def __getattr__(name: str) -> Any:
    """`engine`, `Playground`, `predictions`, `__version__`, when asked for; ImportError names what is in the way."""
    if name not in ("engine", "__version__", *_OF_THE_APP):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if sentence := _in_the_way():
        raise ImportError(sentence)
    if name in _OF_THE_APP:
        return getattr(import_module(_OF_THE_APP[name]), name)
    engine = import_module("engine")
    return engine if name == "engine" else engine.__version__
