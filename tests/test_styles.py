"""The style sheets hold on the tablets that schools have: plain colours, nothing nested, dark said twice the same."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
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


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_what_is_negative_has_letters_of_its_own(path: Path) -> None:
    """The sign's colour is for lines and grounds: letters in it are too pale on a card."""
    assert not re.findall(r"[^{}]*\{[^}]*(?<!-)\bcolor: var\(--negative\)", sheet(path.name))
    assert not re.findall(r"#carried[^{}]*\{[^}]*fill: var\(--negative\)", sheet(path.name))


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_a_style_asks_of_what_is_inside_only_what_the_browser_alone_knows(path: Path) -> None:
    """Where the focus is, and what is unfolded by hand; all else the templates know, and say by a class, which a tablet
    of a school, too old for `:has()`, understands."""
    asked = re.findall(r":has\((.*?)\)[ ,{]", sheet(path.name))
    assert [each for each in asked if not each.endswith((":focus-visible", "[open]"))] == []


@pytest.mark.parametrize("name", ["style.css", "walk.css", "again.css", "ways.css", "predict.css", "handy.css"])
def test_no_part_of_the_page_hangs_on_what_the_whole_page_has(name: str) -> None:
    """Where it does, each moment's new numbers had all 700 parts of the page styled anew, three times a moment."""
    assert re.findall(r"(?:body|html|\.playground)[\w.\[\]-]*:has\([^{,]*\) [^{,]+", sheet(name)) == []


# How colours look to who lacks the long, the middle or the short cones (Machado, Oliveira and Fernandes 2009).
LACKING = np.array(
    [
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ]
)
TO_CONES = [[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]
TO_OKLAB = [[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]]


def light(colour: str) -> Any:
    """Linear red, green and blue."""
    parts = np.array(list(bytes.fromhex(colour.lstrip("#")))) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    dark, bright = sorted(0.05 + light(each) @ np.array([0.2126, 0.7152, 0.0722]) for each in (one, other))
    return float(bright / dark)


def seen(given: Any) -> Any:
    """A place in a space where equal distances look equally far (Oklab)."""
    return np.cbrt(np.clip(np.array(TO_CONES) @ given, 0, None)) @ np.array(TO_OKLAB).T


def test_classes_have_hues_of_their_own() -> None:
    """Ten, no sign's and no update's; three stand out from both papers, and differ for whoever lacks a kind of cone."""
    text = sheet("style.css")
    classes = re.findall(r"\.c\d \{ --c: (#[0-9a-f]{6}); \}", text)
    assert len(set(classes)) == 10
    named = re.findall(r"--(positive|negative|update): (#[0-9a-f]{6})", text)
    for colour in classes:
        assert min(np.linalg.norm(seen(light(colour)) - seen(light(other))) for _, other in named) > 0.08, colour
    first = [light(colour) for colour in classes[:3]]
    for view in (np.eye(3), *LACKING):
        for one, other in combinations(first, 2):
            assert np.linalg.norm(seen(view @ one) - seen(view @ other)) > 0.1
    for paper in ("#fffefb", "#1c1f25"):
        assert f"--card: {paper}" in text
        assert min(contrast(paper, colour) for colour in classes[:3]) >= 3


def test_text_is_read_on_every_ground_that_lies_under_it() -> None:
    """In each of its colours, on paper, on a card and where it is lit: WCAG's 4.5, in light and in dark."""
    text = sheet("style.css")
    for block in (":root", ':root[data-theme="dark"]:not([data-profile="projector"])'):
        colours = dict(COLOUR.findall(blocks(text, block)[0]))
        for ground in ("paper", "card", "lit"):
            for ink in ("ink", "muted", "positive", "negative-text", "forward", "backward", "update"):
                assert contrast(colours[f"--{ground}"], colours[f"--{ink}"]) >= 4.5, (ink, ground)
