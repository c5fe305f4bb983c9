"""Under a path of its own: a journey through the playground, a lesson and a class asks for nothing outside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

Start = Callable[..., AbstractContextManager[str]]
HERE = "/course/playground"


@pytest.fixture
def visit(
    browser: Browser, start_server: Callable[..., AbstractContextManager[str]]
) -> Iterator[Callable[[str], Page]]:
    """`visit(path)` by somebody new; at the end nobody has asked for anything elsewhere, or complained."""
    strays: list[str] = []
    complaints: list[str] = []
    contexts = []

    with start_server({"PLAYGROUND_ROOT_PATH": HERE}) as url:

        def go(path: str) -> Page:
            contexts.append(browser.new_context(base_url=url, viewport={"width": 1440, "height": 900}))
            page = contexts[-1].new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
            page.on("request", lambda r: None if urlsplit(r.url).path.startswith(HERE + "/") else strays.append(r.url))
            page.goto(HERE + path)
            return page

        yield go
        for context in contexts:
            context.close()
    assert [each for each in strays if not each.startswith("data:")] == []
    assert complaints == []


def test_a_journey_stays_under_the_path(visit: Callable[[str], Page]) -> None:
    """Step, play, pause, walk, share, back; a lesson's slider; a class of two."""
    page = visit("/")
    page.wait_for_selector("html[data-ready]")
    page.locator("#step").click()
    expect(page.locator("#number-step dd")).to_have_text("1")
    page.locator("#play").click()
    expect(page.locator("#number-step dd")).not_to_have_text("1")
    page.locator("#play").click()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#walk")).to_contain_text("End the walkthrough")
    page.get_by_role("button", name="Share", exact=True).press("Enter")
    expect(page.locator("#share-link")).to_have_value(re.compile(rf"^http://[^/]+{HERE}/\?"))
    expect(page.locator("#share-frame")).to_have_value(re.compile(rf'src="http://[^/]+{HERE}/embed\?'))
    again = visit(page.locator("#share-link").input_value().split(HERE, 1)[1])
    expect(again.locator("#bar")).to_be_visible()

    learn = visit("/learn")
    learn.locator('a[href$="/learn/error"]').first.click()
    expect(learn.locator("html[data-ready]")).to_be_attached()
    learn.locator('a[href*="/learn/error?screen=2"]').first.click()
    expect(learn).to_have_url(re.compile(rf"{HERE}/learn/error\?.*screen=2"))

    teacher = visit("/class")
    teacher.get_by_role("button", name="Open a room").click()
    expect(teacher.locator("html[data-teaching]")).to_be_attached()
    code = teacher.url.split("/")[-2]
    student = visit(f"/class?code={code}")
    student.get_by_role("button", name="Join").click()
    expect(student.locator("#picture #stage")).to_be_visible()
    teacher.locator("#step").click()
    expect(teacher.locator("#number-step dd")).to_have_text("1")
    expect(student.locator("#stage")).to_have_attribute("data-step", "1")
