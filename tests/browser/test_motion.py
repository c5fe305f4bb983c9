"""What moves in a real browser: which way it goes, what lies between two frames, and that a frame leaves what is so."""

from typing import Any

from playwright.sync_api import Page, expect
from waiting import until

NOTED = """
window.flown = [];
const animate = Element.prototype.animate;
Element.prototype.animate = function noted(frames, timing) {
  const kind = (this.classList[1] ?? document.getElementById('carried')?.classList[0]);
  if (frames.offsetDistance) flown.push([this.tagName, kind, ...frames.offsetDistance, timing.delay]);
  return animate.call(this, frames, timing);
};"""
ADDRESS = "/?seed=7&step=5&example=3&grain=unit"


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")


def flown(page: Page, least: int = 1) -> list[list[Any]]:
    """What has set out: its element, its kind, where it begins and ends on its way, and when."""
    until(page, f"flown.length >= {least}")
    found: list[list[Any]] = page.evaluate("flown.splice(0)")
    return found


def test_what_flows_goes_the_way_of_the_numbers(page: Page) -> None:
    """Forwards with the links, backwards against them: the pulses of a moment, and what lit links carry to their
    unit; of a step the way back begins when the way forward is over."""
    page.add_init_script(NOTED)
    opened(page, f"{ADDRESS}&moment=1")
    expect(page.locator("#carried")).to_have_class("forward")
    there = flown(page, 4)
    assert {(name, kind) for name, kind, *_ in there} == {("circle", "forward"), ("g", "forward")}
    assert {begin for _, _, begin, _, _ in there} <= {"0%", "50%"}
    assert {end for _, _, _, end, _ in there} == {"100%"}
    total = int(page.locator("#walk").get_attribute("data-total") or 0)
    for moment in range(2, total):
        page.keyboard.press("ArrowRight")
        expect(page.locator("#walk")).to_have_attribute("data-moment", str(moment))
        if page.locator("#carried.backward .line").count():
            break
    until(page, "flown.some(([name, kind]) => name === 'g' && kind === 'backward')")
    back = [each for each in flown(page) if each[1] == "backward"]
    assert {end for _, _, _, end, _ in back} == {"0%"}
    opened(page, "/?seed=7")
    page.click("#step")
    pulses = flown(page, 20)
    ahead, after = ([each for each in pulses if each[1] == kind] for kind in ("forward", "backward"))
    assert [each[2:4] for each in ahead] == [["0%", "100%"]] * 18
    assert [each[2:4] for each in after] == [["100%", "0%"]] * 18
    assert max(each[4] for each in ahead) < min(each[4] for each in after)


FRAMES = """async () => {
  const address = (more) => `/runs/${document.getElementById('bar').dataset.run}/frame?size=l${more}`;
  const asked = async (more) => (await fetch(address(more), { headers: { 'HX-Request': 'true' } })).text();
  const module = document.querySelector('script[src$="playground.js"]').src.replace('playground', 'stills');
  const { between, show } = await import(module);
  const whole = await asked('&step=30');
  const [one, next] = [await asked('&step=10&quick=1'), await asked('&step=30&quick=1')];
  const [from, to] = [one, next].map((text) => JSON.parse(text)).map((told) => ({ ...told.frames[0], ...told }));
  const width = (link) => Number(link.getAttribute('stroke-width'));
  const links = () => [...document.querySelectorAll('#links .w')].map(width);
  const words = () => [...document.querySelectorAll('#numbers dd')].map((each) => each.textContent);
  show(from, 30);
  const found = { from: links(), said: [words()] };
  between(from, to, 0.25);
  Object.assign(found, { quarter: links(), over: document.getElementById('output-next')?.getAttribute('opacity') });
  found.said.push(words());
  document.getElementById('output-next')?.remove();
  show(to, 30);
  found.to = links();
  found.said.push(words());
  const page = new DOMParser().parseFromString(whole, 'text/html');
  const parts = ['now', 'now-dot', 'curves-of-loss', 'grid', 'output-surface', 'links', 'strip-1', 'strip-3'];
  const plain = (text) => text?.replace(/(\\d)\\.0(?=[^\\d.])/g, '$1').replace(/>\\s+/g, '>');
  const told = (root, id) => plain(root.getElementById(id)?.outerHTML);
  const drawn = (root) => Object.fromEntries(parts.map((id) => [id, told(root, id)]));
  return { ...found, now: drawn(document), whole: drawn(page) };
}"""


def test_a_frame_leaves_what_a_whole_one_has_and_between_two_lies_what_is_between(page: Page) -> None:
    """The loss chart with its dot, the surface, the links, the strips; a quarter of the way links and numbers are a
    quarter from where they were to where they will be."""
    opened(page, "/?seed=5&step=29&learning_rate=0.3")
    page.click("#step")
    expect(page.locator("#number-step dd")).to_have_text("30")
    found = page.evaluate(FRAMES)
    assert found["now"] == found["whole"]
    assert all(found["now"].values())
    assert found["from"] != found["to"]
    for one, quarter, to in zip(found["from"], found["quarter"], found["to"], strict=True):
        assert abs(quarter - (one + 0.25 * (to - one))) < 0.006
    assert found["over"] == "0.25"
    steps, losses = ([float(told[n]) for told in found["said"]] for n in (0, 2))
    assert steps == [10, 15, 30]
    assert abs(losses[1] - (losses[0] + 0.25 * (losses[2] - losses[0]))) < 1e-4
