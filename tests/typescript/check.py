"""The API's document as authors of clients read it: a linter, types made for TypeScript, and a client written by them.

`make openapi` calls it. The tools come by npx, at these versions; without npm, or its registry, it says so and no more.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.main import create_app
from app.settings import Settings

HERE = Path(__file__).parent
MAKER, LINTER, COMPILER = "openapi-typescript@7.13.0", "@redocly/cli@2.77.0", "typescript@5.9.3"
CLEAN = '"problems": []'
UNASKED = "openapi: NOT CHECKED by the linter and in TypeScript: "


def npx(folder: Path, package: str, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of a package of npm's, with all that it says."""
    everything = ["npx", "--yes", "--package", package, "--", *command]
    return subprocess.run(everything, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main() -> str:
    """What was found, if all is well; else SystemExit with what is not."""
    if not shutil.which("npx"):
        return f"{UNASKED}no npx here (`apt-get install npm`)"
    with tempfile.TemporaryDirectory(prefix="playground-") as name:
        folder = Path(name)
        there = npx(folder, COMPILER, "tsc", "--version")
        if there.returncode:
            return f"{UNASKED}npm's registry does not answer: {there.stdout.strip().splitlines()[-1][:200]}"
        document = create_app(Settings(data=folder)).openapi()
        (folder / "openapi.json").write_text(json.dumps(document))
        shutil.copy(HERE / "client.ts", folder)
        for package, command in (
            (LINTER, ["redocly", "lint", "openapi.json", "--format", "json"]),
            (MAKER, ["openapi-typescript", "openapi.json", "--output", "api.ts"]),
            (COMPILER, ["tsc", "--noEmit", "--strict", "--target", "es2022", "client.ts"]),
        ):
            done = npx(folder, package, *command)
            if done.returncode or (package == LINTER and CLEAN not in done.stdout):
                sys.exit(f"{' '.join(command)}:\n{done.stdout}")
    return f"openapi: {LINTER} finds nothing, a client by {MAKER} compiles"


if __name__ == "__main__":
    print(main())
