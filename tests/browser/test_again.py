"""The walkthrough's own experiments in a browser: the step's length by hand, a way that lights, Predict by its keys."""

from collections.abc import Callable

from playwright.sync_api import Page, expect
from waiting import until


def ready(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")


def test_the_steps_length_is_under_ones_hand(page: Page, axe: Callable[[Page], list[str]]) -> None:
    """Point, numbers and links follow the slider; → takes the step and begins the next walk."""
    ready(page, "/?example=8&moment=30")
    expect(page.locator("#at-loss")).to_have_text("0.3381")
    length, landing = page.locator("#length"), page.locator("#landing")
    before = landing.get_attribute("cx")
    link = page.locator("#again-link-2-1-3 .now")
    expect(link).to_have_attribute("class", "now n")
    length.focus()
    for _ in range(16):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#at-rate")).to_have_text("0.15")
    expect(page.locator("#at-loss")).to_have_text("0.1007")
    expect(page.locator("#other-rate [name=value]")).to_have_value("0.15")
    expect(link).to_have_attribute("class", "now p")
    assert landing.get_attribute("cx") != before
    assert axe(page) == []
    length.evaluate("slider => slider.blur()")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#walk")).to_have_attribute("data-moment", "0")
    expect(page.locator("#number-step dd")).to_have_text("1")
    assert "edits=0:examples:[8]&example=9" in page.url


IN_SIGHT = """() => {
  const room = document.getElementById('faces').getBoundingClientRect();
  const asked = ['#words', '#take', '#other-rate button', '#along', '#length', '#again .keys',
    '#again .verdict:not([hidden])'];
  const small = (each) => parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a < 11.9;
  return [...asked.filter((each) => document.querySelector(each).getBoundingClientRect().bottom > room.bottom + 1),
    ...[...document.querySelectorAll('#along text')].filter(small)];
}"""


def test_all_of_it_is_in_sight(page: Page) -> None:
    """What was and is, both deeds, the curve and its slider stand in the panel, without scrolling, and can be read."""
    for width, height in ((1440, 900), (1366, 768), (1280, 800), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        ready(page, "/?example=8&moment=30")
        until(page, "() => getComputedStyle(document.querySelector('#faces.rows')).display === 'flex'")
        until(page, f"() => ({IN_SIGHT})().length === 0")


def test_on_a_phone_the_curve_and_what_it_tells_are_in_sight(page: Page) -> None:
    """Words, curve, slider, losses and the verdict; both deeds stand below, and → takes the step."""
    page.set_viewport_size({"width": 390, "height": 844})
    ready(page, "/?example=8&moment=30")
    until(page, "() => getComputedStyle(document.querySelector('#again')).display === 'flex'")
    below = ("#take", "#other-rate button")
    until(page, f"() => ({IN_SIGHT})().every((each) => {list(below)}.includes(each))")
    assert page.evaluate("""() => document.getElementById('at-everyone').getBoundingClientRect().bottom
        < document.getElementById('faces').getBoundingClientRect().bottom""")


def test_a_way_lights_in_the_diagram(page: Page, axe: Callable[[Page], list[str]]) -> None:
    """In focus its links are lit and its factors numbered; left, nothing is."""
    ready(page, "/?example=8&select=W1.2.1")
    ways = page.locator("#ways .way")
    expect(ways).to_have_count(2)
    assert axe(page) == []
    ways.nth(1).focus()
    expect(page.locator("#net .w.on-way")).to_have_count(3)
    expect(page.locator("#way-numbers text")).to_have_text(["1", "2", "3", "4", "5", "6", "7"])
    page.locator("#one-by-one").focus()
    expect(page.locator("#way-numbers")).to_have_count(0)


def test_predict_by_keys(page: Page, axe: Callable[[Page], list[str]]) -> None:
    """The first delta is hidden until 1, 2 or 3; a wrong one is told its factor; → shows the next without counting."""
    ready(page, "/?example=8&moment=8")
    page.click("#predict")
    page.keyboard.press("ArrowRight")
    prediction = page.locator("#prediction")
    expect(prediction.locator(".option")).to_have_count(3)
    expect(page.locator("#faces")).not_to_be_visible()
    assert axe(page) == []
    page.keyboard.press("2")
    expect(prediction).to_contain_text("Look at: target.")
    expect(prediction).to_contain_text("0 of 1 right so far")
    expect(page.locator("#faces")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(prediction.locator("h2")).to_contain_text("which way would the loss go")
    page.keyboard.press("ArrowRight")
    expect(prediction).to_be_hidden()
    expect(page.locator("#walk")).to_have_attribute("data-moment", "10")
    page.click("#predict")


def test_a_question_of_memory_is_all_in_sight(page: Page) -> None:
    """What an optimizer remembers makes the hint long: the question keeps its width, its answers their place."""
    page.set_viewport_size({"width": 1280, "height": 720})
    ready(page, "/?example=8&optimizer=adam&step=5&moment=22")
    page.click("#predict")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#prediction .hint")).to_contain_text("Remembered: m +0.001549")
    for part in ("h2", ".option >> nth=2", ".number button", ".hint"):
        box = page.locator(f"#prediction {part}").bounding_box()
        assert box is not None, part
        assert box["y"] + box["height"] < 695, part  # the panel's last line begins there
    page.keyboard.press("1")
    expect(page.locator("#prediction")).to_contain_text("−0.002226 by the optimizer's memory")
    page.click("#predict")


def test_on_a_phone_predict_hides_what_it_asks(page: Page) -> None:
    """A narrow network writes the numbers of lit units in a place of their own: they are hidden there, too."""
    page.set_viewport_size({"width": 390, "height": 844})
    ready(page, "/?example=8&moment=8")
    page.click("#predict")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#prediction .option")).to_have_count(3)
    expect(page.locator("#walk")).to_have_attribute("data-moment", "9")
    number = page.locator("#net .below").filter(has_text="−0.935")
    expect(number).to_be_hidden()
    page.keyboard.press("1")
    expect(page.locator("#prediction")).to_contain_text("✓ Right.")
    expect(number).to_be_visible()
