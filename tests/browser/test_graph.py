"""/graph in a browser: a dragged value moves all of it, keys walk, a wrong formula keeps the graph."""

from itertools import combinations
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect


def test_a_formula_is_drawn_dragged_and_walked(page: Page) -> None:
    """With nothing on the console, and a link that brings back what was on the screen."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/graph")
    page.wait_for_selector("html[data-ready]")
    page.locator("body").press("ArrowRight")
    expect(page.locator("#graph-where")).to_contain_text("moment 1 of 20")
    page.locator("body").press("ArrowRight")
    expect(page.locator("#graph-where")).to_contain_text("moment 2 of 20")
    slider = page.locator('[data-of="v-a"]')
    slider.focus()
    slider.press("Home")
    expect(page.locator("#vertex-0 .data")).to_have_text("−3.000")
    expect(page.locator("#graph-where")).to_contain_text("moment 2 of 20")
    page.locator("#source").fill("L = foo(a)")
    page.locator("#draw").click()
    expect(page.locator("#wrong")).to_contain_text("line 1, column 5")
    expect(page.locator(".vertex")).to_have_count(12)
    page.locator("#source").fill("L = sin(a) * b")
    page.locator("#draw").click()
    expect(page.locator(".vertex")).to_have_count(4)
    expect(page.locator("#wrong")).to_be_empty()
    page.reload()
    expect(page.locator(".vertex")).to_have_count(4)
    assert said == []


def test_a_phone_sees_it_from_above(page: Page) -> None:
    """Nothing wider than the screen but the drawing, which scrolls by itself."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/graph?at=da")
    expect(page.locator('input[name="size"]')).to_have_value("s")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_moment_is_said_by_keys_before_it_is_shown(page: Page) -> None:
    """1 2 3 say the sign, a number is typed and judged, → shows and goes on; no number stands there before."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/graph?at=ds&predict=sign")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#foretell")).to_be_visible()
    expect(page.locator(".vertex.lit .grad")).to_have_text("?")
    expect(page.locator("#score")).to_have_text("nothing answered yet")
    page.locator("body").press("3")
    expect(page.locator("#verdict")).to_contain_text("✓ Right.")
    expect(page.locator("#score")).to_have_text("1 of 1 right so far")
    expect(page.locator(".vertex.lit .grad")).to_have_text("+1.302")
    page.locator('select[name="predict"]').select_option("number")
    page.locator("body").press("ArrowRight")
    expect(page.locator("#foretell")).to_be_visible()
    page.locator("#answer").fill("0.5625")
    page.locator("#answer").press("Enter")
    expect(page.locator("#verdict")).to_contain_text("✗ Look at:")
    expect(page.locator("#score")).to_have_text("1 of 2 right so far")
    page.locator("body").press("ArrowRight")
    expect(page.locator("#foretell")).to_be_visible()
    page.locator("body").press("ArrowRight")
    expect(page.locator("#foretell")).to_have_count(0)
    expect(page.locator("#verdict")).to_have_count(0)


def test_arrows_move_among_the_nodes_and_enter_goes_there(page: Page) -> None:
    """From the output back to an input; what is chosen is the walk's moment, and keeps the focus."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/graph?preset=cs231n")
    page.wait_for_selector("html[data-ready]")
    page.locator(".vertex[data-to='df']").focus()
    page.keyboard.press("ArrowLeft")
    focused = page.locator(".vertex:focus")
    seen = [focused.get_attribute("data-to")]
    while seen[-1] not in ("dx", "dy", "dz"):
        page.keyboard.press("ArrowLeft")
        seen.append(focused.get_attribute("data-to"))
        assert len(set(seen)) == len(seen)
    page.keyboard.press("Enter")
    expect(page.locator(f".vertex.lit[data-to='{seen[-1]}']")).to_be_focused()
    with page.expect_download() as download:
        page.locator('a[download="graph.svg"]').click()
    assert download.value.suggested_filename == "graph.svg"


WIDE = "s = sum([{}])\nL = tanh(s)**2".format(", ".join(f"x{n}*w{n}" for n in range(1, 11)))
SIXTY = """u = tanh(a*b + c)
{}
s = sum([v1, v2, v3])
r = (v4 + v5) * (v6 - v7)
L = (tanh(s*r + b) - y)**2 + 0.1*a**2 + exp(-(r*r))*max(s, c)""".format(
    "\n".join(f"v{n} = sin(u*k{n}) + k{n}*c" for n in range(1, 8))
)
READS = """() => {
  const box = (each) => {
    const { left, top, right, bottom } = each.getBoundingClientRect();
    return [left, top, right, bottom];
  };
  const svg = document.getElementById('ops');
  const texts = [...svg.querySelectorAll('.vertex text, .slope, .way')].filter((each) => each.textContent.trim());
  return {
    small: texts.filter((each) => parseFloat(getComputedStyle(each).fontSize) < 12).map((each) => each.textContent),
    texts: texts.map((each) => [each.textContent, each.parentNode.id || each.getAttribute('class'), ...box(each)]),
    tiles: [...svg.querySelectorAll('.vertex')].map((each) => [each.id, ...box(each.querySelector('rect'))]),
    page: document.documentElement.scrollWidth,
    canvas: document.getElementById('canvas').clientWidth,
  };
}"""


def overlap(one: list[float], other: list[float]) -> float:
    """How much of the smaller of two boxes the other covers."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    size = min((each[2] - each[0]) * (each[3] - each[1]) for each in (one, other))
    return max(wide, 0) * max(high, 0) / max(size, 1)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (390, 844)])
@pytest.mark.parametrize("source", [WIDE, SIXTY], ids=["wide", "sixty"])
def test_sixty_nodes_are_legible(page: Page, source: str, width: int, height: int) -> None:
    """No text below 12 px; nodes keep apart, with their names, numbers and gradients; of the labels on edges all but a
    few stand free; on a phone the drawing scrolls and the page does not."""
    page.set_viewport_size({"width": width, "height": height})
    values = {f"v.{name}": "0.5" for name in "abcy"} if source is SIXTY else {}
    page.goto("/graph?" + urlencode({"source": source, **values, "size": "s" if width < 760 else "l"}))
    page.wait_for_selector("html[data-ready]")
    page.evaluate("document.fonts.ready")
    found = page.evaluate(READS)
    assert found["page"] <= width
    assert found["small"] == []
    assert len(found["tiles"]) >= (60 if source is SIXTY else 30)
    nodes = [each for each in found["texts"] if each[1].startswith("vertex")]
    for one, other in combinations(nodes, 2):
        assert overlap(one[2:], other[2:]) < 0.12, (one, other)
    for text in nodes:
        for tile in found["tiles"]:
            assert tile[0] == text[1] or overlap(text[2:], tile[1:]) < 0.12, (text, tile)
    labels = [each for each in found["texts"] if "slope" in each[1]]
    tiles = [tile[1:] for tile in found["tiles"]]
    covered = [a for a in labels if any(overlap(a[2:], b) > 0.15 for b in [*(t[2:] for t in nodes), *tiles])]
    crossed = [a for a, b in combinations(labels, 2) if overlap(a[2:], b[2:]) > 0.15]
    assert len(covered) + len(crossed) <= 0.02 * len(labels), (covered, crossed)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (390, 844)])
def test_ways_that_add_are_told_where_nothing_else_stands(page: Page, width: int, height: int) -> None:
    """Each way's share below the gradient, or beside it; on a window of 720 the equation is in sight, too."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/graph?at=da&size=" + ("s" if width < 760 else "m" if width < 1420 else "l"))
    page.wait_for_selector("html[data-ready]")
    found = page.evaluate(READS)
    ways = [each for each in found["texts"] if "way" in each[1] or each[1] == "adding"]
    assert len(ways) == 2
    for one in ways:
        for other in found["texts"]:
            assert one is other or overlap(one[2:], other[2:]) < 0.12, (one, other)
    if width > 760:
        code = page.locator(".equation .code").bounding_box()
        assert code
        assert code["y"] + code["height"] <= height
