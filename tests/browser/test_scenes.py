"""What lessons open with, in a real browser: it plays, can be dragged, and is still for those who want it still."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from waiting import until

from app.draw.rendering import ENV
from app.learn.lessons import TRACK, lessons
from app.learn.openings import opening

LESSONS = [lesson.slug for lesson in lessons(ENV)]
PICTURES = [
    "/slope?screen=2", "/overshoot?screen=1", "/neuron?screen=3", "/circuit?screen=2", "/circuit?screen=5",
    "/layers?screen=3", "/black-box?screen=2", "/convolution?screen=2", "/pooling?screen=3", "/normalization?screen=3",
    "/dropout-and-shortcuts?screen=4",
]  # fmt: skip


SMALL = """async (paths) => {
    const small = [];
    window.texts ??= {};
    for (const path of paths) {
        const text = texts[path] ??= await (await fetch(path)).text();
        const main = new DOMParser().parseFromString(text, 'text/html').querySelector('main');
        document.querySelector('main').replaceWith(main);
        await Promise.all([...main.querySelectorAll('link')].map(link => new Promise(done => { link.onload = done; })));
        for (const each of main.querySelectorAll('svg text:not(.said)')) {
            const {b, d} = each.getScreenCTM();
            const size = parseFloat(getComputedStyle(each).fontSize) * Math.hypot(b, d);
            if (size < 11.9 && each.getBoundingClientRect().width) small.push([path, each.textContent.trim(), size]);
        }
    }
    return small;
}"""
NOTED = """
window.places = [];
new MutationObserver(all => all.forEach(each => places.push(Number(each.target.dataset.at))))
    .observe(document, {subtree: true, attributeFilter: ['data-at']});
"""


def opened(page: Page, path: str) -> None:
    page.goto(f"/learn{path}")
    page.wait_for_selector("html[data-ready]")


@pytest.mark.parametrize("slug", ["error", "overshoot", "layers"])
def test_a_scene_plays_to_its_end_and_can_be_dragged(page: Page, slug: str) -> None:
    """By itself when it is in sight, through all its frames; then by the slider and on the picture, where it stays."""
    (lesson,) = [each for each in lessons(ENV) if each.slug == slug]
    scene = opening(lesson)
    assert scene is not None
    page.add_init_script(NOTED)
    opened(page, f"/{slug}")
    figure = page.locator("[data-scene]")
    expect(figure).to_have_attribute("data-at", f"{scene.frames - 1:.2f}")
    expect(figure).not_to_have_attribute("data-playing", "yes")
    expect(figure.locator("figcaption")).to_have_text(scene.captions[-1])
    played = page.evaluate("places.length")
    assert page.evaluate("places.every((place, i) => i === 0 || place >= places[i - 1])")
    assert played > 3
    figure.locator("input").evaluate("e => { e.value = 1; e.dispatchEvent(new Event('input', {bubbles: true})) }")
    expect(figure).to_have_attribute("data-at", "1.00")
    expect(figure.locator("figcaption")).to_have_text(scene.captions[1])
    box = figure.locator("svg").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2)
    page.mouse.up()
    expect(figure.locator("figcaption")).to_have_text(scene.captions[-1])
    played = page.evaluate("places.length")
    figure.get_by_role("button", name="Play").click()
    until(page, "before => places.slice(before).some(place => place > 1 && place % 1)", played)


def test_without_motion_it_stands_and_goes_frame_by_frame(browser: Browser, base_url: str) -> None:
    """Nothing plays, the telling frame is there, and the slider goes to whole frames."""
    context = browser.new_context(base_url=base_url, reduced_motion="reduce")
    page = context.new_page()
    opened(page, "/nudge")
    figure = page.locator("[data-begun]")
    expect(figure).to_have_attribute("data-at", "2")
    expect(figure.get_by_role("button")).to_be_hidden()
    figure.locator("input").focus()
    page.keyboard.press("ArrowRight")
    expect(figure).to_have_attribute("data-at", "3.00")
    assert figure.get_attribute("data-playing") is None
    context.close()


def test_without_script_there_are_three_frames(browser: Browser, base_url: str) -> None:
    """The first, the middle and the last, each with its sentence, beside the telling one."""
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    page = context.new_page()
    for slug in LESSONS:
        page.goto(f"/learn/{slug}")
        expect(page.locator(".frames > div > svg")).to_have_count(3)
        expect(page.locator(".scene > svg")).to_be_visible()
        expect(page.locator(".scene-bar")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("width", [1280, 1440])
def test_pictures_are_large(browser: Browser, base_url: str, width: int) -> None:
    """560 px and more, beside the text, in scenes and in what follows."""
    context = browser.new_context(base_url=base_url, viewport={"width": width, "height": 720})
    page = context.new_page()
    for path in ("/error", *PICTURES):
        opened(page, path)
        widths = page.locator(".scene > svg, .live .plot, .live .still").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().width)"
        )
        assert widths, path
        assert min(widths) >= 560, path
    context.close()


def test_no_text_of_a_picture_is_small(page: Page) -> None:
    """12 px at least as they stand on the screen, on a phone and a tablet: on every screen of every lesson, and where
    all of them stand on one page."""
    opened(page, "/error")
    paths = [f"/learn/{each.slug}?screen={n + 1}" for each in lessons(ENV) for n in range(len(each.screens))]
    paths += [f"/learn/{each.slug}?screen=all" for each in lessons(ENV)]
    for width in (390, 1024):  # at 1280 and 1440 they are as large, or larger
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(SMALL, paths) == [], width


def test_on_a_phone_the_picture_stays_in_sight(browser: Browser, base_url: str) -> None:
    """At the top while the text goes by, so that a question is read beside what it asks about; nothing lies on it."""
    context = browser.new_context(base_url=base_url, viewport={"width": 390, "height": 844})
    page = context.new_page()
    for path in PICTURES:
        opened(page, path)
        task = page.locator(".task legend").first
        task.evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 560)")
        picture = page.locator(".live > .overline:first-child + *").bounding_box()
        asked = task.bounding_box()
        assert picture is not None, path
        assert asked is not None, path
        assert -1 <= picture["y"] < 844, path
        assert picture["y"] + picture["height"] <= min(asked["y"], 844), path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    context.close()


def test_choosing_up_moves_the_line(page: Page) -> None:
    """From where it was, which stays as a ghost, and the loss is told; another answer moves it the other way."""
    opened(page, "/slope?screen=2")
    line = page.locator(".live .fit")
    before = line.get_attribute("d")
    task = page.locator("#task-way-b")
    task.get_by_role("button", name="up", exact=True).click()
    expect(page.locator(".live .outcome")).to_contain_text("better")
    assert line.get_attribute("d") != before
    assert page.locator(".live .ghost").get_attribute("d") == before
    task.get_by_role("button", name="down", exact=True).click()
    expect(page.locator(".live .outcome")).to_contain_text("worse")


def test_the_list_goes_on_where_one_stopped(page: Page) -> None:
    """Kept on this device alone: a picture and minutes for each lesson, and a button to where one was."""
    opened(page, "")
    expect(page.locator(".lessons .thumb svg.plot")).to_have_count(len(LESSONS))
    expect(page.locator(".lessons li").first).to_contain_text("About 5 minutes")
    expect(page.locator("#start")).to_have_text("Start at the beginning")
    opened(page, "/line?screen=2")
    opened(page, "")
    expect(page.locator("#start")).to_have_text("Go on: A line: y = mx + b, screen 2")
    page.locator("#start").click()
    expect(page.locator("h2").first).to_have_text("Steer by the loss alone")


def test_ten_minutes_lead_from_screen_to_screen(page: Page) -> None:
    """An answer on the way keeps one on it; at its end is the walkthrough."""
    opened(page, "")
    page.locator("#track").click()
    for place, (slug, screen) in enumerate(TRACK, 1):
        expect(page).to_have_url(re.compile(rf"/learn/{slug}\?screen={screen}&track=ten"))
        expect(page.locator(".turns")).to_contain_text(f"{place} of {len(TRACK)}")
        if place == 1:
            page.wait_for_selector("html[data-ready]")
            page.get_by_role("button", name="up", exact=True).click()
            expect(page.locator("#verdict-way")).to_contain_text("Right.")
            expect(page).to_have_url(re.compile("track=ten"))
        page.locator('.turns [rel="next"]').click()
    expect(page).to_have_url(re.compile(r"/\?example=8&moment=0"))


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_nothing_for_axe_to_find_in_scenes(
    browser: Browser, base_url: str, axe: Callable[[Page], list[str]], width: int, scheme: str
) -> None:
    """The list, and the opening of every lesson at its end."""
    context = browser.new_context(
        base_url=base_url,
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page = context.new_page()
    found = {}
    for path in ("", *(f"/{slug}" for slug in LESSONS)):
        opened(page, path)
        if path:
            page.wait_for_selector("[data-begun]")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found[path] = axe(page)
    assert {path: faults for path, faults in found.items() if faults} == {}
    context.close()


def test_the_answer_and_the_lines_end_are_held_in_the_opening_scene(page: Page) -> None:
    """What is held follows the pointer: the scene goes to where it stands there."""
    for slug, way in (("error", (-60, 0)), ("line", (0, 50))):
        opened(page, f"/{slug}")
        figure = page.locator("[data-scene]")
        expect(figure).to_have_attribute("data-begun", "yes")
        expect(figure).not_to_have_attribute("data-at", "0.00")
        expect(figure).not_to_have_attribute("data-playing", "yes")  # what moves is not where it was a moment ago
        grip = figure.locator(".grip")
        expect(grip).to_be_visible()
        before = middle(grip)
        page.mouse.move(*before)
        page.mouse.down()
        page.mouse.move(before[0] + way[0], before[1] + way[1], steps=4)
        page.mouse.up()
        after = middle(grip)
        assert abs(after[0] - before[0] - way[0]) < 6, slug
        assert abs(after[1] - before[1] - way[1]) < 6, slug


def middle(grip: Locator) -> tuple[float, float]:
    box = grip.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_what_is_held_in_a_picture_sets_the_numbers_below(page: Page) -> None:
    """ŷ goes along its line, a line's end up while the other stays, by pointer and by key."""
    opened(page, "/error")
    grip = page.locator("#grip-guess")
    grip.scroll_into_view_if_needed()
    x, y = middle(grip)
    page.mouse.move(x, y)
    page.mouse.down()
    with page.expect_response(lambda answer: "guess=" in answer.url):
        page.mouse.move(x - 80, y)
    page.mouse.up()
    expect(grip).not_to_have_attribute("aria-valuenow", "2.0")
    assert abs(middle(grip)[0] - (x - 80)) < 8
    value = float(grip.get_attribute("aria-valuenow") or 9)
    grip.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#set-guess")).not_to_have_value(f"{value:g}")
    assert page.evaluate("document.activeElement.id") == "grip-guess"

    opened(page, "/line")
    left, right = page.locator("#grip-left"), page.locator("#grip-right")
    right.scroll_into_view_if_needed()
    stays, (x, y) = middle(left), middle(right)
    page.mouse.move(x, y)
    page.mouse.down()
    with page.expect_response(lambda answer: "m=" in answer.url):
        page.mouse.move(x, y - 60)
    page.mouse.up()
    expect(right).not_to_have_attribute("aria-valuenow", re.compile(r"^0\.5"))
    assert abs(middle(right)[1] - (y - 60)) < 8
    assert abs(middle(left)[1] - stays[1]) < 8
