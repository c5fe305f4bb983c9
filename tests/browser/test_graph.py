"""/graph in a browser: a dragged value moves all of it, keys walk, a wrong formula keeps the graph."""

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
    page.locator("body").press("3")
    expect(page.locator("#verdict")).to_contain_text("✓ Right.")
    expect(page.locator(".vertex.lit .grad")).to_have_text("+1.302")
    page.locator('select[name="predict"]').select_option("number")
    page.locator("body").press("ArrowRight")
    expect(page.locator("#foretell")).to_be_visible()
    page.locator("#answer").fill("0.5625")
    page.locator("#answer").press("Enter")
    expect(page.locator("#verdict")).to_contain_text("✗ Look at:")
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
