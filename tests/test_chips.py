"""What lit links carry: every chip read back is its quantity in the trace, products and sums close as printed."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from test_rows import SPECS

from app.draw.chips import Chips, drawn
from app.draw.diagram import Diagram, Room, layout
from app.draw.drawing import draw
from app.draw.pictures import surfaces
from app.explain.chips import BACKWARD, MOST, OF_MANY, chips_of
from app.explain.moments import Moment
from app.explain.scene import Scene
from app.explain.walkthrough import walkthrough
from app.page.frame import known, marks_of
from app.words.columns import Cell
from engine import Quantity, Spec, start, trace

MANY = [
    {"hidden": [12, 9]},
    {"dataset": "digits16", "hidden": [16], "output_activation": "softmax", "loss": "cross_entropy"},
]
POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def read(text: str) -> tuple[Decimal, Decimal]:
    """What a number reads, and half of its last digit."""
    mantissa, _, power = text.replace("−", "-").replace("\u202f", "").partition("×10")
    number, scale = Decimal(mantissa), Decimal(10) ** int(power.translate(POWERS) or 0)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return number * scale, Decimal(10) ** exponent * scale / 2


def expected(scene: Scene, part: str) -> float:
    """The trace's number: of a batch its mean on the way forward, its sum on the way back."""
    of = Quantity.parse(part)
    if of.kind in ("W", "b", "dW", "db"):
        return float(scene.look(of))
    each = scene.look(of.at("n"), scene.all)
    return float(each.sum() if of.kind in BACKWARD else each.mean())


def close(found: Decimal, told: Cell) -> bool:
    number, half = read(told.number)
    return abs(found - number) <= half * Decimal("1.0001")


def holds(scene: Scene, moment: Moment, chips: Chips) -> None:
    for cell in [cell for chip in chips.chips for cell in (chip.result, *chip.factors)] + [x.cell for x in chips.lines]:
        if cell.part:
            assert cell.value == pytest.approx(expected(scene, cell.part), rel=1e-9, abs=1e-15)
            assert close(Decimal(cell.value), cell), cell
    for chip in chips.chips:
        if chip.factors:
            left, right = (read(cell.number)[0] for cell in chip.factors if not cell.sign)
            assert close(left * right, chip.result), chip
        if chip.mark:
            assert (chip.mark == "↑") == (chip.result.value < 0)
    for line in chips.lines:
        assert ("asks up" in line.note) <= (line.cell.value < 0), line
        assert ("asks down" in line.note) <= (line.cell.value > 0), line
    ruled = [n for n, line in enumerate(chips.lines) if line.ruled]
    if ruled:
        terms = [read(line.cell.number)[0] for line in chips.lines[: ruled[0]]]
        assert close(sum(terms, Decimal(0)), chips.lines[ruled[0]].cell)
    if len(ruled) > 1:
        whole, slope, dz = (line.cell for line in chips.lines[ruled[0] :])
        assert close(read(whole.number)[0] * read(slope.number)[0], dz)


@pytest.mark.parametrize("example", [None, 3])
@pytest.mark.parametrize("grain", ["operation", "unit"])
@pytest.mark.parametrize("given", [*SPECS, *MANY], ids=str)
def test_chips_are_the_traces_numbers_and_close(given: dict[str, object], grain: str, example: int | None) -> None:
    """Every chip and every line of a stack, on one example and on the mini-batch."""
    walk = walkthrough(trace(start(Spec.make(**given)), example), grain)
    kinds: dict[str, Moment] = {}
    for moment in (walk[n] for n in range(0, len(walk), 1 + len(walk) // 60)):
        chips = chips_of(walk.scene, moment)
        if chips is None:
            continue
        kinds[moment.kind] = moment
        ways = len(chips.carried)
        assert len(chips.chips) == (ways if ways <= MOST else OF_MANY)
        holds(walk.scene, moment, chips)
        assert (chips.fewer is not None) == (OF_MANY < ways <= MOST and moment.kind not in ("gradient", "dW"))
        if chips.fewer:
            assert len(chips.fewer.chips) == OF_MANY
            holds(walk.scene, moment, chips.fewer)
    assert kinds


def test_what_is_drawn_is_what_is_told() -> None:
    """In the drawing each chip names its link and its quantity; none lies on another, on a unit or outside."""
    walk = walkthrough(trace(start(Spec.make()), 8))
    place = layout((2, 4, 2, 1), ("tanh",) * 3, size=Room(970, 330))
    chips = chips_of(walk.scene, walk[18])
    assert chips
    text = drawn(place, chips, frozenset())
    assert re.findall(r'data-of="([^"]+)"', text) == ["link-2-1-4", "link-2-2-4"]
    assert re.findall(r'data-part="(q[^"]+)">([^<]+)<', text)[:2] == [("q2.1.4", "−0.6842"), ("q2.2.4", "+0.2245")]
    assert "asks down" in text
    assert "tanh’s slope" in text
    clear(place, text)


def clear(place: Diagram, text: str) -> None:
    """No chip and no stack lies on another, on a unit or outside."""
    boxes = [
        tuple(map(float, found))
        for found in re.findall(r'<rect x="(.+?)" y="(.+?)" width="(.+?)" height="(.+?)"', text)
    ]
    boxes += [(node.left, node.top, node.side, node.side) for layer in place.layers for node in layer.nodes]
    for n, (x, y, w, h) in enumerate(boxes):
        assert min(x, y) >= 0
        assert x + w <= place.width
        assert y + h <= place.height
        assert all(x + w <= u or u + v <= x or y + h <= s or s + t <= y for u, s, v, t in boxes[:n])


@pytest.mark.parametrize(("given", "room", "all_of"), [
    ({"hidden": [8, 8]}, Room(950, 310), True), ({}, Room(950, 310), True), ({}, Room(350, 240), False),
    ({"hidden": [8, 8]}, Room(350, 240), False),
], ids=str)  # fmt: skip
def test_every_moment_that_adds_up_shows_it_on_its_links(given: dict[str, object], room: Room, all_of: bool) -> None:
    """Beside a class's screen every product has its place, on a phone the largest has; what talks has the room."""
    state = start(Spec.make(**given))
    step = trace(state, 8)
    walk = walkthrough(step)
    for n, moment in enumerate(walk[n] for n in range(len(walk))):
        chips = chips_of(walk.scene, moment)
        if chips is None:
            continue
        marks = replace(marks_of(step, moment, known(walk, n)), chips=chips)
        drawing = draw(state.spec, step, surfaces(state), "weights", False, marks, room)
        told = str(drawing.svg).partition('<g id="carried"')[2]
        carried = [float(text.replace("−", "-")) for text in re.findall(r'data-part="[pqd]W?[\d.]+">([^<]+)<', told)]
        there = set(re.findall(r'data-of="([^"]+)"', told))
        assert there <= set(chips.carried)
        largest = max(chips.carried, key=lambda link: abs(chips.carried[link]))
        assert largest in there, (n, told)
        assert len(there) == len(chips.carried) if all_of else carried, n
        clear(drawing.layout, told)


def test_no_chip_lies_on_what_is_wanted_of_an_output() -> None:
    """Beside or above the unit stands its target, which a stack of its own and chips of its links leave alone."""
    state = start(Spec.make(hidden=[8, 8]))
    step = trace(state, 8)
    walk = walkthrough(step)
    seen = 0
    for n in range(len(walk)):
        chips = chips_of(walk.scene, walk[n])
        marks = replace(marks_of(step, walk[n], known(walk, n)), chips=chips)
        told = str(draw(state.spec, step, surfaces(state), "weights", False, marks, Room(930, 340)).svg)
        wanted = re.search(r'<text class="wanted.*?" x="(.+?)" y="(.+?)"', told)
        assert wanted
        x, y = map(float, wanted.groups())
        for box in re.findall(r'<rect x="(.+?)" y="(.+?)" width="(.+?)" height="(.+?)"', told.partition('"carried')[2]):
            left, top, width, height = map(float, box)
            assert left + width <= x or left >= x + 45 or top + height <= y - 10 or top >= y + 2, n
            seen += 1
    assert seen > 50
