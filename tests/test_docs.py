"""What is written for people to read: short where they begin, leading where it says, and running as it is printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from app.draw.rendering import render
from app.reference import parts
from machine import PATIENCE, ROOT

PAGES = [ROOT / "README.md", ROOT / "SERVING.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SCREENS = 90  # lines as they are shown, some hundred characters each: two screens


def test_the_readme_fits_on_two_screens() -> None:
    """What it is, two commands, one picture, three doors, where to read on; all else is in pages of its own."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert sum(1 + len(line) // 130 for line in lines) <= SCREENS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Files of the repository, and headings of another page."""
    for target in re.findall(r"\]\(([^)#:]*)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python" in page.read_text()], ids=lambda page: page.name
)
def test_python_that_is_printed_runs(page: Path) -> None:
    """Every block of a page after the other."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_reference_tells_every_name() -> None:
    """Each that `engine` exports, once, with what it says of itself; functions with how they are called."""
    told = [each for names in parts().values() for each in names]
    assert sorted(each["name"] for each in told) == sorted(engine.__all__)
    assert all(each["paragraphs"] or each["members"] for each in told)
    assert all(each["signature"].startswith("(") for each in parts()["Functions"])
    page = str(render("reference.html", parts=parts(), here="API"))
    assert all(f'<section id="{name}">' in page for name in engine.__all__)
    assert "Take up to `count` steps" in page
    assert "hidden_layers=1000000000" not in page
