"""A class in real browsers: a teacher, a wall and three students through one scene, and what becomes of them when
a phone sleeps or the server starts anew.
"""

from __future__ import annotations

import re
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from waiting import until

import machine

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
WALL = {"viewport": {"width": 1280, "height": 720}}


class People:
    """Pages with cookies of their own, and every complaint of their consoles."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    def page(self, path: str, **context: Any) -> Page:
        opened = self.browser.new_context(base_url=self.url, **context)
        self.contexts.append(opened)
        page = opened.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.goto(path)
        return page

    def teacher(self) -> tuple[Page, str]:
        page = self.page("/class", viewport={"width": 1440, "height": 900})
        page.get_by_role("button", name="Open a room").click()
        page.wait_for_url("**/teach")
        expect(page.locator("html[data-teaching]")).to_be_attached()
        return page, page.url.split("/")[-2]

    def student(self, code: str, nickname: str = "") -> Page:
        page = self.page(f"/class?code={code.lower()}", **PHONE)
        page.get_by_label("A nickname").fill(nickname)
        page.get_by_role("button", name="Join").click()
        expect(page.locator("#picture #stage")).to_be_visible()
        expect(page.locator("html[data-ready]")).to_be_attached()
        return page


@pytest.fixture
def people(browser: Browser, base_url: str) -> Iterator[People]:
    """A browser's worth of people on the session's server; at the end none of them may have complained."""
    found = People(browser, base_url)
    yield found
    for context in found.contexts:
        context.close()
    assert not found.complaints


def step_on(page: Page) -> str:
    return page.locator("#number-step dd").inner_text()


def test_a_question_leaves_room_for_the_diagram(people: People) -> None:
    """On a small projector what is asked stands in one row, no unit of the diagram lies on another, and on the wall no
    number of the moment before, and no legend."""
    teacher, code = people.teacher()
    wall = people.page(f"/class/{code}/wall", **WALL)
    teacher.set_viewport_size({"width": 1280, "height": 720})
    teacher.locator("#step").click()
    expect(teacher.locator("#number-step dd")).to_have_text("1")
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Which way will this weight move?").click()
    expect(teacher.locator("#strip #prompt")).to_be_visible()
    rows = teacher.locator("#question .prompt, #question .button").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(box => box.top + box.height / 2)"
    )
    assert max(rows) - min(rows) < 6
    until(
        teacher,
        """() => {
          const boxes = [...document.querySelectorAll('#net .node .edge')].map(e => e.getBoundingClientRect());
          return boxes.every((a, k) => boxes.every((b, n) => n <= k
            || a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top));
        }""",
    )
    expect(wall.locator("#question .prompt")).to_be_visible()
    expect(wall.locator("#carried rect").first).to_have_css("fill", "rgb(255, 255, 255)")
    expect(wall.locator("#carried")).to_be_hidden()  # it is of the moment before
    until(
        wall,
        """() => [...document.querySelectorAll('.net .caption')].every((each) =>
          each.getBoundingClientRect().bottom < document.getElementById('legend').getBoundingClientRect().top + 2)""",
    )


def test_a_graph_before_a_class(people: People, axe: Callable[[Page], list[str]]) -> None:
    """The teacher shows one, walks it and asks about a gradient; a number is answered and judged, on every screen."""
    teacher, code = people.teacher()
    wall, ada = people.page(f"/class/{code}/wall", **WALL), people.student(code)
    teacher.locator("#more summary").click()
    teacher.get_by_label("Show a graph").select_option("twice")
    teacher.locator("form:has(#preset) button").click()
    expect(teacher.locator("#ops")).to_be_visible()
    expect(teacher.locator("html[data-teaching]")).to_be_attached()
    for screen in (wall, ada):
        expect(screen.locator("#stage .ops")).to_be_visible()
    teacher.locator("#vertex-0").click()
    for screen in (wall, ada):
        expect(screen.locator("#graph-moment")).to_contain_text("a went 2 ways")
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="What is the gradient at this node?").click()
    expect(ada.locator(".ops .lit .grad")).to_have_text("?")
    ada.get_by_label("Your number").fill("-1.79")
    with ada.expect_response(lambda answer: answer.url.endswith("/answer")) as taken:
        ada.get_by_role("button", name="Send").click()
    assert taken.value.ok, taken.value.text()
    expect(ada.locator("#your-answer")).to_have_text("-1.79")
    expect(teacher.locator(".tally")).to_contain_text("1 answered")
    teacher.get_by_role("button", name="Reveal").click()
    for screen in (wall, ada):
        expect(screen.locator(".vote.true .number")).to_contain_text("1")
        expect(screen.locator(".ops .lit .grad")).to_have_text("−1.792")
    assert ada.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe(ada) == []
    assert axe(wall) == []


def test_one_scene_of_a_lesson(people: People, axe: Callable[[Page], list[str]], tmp_path: Path) -> None:
    """Step, ask, predict, reveal, walk, explore, hand in, call back, show, lesson, pause, end: on every screen."""
    teacher, code = people.teacher()
    wall = people.page(f"/class/{code}/wall", **WALL)
    ada, bob, eve = (people.student(code, name) for name in ("Ada", "", "<b>Eve</b>"))
    screens = (wall, ada, bob, eve)
    expect(wall.locator("#counts")).to_have_text(re.compile("3 here"))

    teacher.locator("#step").click()
    expect(teacher.locator("#number-step dd")).to_have_text("1")
    for screen in screens:
        expect(screen.locator("#stage")).to_have_attribute("data-step", "1")

    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Which way will this weight move?").click()
    for screen in screens:
        expect(screen.locator("#prompt")).to_contain_text("Step 1. Which way will the glowing weight")
        expect(screen.locator("#net .w.sel")).to_have_count(1)
    expect(teacher.locator("body.asking #net .w.sel")).to_have_count(1)
    expect(teacher.locator("#receipt .where")).to_be_hidden()
    eve.context.new_cdp_session(eve).send("Page.setWebLifecycleState", {"state": "frozen"})
    ada.get_by_role("button", name="up", exact=True).click()
    expect(ada.locator("#yours")).to_contain_text("Your answer: up.")
    ada.get_by_role("button", name="down", exact=True).click()
    expect(ada.locator("#yours")).to_contain_text("Your answer: down.")
    bob.get_by_role("button", name="up", exact=True).click()
    expect(wall.locator("#counts")).to_contain_text("2 answered")
    expect(wall.locator(".votes")).to_have_count(0)
    teacher.get_by_role("button", name="Close: no more answers").click()
    expect(wall.locator(".vote")).to_have_text(
        [re.compile("up\\s*1"), re.compile("down\\s*1"), re.compile("stay\\s*0")]
    )
    expect(wall.locator(".vote.true, .truth")).to_have_count(0)
    expect(bob.locator("#yours")).to_contain_text("look at the wall")
    assert axe(ada) == axe(wall) == axe(teacher) == []
    for screen in (teacher, *screens):
        ids = screen.locator("[id]").evaluate_all("all => all.map(e => e.id)")
        assert len(ids) == len(set(ids)), sorted(name for name in set(ids) if ids.count(name) > 1)
    teacher.get_by_role("button", name="Reveal").click()
    for screen in (wall, ada, bob):
        expect(screen.locator(".vote.true")).to_have_count(1)
        expect(screen.locator(".truth")).to_contain_text("the step goes")
        expect(screen.locator("#stage")).to_have_attribute("data-step", "2")
    expect(ada.locator(".vote.mine")).to_contain_text("down")
    expect(teacher.locator("#receipt .where")).to_be_visible()
    expect(teacher.locator("#number-step dd")).to_have_text("2")

    eve.context.new_cdp_session(eve).send("Page.setWebLifecycleState", {"state": "active"})
    expect(eve.locator("#stage")).to_have_attribute("data-step", "2")
    expect(eve.locator(".vote.true")).to_have_count(1)

    teacher.get_by_role("button", name="Put away").click()
    teacher.locator("#next").click()
    for screen in screens:
        expect(screen.locator("#question")).to_be_hidden()
        expect(screen.locator("#words")).not_to_be_empty()
    first = teacher.locator("#words").inner_text()
    teacher.locator("#next").click()
    expect(teacher.locator("#words")).not_to_have_text(first)
    told = teacher.locator("#words").inner_text()
    for screen in screens:
        expect(screen.locator("#words")).to_have_text(told)
    teacher.get_by_role("button", name="gradients").click()
    for screen in screens:
        expect(screen.locator("#net")).to_have_attribute("data-lens", "gradients")

    teacher.get_by_role("button", name="Explore").click()
    ada.get_by_role("button", name="Take a copy").click()
    ada.wait_for_url("**/mine")
    expect(ada.locator("html[data-ready]")).to_be_attached()
    ada.locator("#epoch").click()
    expect(ada.locator("#number-epoch dd")).to_have_text("1")
    assert ada.url.endswith("/mine")
    ada.get_by_label("with my nickname").check()
    ada.get_by_role("button", name="Hand in").click()
    expect(ada.locator("#handed")).to_contain_text("with your nickname")
    expect(bob.locator("#stage")).to_have_attribute("data-step", "2")
    own = step_on(ada)
    teacher.get_by_role("button", name="Follow").click()
    ada.wait_for_url(re.compile(f"/class/{code}$"))
    expect(ada.locator("#stage")).to_have_attribute("data-step", "2")
    expect(teacher.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    teacher.get_by_role("button", name="Explore").click()
    expect(bob.locator("#copy")).to_be_visible()
    expect(bob.locator("#go-on")).to_be_hidden()
    expect(ada.locator("#go-on")).to_be_visible()
    expect(ada.locator("#go-on")).to_have_text(f"Go on with my copy (step {own})")
    ada.locator("#go-on").click()
    ada.wait_for_url("**/mine")
    expect(ada.locator("#number-step dd")).to_have_text(own)
    teacher.get_by_role("button", name="Follow").click()
    ada.wait_for_url(re.compile(f"/class/{code}$"))
    teacher.locator("#hand-ins summary").click()
    teacher.get_by_role("button", name="Show", exact=True).first.click()
    expect(wall.locator(".handed")).to_have_text("On the wall: the copy of Ada")
    for screen in screens:
        expect(screen.locator("#stage")).not_to_have_attribute("data-step", "2")

    teacher.locator("#more summary").click()
    teacher.get_by_label("Show a lesson").select_option(index=2)
    teacher.locator("form:has(#lesson) button").click()
    for screen in screens:
        expect(screen.locator("#stage[data-lesson]")).to_be_visible()
    expect(
        teacher.locator("a[rel=next]")
    ).to_be_visible()  # the teacher's page is a new one, and nothing comes after it
    teacher.evaluate("window.mark = true")
    late = people.student(code, "Late")
    expect(teacher.locator("#counts")).to_contain_text("4 here")
    assert teacher.evaluate("window.mark"), "somebody who joins does not make the teacher's page load anew"
    expect(late.locator("#stage[data-lesson]")).to_be_visible()
    late.close()
    before = teacher.locator("#screen h2").first.inner_text()
    teacher.locator("a[rel=next]").click()
    expect(teacher.locator("#screen h2").first).not_to_have_text(before)
    title = teacher.locator("#screen h2").first.inner_text()
    for screen in screens:
        expect(screen.locator("#lesson-screen h2").first).to_have_text(title)
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Will the loss go down?").click()
    expect(ada.locator("#net")).to_be_visible()
    teacher.get_by_role("button", name="Put away").click()
    for screen in screens:
        expect(screen.locator("#lesson-screen h2").first).to_have_text(title)
    expect(teacher.locator("#screen h2").first).to_have_text(title)
    teacher.locator("#more summary").click()
    teacher.get_by_label("Show a lesson").select_option("")
    teacher.locator("form:has(#lesson) button").click()
    for screen in screens:
        expect(screen.locator("#net")).to_be_visible()
        assert not screen.evaluate(
            "[...document.querySelectorAll('svg *')].some(e => e.namespaceURI !== 'http://www.w3.org/2000/svg')"
        )

    teacher.locator("#more summary").click()
    teacher.get_by_label("Pause every screen").fill("<i>Look</i> here")
    teacher.get_by_role("button", name="Pause", exact=True).click()
    for screen in screens:
        expect(screen.locator(".pause")).to_have_text("<i>Look</i> here")
    teacher.get_by_role("button", name="End the pause").click()
    for screen in screens:
        expect(screen.locator(".pause")).to_have_count(0)

    teacher.locator("#more summary").click()
    teacher.get_by_role("button", name="Close the room").click()
    expect(teacher.get_by_role("dialog")).to_contain_text(
        re.compile(r"students\s*4.*questions\s*2.*answers\s*2", re.DOTALL)
    )
    teacher.get_by_role("button", name="Close without saving").click()
    for screen in screens:
        screen.wait_for_url("**/class/over*")
        expect(screen.get_by_role("heading", name="The class is over")).to_be_visible()
    expect(teacher.get_by_role("heading", name="is closed")).to_be_visible()


def test_playing_reaches_the_class_and_ends_at_the_same_step(people: People) -> None:
    """However fast the teacher plays, followers end where the teacher pauses."""
    teacher, code = people.teacher()
    ada = people.student(code)
    teacher.locator("#play").click()
    expect(ada.locator("#stage")).not_to_have_attribute("data-step", "0")
    time.sleep(1)
    teacher.locator("#play").click()
    expect(teacher.locator("#play")).to_have_attribute("aria-pressed", "false")
    teacher.wait_for_timeout(500)
    expect(ada.locator("#number-step dd")).to_have_text(step_on(teacher))
    assert int(step_on(teacher).replace(",", "")) > 5


def test_a_question_stops_what_plays(people: People) -> None:
    """It is about the step on screen, on every screen; what it is about goes on glowing."""
    teacher, code = people.teacher()
    ada = people.student(code)
    teacher.locator("#play").click()
    expect(ada.locator("#stage")).not_to_have_attribute("data-step", "0")
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Which way will this weight move?").click()
    expect(ada.locator("#net .w.sel")).to_have_count(1)
    expect(teacher.locator("#play")).to_have_attribute("aria-pressed", "false")
    teacher.wait_for_timeout(500)
    for screen in (teacher, ada):
        expect(screen.locator("#net .w.sel")).to_have_count(1)
        expect(screen.locator("#prompt")).to_contain_text(f"Step {step_on(teacher)}.")
    expect(ada.locator("#number-step dd")).to_have_text(step_on(teacher))


def test_a_hidden_page_closes_its_stream_and_comes_back_to_the_present(people: People) -> None:
    """A tab in the background costs nothing and counts as away."""
    teacher, code = people.teacher()
    ada = people.student(code)
    expect(teacher.locator("#counts")).to_contain_text("1 here")
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});" \
        "document.dispatchEvent(new Event('visibilitychange'))"  # fmt: skip
    ada.evaluate(hide % "true")
    expect(teacher.locator("#counts")).to_contain_text("0 here")
    teacher.locator("#step").click()
    expect(teacher.locator("#number-step dd")).to_have_text("1")
    ada.wait_for_timeout(300)
    assert step_on(ada) == "0"
    ada.evaluate(hide % "false")
    expect(ada.locator("#number-step dd")).to_have_text("1")
    expect(teacher.locator("#counts")).to_contain_text("1 here")


def test_a_teachers_step_is_one_request(people: People) -> None:
    """To the room, which takes it and shows it: the teacher's browser carries nothing back."""
    teacher, code = people.teacher()
    ada = people.student(code)
    asked: list[str] = []
    teacher.on(
        "request",
        lambda request: (
            "/static/" in request.url
            or asked.append(f"{request.method} {request.url.partition('/class/')[2] or request.url}")
        ),
    )
    for step in ("1", "2", "3"):
        teacher.locator("#step").click()
        expect(ada.locator("#number-step dd")).to_have_text(step)
        expect(teacher.locator("#number-step dd")).to_have_text(step)
    assert len(asked) == 3, asked
    assert all(re.fullmatch(rf"POST {code}/runs/[\w-]+/step", each) for each in asked), asked
    teacher.locator("#tile-xor").click()  # what is opened is a run at once, and shown
    expect(ada.locator("#number-step dd")).to_have_text("0")
    teacher.locator("#step").click()
    expect(ada.locator("#number-step dd")).to_have_text("1")
    expect(teacher.locator("#tile-xor")).to_have_attribute("aria-current", "true")


def test_the_teachers_link_gives_the_class_to_another_device(people: People) -> None:
    """The secret is in its fragment, which leaves the address at once; both devices stay together."""
    teacher, code = people.teacher()
    teacher.locator("#more summary").click()
    link = teacher.locator("#teacher-link").input_value()
    second = people.page("/class" + link.partition("/class")[2], viewport={"width": 1024, "height": 768})
    expect(second.locator("html[data-teaching]")).to_be_attached()
    assert "#" not in second.url
    assert second.url.endswith(f"/class/{code}/teach")
    people.complaints = [text for text in people.complaints if "403" not in text]  # the door before the key
    second.locator("#step").click()
    expect(teacher.locator("#number-step dd")).to_have_text("1")
    teacher.locator("#main").click(position={"x": 5, "y": 5})
    teacher.locator("#step").click()
    expect(second.locator("#number-step dd")).to_have_text("2")


@pytest.mark.parametrize("works", [True, False])
def test_copied_is_said_only_when_it_is_true(people: People, works: bool) -> None:
    """On plain http there is no clipboard but the selection; where that fails, the link can be read. A QR picture shows
    it to a second device, for a while."""
    teacher = people.page("/class", viewport={"width": 1280, "height": 800})
    teacher.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', {get: () => undefined})")
    if not works:
        teacher.add_init_script("document.execCommand = () => false")
    teacher.get_by_role("button", name="Open a room").click()
    teacher.locator("#more > summary").click()
    link = teacher.locator("#teacher-link").input_value()
    teacher.locator("[data-copies]").click()
    expect(teacher.locator("[data-copies]")).to_have_text("Copied" if works else "Copy it by hand")
    expect(teacher.locator("#teacher-link")).to_have_attribute("type", "password" if works else "text")
    if works:
        teacher.locator("#message").focus()
        teacher.keyboard.press("Control+v")
        expect(teacher.locator("#message")).to_have_value(link)
    expect(teacher.locator("#second svg")).to_be_hidden()
    teacher.clock.install()
    teacher.get_by_role("button", name="Show it as a QR picture").click()
    expect(teacher.locator("#second svg")).to_be_visible()
    teacher.clock.run_for(31_000)
    expect(teacher.locator("#second svg")).to_be_hidden()


def test_the_class_survives_a_restart_of_the_server(browser: Browser, tmp_path: Path) -> None:
    """Stopped and started again on the same file: pages recover by themselves, each in its own time."""
    port = machine.free_port()
    env = {"PLAYGROUND_PORT": str(port), "PLAYGROUND_DATA": str(tmp_path)}
    url, log = f"http://127.0.0.1:{port}", tmp_path / "log"
    command = [sys.executable, "-m", "app"]
    people = People(browser, url)
    with machine.running(command, env, log) as process:
        machine.wait_until(lambda: machine._answers(url + "/healthz"), process, log)
        teacher, code = people.teacher()
        wall = people.page(f"/class/{code}/wall", **WALL)
        ada = people.student(code, "Ada")
        teacher.locator("#step").click()
        expect(ada.locator("#number-step dd")).to_have_text("1")
        teacher.locator("#ask summary").click()
        teacher.get_by_role("button", name="Will the loss go down?").click()
        expect(ada.locator(".pick")).to_have_count(3)
    expect(ada.locator("#link")).to_have_text("Reconnecting…")
    ada.get_by_role("button", name="down", exact=True).click()
    expect(ada.locator("#unsent")).to_contain_text("“down”, is not sent yet")
    with machine.running(command, env, log) as process:
        machine.wait_until(lambda: machine._answers(url + "/healthz"), process, log)
        for screen in (teacher, wall, ada):
            expect(screen.locator("#link")).to_have_text("")
        expect(teacher.locator(".tally")).to_contain_text("1 answered")
        expect(ada.locator("#unsent")).to_have_text("")
        teacher.locator("#step").click()
        for screen in (wall, ada):
            expect(screen.locator("#stage")).to_have_attribute("data-step", "2")
        expect(wall.locator("#counts")).to_contain_text("1 here")
    for context in people.contexts:
        context.close()


def test_a_class_works_without_script(people: People) -> None:
    """Join, answer, teach: forms and reloads."""
    plain = {"java_script_enabled": False}
    teacher = people.page("/class", **plain)
    teacher.get_by_role("button", name="Open a room").click()
    code = teacher.url.split("/")[-2]
    ada = people.page(f"/class/{code}", **plain, **PHONE)
    ada.get_by_role("button", name="Join").click()
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Will the loss go down?").click()
    ada.goto(f"/class/{code}")
    ada.get_by_role("button", name="down", exact=True).click()
    expect(ada.locator("#yours")).to_contain_text("Your answer: down")
    teacher.goto(f"/class/{code}/teach")
    expect(teacher.locator(".tally")).to_contain_text("1 answered")
    teacher.get_by_role("button", name="Reveal").click()
    expect(teacher.locator(".vote.true")).to_have_count(1)
    teacher.locator("#more summary").click()
    teacher.get_by_role("button", name="Close the room").click()
    expect(teacher.locator("main.end")).to_contain_text(re.compile(r"student\s*1"))
    teacher.get_by_role("button", name="Close without saving").click()
    ada.goto(f"/class/{code}")
    expect(ada.get_by_role("heading", name="The class is over")).to_be_visible()
    teacher.get_by_role("button", name="Reopen the room").click()
    ada.goto(f"/class/{code}")
    expect(ada.locator("#yours")).to_contain_text("Your answer: down")


@pytest.mark.parametrize("path", ["/class", "/class/over", "/class?code=nonsense"])
def test_doors_have_no_barriers(people: People, axe: Callable[[Page], list[str]], path: str) -> None:
    """No serious fault that axe finds; a wrong code is said kindly."""
    page = people.page(path, **PHONE)
    assert axe(page) == []
    if "code" in path:
        expect(page.get_by_role("alert")).to_contain_text("There is no such room")
        people.complaints = [text for text in people.complaints if "404" not in text]


def test_a_long_question_fits_the_wall(people: People) -> None:
    """With four long answers and its truth, on a small projector; and a short one stays large."""
    teacher, code = people.teacher()
    wall = people.page(f"/class/{code}/wall", **WALL)
    for prompt, answer in (
        ("Why does the loss rise here, and what would you change? " * 4, "Because the rate is too"),
        ("Why?", "So"),
    ):
        teacher.locator("#ask summary").click()
        teacher.locator("#own-prompt").fill(prompt[:200])
        teacher.get_by_label("Answers, one a line").fill("\n".join(f"{answer} large {n}" for n in "abcd"))
        teacher.get_by_label("The right one").fill(f"{answer} large a")
        teacher.get_by_role("button", name="Ask it").click()
        teacher.get_by_role("button", name="Reveal").click()
        expect(wall.locator(".truth")).to_contain_text(answer)
        fits = "q => q.scrollHeight <= q.clientHeight && q.scrollWidth <= q.clientWidth"
        expect(wall.locator("#panel")).to_have_attribute("style", re.compile("--ask"))
        assert wall.locator("#question").evaluate(fits)
    assert wall.locator("#prompt").evaluate("p => parseFloat(getComputedStyle(p).fontSize)") > 30


def test_a_student_who_is_removed_is_told_so(people: People, axe: Callable[[Page], list[str]]) -> None:
    """At once and in plain words; the name leaves the wall, joining anew is refused until the teacher takes it back."""
    teacher, code = people.teacher()
    wall = people.page(f"/class/{code}/wall", **WALL)
    ada, bob = people.student(code, "Ada"), people.student(code)
    teacher.get_by_role("button", name="Explore").click()
    ada.get_by_role("button", name="Take a copy").click()
    ada.get_by_label("with my nickname").check()
    ada.get_by_role("button", name="Hand in").click()
    teacher.locator("#hand-ins summary").click()
    teacher.get_by_role("button", name="Show", exact=True).click()
    expect(wall.locator(".handed")).to_contain_text("Ada")

    teacher.locator("#students summary").click()
    expect(teacher.locator("#student-list li")).to_have_count(2)
    assert axe(teacher) == []
    teacher.get_by_role("button", name="Remove Ada").click()
    expect(ada.get_by_role("alert")).to_contain_text("The teacher has removed you")
    expect(wall.locator(".handed")).to_have_count(0)
    expect(wall.locator("#counts")).to_contain_text("1 here")
    expect(bob.locator("#stage")).to_be_visible()
    ada.goto(f"/class/{code}")
    expect(ada.get_by_role("alert")).to_contain_text("The teacher has removed you")
    people.complaints = [text for text in people.complaints if "403" not in text]

    teacher.get_by_role("button", name="Let in Ada again").click()
    expect(teacher.get_by_role("button", name="Remove Ada")).to_be_visible()
    ada.goto(f"/class/{code}")
    expect(ada.locator("#stage")).to_be_visible()
    carl = people.student(code, "Carl")
    teacher.get_by_role("button", name="Remove Carl").click()
    expect(carl.get_by_role("alert")).to_contain_text("The teacher has removed you")
    people.complaints = [text for text in people.complaints if "403" not in text]


def test_the_wall_shows_the_new_code_by_itself(people: People) -> None:
    """The teacher's own wall and other tabs; a student, and a wall that anybody could have opened, are told."""
    teacher, code = people.teacher()
    own = teacher.context.new_page()
    own.goto(f"/class/{code}/wall")
    other = people.page(f"/class/{code}/wall", **WALL)
    ada = people.student(code)
    teacher.locator("#more summary").click()
    teacher.get_by_role("button", name="New code").click()
    teacher.get_by_role("button", name="Change it").click()
    teacher.wait_for_url(lambda url: url.endswith("/teach") and code not in url)
    fresh = teacher.url.split("/")[-2]
    own.wait_for_url(f"**/class/{fresh}/wall*")
    expect(own.locator(".wall-join .room-code")).to_have_text(f"{fresh[:4]} {fresh[4:]}")
    for screen in (other, ada):
        expect(screen.get_by_role("heading", name="The class has a new code")).to_be_visible()
        assert fresh not in screen.content()
    teacher.locator("#step").click()
    expect(own.locator("#stage")).to_have_attribute("data-step", "1")


def test_a_long_lesson_stays_readable_on_the_wall(people: People) -> None:
    """No text of a lesson is smaller than 1.5 % of the wall; what does not fit is said to go on elsewhere, and is cut
    only then."""
    teacher, code = people.teacher()
    wall = people.page(f"/class/{code}/wall", **WALL)
    found = set()
    for lesson in ("/learn/line?screen=1", "/learn/slope?screen=2", "/learn/math?screen=3", "/learn/code?screen=4"):
        teacher.evaluate(
            "([room, lesson]) => fetch(`/api/v1/rooms/${room}/shared`, {method: 'PUT', body: JSON.stringify({lesson}),"
            " headers: {'Content-Type': 'application/json'}})",
            [code, lesson],
        )
        slug = lesson.split("/")[2].split("?")[0]
        expect(wall.locator("#stage")).to_have_attribute("data-shape", f"lesson {slug}")
        expect(wall.locator("#picture")).to_have_attribute("style", re.compile("--zoom"))
        wall.wait_for_timeout(100)
        size, over, cut = wall.locator("#picture").evaluate("""p => [
            Math.min(...[...p.querySelectorAll('.prose p')].map(e => parseFloat(getComputedStyle(e).fontSize)
                * parseFloat(p.style.getPropertyValue('--zoom')))),
            p.querySelector('#stage').getBoundingClientRect().bottom > p.getBoundingClientRect().bottom,
            getComputedStyle(p, '::after').content]""")
        assert size > 0.015 * WALL["viewport"]["width"]
        assert over == ("Continues on your own screen" in cut), lesson
        found.add(over)
    assert found == {True, False}


def test_an_answer_that_is_not_sent_yet_says_so_and_goes_by_itself(people: People) -> None:
    """The last one tapped, once; also when the page is loaded anew; and one that comes too late says so."""
    teacher, code = people.teacher()
    ada = people.student(code)
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Will the loss go down?").click()
    expect(ada.locator(".pick")).to_have_count(3)
    ada.context.set_offline(True)
    for answer in ("up", "down"):
        ada.get_by_role("button", name=answer, exact=True).click()
        expect(ada.locator("#unsent")).to_contain_text(f"“{answer}”, is not sent yet")
        expect(ada.locator(".pick.unsent")).to_have_text(answer)
    ada.context.set_offline(False)
    expect(teacher.locator(".tally")).to_contain_text("1 answered")
    expect(ada.locator("#unsent")).to_have_text("")
    expect(ada.locator("#yours")).to_contain_text("Your answer: down")
    expect(ada.locator(".pick.unsent")).to_have_count(0)

    ada.route("**/answer", lambda route: route.abort())
    ada.get_by_role("button", name="up", exact=True).click()
    expect(ada.locator("#unsent")).to_contain_text("not sent yet")
    ada.reload()
    expect(ada.locator("#unsent")).to_contain_text("“up”, is not sent yet")
    teacher.get_by_role("button", name="Close: no more answers").click()
    expect(ada.locator("#question")).to_have_attribute("data-status", "closed")
    ada.unroute("**/answer")
    expect(ada.locator("#unsent")).to_contain_text("“up”, came too late")
    expect(ada.locator("#yours")).to_contain_text("Your answer: down")
    people.complaints = [text for text in people.complaints if "Failed to load" not in text]


class Relay(socketserver.StreamRequestHandler):
    """A proxy that buffers: it hands one answer on when it is whole, so that of a stream nothing ever comes."""

    def handle(self) -> None:
        lines, length = [], 0
        while (line := self.rfile.readline()) not in (b"", b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if not line.lower().startswith(b"connection:"):
                lines.append(line)
        if not lines:
            return
        target: int = self.server.target  # type: ignore[attr-defined]
        with socket.create_connection(("127.0.0.1", target)) as far, suppress(OSError):
            far.sendall(b"".join(lines) + b"Connection: close\r\n\r\n" + self.rfile.read(length))
            self.wfile.write(far.makefile("rb").read())


def test_behind_a_proxy_that_buffers_a_page_asks_what_is_new(browser: Browser, people: People) -> None:
    """It says that the connection is slow, follows all the same, and counts as here."""
    teacher, code = people.teacher()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as proxy:
        proxy.daemon_threads = True
        proxy.target = int(people.url.rpartition(":")[2])  # type: ignore[attr-defined]
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        far = People(browser, f"http://127.0.0.1:{proxy.server_address[1]}")
        ada = far.student(code)
        teacher.locator("#step").click()
        expect(ada.locator("#link")).to_contain_text("Slow connection")
        expect(ada.locator("#stage")).to_have_attribute("data-step", "1")
        expect(teacher.locator("#counts")).to_contain_text("1 here")
        teacher.locator("#ask summary").click()
        teacher.get_by_role("button", name="Will the loss go down?").click()
        ada.get_by_role("button", name="down", exact=True).click()
        expect(teacher.locator(".tally")).to_contain_text("1 answered")
        for context in far.contexts:
            context.close()
        proxy.shutdown()


def test_closing_asks_first_and_can_be_taken_back(people: People, axe: Callable[[Page], list[str]]) -> None:
    """Cancelled, nothing happens; saved and closed, the table comes; reopened, the student is back with the answer."""
    teacher, code = people.teacher()
    ada = people.student(code, "Ada")
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Will the loss go down?").click()
    ada.locator(".pick").first.click()
    expect(teacher.locator(".tally")).to_contain_text("1 answered")
    for way in ("Cancel", "Save the answers and close"):
        teacher.locator("#more summary").click()
        teacher.get_by_role("button", name="Close the room").click()
        expect(teacher.get_by_role("dialog")).to_be_visible()
        assert axe(teacher) == []
        if way == "Cancel":
            teacher.get_by_text(way).click()
            expect(teacher.get_by_role("dialog")).to_be_hidden()
    with teacher.expect_download() as download:
        teacher.get_by_role("button", name="Save the answers and close").click()
    assert ",Ada,down," in Path(download.value.path()).read_text(encoding="utf-8")
    ada.wait_for_url("**/class/over*")
    assert axe(teacher) == []
    teacher.get_by_role("button", name="Reopen the room").click()
    expect(teacher.locator("html[data-teaching]")).to_be_attached()
    ada.reload()
    expect(ada.locator("#yours")).to_contain_text("Your answer: down")


COVERS = """([one, other]) => { const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
    return Math.min(a.right, b.right) > Math.max(a.left, b.left)
        && Math.min(a.bottom, b.bottom) > Math.max(a.top, b.top);
}"""


def covers(page: Page, one: str, other: str) -> bool:
    found = [page.locator(each).element_handle() for each in (one, other)]
    return bool(page.evaluate(COVERS, found))


@pytest.mark.parametrize("size", [(390, 844), (1280, 720)])
def test_a_bar_stands_below_its_label(people: People, size: tuple[int, int]) -> None:
    """Of long answers, on a phone and on a wide screen; the line under one's own answer is in sight, too."""
    teacher, code = people.teacher()
    ada = people.page(f"/class/{code}", viewport={"width": size[0], "height": size[1]})
    ada.get_by_role("button", name="Join").click()
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Which weight has the largest gradient?").click()
    ada.locator(".pick").first.click()
    teacher.get_by_role("button", name="Reveal").click()
    expect(ada.locator(".vote.mine")).to_have_count(1)
    apart = """votes => votes.map(v => v.querySelector('svg').getBoundingClientRect().top
        - v.querySelector('.label').getBoundingClientRect().bottom)"""
    found = ada.locator(".vote").evaluate_all(apart)
    assert len(found) == 4
    assert min(found) >= 4


@pytest.mark.parametrize("profile", ["screen", "projector"])
def test_the_receipt_does_not_lie_on_the_question(people: People, profile: str) -> None:
    """On a tablet, where it lies over the controls; after the reveal, too, when the strip is taller."""
    teacher, _ = people.teacher()
    teacher.set_viewport_size({"width": 1024, "height": 768})
    teacher.evaluate("profile => { document.documentElement.dataset.profile = profile; }", profile)
    teacher.locator("#step").click()
    teacher.locator("#ask summary").click()
    teacher.get_by_role("button", name="Which way will this weight move?").click()
    for button in ("Reveal", None):
        expect(teacher.locator("#receipt")).to_be_visible()
        expect(teacher.locator("html")).to_have_attribute("style", re.compile("--strip"))
        assert not covers(teacher, "#receipt", "#question")
        if button:
            teacher.get_by_role("button", name=button).click()
            expect(teacher.locator(".truth")).to_be_visible()
    on_top = """e => { const b = e.getBoundingClientRect();
        return document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2) === e; }"""
    assert teacher.locator("#receipt .close").evaluate(on_top)


def test_a_refused_question_stays_open_with_its_sentence(people: People) -> None:
    """What was typed is kept, and why it was refused stands beside it; Escape closes the menu."""
    teacher, _ = people.teacher()
    teacher.locator("#ask summary").click()
    teacher.locator("#own-prompt").fill("Why?")
    teacher.get_by_label("Answers, one a line").fill("a\na")
    teacher.get_by_role("button", name="Ask it").click()
    expect(teacher.locator("#ask .error").filter(has_text="2 to 6 different options")).to_be_visible()
    expect(teacher.locator("#own-prompt")).to_have_value("Why?")
    teacher.keyboard.press("Escape")
    expect(teacher.locator("#own-prompt")).to_be_hidden()
    expect(teacher.locator("#ask summary")).to_be_focused()
    people.complaints = [text for text in people.complaints if "422" not in text]
