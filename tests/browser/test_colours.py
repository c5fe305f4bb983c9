"""Light, dark and projector: by the system and by choice, on a screen and on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

LIGHT, DARK, WHITE = "rgb(250, 248, 244)", "rgb(21, 23, 27)", "rgb(255, 255, 255)"
PAPER = "getComputedStyle(document.body).backgroundColor"
DRAWN = """[...document.querySelectorAll('#net path.w')].map((e) => getComputedStyle(e).stroke)"""


@pytest.mark.parametrize(
    ("system", "chosen", "paper"),
    [("light", None, LIGHT), ("dark", None, DARK), ("light", "dark", DARK), ("dark", "light", LIGHT),
     ("dark", "projector", WHITE)],
)  # fmt: skip
def test_dark_by_the_system_and_by_choice(
    browser: Browser, base_url: str, system: str, chosen: str | None, paper: str
) -> None:
    """Whoever chooses is obeyed against the system; a projector is always white, and so is paper."""
    context = browser.new_context(base_url=base_url, color_scheme=system)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/?profile=projector" if chosen == "projector" else "/")
    if chosen in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", chosen)
    assert page.evaluate(PAPER) == paper
    assert "none" not in page.evaluate(DRAWN)
    page.emulate_media(media="print")
    assert page.evaluate(PAPER) == (WHITE if chosen == "projector" else LIGHT)
    context.close()
