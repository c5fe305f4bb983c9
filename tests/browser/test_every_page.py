"""What holds on every page: 320 px are enough, and what is chosen is marked where the system gives the colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from waiting import until

PAGES = (
    "/",
    "/?moment=14&step=20&example=3",
    "/?dataset=digits16&hidden=16&example=3&moment=3",
    "/?example=3&dataset=three_blobs&output_activation=softmax&loss=cross_entropy&moment=17",
    "/graph",
    "/data",
    "/learn",
    "/learn/practice?type=delta&seed=7",
    "/class",
)
LESSONS = [path.stem.partition("-")[2] for path in Path("templates/lessons").glob("*.html")]
WIDER = """() => [...document.querySelectorAll('body *')]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 4).map((e) => e.id || e.className.baseVal || e.className || e.tagName)"""
CUT = """() => [...document.querySelectorAll('main :is(a, button, select, input), #top a, #top button')].filter((e) => {
    const box = e.getBoundingClientRect();
    for (let up = e.parentElement; up && e.checkVisibility() && box.width > 1; up = up.parentElement) {
        if (box.right < up.getBoundingClientRect().right + 1) continue;
        if (getComputedStyle(up).overflowX !== 'visible') return getComputedStyle(up).overflowX === 'hidden';
    }
    return false;
}).map((e) => e.id || e.textContent.trim())"""
ROWS = """() => [...document.querySelectorAll('#equations, #faces, .equation')]
    .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent.trim().slice(0, 40))"""
STYLED = """() => !document.querySelector('.playground')
    || [...document.styleSheets].some(({ href }) => href?.includes('handy'))
    && !document.querySelector('.htmx-request')
    && (!document.querySelector('#faces.rows') || document.querySelector('#view [name=size]').value.includes('x'))"""
CHOSEN = "[aria-pressed=true], .tile[aria-current], .chip :checked + span, #code .lit"
UNMARKED = """(chosen) => [...document.querySelectorAll(chosen)]
    .filter((e) => e.checkVisibility() && getComputedStyle(e).outlineStyle === 'none')
    .map((e) => e.outerHTML.slice(0, 60))"""


def test_every_page_is_read_at_320_px(page: Page) -> None:
    """Which is 1280 px at 400 %: nothing asks to be scrolled sideways, and nothing that is pressed is out of reach."""
    wide = {}
    page.set_viewport_size({"width": 320, "height": 640})
    for path in (*PAGES, *(f"/learn/{name}?screen=all" for name in LESSONS)):
        page.goto(path)
        until(page, STYLED)
        found = page.evaluate(WIDER) if page.evaluate("document.documentElement.scrollWidth > 320") else []
        if found := [*found, *page.evaluate(CUT), *page.evaluate(ROWS)]:
            wide[path] = found
    assert wide == {}
    page.set_viewport_size({"width": 640, "height": 360})  # 1280 x 720 at 200 %
    page.goto("/")
    until(page, STYLED)
    until(page, "document.documentElement.scrollWidth <= 640")


def test_a_high_window_has_its_room_on_both_sides_of_the_drawing(page: Page) -> None:
    """As much over what is asked as under the legend, not all of it below."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/")
    over, under = page.evaluate("""() => {
        const [bar, first, legend, walk] = ['toolbar', 'first', 'legend', 'walk']
            .map((id) => document.getElementById(id).getBoundingClientRect());
        return [first.top - bar.bottom, walk.top - legend.bottom];
    }""")
    assert over > 30
    assert abs(over - under) < 2


def test_what_is_chosen_is_marked_in_forced_colours(page: Page) -> None:
    """Where backgrounds and shadows are taken away, an outline says what is pressed, current, checked and lit."""
    page.emulate_media(forced_colors="active")
    for path in (*PAGES, "/learn/layers?screen=4"):
        page.goto(path)
        until(page, STYLED)
        assert page.evaluate(UNMARKED, CHOSEN) == [], path


def test_a_run_has_the_name_that_it_is_given(page: Page, axe: Callable[[Page], list[str]]) -> None:
    """In this browser, after a reload too. Sorting keeps focus and names, Escape the name before; none is its own."""
    page.goto("/?seed=5")
    page.locator("html[data-ready]").wait_for()
    page.keyboard.press("s")
    expect(page.locator("#number-step dd")).to_have_text("1")
    opener, name = page.get_by_role("button", name="runs", exact=True), page.locator("#runs tbody th a")
    opener.click()
    for typed, key, told in (
        ("Too slow", "Enter", "Too slow"),
        ("No", "Escape", "Too slow"),
        (" ", "Enter", "Circle 2-4-2-1, sgd 0.03, seed 5"),
        ("<b>", "Enter", "<b>"),
    ):
        page.locator("#runs .rename").click()
        page.keyboard.type(typed)
        page.keyboard.press(key)
        expect(name).to_have_text(told)
        expect(page.locator("#runs")).to_be_visible()
    page.reload()
    page.locator("html[data-ready]").wait_for()
    opener.click()
    expect(name).to_have_text("<b>")
    page.get_by_role("button", name="test loss").click()
    expect(page.locator("#runs [aria-sort=ascending] button")).to_be_focused()
    expect(name).to_have_text("<b>")
    assert axe(page) == []
