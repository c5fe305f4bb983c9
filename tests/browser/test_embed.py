"""The playground in a frame on another site's page, in a real browser: no cookie, no fault on the console, all keys."""

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect
from waiting import until

LINK = "seed=4&lens=gradients&step=20"


class Quiet(SimpleHTTPRequestHandler):
    """Files, without a line to the console for each."""

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """`site(markup)` is the address of a page with this markup on another site: localhost, where we are 127.0.0.1."""
    server = ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def page_of(markup: str) -> str:
        # A full browser asks for an icon, which a headless shell does not: without a word of it, a 404 in the console.
        head = '<!doctype html><title>Course</title><link rel="icon" href="data:,">'
        (tmp_path / "index.html").write_text(f"{head}<h1>Course</h1>{markup}")
        return f"http://localhost:{server.server_port}/index.html"

    yield page_of
    server.shutdown()
    server.server_close()


def framed(page: Page, address: str, url: str) -> Frame:
    """The frame of this address on the page at `url`, once its scripts stand."""
    page.goto(url)
    found = page.wait_for_selector(f'iframe[src="{address}"]')
    assert found is not None
    frame = found.content_frame()
    assert frame is not None
    frame.wait_for_selector("html[data-ready]")
    return frame


def expect_number(frame: Frame, name: str, text: str) -> None:
    expect(frame.locator(f"#number-{name} dd")).to_have_text(text)


def test_in_a_frame_on_another_site(
    page: Page, base_url: str, site: Callable[[str], str], axe: Callable[[Any], list[str]]
) -> None:
    """It steps, goes back, plays and walks by buttons and keys; the share dialog's own text is what is put there; the
    link opens the full page at the same step; nothing is refused, and the page's own Back is left alone."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/?seed=4&lens=gradients&step=19")
    page.wait_for_selector("html[data-ready]")
    page.click("#step")
    page.wait_for_url(re.compile("step=20"))
    page.click("[data-opens=share]")
    expect(page.locator("#share-link")).to_have_value(page.url)
    page.context.clear_cookies()
    expect(page.locator("#share-frame")).to_have_value(re.compile(re.escape(f"{base_url}/embed?")))
    markup = page.input_value("#share-frame")
    page.goto(site(markup))
    entries = page.evaluate("history.length")
    frame = page.wait_for_selector("iframe").content_frame()
    assert frame is not None
    frame.wait_for_selector("html[data-ready]")
    sites: set[str] = set()
    page.on("request", lambda request: sites.add(request.all_headers().get("sec-fetch-site", "")))
    expect_number(frame, "step", "20")
    frame.evaluate("for (const _ of [1, 2, 3]) document.getElementById('step').click()")
    expect_number(frame, "step", "23")
    frame.press("#step", "b")
    expect_number(frame, "step", "22")
    frame.click("#back-step")
    expect_number(frame, "step", "21")
    frame.press("#step", "ArrowRight")
    frame.wait_for_selector("#walk[data-moment='0']")
    frame.click("#next")
    frame.wait_for_selector("#walk[data-moment='1']")
    assert frame.locator("#words").inner_text()
    assert axe(frame) == []
    frame.press("#step", "s")
    expect_number(frame, "step", "22")
    assert frame.locator("#walk").get_attribute("data-moment") == ""
    frame.click("#play")
    until(frame, "() => Number(document.querySelector('#bar').dataset.step) > 40")
    frame.click("#play")
    expect(frame.locator("#play .word")).to_have_text("Play")
    until(frame, "() => !document.body.matches('.playing')")
    until(
        frame,
        "() => new URL(document.querySelector('#opens a').href).searchParams.get('step')"
        " === document.querySelector('#number-step dd').textContent.trim()",
    )  # what stands still is drawn whole, its link with it
    step, loss = (frame.locator(f"#number-{name} dd").inner_text() for name in ("step", "train-loss"))
    assert int(step) > 40
    assert page.evaluate("history.length") == entries
    assert frame.evaluate("document.cookie") == ""
    assert sites <= {"same-origin", ""}
    with page.context.expect_page() as opened:
        frame.click("#opens a")
    full = opened.value
    full.wait_for_selector("html[data-ready]")
    assert full.url.startswith(f"{base_url}/?")
    assert "lens=gradients" in full.url
    assert full.locator("#number-step dd").inner_text() == step
    assert full.locator("#number-train-loss dd").inner_text() == loss
    assert faults == []


def test_only_the_frame_may_be_framed(page: Page, base_url: str, site: Callable[[str], str]) -> None:
    """The page itself, which holds a visitor's runs, is not shown on another site."""
    markup = f'<iframe src="{base_url}/?seed=1"></iframe><iframe src="{base_url}/embed?seed=1"></iframe>'
    frame = framed(page, f"{base_url}/embed?seed=1", site(markup))
    assert frame.locator("#net").count() == 1
    assert [each.url for each in page.frames[1:]] == ["chrome-error://chromewebdata/", f"{base_url}/embed?seed=1"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(page: Page, axe: Callable[[Page], list[str]], scheme: Any) -> None:
    """The default network with its walkthrough needs no scrolling in 600 x 400, and axe finds no fault."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 600, "height": 400})
    for moment in ("", "&moment=14"):
        page.goto(f"/embed?{LINK}{moment}")
        page.wait_for_selector("html[data-ready]")
        for part in ("html", ".stage"):
            assert page.evaluate("(part) => document.querySelector(part).scrollHeight", part) <= 400
            assert page.evaluate("(part) => document.querySelector(part).scrollWidth", part) <= 600
        box = page.locator("#next").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 200
        assert axe(page) == []


def test_it_works_without_script(browser: Browser, base_url: str, site: Callable[[str], str]) -> None:
    """The buttons alone step, go back and walk, within the frame."""
    page = browser.new_context(java_script_enabled=False, base_url=base_url).new_page()
    page.goto(site(f'<iframe src="{base_url}/embed?{LINK}" width="600" height="400"></iframe>'))
    frame = page.frame_locator("iframe")
    for press, step in (("#step", "21"), ("#step", "22"), ("#back-step", "21")):
        frame.locator(press).click()
        expect(frame.locator("#number-step dd")).to_have_text(step)
    frame.locator("#next").click()
    expect(frame.locator("#where")).to_contain_text("1 of")
    assert re.search("/embed", page.frames[1].url)
    page.context.close()
