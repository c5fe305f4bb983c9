"""The walkthrough on every common screen: what is lit, the words and the numbers are in sight, and nothing is cut.

WALK=all goes through every moment of the networks, WALK=lenet of that one; else each size has the first, the last and
one of its own.
"""

from __future__ import annotations

import os
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, Route, expect
from waiting import until

from app.page.forms import LENET

SIZES = [(1280, 720), (1280, 800), (1366, 768), (1024, 768), (1440, 900), (390, 844), (720, 450)]  # the last: 200 %
NETWORKS = {
    "default": "example=8",
    "adam": "example=8&optimizer=adam",
    "8-8": "example=8&hidden=8,8",
    "softmax": "example=3&dataset=three_blobs&output_activation=softmax&loss=cross_entropy",
    "digits": "example=3&dataset=digits16&hidden=16&activation=relu&output_activation=softmax&loss=cross_entropy",
    "lenet": f"example=3&{urlencode(LENET, safe=',')}",
}
FITTED = "() => /^[0-9]+x[0-9]+$/.test(document.getElementById('view').elements.namedItem('size').value)"
FAULTS = """() => {
  const faults = [];
  const inside = (element, name) => {
    if (!element) return faults.push(`no ${name}`);
    const box = element.getBoundingClientRect();
    let [left, top, right, bottom] = [0, 0, innerWidth, innerHeight];
    for (let up = element.parentElement; up; up = up.parentElement) {
      if (up instanceof SVGElement || getComputedStyle(up).overflow === 'visible') continue;
      const edge = up.getBoundingClientRect();
      [left, top] = [Math.max(left, edge.left), Math.max(top, edge.top)];
      [right, bottom] = [Math.min(right, edge.right), Math.min(bottom, edge.bottom)];
    }
    const across = box.left >= left - 2 && box.right <= right + 2;
    const in_ = box.width && across && box.top >= top - 2 && box.bottom <= bottom + 2;
    return in_ || faults.push(`${name} is not in sight`);
  };
  const lit = document.querySelectorAll('#net .w.lit, #net .node:is(.forward, .backward, .update) .edge');
  if (!lit.length) faults.push('nothing is lit');
  for (const each of lit) inside(each, each.id || each.parentElement.id);
  inside(document.getElementById('words'), 'words');
  const numbers = document.querySelectorAll('#moment-numbers, #equations > table tr.numbers');
  for (const each of numbers) inside(each, each.textContent.trim());
  for (const id of ['words', 'equations', 'faces', 'walkend']) {
    const { scrollHeight, clientHeight, scrollWidth, clientWidth } = document.getElementById(id);
    if (scrollHeight > clientHeight + 1 || scrollWidth > clientWidth + 1) faults.push(`${id} is cut`);
  }
  const net = document.getElementById('net');
  const [drawn, planned] = [net.getBoundingClientRect(), net.viewBox.baseVal];
  if (drawn.width < planned.width - 1 || drawn.height < planned.height - 1) faults.push('the drawing is made smaller');
  const texts = [...net.querySelectorAll('text:not(.said)')].filter((text) => text.textContent.trim());
  const boxes = texts.map((text) => text.getBoundingClientRect());
  texts.forEach((text, i) => {
    inside(text, text.textContent);
    if (parseFloat(getComputedStyle(text).fontSize) < 12) faults.push(`${text.textContent} is small`);
    boxes.slice(0, i).forEach((other, j) => {
      const across = Math.min(boxes[i].right, other.right) - Math.max(boxes[i].left, other.left);
      const down = Math.min(boxes[i].bottom, other.bottom) - Math.max(boxes[i].top, other.top);
      if (across > 2 && down > 5) faults.push(`${text.textContent} lies on ${texts[j].textContent}`);
    });
    if (!text.matches('.before')) return;
    for (const unit of net.querySelectorAll('.node .edge')) {
      const [box, own] = [unit.getBoundingClientRect(), boxes[i]];
      const across = Math.min(box.right, own.right) - Math.max(box.left, own.left);
      const down = Math.min(box.bottom, own.bottom) - Math.max(box.top, own.top);
      if (across > 2 && down > 4) faults.push(`${text.textContent} lies on ${unit.parentElement.id}`);
    }
  });
  return faults;
}"""


HERE = """moment => document.getElementById('walk')?.dataset.moment === moment
  && !document.querySelector('.htmx-request')"""
WALK = os.environ.get("WALK", "")


def moments(total: int, size: tuple[int, int], name: str) -> list[int]:
    """After the first: all, or the last and one that another size does not have."""
    if WALK in ("all", name):
        return list(range(1, total))
    return [(1 + SIZES.index(size)) * total // (1 + len(SIZES)), total - 1]


def reached(page: Page, query: str, moment: int) -> None:
    """By the address, or from the moment before by the key."""
    if moment and page.locator("#walk").get_attribute("data-moment") == str(moment - 1):
        page.keyboard.press("ArrowRight")
    else:
        page.goto(f"/?{query}&moment={moment}")
    until(page, HERE, str(moment))
    until(page, FITTED)
    until(page, HERE, str(moment))


def faults_of(page: Page, size: tuple[int, int]) -> list[str]:
    faults = page.evaluate(FAULTS)
    if size[1] < 500:
        # Numbers, and lines that go on.
        rows = ("Numbers", "bias", "from ", "unit ", "input ", "x₁", "x₂", "+", "−", "×", "/", "equations", "channel")
        faults = [fault for fault in faults if not fault.startswith(rows)]
    return list(faults)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_a_moment_speaks_of_is_in_sight(page: Page, size: tuple[int, int], name: str) -> None:
    """Lit parts, words and numbers lie in the window, at real size, no line is cut, and no text lies on another; at
    200 % the numbers may be a scroll away."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(reduced_motion="reduce")  # what flies comes to rest
    query, faults = NETWORKS[name], dict[int, list[str]]()
    reached(page, query, 0)
    total = int(page.locator("#walk").get_attribute("data-total") or 0) - 1  # the last runs it again
    for moment in [0, *moments(total, size, name)]:
        if moment:
            reached(page, query, moment)
        faults[moment] = faults_of(page, size)
    assert {moment: found for moment, found in faults.items() if found} == {}


def test_a_term_lights_everywhere(page: Page) -> None:
    """Pointed at, a term lights in symbols, numbers and code, and so does what is drawn of it; one at a time."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto("/?example=8&moment=18")
    until(page, FITTED)
    until(page, "() => !document.querySelector('.htmx-request')")
    page.locator('#moment-numbers [data-part="W2.1.4"]').hover()
    expect(page.locator('.equation td.same[data-part="W2.1.4"]')).to_have_count(3)
    expect(page.locator("#link-2-1-4.same")).to_have_count(1)
    page.locator('.equation .code [data-part="dz2.2"]').hover()
    expect(page.locator("#node-2-2.same")).to_have_count(1)
    expect(page.locator("#link-2-1-4.same")).to_have_count(0)


def test_the_setup_is_folded_and_opens_over_the_drawing(page: Page) -> None:
    """While one walks the controls are a rail; opened they lie over the drawing, which stays where it is."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto("/?example=8&moment=18")
    until(page, FITTED)
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(page.locator("#controls")).to_be_hidden()
    before = page.locator("#net").bounding_box()
    page.locator("#rail").click()
    expect(page.locator("#controls")).to_be_visible()
    assert page.locator("#net").bounding_box() == before
    page.locator("#rail").click()
    expect(page.locator("#controls")).to_be_hidden()


PAGE_RESTYLED = """() => {
    window.restyled = [];
    const note = ([first, ...more]) => [...more.map((each) => each.oldValue), document.body.className].reduce(
        (before, now) => { if (now !== before) restyled.push(now); return now; }, first.oldValue);
    new MutationObserver(note).observe(document.body, { attributeFilter: ['class'], attributeOldValue: true });
}"""


def test_a_moment_that_has_room_does_not_have_the_page_styled_anew(page: Page) -> None:
    """What gives way where there is no room is tried on the page only then: its classes stay while one walks."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/?example=8&moment=3")
    until(page, FITTED)
    until(page, "() => !document.querySelector('.htmx-request')")
    page.evaluate(PAGE_RESTYLED)
    page.keyboard.press("ArrowRight")
    until(page, HERE, "4")
    until(page, "() => !document.querySelector('.htmx-request')")
    assert page.evaluate("restyled") == []
    page.evaluate("document.body.classList.add('other')")
    until(page, "() => restyled.length > 0")


def test_a_press_is_not_undone_by_a_drawing_that_is_being_fitted(page: Page) -> None:
    """The window changes while a moment is on its way: it comes, and stays when the drawing has its new size."""
    page.goto("/?example=8&moment=3")
    until(page, FITTED)
    until(page, "() => !document.querySelector('.htmx-request')")
    size = "document.getElementById('view').elements.namedItem('size').value"
    before, held = page.evaluate(size), list[Route]()
    wanted = re.compile(r"/frame\?.*moment=4")
    page.route(wanted, lambda route: held.append(route), times=1)
    with page.expect_request(wanted):
        page.keyboard.press("ArrowRight")
    page.set_viewport_size({"width": 1100, "height": 760})
    until(page, f"before => {size} !== before", before)
    now = page.evaluate(size)
    with page.expect_response(lambda answer: f"size={now}" in answer.url):
        held[0].continue_()
    expect(page.locator("#where")).to_have_text("moment 5 of 31")
    until(page, "() => !document.querySelector('.htmx-request')")
    expect(page.locator("#where")).to_have_text("moment 5 of 31")


def test_a_place_of_a_map_is_chosen_by_click_and_by_key(page: Page) -> None:
    """Where a walk tells number by number, the place clicked at is told, and Shift and an arrow go on from there."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/?dataset=digits16&samples=60&layers=conv2d+3+3x3+relu,+max_pool+2&example=3&grain=operation&moment=3")
    until(page, FITTED)
    until(page, "() => !document.querySelector('.htmx-request')")
    box = page.locator("#node-1-2 .back").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 9.5 / 16, box["y"] + box["height"] * 6.5 / 16)
    expect(page.locator("#walk")).to_have_attribute("data-place", "a1.2.7.10")
    expect(page.locator("#words")).to_contain_text("row 7, column 10")
    expect(page).to_have_url(re.compile("place=a1.2.7.10"))
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#walk")).to_have_attribute("data-place", "a1.2.8.10")
    expect(page.locator(".places .grids")).to_have_count(1)
    expect(page.locator("#moment-numbers")).to_have_count(1)
