"""The playground in a real browser: what a person does by mouse and by keys, and what then stands on the screen."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from waiting import until

from engine import Spec, advance, evaluate, start

PHONE = {"width": 390, "height": 844}
DEEP = "/?hidden=8,8,8,8,8,8&batch_size=30"
NOT_SVG = """() => [...document.querySelectorAll('#frame svg *')]
    .filter(e => e.namespaceURI !== 'http://www.w3.org/2000/svg').map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture
def open_page(page: Page) -> Iterator[Callable[[str], Page]]:
    """`open_page(path)` waits until the page's scripts stand; no test may end with a fault on the console."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))

    def go(path: str = "/") -> Page:
        page.goto(path)
        page.wait_for_selector("html[data-ready]")
        return page

    yield go
    # A browser tells of every refusal (422) and lost answer by itself; tests below ask for some.
    assert [fault for fault in faults if "status of 422" not in fault and "net::ERR_FAILED" not in fault] == []


def number(page: Page, name: str) -> str:
    return page.locator(f"#number-{name} dd").inner_text()


def expect_number(page: Page, name: str, text: str) -> None:
    expect(page.locator(f"#number-{name} dd")).to_have_text(text)


def run_of(page: Page) -> str:
    """The id of the run on screen; of one that is not stored yet, that of another at the same step of its link."""
    bar = page.locator("#bar")
    if (run := bar.get_attribute("data-run") or "") != "new":
        return run
    form = {"link": urlsplit(page.url).query, "to": bar.get_attribute("data-step") or ""}
    made = page.request.post("/runs/new/rewind", form={**form, "head": form["to"]}, headers={"HX-Request": "true"})
    found = re.search(r'data-run="([^"]+)"', made.text())
    assert found
    return found[1]


def api(page: Page, path: str = "") -> Any:
    run = run_of(page)
    return page.request.get(f"/api/v1/runs/{run}{path}").json()


def plain(text: str) -> float:
    """A number as it stands on the screen."""
    superscripts = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    text = text.translate(superscripts).replace("−", "-").replace("×10", "e")
    return float(text)


def test_opens_on_a_living_network(open_page: Callable[..., Page]) -> None:
    """The page shows the default network with every bias, its surfaces, its loss, and the whole spec in the address."""
    page = open_page()
    assert page.locator("#net .node").count() == 2 + 4 + 2 + 1
    assert page.locator("#net .bias").count() == 4 + 2 + 1
    assert page.locator("#links .w").count() == 8 + 8 + 2
    assert page.locator("#sprite").get_attribute("href").startswith("data:image/png")
    assert float(number(page, "train-loss")) == pytest.approx(api(page)["loss"]["train"], abs=5e-5)
    page.click("#step")
    expect_number(page, "step", "1")
    query = dict(pair.split("=") for pair in urlsplit(page.url).query.split("&"))
    assert {"dataset", "hidden", "activation", "loss", "optimizer", "learning_rate", "seed"} <= set(query)


def test_steps_by_click_and_by_key(open_page: Callable[..., Page]) -> None:
    """Step, Epoch, Reset and New start do what they say, by their buttons and by their keys."""
    page = open_page("/?seed=11")
    for _ in range(5):
        page.click("#step")
    expect_number(page, "step", "5")
    page.keyboard.press("s")
    expect_number(page, "step", "6")
    page.click("#epoch")
    expect_number(page, "step", "12")
    page.keyboard.press("e")
    expect_number(page, "step", "24")
    first = page.locator("#link-1-1-1").get_attribute("data-v")
    page.keyboard.press("r")
    expect_number(page, "step", "0")
    page.keyboard.press("n")
    expect(page.locator("#new-start span").first).to_have_text("Seed 12")
    assert page.locator("#link-1-1-1").get_attribute("data-v") != first
    assert page.evaluate(NOT_SVG) == []


def test_plays_and_pauses(open_page: Callable[..., Page]) -> None:
    """Play trains, Pause stops it; what is on screen then is what the API says, and what a fresh page would draw."""
    page = open_page("/?seed=21")
    page.keyboard.press("Space")
    expect(page.locator("#play .word")).to_have_text("Pause")
    until(page, lambda: int(number(page, "step").replace(",", "")) > 20)
    page.click("#play")
    expect(page.locator("#play .word")).to_have_text("Play")
    until(page, "document.querySelector('#view [name=quick]') === null && !document.body.matches('.playing')")
    page.wait_for_timeout(400)
    assert int(number(page, "step").replace(",", "")) == api(page)["step"]
    drawn = page.evaluate("document.getElementById('links').innerHTML")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("document.getElementById('links').innerHTML") == drawn
    assert page.evaluate(NOT_SVG) == []


def test_frames_of_play_draw_what_whole_frames_draw(open_page: Callable[..., Page]) -> None:
    """Values put into the drawing by the script leave exactly the drawing that the server would have sent."""
    page = open_page("/?seed=5&lens=gradients&hidden=3,3&learning_rate=0.3")
    page.keyboard.press("Space")
    until(page, lambda: int(number(page, "step")) > 8)
    frozen = page.evaluate("""async () => {
        document.getElementById('play').click();
        await new Promise(done => setTimeout(done, 600));
        const run = document.getElementById('bar').dataset.run;
        const text = async (more) => (await fetch(`/runs/${run}/frame?lens=gradients&size=l${more}`,
            {headers: {'HX-Request': 'true'}})).text();
        const whole = new DOMParser().parseFromString(await text(''), 'text/html').getElementById('net').innerHTML;
        const module = document.querySelector('script[src$="playground.js"]').src.replace('playground', 'stills');
        const {patch} = await import(module);
        const quick = JSON.parse(await text('&quick=1'));
        document.querySelectorAll('#net .w').forEach(link => link.setAttribute('stroke-width', '0'));
        patch(document.getElementById('net'), quick.frames[0].values);
        const now = document.getElementById('net').cloneNode(true);
        now.querySelector('#pulses').replaceChildren();
        return [whole, now.innerHTML];
    }""")
    assert frozen[0] == frozen[1]


def test_a_link_opens_the_same_run_elsewhere(open_page: Callable[..., Page], browser: Browser, base_url: str) -> None:
    """The address, edits and all, opened by somebody else shows the same numbers to the last digit."""
    page = open_page("/?seed=31&lens=gradients")
    page.click("#epoch")
    expect_number(page, "step", "12")
    page.select_option("#c-learning_rate", "0.1")
    expect(page.locator("#c-learning_rate")).to_have_value("0.1")
    page.wait_for_url(re.compile("edits="))
    page.keyboard.press("e")
    expect_number(page, "step", "24")
    page.wait_for_url(re.compile("step=24"))
    other = browser.new_context(base_url=base_url).new_page()
    other.goto(urlsplit(page.url)._replace(scheme="", netloc="").geturl())
    other.wait_for_selector("html[data-ready]")
    for name in ("step", "train-loss", "test-loss"):
        assert number(other, name) == number(page, name)
    same = "[...document.querySelectorAll('#links .w')].map(e => e.dataset.v).join()"
    assert other.evaluate(same) == page.evaluate(same)
    assert other.locator("#bar").get_attribute("data-run") != page.locator("#bar").get_attribute("data-run")
    other.context.close()


def test_no_faults_that_axe_can_find(open_page: Callable[..., Page], axe: Callable[[Page], list[str]]) -> None:
    """Zero violations of any kind: in the middle of a walkthrough with a receipt, and on a phone in the dark."""
    page = open_page("/?step=30&lens=gradients&example=3&moment=14&select=W2.1.3")
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(500)
    assert axe(page) == []


def test_steps_without_script(browser: Browser, base_url: str) -> None:
    """Without JavaScript the buttons step the run, the lens changes and the address follows."""
    page = browser.new_context(java_script_enabled=False, base_url=base_url).new_page()
    page.goto("/?seed=41")
    page.click("#step")
    assert number(page, "step") == "1"
    assert "step=1" in page.url
    assert "seed=41" in page.url
    page.click("text=gradients")
    assert "lens=gradients" in page.url
    page.click("#epoch")
    assert number(page, "step") == "12"
    page.click("text=Walk through the next step")
    assert page.locator("#words").inner_text()
    page.context.close()


def test_a_refused_form_without_script(browser: Browser, base_url: str) -> None:
    """A loss that does not suit the output is refused at its field, both as they were chosen, and can be put right."""
    page = browser.new_context(java_script_enabled=False, base_url=base_url).new_page()
    page.goto("/?seed=42")
    page.select_option("#c-loss", "cross_entropy")
    page.click("#settings noscript button")
    expect(page.locator("#error-loss")).to_contain_text("use softmax")
    expect(page.locator("#c-loss")).to_have_value("cross_entropy")
    page.select_option("#c-output_activation", "softmax")
    page.click("#settings noscript button")
    assert "loss=cross_entropy" in page.url
    assert "output_activation=softmax" in page.url
    assert "seed=42" in page.url
    page.context.close()


def test_walks_a_whole_pass_by_keyboard(open_page: Callable[..., Page]) -> None:
    """Every moment on screen says what the API says, in words and numbers; back really goes back."""
    page = open_page("/?seed=7&hidden=2&step=5&example=3&grain=operation&lens=gradients")
    said = api(page, "/walkthrough?example=3&granularity=operation&step=5")["moments"]
    seen = []
    for index, told in enumerate(said):
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f'#walk[data-moment="{index}"]')
        words = page.locator("#words").inner_text().replace("\xa0", " ")
        assert words == told["words"], index
        results = page.locator("tr.numbers td:first-of-type").all_inner_texts() or [told["numbers"]]
        assert all(each in told["numbers"] for each in results), index
        assert page.locator("#symbols math").count() >= 1
        seen.append(words)
    assert page.locator("#net .w.unknown").count() == 0
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f'#walk[data-moment="{len(said) - 2}"]')
    assert page.locator("#words").inner_text() == seen[-2]
    assert page.evaluate(NOT_SVG) == []


def test_what_is_not_computed_yet_is_not_shown(open_page: Callable[..., Page]) -> None:
    """In the forward pass no delta and no gradient is told, neither by a number nor by a link's width."""
    page = open_page("/?seed=7&step=5&example=3&moment=2&lens=gradients")
    deltas = page.locator("#net .below").all_text_contents()
    assert deltas
    assert all(text.endswith("?") for text in deltas)
    assert page.locator("#links .w:not(.unknown)").count() == 0
    assert set(page.locator("#links .w").evaluate_all("links => links.map(link => link.dataset.v)")) == {"?"}


def test_a_receipt_and_the_tables_tell_no_more_than_the_walkthrough(open_page: Callable[..., Page]) -> None:
    """The gradient of an open receipt comes with its moment, its step with the update; card and table go along."""
    page = open_page("/?seed=7&step=5&example=3&grain=unit&moment=4&lens=gradients&select=W3.1.2")
    values = page.locator("#receipt > .ledger dd")
    assert values.all_inner_texts()[1:] == ["?", "?", "?"]
    expect(page.locator("#receipt .receipt-words")).to_have_text("Its gradient and its step are yet to come.")
    page.wait_for_timeout(1500)  # the drawing is given its room
    page.hover("#node-3-1 .back", force=True)
    expect(page.locator("#hover")).to_contain_text("a ?, δ ?")
    page.click("#as-text summary")
    row = page.locator("#tables table").nth(1).locator("tbody tr").last
    expect(row.locator("td").nth(4)).to_have_text("?")
    told = api(page, "/receipt?address=W3.1.2&example=3&step=5")["facts"]
    page.evaluate("() => document.activeElement.blur()")
    for moment in range(5, 11):
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f'#walk[data-moment="{moment}"]')
    expect(row.locator("td").nth(3)).to_have_text(values.nth(1).inner_text())
    assert plain(values.nth(1).inner_text()) == pytest.approx(told["gradient"], rel=1e-3)
    assert values.all_inner_texts()[2:] == ["?", "?"]


@pytest.mark.parametrize(("moment", "script"), [(4, "carried"), (-1, "again")])
def test_a_script_that_comes_late_finds_its_part_gone(open_page: Callable[..., Page], moment: int, script: str) -> None:
    """What a moment needs is loaded when it is first met; who has gone on meanwhile sees nothing of it."""
    page = open_page("/?seed=7&example=3")
    held: list[Route] = []
    page.route(f"**/{script}.js", lambda route: held.append(route))
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('#walk[data-moment="0"]')
    last = int(page.locator("#walk").get_attribute("data-total") or "") - 1
    page.locator("#moments").fill(str(moment if moment >= 0 else last))
    page.wait_for_selector(f"#{script}", state="attached")
    until(page, lambda: bool(held))
    page.keyboard.press("Escape")
    page.wait_for_selector(f"#{script}", state="detached")
    held[0].continue_()
    page.evaluate("url => import(url).then(() => new Promise((done) => setTimeout(done, 200)))", held[0].request.url)


def test_a_receipt_adds_up_and_follows_the_run(open_page: Callable[..., Page]) -> None:
    """Now plus the step is next, next is what it comes to, and the receipt can be reached and edited by keys."""
    page = open_page("/?seed=3&learning_rate=0.3&step=4")
    page.keyboard.press("d")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#receipt .ledger")
    lines = page.locator("#receipt > .ledger dd").all_inner_texts()
    now, step, after = plain(lines[0]), plain(lines[-2]), plain(lines[-1])
    assert now + step == pytest.approx(after, abs=1.1e-4)
    page.keyboard.press("s")
    expect_number(page, "step", "5")
    assert plain(page.locator("#receipt > .ledger dd").first.inner_text()) == pytest.approx(after, abs=1e-4)
    page.fill("#set-value", "1.25")
    page.keyboard.press("Enter")
    expect(page.locator("#receipt > .ledger dd").first).to_have_text("+1.250")
    page.fill("#set-value", "a lot")
    page.keyboard.press("Enter")
    page.wait_for_selector("#notice .error")
    page.click("#receipt button:text('nudge')")
    page.wait_for_selector("#probe h3")
    assert "✓" in page.locator("#probe").inner_text()
    says = page.locator("#probe .ledger dd")
    expect(says.nth(3)).to_have_text(page.locator("#receipt > .ledger dd").nth(1).inner_text())
    page.fill("#probe [name=amount]", "0.01")
    page.keyboard.press("Enter")
    expect(page.locator("#probe [name=amount]")).to_have_value("0.01")
    page.click("#step")
    expect_number(page, "step", "6")
    expect(says.nth(3)).to_have_text(page.locator("#receipt > .ledger dd").nth(1).inner_text())
    expect(page.locator("#probe [name=amount]")).to_have_value("0.01")


def test_the_loss_chart_goes_back_and_on(open_page: Callable[..., Page]) -> None:
    """A step of the past is shown without being lost; a branch shares it; going on from it drops the rest."""
    page = open_page("/?seed=51")
    page.click("#epoch")
    expect_number(page, "step", "12")
    page.focus("#scrub")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect_number(page, "step", "8")
    assert api(page)["step"] == 12
    page.click("text=To the latest step")
    expect_number(page, "step", "12")
    page.focus("#scrub")
    page.keyboard.press("Home")
    expect_number(page, "step", "0")
    page.click("text=Branch into a new run")
    expect(page.locator("#chart .other")).to_have_count(1)
    page.click("#step")
    expect_number(page, "step", "1")
    assert api(page)["step"] == 1


@pytest.mark.parametrize("size", [(1280, 720), (1200, 720), (1366, 768), (1440, 900)])
def test_what_is_learned_is_seen_where_it_is_played(open_page: Callable[..., Page], size: tuple[int, int]) -> None:
    """Play, the network and the whole output are in sight on a laptop's screen, and nothing is cut off at its side."""
    page = open_page("/")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for place in ("#play", "#output svg, #output canvas, #output image", "#node-3-1 .edge"):
        box = page.locator(place).first.bounding_box()
        assert box, place
        assert box["x"] >= 0, place
        assert box["y"] >= 0, place
        assert box["x"] + box["width"] <= size[0], place
        assert box["y"] + box["height"] <= size[1], place
    for place in ("#bar", "#side", "#controls", ".stage"):
        assert page.locator(place).evaluate("e => e.scrollWidth - e.clientWidth") <= 1, place


def test_the_digits_of_the_output_stay_in_their_column(open_page: Callable[..., Page]) -> None:
    """As many beside each other as there is room for, six at most."""
    page = open_page("/?dataset=digits16&hidden=16")
    right = "e.getBoundingClientRect().right > document.querySelector('#output').getBoundingClientRect().right"
    for width in (390, 1024, 1200, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.locator(".gallery button").evaluate_all(f"all => all.filter(e => {right}).length") == 0, width


SMALL = """() => [...document.querySelectorAll('svg text:not(.said)')].filter(t => t.textContent.trim()).map(t => {
    const box = t.ownerSVGElement.getScreenCTM();
    return [t.textContent, parseFloat(getComputedStyle(t).fontSize) * box.a];
}).filter(([, size]) => size < 11.9)"""


def test_a_phone_has_no_sideways_scroll(open_page: Callable[..., Page]) -> None:
    """At 390, 360 and 320 px nothing is wider than the screen, and the drawing's text is at least 12 px."""
    page = open_page("/?step=20&lens=gradients&moment=10")
    for width in (390, 360, 320):
        page.set_viewport_size({"width": width, "height": 800})
        until(page, lambda: page.evaluate(SMALL) == [])  # it shrinks with the screen until it is laid out anew
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_architecture_keeps_its_drawing_svg(open_page: Callable[..., Page]) -> None:
    """Layers and units come and go under one page's morphs without an element of another kind in the drawing."""
    page = open_page("/?seed=61")
    page.click("text=add one +")
    expect(page.locator("#layers > g")).to_have_count(5)
    page.click("[aria-label='One unit more in hidden 1']")
    expect(page.locator("#layer-1 .node")).to_have_count(5)
    page.click("[aria-label='Remove hidden 2']")
    expect(page.locator("#layers > g")).to_have_count(4)
    for tile in ("line", "digits16", "three_blobs", "circle"):
        page.click(f"#tile-{tile}")
        page.wait_for_selector(f"#tile-{tile}[aria-current]")
        page.click("#step")
        expect_number(page, "step", "1")
        assert page.evaluate(NOT_SVG) == []
    assert page.locator("#links .w").count() == 18


def test_my_own_data(open_page: Callable[..., Page]) -> None:
    """Points placed by click become a data set; what cannot be trained on is said, and stays as it was typed."""
    page = open_page("/?seed=71")
    page.click("#tile-custom")
    page.wait_for_selector("#pad")
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    assert box is not None
    for share, pen in ((0.2, 0), (0.3, 0), (0.7, 1), (0.8, 1)):
        page.check(f"[name=pen][value='{pen}']")
        page.mouse.click(box["x"] + share * box["width"], box["y"] + share * box["height"])
    assert len(page.input_value("#csv").splitlines()) == 4
    page.fill("#csv", "1, 2, 0")
    page.click("text=Train on this")
    expect(page.locator("#error-csv")).to_contain_text("There is only 1 line of numbers")
    page.fill("#csv", "-1, -2, 0\n3, 4, 1\n2, 1, 1\n-2, -1, 0\n-3, 1, 0")
    page.click("text=Train on this")
    page.wait_for_url(re.compile("dataset=custom"))
    expect(page.locator("#points circle")).to_have_count(5)


def test_what_is_refused_is_said_and_nothing_is_lost(open_page: Callable[..., Page]) -> None:
    """A loss that does not go with the task is refused at its field, and the run stays as it was."""
    page = open_page("/?dataset=plane&seed=81&step=3")
    page.click("#step")
    expect_number(page, "step", "4")
    run = page.locator("#bar").get_attribute("data-run")
    answers = [
        page.request.post(
            f"/runs/{run}/edit", form={"field": field, "value": value, field: value}, headers={"HX-Request": "true"}
        ).status
        for field, value in (("learning_rate", "NaN"), ("W9.9.9", "1"), ("x", ""))
    ]
    assert answers == [422, 422, 422]
    assert api(page)["step"] == 4


def test_the_layout_does_not_jump(open_page: Callable[..., Page]) -> None:
    """Stepping, playing and walking move nothing that is not meant to move."""
    page = open_page("/?seed=91")
    page.evaluate("""() => { window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(
        e => { window.shift += e.value; })).observe({type: 'layout-shift', buffered: true}); }""")
    for key in ("s", "s", "e", "Space"):
        page.keyboard.press(key)
        page.wait_for_timeout(250)
    page.keyboard.press("Space")
    page.wait_for_timeout(400)
    assert page.evaluate("window.shift") < 0.02


BOXES = """() => ['net', 'legend', 'walkbar', 'back', 'next', 'walkend', 'output'].map(id => {
    const box = document.getElementById(id).getBoundingClientRect();
    const scrolled = ['net', 'legend'].includes(id) ? document.querySelector('.stage').scrollTop : 0;
    return [id, box.left, box.top + scrolled + scrollY, box.width, box.height].join(' ');
})"""
UNCOVERED = """() => {
    const lit = document.querySelector('#net .node:is(.forward, .backward, .update) .edge')?.getBoundingClientRect();
    return !lit || lit.top >= 0 && lit.bottom <= document.getElementById('walk').getBoundingClientRect().top;
}"""
WIDTHS = (1440, 1024, 390)
SOFTMAX = "dataset=three_blobs&loss=cross_entropy&output_activation=softmax&hidden=4,3"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("network", [SOFTMAX, DEEP[2:], "optimizer=adam&regularization=l1&regularization_rate=0.01"])
def test_the_walkthrough_moves_nothing(open_page: Callable[..., Page], network: str, width: int) -> None:
    """Whatever a moment has to tell, the diagram, the bar and the buttons stay, and so does what is below them; the
    moment's line of code is in sight, and in a drawing that scrolls the unit that is lit. Each width has moments of
    its own, between those of the others."""
    page = open_page("/")
    page.set_viewport_size({"width": width, "height": 900})
    for grain in ("operation", "unit", "pass"):
        page.goto(f"/?{network}&seed=5&step=10&example=4&grain={grain}&lens=gradients&moment=0")
        page.wait_for_selector("html[data-ready]")
        page.wait_for_timeout(300)
        total = int(page.locator("#walk").get_attribute("data-total") or 0)
        first = page.evaluate(BOXES)
        stride = max(1, total // 6)
        for index in range(1 + WIDTHS.index(width) * stride // 3, total, stride):
            page.evaluate(
                "i => { const m = document.getElementById('moments'); m.value = i; m.dispatchEvent(new Event('input', "
                "{bubbles: true})); }",
                index,
            )
            page.wait_for_selector(f'#walk[data-moment="{index}"]')
            assert page.evaluate(BOXES) == first, (grain, index)
            assert page.evaluate(
                "() => { const [lit, code] = ['#code .lit', '#code'].map(s => document.querySelector(s)"
                ".getBoundingClientRect()); return lit.top >= code.top - 1 && lit.bottom <= code.bottom + 1; }"
            ), (grain, index)
            assert width < 1440 or page.evaluate(UNCOVERED), (grain, index)


def test_colour_is_not_the_only_cue(open_page: Callable[..., Page]) -> None:
    """Negative links are dashed; with reduced motion no pulse runs."""
    page = open_page("/?seed=1")
    dash = "getComputedStyle(document.querySelector('#links .w.{}')).strokeDasharray"
    assert page.evaluate(dash.format("n")) != "none"
    assert page.evaluate(dash.format("p")) == "none"
    page.emulate_media(reduced_motion="reduce")
    page.click("#step")
    expect_number(page, "step", "1")
    assert page.locator(".pulse").count() == 0


def test_a_loss_brings_its_output_along(open_page: Callable[..., Page]) -> None:
    """What is chosen last counts: another loss changes the output, another output the loss; both controls say so."""
    page = open_page("/?seed=61")
    page.select_option("#c-loss", "cross_entropy")
    expect(page.locator("#c-output_activation")).to_have_value("softmax")
    expect(page.locator("#c-loss")).to_have_value("cross_entropy")
    page.select_option("#c-output_activation", "relu")
    expect(page.locator("#c-loss")).to_have_value("squared_error")


def test_a_receipt_is_in_sight_and_stays_open(open_page: Callable[..., Page]) -> None:
    """On a tablet too; no line of code is cut off; where a delta came from stays open over a step, and leads back."""
    page = open_page("/?seed=62&step=9&select=W2.1.3&example=8&moment=29")
    page.set_viewport_size({"width": 1024, "height": 768})
    box = page.locator("#receipt").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 768
    assert page.evaluate("() => [...document.querySelectorAll('#code')].every(e => e.scrollWidth <= e.clientWidth)")
    page.click("#factors-1 summary")
    page.keyboard.press("s")
    expect_number(page, "step", "10")
    page.click("#factors-1 button:text('δ of hidden 2, unit 1')")
    expect(page.locator("#receipt h2 .hidden")).to_have_text("a2.1")
    expect(page.locator("#factors-2 summary")).to_have_text("What adds up to da")


@pytest.mark.parametrize("width", [1300, 1401, 1440, 1536])
def test_numbers_keep_clear_of_the_addresses(open_page: Callable[..., Page], width: int) -> None:
    """Whole, and not under them, also when a run went off."""
    page = open_page("/?learning_rate=10&activation=identity&output_activation=identity&hidden=128")
    page.set_viewport_size({"width": width, "height": 900})
    page.click("#epoch")
    expect_number(page, "train-loss", "not a number")
    right = """() => Math.max(...[...document.querySelectorAll('#numbers :is(dt, dd)')].map(e => {
        const all = document.createRange();
        all.selectNodeContents(e);
        return all.getBoundingClientRect().right;
    }))"""
    assert page.evaluate(right) <= page.evaluate("document.querySelector('#top nav a').getBoundingClientRect().left")
    field = "(() => { const f = document.getElementById('units-1'); return f.scrollWidth <= f.clientWidth; })()"
    assert page.evaluate(field), "three digits of units are seen whole"


def test_the_keys_walk_the_drawing_and_a_card_says_what_a_link_shows(open_page: Callable[..., Page]) -> None:
    """From a link left leads to where it begins and right to where it ends; its card has its ends in that order, and
    its number by the name of what is drawn."""
    page = open_page("/?seed=64&step=3")
    says = {"weights": "weight", "activations": "carries", "gradients": "∂L/∂W", "updates": "change"}
    for lens, name in says.items():
        page.goto(f"/?seed=64&step=3&lens={lens}")
        page.wait_for_selector("html[data-ready]")
        page.focus("#node-1-3")
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("document.activeElement.id") == "link-1-3-1"
        value = page.locator("#link-1-3-1").get_attribute("data-v")
        expect(page.locator("#hover b")).to_have_text(re.compile(f"^W1.3.1  {name}.* {re.escape(value or '?')}$"))
        expect(page.locator("#hover i")).to_have_text("input, x₁ → hidden 1, unit 3")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.id") == "link-1-3-2"
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("document.activeElement.id") == "node-0-2"
        page.focus("#node-1-3")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.id") == "node-1-3"


def test_what_lies_at_hand_on_the_drawing(open_page: Callable[..., Page]) -> None:
    """A unit pointed at is large in Output; units and features change on the drawing; Undo leads to the run before."""
    page = open_page("/?seed=64")
    page.hover("#node-1-3")
    expect(page.locator("#large text")).to_have_text("hidden 1, unit 3")
    page.hover("#legend")
    expect(page.locator("#large")).to_have_count(0)
    page.click("#epoch")
    expect_number(page, "step", "12")
    page.click("#heads [aria-label='hidden 2: more units']")
    expect(page.locator("#layer-2 .node")).to_have_count(3)
    expect(page.locator("#heads b")).to_have_text(["4", "3"])
    page.click("#undo button:text('Undo')")
    expect(page.locator("#layer-2 .node")).to_have_count(2)
    expect_number(page, "step", "12")
    page.click("#heads .feature:has-text('x₁²')")
    expect(page.locator("#layer-0 .node")).to_have_count(3)
    assert page.evaluate(NOT_SVG) == []


def test_layers_are_added_and_changed_on_the_drawing_by_keys(open_page: Callable[..., Page]) -> None:
    """A + between two layers offers what can stand there, a layer's name what can be changed of it; Undo leads back."""
    page = open_page("/?seed=64")
    page.click("#epoch")
    expect_number(page, "step", "12")
    page.focus("#heads .between >> nth=1")
    page.keyboard.press("Enter")
    panel = page.locator("#layering")
    expect(panel.locator("button:enabled").first).to_be_focused()
    panel.locator("button:text-is('Dropout')").press("Enter")
    expect(page.locator("#c-layers")).to_have_value("dense 4 tanh, dropout 0.5, dense 2 tanh")
    expect(panel).to_have_count(0)
    page.focus("#heads [aria-label^='hidden 1, ']")
    page.keyboard.press("Enter")
    page.locator("#layering select").first.select_option(label="6")
    expect(page.locator("#layer-1 .node")).to_have_count(6)
    page.click("#heads [aria-label^='hidden 1, ']")
    page.click("#layering button:text-is('Take out Dropout')")
    expect(page.locator("#units-1")).to_have_value("6")
    page.go_back()
    page.go_back()
    page.go_back()
    expect_number(page, "step", "12")


def test_on_a_phone_a_receipt_leaves_its_link_in_sight(open_page: Callable[..., Page]) -> None:
    """The sheet comes from below; the page scrolls what it speaks of out from under it."""
    page = open_page("/?seed=66")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_selector("#view [name=size]:not([value=l])", state="attached")
    page.focus("#link-2-1-4")
    page.keyboard.press("Enter")
    expect(page.locator("#receipt .ledger").first).to_be_visible()
    clear = """() => document.querySelector('#net .sel').getBoundingClientRect().bottom
        < document.getElementById('receipt').getBoundingClientRect().top"""
    until(page, clear)
    room = "getComputedStyle(document.body).paddingBottom"
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate(room) != "0px"  # all of the page can be scrolled clear of it
    page.keyboard.press("Escape")
    expect(page.locator("#receipt")).to_be_hidden()
    until(page, lambda: page.evaluate(room) == "0px")


def test_a_first_visit_is_invited_once_and_a_receipt_moves_nothing(open_page: Callable[..., Page]) -> None:
    """The line above the drawing goes with the first Play; Output and Loss stay where they are beside a receipt."""
    page = open_page("/?seed=65")
    expect(page.locator("#first")).to_be_visible()
    places = """() => ['#output', '#plot', '#loss', '#net'].map(
        (e) => document.querySelector(e).getBoundingClientRect().top + scrollY)"""
    before = page.evaluate(places)
    page.focus("#node-1-1")
    page.keyboard.press("Enter")
    expect(page.locator("#receipt .ledger").first).to_be_visible()
    assert page.evaluate(places) == before
    page.click("#invite .button")
    expect(page.locator("#words")).to_be_visible()
    before = page.evaluate(places)
    page.click("#receipt .close")
    expect(page.locator("#receipt")).to_be_hidden()
    assert page.evaluate(places) == before, "in a walkthrough neither"
    page.click("#play")
    expect(page.locator("#first")).to_be_hidden()
    page.click("#play")
    expect(page.locator("#play .word")).to_have_text("Play")
    page.goto("/")
    expect(page.locator("#first")).to_be_hidden()


def test_biases_are_frozen_and_weights_given(open_page: Callable[..., Page]) -> None:
    """Every bias at once, and the start of a network as typed; what is wrong with it is said at its field."""
    page = open_page("/?seed=63&hidden=")
    page.click("#more-settings summary")
    page.click("#freeze-biases")
    expect(page.locator("#freeze-biases")).to_have_attribute("aria-pressed", "true")
    assert api(page)["spec"]["frozen"] == ["biases"]
    page.click("#given-start summary")
    page.fill("#c-start_parameters", '[{"W": 3}]')
    page.keyboard.press("Tab")
    expect(page.locator("#error-parameters")).to_contain_text("not allowed")
    page.fill("#c-start_parameters", '[{"W": [[0.5, -1]], "b": [0.25]}]')
    page.keyboard.press("Tab")
    until(page, "() => document.querySelector('#view [name=parameters]')?.value")
    assert api(page)["spec"]["parameters"] == [{"W": [[0.5, -1.0]], "b": [0.25]}]


def expect_address(page: Page, part: str) -> None:
    page.wait_for_url(re.compile(part))


def test_back_leads_to_what_was_there_before(open_page: Callable[..., Page]) -> None:
    """Another dataset, an example, a change in mid-run and Reset are entries of their own; steps and the time bar are
    not. Back and Forward bring the very runs, and nothing of them is lost."""
    page = open_page("/?seed=101")
    entries = page.evaluate("history.length")
    page.click("#epoch")
    expect_number(page, "step", "12")
    first = page.locator("#bar").get_attribute("data-run")
    page.focus("#scrub")
    page.keyboard.press("ArrowLeft")
    expect_number(page, "step", "11")
    page.click("text=To the latest step")
    expect_number(page, "step", "12")
    assert page.evaluate("history.length") == entries
    page.click("text=example 8")
    expect_address(page, "example=8")
    page.select_option("#c-learning_rate", "0.1")
    expect_address(page, "edits=12")
    page.click("#tile-xor")
    expect_address(page, "dataset=xor")
    page.click("#step")
    expect_number(page, "step", "1")
    assert page.evaluate("history.length") == entries + 3
    page.go_back()
    expect_address(page, "dataset=circle.*edits=12.*step=12")
    expect_number(page, "step", "12")
    expect(page.locator("#bar")).to_have_attribute("data-run", first or "")
    expect(page.locator("#tile-circle")).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.locator("#c-learning_rate")).to_have_value("0.03")
    expect_number(page, "step", "12")
    assert "edits" not in page.url
    page.go_back()
    expect(page.locator("#toolbar [name=example][aria-pressed=true]")).to_have_text(re.compile("batch"))
    page.go_forward()
    expect(page.locator("#toolbar [name=example][aria-pressed=true]")).to_have_text("example 8")
    page.go_forward()
    expect(page.locator("#bar")).to_have_attribute("data-run", first or "")
    page.go_forward()
    expect(page.locator("#tile-xor")).to_have_attribute("aria-current", "true")
    expect_number(page, "step", "1")
    page.click("#reset")
    expect_number(page, "step", "0")
    page.go_back()
    expect_number(page, "step", "1")


def test_no_key_of_the_walkthrough_is_lost(open_page: Callable[..., Page]) -> None:
    """However quickly they come and however slow the answers are, each key counts; Back leads to the moment before."""
    page = open_page("/?seed=152&example=8&moment=0")
    held: list[Route] = []
    free: list[bool] = []
    page.route(re.compile(r"/frame\?.*moment=\d"), lambda route: route.continue_() if free else held.append(route))
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    until(page, lambda: bool(held))  # of the first press or of the last: how many come in time is the machine's affair
    free.append(True)
    for route in held:
        route.continue_()
    page.wait_for_selector('#walk[data-moment="8"]')
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_selector('#walk[data-moment="5"]')
    for moment in (6, 7):
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f'#walk[data-moment="{moment}"]')
        expect_address(page, f"moment={moment}")
    page.go_back()
    page.wait_for_selector('#walk[data-moment="6"]')
    page.go_back()
    page.wait_for_selector('#walk[data-moment="5"]')
    page.go_forward()
    page.wait_for_selector('#walk[data-moment="6"]')


def test_no_click_of_the_walkthrough_is_lost(open_page: Callable[..., Page]) -> None:
    """The buttons of the bar count like the keys, also before the answer to the first is there."""
    page = open_page("/?seed=154&example=8&moment=0")
    page.evaluate("for (let n = 0; n < 6; n += 1) document.getElementById('next').click()")
    page.wait_for_selector('#walk[data-moment="6"]')
    page.evaluate("for (let n = 0; n < 4; n += 1) document.getElementById('back').click()")
    page.wait_for_selector('#walk[data-moment="2"]')


def test_what_is_tapped_is_large_enough(open_page: Callable[..., Page]) -> None:
    """24 by 24 px at least, or that much room around: what WCAG 2.2 asks, which axe asks only when told to."""
    sizes = "axe.run({runOnly: ['target-size']}).then(found => found.violations.flatMap(v => v.nodes.map(n => n.html)))"
    for path in ("/?seed=155", "/?seed=155&example=8&moment=13", "/?seed=155&example=8&select=W2.1.3"):
        page = open_page(path)
        page.evaluate((Path(__file__).parent / "vendor" / "axe.min.js").read_text() + "\n;undefined")
        assert page.evaluate(sizes) == [], path


def test_a_moment_is_there_before_it_is_asked_for(open_page: Callable[..., Page]) -> None:
    """With the next one fetched, a key needs no server; what is done to the run makes what was fetched void."""
    page = open_page("/?seed=153&example=8&moment=2")
    with page.expect_response(re.compile("moment=4")) as fetched:
        page.keyboard.press("ArrowRight")
    page.wait_for_selector('#walk[data-moment="3"]')
    fetched.value.finished()
    page.route("**/frame?*", lambda route: route.abort())
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('#walk[data-moment="4"]')
    page.unroute("**/frame?*")
    page.click("#step")
    expect_number(page, "step", "1")
    with page.expect_request(re.compile("moment=")):
        page.keyboard.press("ArrowLeft")


def test_pause_stops_at_what_is_seen(open_page: Callable[..., Page]) -> None:
    """The server is ahead of what is shown; after Pause the run stands at the step on screen and goes on from there."""
    page = open_page("/?seed=154")
    page.click("#play")
    until(page, lambda: int(number(page, "step").replace(",", "")) > 100)
    with page.expect_response("**/rewind"):
        seen = page.evaluate("""async () => {
            const bar = document.getElementById('bar').dataset;
            while (Number(bar.head) <= Number(bar.step)) await new Promise(requestAnimationFrame);
            document.getElementById('play').click();
            return document.getElementById('bar').dataset.step;
        }""")
    until(page, lambda: page.locator("#bar").get_attribute("data-head") == seen)
    assert api(page)["step"] == int(seen)
    page.click("#step")
    expect_number(page, "step", f"{int(seen) + 1:,}")


def test_the_speed_of_play_is_remembered(open_page: Callable[..., Page]) -> None:
    """A slow one goes a step a frame; the one that is given goes faster and faster."""
    page = open_page("/?seed=155")
    expect(page.locator("#speed option:checked")).to_have_text("auto")
    page.select_option("#speed", "1")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#speed")).to_have_value("1")
    with page.expect_request(lambda request: "frames=" in (request.post_data or "")) as asked:
        page.click("#play")
    assert set(re.findall(r"frames=([^&]*)", asked.value.post_data or "")[0].split("%2C")) == {"1"}
    page.click("#play")
    expect(page.locator("#play .word")).to_have_text("Play")


RAMP = """async ([wait, drawn]) => {
    const script = document.querySelector('script[src$="playground.js"]').src;
    const { Pace } = await import(script.replace('playground', 'pace'));
    const pace = Object.assign(new Pace(12), { wait, drawn });
    const seen = [];
    for (let [time, step] = [0, 0]; step < 2000;) {
        const { counts, gaps } = pace.next(time, 0);
        counts.forEach((count, i) => { seen.push([time, step += count]); time += gaps[i]; });
    }
    return seen;
}"""


@pytest.mark.parametrize(("wait", "drawn"), [(20, 1000 / 60), (250, 1000 / 60), (80, 40)])
def test_play_begins_step_by_step_and_solves_the_circle_soon(
    open_page: Callable[..., Page], wait: float, drawn: float
) -> None:
    """After the first, four steps are seen one by one, then there are more and more a frame, five epochs at most; by
    the ramp the default circle is solved 0.65 s later, also over a slow line or on a slow screen."""
    seen = open_page().evaluate(RAMP, [wait, drawn])
    calm = [(time, step) for time, step in seen if time < 239]
    assert [step for _, step in calm] == [1, 2, 3, 4]
    assert all(later - time >= 55 for (time, _), (later, _) in pairwise(calm))
    counts = [step - before for (_, before), (_, step) in pairwise(seen)]
    assert all(later >= 0.8 * before for before, later in pairwise(counts))
    assert max(counts) <= 60 * max(1, drawn * 0.06) + 1
    state = start(Spec.make())
    while (evaluate(state)["test"].loss or 0) >= 0.1:
        state = advance(state, 12).state
    assert min(time for time, step in seen if step >= state.step) <= 650


def test_play_without_motion_for_who_wants_none(open_page: Callable[..., Page]) -> None:
    """With reduced motion no pulse, and nothing between two frames."""
    page = open_page("/?seed=156")
    page.emulate_media(reduced_motion="reduce")
    page.click("#play")
    until(page, lambda: int(number(page, "step").replace(",", "")) > 30)
    assert page.locator("#pulses > *, #output-next").count() == 0
    page.click("#play")
    expect(page.locator("#play .word")).to_have_text("Play")


def test_the_first_clicks_are_all_on_one_run(open_page: Callable[..., Page]) -> None:
    """A page that is only looked at has no run; five quick clicks on Step are five steps of the one that they make."""
    page = open_page("/?seed=151&edits=2:learning_rate:0.3&step=4")
    assert page.locator("#bar").get_attribute("data-run") == "new"
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#walk[data-moment='0']")
    page.focus("#scrub")
    page.keyboard.press("ArrowLeft")
    expect_number(page, "step", "3")
    page.keyboard.press("ArrowRight")
    expect_number(page, "step", "4")
    assert page.locator("#bar").get_attribute("data-run") == "new"
    page.evaluate("for (let i = 0; i < 5; i += 1) document.getElementById('step').click()")
    expect_number(page, "step", "9")
    assert page.locator("#bar").get_attribute("data-run") != "new"
    assert api(page)["step"] == 9
    page.select_option("#c-learning_rate", "0.1")
    expect_address(page, "edits=2:learning_rate:0.3;9:learning_rate:0.1")
    assert api(page)["step"] == 9


def test_a_click_whose_answer_is_lost_is_one_step(open_page: Callable[..., Page]) -> None:
    """It is sent again by itself, with the same key, and told again rather than done again."""
    page = open_page("/?seed=152")
    lost: list[str] = []

    def lose(route: Route) -> None:
        key = route.request.headers["idempotency-key"]
        if key in lost:
            route.continue_()
            return
        lost.append(key)
        route.fetch()  # the server does it, and its answer goes astray
        route.abort()

    page.route("**/step", lose)
    for step in ("1", "2", "3"):
        page.click("#step")
        expect_number(page, "step", step)
    assert len(lost) == 3
    assert api(page)["step"] == 3
    page.unroute("**/step")


def test_settings_change_while_playing(open_page: Callable[..., Page]) -> None:
    """A change in mid-run takes effect between two frames and Play goes on; one that starts again ends Play first, and
    what was chosen is what is started; so does the walkthrough, which tells of the step on screen."""
    page = open_page("/?seed=103")
    page.click("#play")
    for control, value in (("learning_rate", "0.1"), ("optimizer", "momentum")):
        page.select_option(f"#c-{control}", value)
        changed = int(number(page, "step").replace(",", ""))
        until(page, lambda changed=changed: int(number(page, "step").replace(",", "")) > changed + 20)
    expect(page.locator("#play .word")).to_have_text("Pause")
    page.click("#play")
    expect_address(page, "edits=.*learning_rate:0.1.*optimizer:momentum")
    until(page, lambda: int(number(page, "step").replace(",", "")) == api(page)["step"])  # the last frame is drawn
    page.click("#play")
    page.click("#next")
    page.wait_for_selector("#walk[data-moment='0']")
    expect(page.locator("#play .word")).to_have_text("Play")
    assert int(number(page, "step").replace(",", "")) == api(page)["step"]
    for control, value in (("loss", "huber"), ("initializer", "he_normal")):
        page.click("#play")
        until(page, lambda: int(number(page, "step").replace(",", "")) > 0)
        page.select_option(f"#c-{control}", value)
        expect_address(page, f"{control}={value}.*step=0")
        expect(page.locator("#play .word")).to_have_text("Play")
        expect(page.locator(f"#c-{control}")).to_have_value(value)


def test_the_card_stands_beside_what_is_focused(open_page: Callable[..., Page]) -> None:
    """At a unit's right, whichever it is."""
    page = open_page("/")
    page.keyboard.press("d")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    for unit in (1, 2, 3, 4):
        expect(page.locator(f"#node-1-{unit}")).to_be_focused()
        card, node = page.locator("#hover").bounding_box(), page.locator(f"#node-1-{unit} .edge").bounding_box()
        assert card
        assert node
        assert 0 < card["x"] - node["x"] - node["width"] < 30
        assert node["y"] < card["y"] < node["y"] + node["height"]
        page.keyboard.press("ArrowDown")


def test_the_controls_say_what_the_network_is(open_page: Callable[..., Page]) -> None:
    """Enter in a field is its value and presses no button beside it; after Back every control is as it was."""
    page = open_page("/?seed=104")
    page.fill("#units-1", "6")
    page.keyboard.press("Enter")
    expect_address(page, "hidden=6,2")
    page.click("label.chip:has(#f-x1x2)")
    expect_address(page, "features=x1,x2,x1x2")
    page.go_back()
    expect_address(page, "features=x1,x2&")
    expect(page.locator("#f-x1x2")).not_to_be_checked()
    expect(page.locator("#units-1")).to_have_value("6")
    page.go_back()
    expect(page.locator("#units-1")).to_have_value("4")


def test_back_while_playing_and_to_a_branched_run(open_page: Callable[..., Page]) -> None:
    """Play stops first and writes nothing into the entry that comes back; of two runs alike the one left comes back."""
    page = open_page("/?seed=102")
    page.click("#epoch")
    expect_number(page, "step", "12")
    page.focus("#scrub")
    page.keyboard.press("Home")
    expect_number(page, "step", "0")
    left = page.locator("#bar").get_attribute("data-run")
    page.click("text=Branch into a new run")
    expect_address(page, "compare=")
    for most in (20, 40, 60, 80):
        page.click("#play")
        until(page, lambda most=most: int(number(page, "step").replace(",", "")) > most)
        page.go_back()
        expect(page.locator("#bar")).to_have_attribute("data-run", left or "")
        expect(page.locator("#play .word")).to_have_text("Play")
        expect_number(page, "step", "0")
        page.wait_for_timeout(200)
        assert "compare" not in page.url
        assert page.url.endswith("step=0")
        assert api(page)["step"] == 12
        page.go_forward()
        expect_address(page, "compare=")
        until(page, lambda most=most: int(number(page, "step").replace(",", "")) > most)
        assert int(number(page, "step").replace(",", "")) == api(page)["step"]
    page.click("#play")
    until(page, lambda: int(number(page, "step").replace(",", "")) > 100)
    page.click("#tile-xor")
    expect_address(page, "dataset=xor")
    page.wait_for_timeout(500)
    expect_number(page, "step", "0")
    assert "dataset=xor" in page.url


LATE = """window.late = [];
const soon = window.setTimeout;
window.setTimeout = (act, ms, ...rest) =>
  (window.leaving && ms === 1 && !late.length ? late.push(act) : soon(act, ms, ...rest));"""


def test_an_answer_between_back_and_its_notice_writes_nothing(open_page: Callable[..., Page], page: Page) -> None:
    """The address is another before the page is told so: what Play is answered meanwhile is not written there."""
    page.add_init_script(LATE)
    open_page("/?seed=105")
    page.click("#epoch")
    expect_number(page, "step", "12")
    page.focus("#scrub")
    page.keyboard.press("Home")
    expect_address(page, "step=0$")
    left = page.locator("#bar").get_attribute("data-run") or ""
    page.click("text=Branch into a new run")
    expect_address(page, "compare=")
    held: list[Route] = []
    page.route("**/step", lambda route: held.append(route), times=1)
    page.click("#play")
    until(page, lambda: bool(held))
    page.evaluate("window.leaving = true; history.back()")
    until(page, lambda: page.evaluate("late.length") == 1)
    held[0].continue_()
    until(page, lambda: number(page, "step") != "0")
    page.evaluate("late[0]()")
    expect(page.locator("#bar")).to_have_attribute("data-run", left)
    expect_number(page, "step", "0")
    assert page.url.endswith("step=0")
    assert api(page)["step"] == 12


def test_what_is_pressed_while_another_run_comes_back_does_not_reach_the_one_left(
    open_page: Callable[..., Page],
) -> None:
    """A step of the run that was left is dropped; Play waits for the one that comes back, and plays that."""
    page = open_page("/?seed=106")
    page.click("#step")
    expect_number(page, "step", "1")
    left = run_of(page)
    page.click("#tile-xor")
    expect_address(page, "dataset=xor")
    page.click("#step")
    expect_number(page, "step", "1")
    other, held = run_of(page), list[Route]()
    page.route(re.compile(r"[?&]kept="), lambda route: held.append(route))
    page.go_back()
    until(page, lambda: len(held) == 1)
    page.click("#step")
    held[0].continue_()
    expect(page.locator("#bar")).to_have_attribute("data-run", left)
    page.focus("#scrub")
    page.keyboard.press("Home")
    expect_number(page, "step", "0")  # what was pressed before has had its turn
    expect(page.locator("#bar")).to_have_attribute("data-run", left)
    page.go_forward()
    until(page, lambda: len(held) == 2)
    page.click("#play")
    held[1].continue_()
    expect(page.locator("#bar")).to_have_attribute("data-run", other)
    until(page, lambda: int(number(page, "step").replace(",", "")) > 5)
    assert "dataset=xor" in page.url
    assert "step=" not in page.url
    page.go_back()
    until(page, lambda: len(held) == 3)
    held[2].continue_()
    expect(page.locator("#bar")).to_have_attribute("data-run", left)
    expect_number(page, "step", "0")
    expect(page.locator("#play .word")).to_have_text("Play")
    assert api(page)["step"] == 1


def test_what_is_measured_of_the_layers_follows_the_step_while_it_is_open(open_page: Callable[..., Page]) -> None:
    """Asked for when it is opened and again after each step; not while it is closed."""
    page, asked = open_page("/?seed=3"), []
    page.on("request", lambda request: asked.append(request.url) if "/health" in request.url else None)
    page.click("#step")
    expect(page.locator("#bar")).to_have_attribute("data-step", "1")
    assert not asked
    page.click("#more-health summary")
    expect(page.locator("#measures .bars")).to_have_count(3)
    shapes = "[...document.querySelectorAll('#measures path')].map((path) => path.getAttribute('d')).join()"
    until(page, lambda: len(asked) == 1)
    page.wait_for_timeout(300)
    before = page.evaluate(shapes)
    page.click("#step")
    until(page, lambda: page.evaluate(shapes) != before)
    assert page.locator("#more-health").get_attribute("open") is not None
    assert len(asked) == 2
