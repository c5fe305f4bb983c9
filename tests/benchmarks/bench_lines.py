"""How long the code is once the formatter has had its way: lines of app, engine and app/explain, every `fmt: skip`
ignored, and how many there are. `python tests/benchmarks/bench_lines.py [commit]`, the working copy by default.
"""

import io
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
SKIP = "# fmt: skip"


def measured(tree: Path) -> dict[str, int]:
    """Formats the code under `tree` without exceptions, and counts."""
    files = [file for folder in ("app", "engine") for file in (tree / folder).rglob("*.py")]
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    for file, text in texts.items():
        file.write_text(text.replace(SKIP, ""), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(tree)], check=True)
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    explain = sum(count for file, count in lines.items() if (tree / "app" / "explain") in file.parents)
    return {
        "app + engine": sum(lines.values()),
        "app/explain": explain,
        "fmt: skip": sum(text.count(SKIP) for text in texts.values()),
    }


def main(commit: str | None) -> None:
    """The figures of a commit, or of the files as they are."""
    command = ["git", "archive", commit] if commit else ["tar", "-c", "app", "engine", "pyproject.toml"]
    packed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    with TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
        for what, count in measured(Path(folder)).items():
            print(f"{what:14}{count:7,}")


if __name__ == "__main__":
    main(*sys.argv[1:2] or [None])
