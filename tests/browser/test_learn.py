"""Lessons in a real browser, as a student would go through them: by mouse, by finger and by keys alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.learn.listings import code_of
from engine import Spec, start, trace

SAID = re.compile(r"The network says (\d)")


@pytest.fixture
def learn(page: Page) -> Iterator[Callable[[str], Page]]:
    """`learn(path)` opens a page under /learn; no test may end with a fault on the console."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))

    def go(path: str = "") -> Page:
        page.goto(f"/learn{path}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield go
    assert faults == []


def loss_of(page: Page) -> float:
    return float(page.locator("#loss").inner_text())


def drag(page: Page, name: str, value: float) -> None:
    """Move a slider as a hand does, and wait for the picture that belongs to it."""
    slider = page.locator(f"#set-{name}")
    slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})) }", value)
    expect(page.locator("#screen")).to_have_attribute("data-set", re.compile(rf"\b{name}={float(value)} "))


def test_lesson_2_steered_by_the_loss_alone(learn: Callable[[str], Page]) -> None:
    """The points are blurred; two sliders bring the loss under the goal; then they are revealed, with residuals."""
    page = learn("/line?screen=2")
    goal = float(page.locator(".before strong").first.inner_text())
    assert page.locator(".points[filter]").count() == 1
    assert page.locator(".residual").count() == 0
    before = loss_of(page)
    # one slider until the loss stops falling, then the other, then the first again: as the lesson says
    fine = (("b", (0.4, 0.5, 0.6)), ("m", (1.25, 1.4, 1.55)), ("b", (0.4, 0.5, 0.6)))
    for name, values in (("b", (0, 0.5, 1)), ("m", (0.5, 1, 1.5)), *fine):
        losses = {}
        for value in values:
            drag(page, name, value)
            losses[value] = loss_of(page)
        drag(page, name, min(losses, key=losses.__getitem__))
    assert loss_of(page) < goal < before
    expect(page.locator(".big-number")).to_contain_text("there")
    page.get_by_role("button", name="Reveal the points").click()
    expect(page.locator(".residual").first).to_be_attached()
    expect(page.get_by_text("So this is what the loss was telling you")).to_be_visible()
    assert page.locator(".points[filter]").count() == 0
    assert loss_of(page) < goal  # the sliders stay where they were put


def test_lesson_2_by_keys_alone(learn: Callable[[str], Page]) -> None:
    """Arrow keys move the slider, which keeps the focus while the picture changes; Enter presses a choice."""
    page = learn("/line?screen=2")
    slider = page.locator("#set-b")
    slider.focus()
    before = loss_of(page)
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"b=-0\.6(&|$)"))
    assert loss_of(page) < before
    assert page.evaluate("document.activeElement.id") == "set-b"
    page.get_by_role("button", name="worse").focus()
    page.keyboard.press("Enter")
    verdict = page.locator("#verdict-raise")
    expect(verdict).to_contain_text("Not yet.")
    page.get_by_role("button", name="better").focus()
    page.keyboard.press("Enter")
    expect(verdict).to_contain_text("Right.")
    assert page.get_by_role("button", name="better").get_attribute("aria-pressed") == "true"


def test_lesson_7_from_the_network_to_every_published_number(learn: Callable[[str], Page]) -> None:
    """A student answers wrong, is told which factor, answers right, walks the moments, and finds all numbers."""
    page = learn("/layers")
    answer(page, "hidden", "0.3775", "Not yet. That is z")
    answer(page, "hidden", "0.5933", "Right.")
    turn(page)
    answer(page, "loss", "0.5967", "the half is missing")
    answer(page, "loss", "0.2984", "Right.")
    expect(page.locator("#screen")).to_contain_text("0.298371109")
    turn(page)
    answer(page, "delta", "0.7414", "Multiply by the activation's slope")
    answer(page, "delta", "0.1385", "Right.")
    answer(page, "new", "0.4411", "subtract it")
    answer(page, "new", "0.3589", "Right.")
    walked = [page.locator(".moment-words").inner_text()]
    for _ in range(4):
        page.get_by_role("button", name="Next moment").click()
        expect(page.locator(".moment-words")).not_to_have_text(walked[-1])
        walked.append(page.locator(".moment-words").inner_text())
    assert len(set(walked)) == 5
    expect(page.get_by_role("button", name="Next moment")).to_be_disabled()
    expect(page.locator("#verdict-delta")).to_contain_text("Right.")  # what was answered stays answered
    turn(page)
    page.get_by_role("button", name="up", exact=True).click()
    expect(page.locator("#verdict-way")).to_contain_text("Look at the sign again")
    page.get_by_role("button", name="down", exact=True).click()
    expect(page.locator("#verdict-way")).to_contain_text("Right.")
    turn(page)
    rows = page.locator(".checked tbody tr")
    expect(rows).to_have_count(8)
    for row in rows.all():
        cells = row.locator("td").all_inner_texts()
        assert cells[1] == cells[2]
        assert "✓" in cells[3]


def answer(page: Page, name: str, text: str, told: str) -> None:
    page.locator(f"#answer-{name}").fill(text)
    page.locator(f"#answer-{name}").press("Enter")
    expect(page.locator(f"#verdict-{name}")).to_contain_text(told)


def turn(page: Page) -> None:
    page.get_by_role("link", name="Next", exact=True).click()
    page.wait_for_selector("html[data-ready]")


def test_lesson_9_a_digit_drawn_with_the_mouse(learn: Callable[[str], Page]) -> None:
    """Wipe, draw a one, train: the drawing stays, and the network comes to say 1."""
    page = learn("/pixels?screen=2")
    page.get_by_role("button", name="Wipe").click()
    expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
    box = page.locator(".pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.15)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.85, steps=24)
    page.mouse.up()
    expect(page.get_by_text(SAID)).to_be_visible()
    drawn = page.locator('[name="ink"]').input_value()
    assert drawn.count("f") >= 8
    page.get_by_role("button", name="Train 800").click()
    expect(page.get_by_text("The network says 1")).to_be_visible()
    assert page.locator('[name="ink"]').input_value() == drawn


def test_lesson_9_a_digit_drawn_with_a_finger(browser: Browser, base_url: str) -> None:
    """A stroke on the pad draws and does not scroll the page away."""
    context = browser.new_context(base_url=base_url, has_touch=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto("/learn/pixels?screen=2&steps=800")
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("button", name="Wipe").tap()
    expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
    page.locator(".pad").scroll_into_view_if_needed()
    box = page.locator(".pad").bounding_box()
    assert box is not None
    finger = context.new_cdp_session(page)
    x, scrolled = box["x"] + box["width"] / 2, page.evaluate("scrollY")
    for kind, at in (("touchStart", 0.15), *(("touchMove", 0.15 + k / 30) for k in range(1, 21)), ("touchEnd", None)):
        points = [] if at is None else [{"x": x, "y": box["y"] + at * box["height"]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.get_by_text("The network says 1")).to_be_visible()
    assert page.evaluate("scrollY") == scrolled
    context.close()


def test_lesson_9_a_digit_drawn_with_keys(learn: Callable[[str], Page]) -> None:
    """Arrows move the pen, space draws, backspace rubs out; the pad keeps the focus and it is said where the pen is."""
    page = learn("/pixels?screen=2&steps=800")
    page.get_by_role("button", name="Wipe").click()
    expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
    pad = page.locator(".pad")
    pad.focus()
    for _ in range(8):
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
    expect(page.get_by_text("The network says 1")).to_be_visible()
    expect(page.locator("#pen")).to_have_text("Row 13, column 9, ink")  # the edge of the last stroke
    assert page.evaluate("document.activeElement.classList.contains('pad')")
    ink = page.locator('[name="ink"]').input_value()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#pen")).to_have_text("Row 12, column 9, ink")
    page.keyboard.press("Backspace")
    expect(page.locator("#pen")).to_have_text("Row 12, column 9, paper")
    assert page.locator('[name="ink"]').input_value().count("f") == ink.count("f") - 1


def test_a_slider_dragged_fast_ends_on_the_last_picture(learn: Callable[[str], Page]) -> None:
    """Twenty moves faster than the server answers: the picture shown last is that of the last place."""
    page = learn("/line?screen=1")
    page.locator("#set-m").evaluate(
        """e => { for (let k = -20; k <= 20; k += 1) {
            e.value = k / 10; e.dispatchEvent(new Event('input', {bubbles: true})) } }"""
    )
    expect(page.locator(".live .plot")).to_have_attribute("aria-label", re.compile(r"slope \+2\.00"))
    expect(page.locator("#shown-m")).to_have_text("+2.00")


def test_nudging_by_hand_counts_the_runs(learn: Callable[[str], Page]) -> None:
    """Each press reruns the model, says better or worse, and costs one run."""
    page = learn("/nudge")
    page.get_by_role("link", name="m + 0.001").click()  # the article's step comes first
    row = page.locator(".numbers tr", has_text="presses, each a run of the model")
    expect(row).to_contain_text("1")
    expect(page.locator(".numbers")).to_contain_text("better by")
    page.get_by_role("link", name="b − 0.001").click()
    expect(row).to_contain_text("2")
    expect(page.locator(".numbers")).to_contain_text("worse by")


def test_a_program_is_run_line_by_line_in_sight(learn: Callable[[str], Page]) -> None:
    """Every press runs one line, which is lit and inside its box, with what it has changed below."""
    page = learn("/code?screen=1&line=60")
    for line in range(61, 66):
        page.click("#press-line-" + str(line))
        expect(page.locator("#set-line")).to_have_value(str(line))
        box, lit = page.locator("#listing").bounding_box(), page.locator("#listing .runs").bounding_box()
        assert box
        assert lit
        assert box["y"] <= lit["y"] < lit["y"] + lit["height"] <= box["y"] + box["height"]
        expect(page.locator(".stop")).to_have_text(re.compile(r"\S"))


def test_progress_is_kept_in_the_browser(learn: Callable[[str], Page]) -> None:
    """Screens seen are marked on the list and on the dots, after a reload too, and nothing of it is sent."""
    page = learn("/error")
    turn(page)
    page.goto("/learn")
    page.wait_for_selector("html[data-ready]")
    item = page.locator('[data-progress="error"]')
    expect(item).to_contain_text("2 of 3 screens seen")
    learn("/error?screen=3")
    assert page.locator(".dots a.done").count() == 3
    page.goto("/learn")
    expect(item).to_contain_text("all screens seen")
    assert [cookie["name"] for cookie in page.context.cookies() if "learn" in cookie["name"]] == []


@pytest.mark.parametrize("width", [360, 390])
def test_code_is_read_on_a_phone_and_copied_whole(browser: Browser, base_url: str, width: int) -> None:
    """No listing scrolls sideways, no line of it is broken, and what is selected is the program."""
    context = browser.new_context(base_url=base_url, viewport={"width": width, "height": 800})
    page = context.new_page()
    for screen, listing in enumerate(("scalar.py", "vector.py", "flat.py", "train.py", "pytorch.py"), 1):
        page.goto(f"/learn/code?screen={screen}")
        page.wait_for_selector("html[data-ready]")
        assert page.evaluate(SIDEWAYS) == []
        heights = page.locator(".code-line").evaluate_all("lines => lines.map(e => e.getBoundingClientRect().height)")
        assert max(heights) < 1.5 * min(heights), listing
        assert page.evaluate(SELECTED).strip() == code_of(listing).strip()
    context.close()


def test_code_that_must_wrap_goes_on_further_in(browser: Browser, base_url: str) -> None:
    """On the smallest screen a line breaks below its own beginning, and the copy is still the program."""
    context = browser.new_context(base_url=base_url, viewport={"width": 240, "height": 800})
    page = context.new_page()
    page.goto("/learn/code")
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate(SIDEWAYS) == []
    # of every line that breaks, its parts begin where it began, or two characters further in
    parts = page.locator(".code-line").evaluate_all(
        """lines => lines.map(line => {
                const parts = [], texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
                while (texts.nextNode()) {
                    const text = texts.currentNode, range = document.createRange();
                    if (!text.data.trim()) continue;
                    range.setStart(text, text.data.search(/\\S/));
                    range.setEnd(text, text.data.trimEnd().length);
                    parts.push(...range.getClientRects());
                }
                return parts;
            })
            .filter(parts => parts.some(p => p.top > parts[0].top + 5))
            .map(parts => Math.min(...parts.filter(p => p.top > parts[0].top + 5).map(p => p.left)) - parts[0].left)"""
    )
    assert len(parts) > 5
    assert min(parts) > 0
    assert page.evaluate(SELECTED).strip() == code_of("scalar.py").strip()
    context.close()


SIDEWAYS = "[...document.querySelectorAll('.code')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"
SELECTED = """() => {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector('.code code'));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return getSelection().toString();
}"""


def test_lesson_11_any_slope_by_the_equations_and_by_nudging(learn: Callable[[str], Page]) -> None:
    """A weight is moved, another slope chosen: all numbers change, and the two ways still agree."""
    page = learn("/math?screen=3")
    page.get_by_role("button", name="Put this network's numbers in").click()
    expect(page.get_by_role("button", name="Show the symbols")).to_be_visible()
    seen = set()
    for weight, slope in ((0.4, "W2.1.1"), (-2, "W2.1.1"), (-2, "W1.1.1"), (2.5, "b1.1")):
        drag(page, "w", weight)
        page.locator(f'[name="slope"][value="{slope}"]').check(force=True)
        expect(page.locator("#screen")).to_have_attribute("data-set", re.compile(f"w={float(weight)} slope={slope} "))
        equation, nudge = page.locator(".live .numbers td").all_inner_texts()[-2:]
        assert equation == nudge
        seen.add(nudge)
    assert len(seen) == 4


def test_lesson_12_the_exact_line_comes_after_the_guess(learn: Callable[[str], Page]) -> None:
    """Three binnings fall with training; read exactly, nothing does, and that is shown once it was predicted."""
    page = learn("/black-box?screen=4")
    legend = page.locator(".live .legend li")
    expect(legend).to_have_text(["10 bins", "30 bins", "100 bins"])
    expect(page.locator(".live .numbers td").last).to_have_text("?")
    page.get_by_role("button", name="fall", exact=True).click()
    expect(page.locator("#verdict-exact")).to_contain_text("Not yet.")
    page.get_by_role("button", name="not at all").click()
    expect(page.locator("#verdict-exact")).to_contain_text("Right.")
    expect(legend).to_have_text(["10 bins", "30 bins", "100 bins", "exactly"])
    page.get_by_role("button", name="most of them").click()
    expect(page.locator("#verdict-crowd")).to_contain_text("Right.")
    expect(page.locator(".live .numbers td").last).to_have_text("90 %")


def test_the_link_to_the_playground_opens_the_lessons_run(learn: Callable[[str], Page]) -> None:
    """The worked example's last screen leads to its network, with its loss on the screen."""
    page = learn("/layers?screen=5")
    page.get_by_role("link", name="Walk through it in the playground").click()
    expect(page.locator("#number-train-loss dd")).to_have_text("0.2984")


def test_lessons_work_without_script(browser: Browser, base_url: str) -> None:
    """Number fields and a button in place of sliders, choices as buttons, the moments by buttons."""
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    page = context.new_page()
    page.goto("/learn/line?screen=2")
    assert page.locator("#set-m").get_attribute("type") == "number"
    page.locator("#set-m").fill("1.45")
    page.locator("#set-b").fill("0.5")
    page.get_by_role("button", name="Show", exact=True).last.click()
    assert loss_of(page) < 0.02
    page.get_by_role("button", name="Reveal the points").click()
    assert page.locator(".residual").count() == 30
    assert loss_of(page) < 0.02
    page.goto("/learn/slope?screen=2")
    page.get_by_role("button", name="down").first.click()
    expect(page.locator("#verdict-way")).to_contain_text("Look at the sign again")
    page.goto("/learn/layers?screen=2")
    page.get_by_role("button", name="Next moment").click()
    expect(page.locator(".moment-words")).to_contain_text("Hidden 1")
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_nothing_for_axe_to_find(
    browser: Browser, base_url: str, axe: Callable[[Page], list[str]], width: int, scheme: str
) -> None:
    """The list, practice, and screens of every kind; and no page is wider than the window."""
    context = browser.new_context(base_url=base_url, viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    paths = [
        "", "/practice?seed=3&answer=1", "/practice?type=conv_weight&seed=3&answer=1",
        "/practice?type=layer_norm&seed=3", "/error", "/line?screen=2&reveal=1", "/slope?screen=4",
        "/overshoot?screen=3", "/neuron?screen=3", "/layers?screen=3&moment=6", "/deeper", "/pixels?screen=2",
        "/pixels?screen=3", "/code?screen=3", "/code?screen=4", "/math?screen=3&numbers=1", "/math?screen=4",
        "/black-box?screen=2", "/black-box?screen=4", "/circuit", "/circuit?screen=2&moment=4", "/circuit?screen=5",
    ]  # fmt: skip
    found = {}
    for path in paths:
        page.goto(f"/learn{path}")
        page.wait_for_selector("html[data-ready]")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found[path] = axe(page)
    assert {path: faults for path, faults in found.items() if faults} == {}
    context.close()


def test_practice_with_an_answer_worked_out(learn: Callable[[str], Page]) -> None:
    """From the numbers that are shown, and no others, the answer follows; other numbers come by a link."""
    page = learn("/practice?type=delta&seed=7")
    shown = page.locator(".live").inner_text().replace("−", "-")
    hidden, output = (
        {"W": [[0.4, -0.8], [-0.4, 0.7]], "b": [0.7, 0.4]},
        {"W": [[0.1, 0.6], [-0.4, -0.5]], "b": [-0.3, -0.3]},
    )
    data = {"x": [[0.8, -0.5]], "y": [[0.55, 0.71]], "task": "regression"}
    spec = Spec.make(
        dataset="custom", data=data, test_share=0, hidden=[2], activation="relu",
        output_activation="sigmoid", loss="squared_error", parameters=[hidden, output],
    )  # fmt: skip
    for number in ("+0.8", "-0.5", "+0.55", "+0.71", "+0.4", "-0.8", "-0.4", "+0.7", "+0.1", "+0.6", "-0.3"):
        assert number in shown
    answer(page, "answer", f"{trace(start(spec), 0).layers[1].dz[0, 0]:.4f}", "Right.")
    page.get_by_role("link", name="Other numbers").click()
    page.wait_for_selector("html[data-ready]")
    assert page.locator('[name="seed"]').input_value() != "7"
