"""A short journey in Debian's Firefox and in WebKitGTK, which is Safari's engine, as far as they can be had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import driven
import httpx
import pytest
from driven import Window

import machine

pytestmark = pytest.mark.other_browser
SHEET = "width,height,kind\n" + "".join(f"{i / 4},{i % 5},{'ab'[i % 2]}\n" for i in range(24))
DROP = """const transfer = new DataTransfer();
transfer.items.add(new File([arguments[0]], 'trees.csv', { type: 'text/csv' }));
document.querySelector('#drop').dispatchEvent(
  new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));"""
BAR = """const parts = [...document.querySelectorAll('#phases .all')].map((e) => e.getBoundingClientRect());
const [first, last] = [parts[0], parts.at(-1)];
const [back, next] = ['back', 'next'].map((id) => document.getElementById(id).getBoundingClientRect());
return (last.right - first.left) / (next.left - back.right);"""
SMALL = """return [...document.querySelectorAll('#phases text, #net .caption, #net .above')].filter((e) =>
  Math.abs(e.getScreenCTM().d) * parseFloat(getComputedStyle(e).fontSize) < 11.5).map((e) => e.textContent);"""
CROSSED = """return [...document.querySelectorAll('fieldset:has(legend)')].filter((e) => {
  const [frame, words] = [e, e.querySelector('legend')].map((each) => each.getBoundingClientRect());
  return getComputedStyle(e).borderTopWidth !== '0px' && words.top < frame.top + 4;
}).length;"""
TRAIN = (
    """[...document.querySelectorAll('#mydata button')].find((e) => e.textContent.includes('Train on this')).click();"""
)
SIDEWAYS = "return document.documentElement.scrollWidth - innerWidth;"
CUT = """return ['#words', '#next', '#net .lit'].filter((name) => {
  const box = document.querySelector(name).getBoundingClientRect();
  return !box.width || box.top < 0 || box.bottom > innerHeight + 1 || box.left < 0 || box.right > innerWidth + 1;
});"""


@pytest.fixture(params=sorted(driven.BROWSERS), scope="module")
def window(request: pytest.FixtureRequest) -> Iterator[Window]:
    found, opened = driven.BROWSERS[request.param]
    if not found():
        pytest.skip(f"{request.param} is missing. Enable it: {machine.OTHERS_COMMAND}")
    with opened() as shown:
        yield shown


@pytest.fixture(autouse=True)
def pictures(window: Window, tmp_path: Path) -> Iterator[None]:
    """What it looked like in the end is kept beside the test's other files."""
    yield
    picture = window.picture()
    assert picture.startswith(b"\x89PNG")
    (tmp_path / "end.png").write_bytes(picture)


def obeys(window: Window, address: str) -> None:
    window.go(address)
    window.wait("'ready' in document.documentElement.dataset")


def test_step_and_play(window: Window, base_url: str) -> None:
    """One step is one step; Play goes on until it is paused."""
    obeys(window, f"{base_url}/?seed=90")
    window.click("#step")
    window.wait("document.getElementById('bar').dataset.step === '1'")
    window.click("#play")
    window.wait("Number(document.getElementById('bar').dataset.step) > 4")
    window.click("#play")
    window.wait("document.querySelector('#play .word').textContent === 'Play'")
    assert window.run(SMALL) == []
    assert window.run(SIDEWAYS) <= 0


def test_a_walkthrough(window: Window, base_url: str) -> None:
    """By its button and by keys; the bar fills its place, and what is told is in sight."""
    obeys(window, f"{base_url}/?seed=91")
    window.click("#invite .button")
    window.wait("document.querySelector('#walk[data-moment=\"0\"] #words') !== null")
    for moment in range(1, 12):
        window.press("ArrowRight")
        window.wait("document.getElementById('walk').dataset.moment === arguments[0]", str(moment))
    assert window.run(BAR) > 0.8
    assert window.run(CUT) == []
    assert window.run(SMALL) == []
    assert window.run(SIDEWAYS) <= 0


def test_a_lessons_question(window: Window, base_url: str) -> None:
    """Answered wrongly, then shown; every question stands inside its frame."""
    obeys(window, f"{base_url}/learn/nudge?screen=3")
    window.run("document.querySelector('#answer-count').value = '7.77'")
    window.click("#check-count")
    window.wait("document.querySelector('#verdict-count').textContent.trim()")
    obeys(window, f"{base_url}/learn/pixels")
    assert window.run(CROSSED) == 0
    assert window.run(SIDEWAYS) <= 0


def test_joining_a_class(window: Window, base_url: str) -> None:
    """A student sees the room's picture."""
    code = httpx.post(f"{base_url}/api/v1/rooms", json={}).raise_for_status().json()["code"]
    window.go(f"{base_url}/class?code={code}")
    window.wait("document.querySelector('#nickname') !== null")
    window.run("document.querySelector('#nickname').value = 'Ada'")
    window.click(".door .button.primary")
    window.wait("document.querySelector('#picture #stage') !== null")
    window.wait("'ready' in document.documentElement.dataset")
    assert window.run(SIDEWAYS) <= 0


def test_a_file_dropped(window: Window, base_url: str) -> None:
    """It is read, and trained on."""
    obeys(window, f"{base_url}/?seed=92")
    window.click("#tile-custom")
    window.wait("document.querySelector('#pad') !== null")
    window.run(DROP, SHEET)
    window.wait("document.querySelector('#data-sum')?.textContent.includes('2 classes of kind')")
    window.run(
        "[...document.querySelectorAll('#mydata button')].find((e) => e.textContent.includes('Train on this')).click()"
    )
    window.wait("document.getElementById('diagram').textContent.includes('width')")
