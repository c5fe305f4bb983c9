"""Your data in the browser: dropped, pasted, chosen, and without script; what a file became is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from waiting import until

SHEET = "Länge;Breite;Art\r\n" + "".join(
    f"{4 + i / 7:.2f};{i % 5},5;{('Ahorn', 'Birke')[i % 2]}\r\n" for i in range(24)
)
SHEET = SHEET.replace(".", ",")
DROP = """([selector, kind, text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], 'trees.csv', { type: 'text/csv' }));
  const event = kind === 'drop'
    ? new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent(kind, { clipboardData: transfer, bubbles: true, cancelable: true });
  document.querySelector(selector).dispatchEvent(event);
}"""

PASTE = """text => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', text);
  const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
  return !document.querySelector('#csv').dispatchEvent(event);
}"""


@pytest.fixture
def open_page(page: Page) -> Callable[..., Page]:
    """`open_page(path)` is a page that has begun to obey."""

    def opened(path: str) -> Page:
        page.goto(path)
        page.wait_for_selector("html[data-ready=true]")
        return page

    return opened


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A file as a spreadsheet in German saves it."""
    path = tmp_path / "trees.csv"
    path.write_bytes(SHEET.encode("latin-1"))
    return path


def is_understood(page: Page) -> None:
    expect(page.locator("#understood")).to_contain_text("Decimal comma: 4,00 is 4.0.")
    expect(page.locator("#data-sum")).to_have_text("2 inputs, 2 classes of Art.")
    expect(page.locator("#error-csv")).to_be_empty()


@pytest.mark.parametrize("way", ["drop", "paste", "file", "typed"])
def test_a_file_is_brought_in_every_way(open_page: Callable[..., Page], sheet: Path, way: str) -> None:
    """It is read, said, and can be corrected; then it is trained on, with its names at the drawing."""
    page = open_page("/?seed=72")
    page.click("#tile-custom")
    page.wait_for_selector("#pad")
    if way == "drop":
        page.evaluate(DROP, ["#drop", "drop", SHEET])
    elif way == "paste":
        page.evaluate(DROP, ["#csv", "paste", SHEET])
    elif way == "file":
        page.set_input_files("#file", sheet)
    else:
        page.fill("#csv", SHEET)
    is_understood(page)
    if way != "typed":
        expect(page.locator("#drop label")).to_have_text("Read: trees.csv")
        assert page.input_value("#csv").splitlines()[0] == "Länge;Breite;Art"
    page.click("text=Train on this")
    page.wait_for_selector("#mydata", state="hidden")
    expect(page.locator("#diagram")).to_contain_text("Länge")
    expect(page.locator("#diagram")).to_contain_text("Breite")


def test_a_column_has_another_name_and_another_kind(open_page: Callable[..., Page]) -> None:
    """Both are said in the head of the table, and go with the run; Enter in a name trains nothing."""
    page = open_page("/?seed=74")
    page.click("#tile-custom")
    page.fill("#csv", "1.5,3,0\n2.5,4,1\n-0.5,3,0\n3.5,5,1\n2,4,1")
    name = page.locator("[name='name.0']")
    expect(name).to_have_value("column 1")
    name.fill("width")
    name.press("Enter")
    expect(page.locator("[name='part.0']")).to_have_attribute("aria-label", "What width is for")
    page.select_option("[name='kind.1']", "text")
    expect(page.locator("#data-sum")).to_have_text("4 inputs, 2 classes of column 3.")
    expect(name).to_have_value("width")
    page.click("text=Train on this")
    page.wait_for_selector("#mydata", state="hidden")
    expect(page.locator("#diagram")).to_contain_text("width")
    expect(page.locator("#diagram")).to_contain_text("column 2=5")


def test_a_click_in_the_square_adds_a_line_in_the_words_of_the_table(open_page: Callable[..., Page]) -> None:
    """Below what was typed, which stays as it is; the classes to choose are called as they are there."""
    page = open_page("/")
    page.click("#tile-custom")
    page.wait_for_selector("#pad")
    typed = "width;height;kind\n1,5;2,25;oak\n-3;1;fir\n2;-2;oak"
    page.fill("#csv", typed)
    expect(page.locator('[name="pen"] + span')).to_have_text(["fir", "oak"])
    expect(page.locator("#pad-points circle.p")).to_have_count(2)
    page.locator('[name="pen"][value="1"]').check(force=True)
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25)
    expect(page.locator("#pad-points circle")).to_have_count(4)
    *before, last = page.input_value("#csv").split("\n")
    assert "\n".join(before) == typed
    assert last.endswith("; oak")
    page.fill("#csv", "1, 2, 0\n2, 1, 1")
    expect(page.locator('[name="pen"] + span')).to_have_text(["class 0", "class 1"])
    page.fill("#csv", "1, 2, oak\n2, 1, fir\n0, 1, ash")
    expect(page.locator("#pad-off")).to_contain_text("Your 3 lines stay as they are")


def test_a_file_is_chosen_without_script(browser: Browser, base_url: str, sheet: Path) -> None:
    """An ordinary form: look at it, then train on it."""
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/data")
    page.set_input_files("#file", sheet)
    page.click("#data-look")
    is_understood(page)
    page.click("text=Train on this")
    expect(page.locator("#diagram")).to_contain_text("Länge")
    context.close()


def test_a_large_table_comes_in_and_steps(open_page: Callable[..., Page]) -> None:
    """1,797 rows of 64 small images, as scikit-learn's digits are; and once more over itself."""
    pixels = np.random.default_rng(0).integers(0, 17, (1797, 64))
    text = "\n".join(",".join(map(str, [*row, i % 10])) for i, row in enumerate(pixels.tolist()))
    page = open_page("/?seed=73")
    for _ in range(2):
        page.click("#tile-custom")
        page.wait_for_selector("#pad", state="attached")
        expect(page.locator("#mydata")).to_be_visible()
        page.evaluate("document.querySelector('#csv').select()")
        assert page.evaluate(PASTE, text), "the browser would put it in line by line"
        assert page.input_value("#csv") == text
        expect(page.locator("#data-sum")).to_have_text("64 inputs, 10 classes of column 65.")
        page.click("text=Train on this")
        page.wait_for_selector("#mydata", state="hidden")
        page.click("#step")
        expect(page.locator("#number-step dd")).to_have_text("1")


BIRDS = "bill,flipper,mass,kind\n" + "".join(
    f"{38 + 8 * (i % 3) + i % 5 / 3:.1f},{180 + 12 * (i % 3) + i % 7},{3400 + 700 * (i % 3) + 40 * (i % 9)},"
    f"{('Adelie', 'Chinstrap', 'Gentoo')[i % 3]}\n"
    for i in range(60)
)


def test_two_inputs_are_chosen_to_draw_over(open_page: Callable[..., Page]) -> None:
    """Beside the plot; the address keeps them, Play goes on with them, and a map of all is one choice away."""
    page = open_page("/?seed=75")
    page.click("#tile-custom")
    page.fill("#csv", BIRDS)
    expect(page.locator("#data-sum")).to_have_text("3 inputs, 3 classes of kind.")
    page.click("text=Train on this")
    page.wait_for_selector("#mydata", state="hidden")
    expect(page.locator("#plot .axis-name").first).to_have_text("component 1")
    page.select_option("#over [name=across]", label="mass")
    expect(page.locator("#plot .axis-name").first).to_have_text("mass")
    page.select_option("#over [name=up]", label="flipper")
    expect(page.locator("#plot .axis-name").nth(1)).to_have_text("flipper ↑")
    expect(page.locator("#output-note")).to_contain_text("bill 4")
    until(page, "location.search.includes('across=3&up=2')")
    before = page.get_attribute("#output-surface", "href")
    page.click("#play")
    until(page, "before => document.querySelector('#output-surface').href.baseVal !== before", before)
    page.click("#play")
    expect(page.locator("#play .word")).to_have_text("Play")
    expect(page.locator("#plot .axis-name").first).to_have_text("mass")
    page.reload()
    page.wait_for_selector("html[data-ready=true]")
    expect(page.locator("#over [name=up]")).to_have_value("2")
    page.select_option("#over [name=across]", "")
    expect(page.locator("#plot .axis-name").first).to_have_text("component 1")
    expect(page.locator("#over [name=up]")).to_have_count(0)


def test_two_inputs_are_chosen_without_script(browser: Browser, base_url: str) -> None:
    """A button beside the choice takes the place of the script."""
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/data")
    page.fill("#csv", BIRDS)
    page.click("text=Train on this")
    page.select_option("#over [name=across]", label="flipper")
    page.click("#over button")
    expect(page.locator("#plot .axis-name").first).to_have_text("flipper")
    expect(page.locator("#over [name=up]")).to_have_value("1")
    context.close()
