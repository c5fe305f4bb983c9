"""Where the templates and the static files lie.

In a wheel they lie inside this package; in a checkout at the top of the repository.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    beside = _PACKAGE / name
    return beside if beside.is_dir() else _PACKAGE.parent / name


TEMPLATES: Path = _find("templates")
STATIC: Path = _find("static")
