"""How the wheel differs from a checkout: it is one package, `backprop_playground`, with `app` and `engine` inside.

In the repository these two stand side by side and import each other by their short names. Installed so, a student's
engine.py or another project's app/ would hide them; so in the wheel they lie in the package, and what they import
begins with its name. Nothing else is changed. An editable install is the checkout as it stands.
"""

import ast
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "backprop_playground"
MOVED = ("app", "engine")


def renamed(source: str) -> str:
    """A module whose imports of `app` and `engine` begin with the package's name."""
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MOVED:
            was, now = "from ", f"from {PACKAGE}."
        elif isinstance(node, ast.Import) and node.names[0].name in MOVED:
            was, now = "import ", f"from {PACKAGE} import "
        else:
            continue
        line, at = lines[node.lineno - 1], node.col_offset
        lines[node.lineno - 1] = line[:at] + line[at:].replace(was, now, 1)
    return "\n".join(lines)


class OnePackage(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the renamed modules in the place of the checkout's."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatch calls it before it collects what goes in."""
        self._made = TemporaryDirectory()
        if version == "editable":
            return
        for name in (*MOVED, PACKAGE):
            for path in Path(self.root, name).rglob("*.py"):
                self._put(path, build_data["force_include"])

    def _put(self, path: Path, included: dict[str, str]) -> None:
        inside = path.relative_to(self.root)
        goes = inside if inside.parts[0] == PACKAGE else PACKAGE / inside
        if goes == Path(PACKAGE, "engine.py"):  # that name is a folder in the wheel
            return
        made = Path(self._made.name, goes)
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(renamed(path.read_text("utf-8")), "utf-8")
        included[str(made)] = goes.as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """And this when the wheel is written."""
        self._made.cleanup()
