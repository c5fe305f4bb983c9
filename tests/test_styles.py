"""The style sheets hold on the tablets that schools have: plain colours, nothing nested, dark said twice the same."""

import re
from pathlib import Path

import pytest

from machine import ROOT

SHEETS = sorted((ROOT / "static").glob("*.css"))
SET_BY_SCRIPT = {"--zoom", "--plot", "--ask", "--strip"}
COLOUR = re.compile(r"(--[\w-]+): (#[0-9a-f]{3,6}|rgb\([^)]*\));")


def sheet(name: str) -> str:
    return re.sub(r"/\*.*?\*/", "", (ROOT / "static" / name).read_text(encoding="utf-8"), flags=re.DOTALL)


def blocks(text: str, selector: str) -> list[str]:
    return re.findall(re.escape(selector) + r" \{([^}]*)\}", text)


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_a_sheet_asks_for_nothing_that_an_older_tablet_lacks(path: Path) -> None:
    """No light-dark(), which needs Safari 17.5; no rule in a rule, which needs 16.5; every property is one of ours."""
    text = sheet(path.name)
    assert "light-dark(" not in text
    depth, inside = 0, False
    for line in re.split(r"(?<=[{}])", re.sub(r'"[^"]*"', '""', text)):
        if line.endswith("{"):
            assert not inside, f"a rule in a rule: {line.strip()}"
            inside = not line.strip().startswith("@")
            depth += 1
        elif line.endswith("}"):
            inside, depth = False, depth - 1
    assert depth == 0
    known = set(re.findall(r"(--[\w-]+):", sheet("style.css") + text)) | SET_BY_SCRIPT
    assert set(re.findall(r"var\((--[\w-]+)", text)) <= known


def test_every_colour_is_plain_first_and_dark_by_the_system_and_by_choice() -> None:
    """The same dark ones in both places, and none of the plain ones forgotten."""
    text = sheet("style.css")
    plain = dict(COLOUR.findall(blocks(text, ":root")[0]))
    outside = ':not([data-profile="projector"])'
    system, chosen = (
        dict(COLOUR.findall(blocks(text, f':root[data-theme="{theme}"]{outside}')[0])) for theme in ("auto", "dark")
    )
    assert system == chosen
    assert set(plain) == set(system)
    assert len(plain) > 15
