"""What lit links carry: every chip read back is its quantity in the trace, products and sums close as printed."""

import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from test_rows import SPECS

from app.draw.chips import MOST, OF_MANY, Chips, drawn
from app.draw.diagram import Diagram, Space, layout
from app.draw.drawing import draw
from app.draw.marks import Marks
from app.draw.pictures import surfaces
from app.explain.chips import chips_of
from app.explain.moments import Moment
from app.explain.scene import Scene, goes_back
from app.explain.walkthrough import walkthrough
from app.page.frame import known, marks_of
from app.words.columns import Cell
from engine import Quantity, Spec, start, trace

MANY = [
    {"hidden": [12, 9]},
    {"dataset": "digits16", "hidden": [16], "output_activation": "softmax", "loss": "cross_entropy"},
]
MAPS = [
    {"layers": "conv2d 3 3x3 tanh, conv2d 5 3x3 relu same 2, max_pool 2, dense 4 tanh"},
    {"layers": "conv2d 4 1x1 relu, conv2d 10 3x3 relu, batch_norm, conv2d 10 3x3 tanh, shortcut 1, avg_pool 2"},
    {"layers": "conv2d 2 5x5 relu, dropout 0.5, max_pool 2, conv2d 9 3x3 tanh"},
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
    if len(of.index) == 4:
        return at_a_place(scene, of)
    each = scene.look(of.at("n"), scene.all)
    return float(each.sum() if goes_back(of.kind) else each.mean())


def at_a_place(scene: Scene, of: Quantity) -> float:
    """What a channel's window gives another's place, or what that sends back to a place: the kernel is laid down."""
    layer, (channel, source, row, column) = scene.layer(of.layer), (int(str(at)) for at in of.index)
    if not scene.network.image(of.layer):  # a unit that took the maps as plain numbers
        below = scene.layer(of.layer - 1).gives.shape[1:]
        return float(
            (layer.W.reshape(-1, *below)[channel - 1, source - 1, row - 1, column - 1] * layer.dz[:, channel - 1]).sum()
        )
    node = next(n for n in scene.network.nodes if (n.layer, n.operation) == (of.layer, "conv2d"))
    W, stride = layer.W[channel - 1, source - 1], int(node.option("stride"))
    side, pad = len(W), (len(W) - 1) // 2 if node.option("padding") == "same" else 0
    given = scene.trace.inputs_of(of.layer - 1).reshape(-1, *node.takes)[:, source - 1]
    wide = np.pad(given, ((0, 0), (pad, pad), (pad, pad)))
    if of.kind == "p":
        top, left = stride * (row - 1), stride * (column - 1)
        return float((wide[:, top : top + side, left : left + side] * W).sum() / len(given))
    back = np.zeros_like(wide)
    for y, x in np.ndindex(*layer.dz.shape[2:]):
        square = back[:, stride * y : stride * y + side, stride * x : stride * x + side]
        square += layer.dz[:, channel - 1, y, x, None, None] * W
    return float(back[:, row - 1 + pad, column - 1 + pad].sum())


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


@pytest.mark.parametrize("example", [None, 3])
@pytest.mark.parametrize("given", MAPS, ids=str)
def test_links_between_maps_carry_what_windows_give(given: dict[str, object], example: int | None) -> None:
    """At the place spoken of: what each channel gives or sends back, and they add up to what the map has there."""
    spec = Spec.make(dataset="digits16", samples=60, output_activation="softmax", loss="cross_entropy", **given)
    walk, seen = walkthrough(trace(start(spec), example)), set()
    for moment in walk:
        chips = chips_of(walk.scene, moment)
        if chips is None or not walk.scene.network.image(moment.layer):
            continue
        seen.add(moment.kind)
        assert len(chips.chips) == (len(chips.carried) if len(chips.carried) <= MOST else OF_MANY)
        assert set(chips.carried) <= set(moment.links)
        holds(walk.scene, moment, chips)
        if moment.kind == "kernel":
            dW = walk.scene.layer(moment.layer).dW[moment.units[0] - 1]
            assert [abs(each) for each in chips.carried.values()] == np.abs(dW).max(axis=(1, 2)).tolist()
    assert seen == {"window", "map_back", "kernel"}


def test_what_is_drawn_is_what_is_told() -> None:
    """In the drawing each chip names its link and its quantity; none lies on another, on a unit or outside."""
    walk = walkthrough(trace(start(Spec.make()), 8))
    place = layout((2, 4, 2, 1), ("tanh",) * 3, size=Space(970, 330))
    chips = chips_of(walk.scene, walk[18])
    assert chips
    text, _ = drawn(place, chips, frozenset())
    assert re.findall(r'data-of="([^"]+)"', text) == ["link-2-1-4", "link-2-2-4"]
    assert re.findall(r'data-part="(q[^"]+)">([^<]+)<', text)[:2] == [("q2.1.4", "−0.6842"), ("q2.2.4", "+0.2245")]
    assert "asks down" in text
    assert "tanh’s slope" in text
    clear(place, text)


def test_on_a_phone_the_largest_between_maps_has_a_place() -> None:
    """Near its link, where there is none on it: a share that is told alone is always drawn."""
    spec = Spec.make(dataset="digits16", samples=60, layers="conv2d 8 3x3 relu, conv2d 16 3x3 relu")
    step = trace(start(spec), 3)
    walk = walkthrough(step, "operation")
    place = draw(spec, step, None, "weights", False, Marks(), Space(380, 290)).layout
    told = [
        moment for moment in walk if moment.layer == 2 and moment.kind in ("product", "product_back", "dW", "window")
    ]
    for moment in told[::17]:
        chips = chips_of(walk.scene, moment)
        assert chips is not None
        text, boxes = drawn(place, chips, frozenset({*moment.links, *moment.nodes}))
        assert boxes
        largest = max(chips.carried, key=lambda link: abs(chips.carried[link]))
        assert largest in re.findall('class="chip" data-of="([^"]+)"', text)
        clear(place, text)


def test_a_short_chip_is_wider_than_its_text() -> None:
    """A sign, four digits and an arrow, as a bold font sets them, with room to the border at both ends."""
    walk = walkthrough(trace(start(Spec.make(hidden=[8, 8])), 8))
    chips = next(made for moment in walk if moment.kind == "delta" and (made := chips_of(walk.scene, moment)))
    place = layout((2, 8, 8, 1), ("tanh",) * 3, size=Space(350, 240), talk=3)
    told, _ = drawn(place, chips, frozenset())
    found = re.findall(r'class="chip".*?width="(.+?)".*?<text[^>]*>(.+?)</text>', told)
    assert found
    for width, inside in found:
        text = re.sub("<.*?>", "", inside)
        bold = sum(4.8 if each in " .," else 10.5 if each in "+−↑↓" else 8.7 for each in text)  # px, at 12.5
        assert bold + 4 <= float(width), text


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
    ({"hidden": [8, 8]}, Space(950, 310), True), ({}, Space(950, 310), True), ({}, Space(350, 240), False),
    ({"hidden": [8, 8]}, Space(350, 240), False),
], ids=str)  # fmt: skip
def test_every_moment_that_adds_up_shows_it_on_its_links(given: dict[str, object], room: Space, all_of: bool) -> None:
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
        drawn = dict(re.findall(r'<path id="([^"]+)" class="w [^>]*stroke-width="([^"]+)"', str(drawing.svg)))
        widths = {link: float(drawn[link]) for link in chips.carried}
        assert widths == {
            link: pytest.approx(min(10, 2.5 + 10 * abs(v)), abs=0.06) for link, v in chips.carried.items()
        }
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
        told = str(draw(state.spec, step, surfaces(state), "weights", False, marks, Space(930, 340)).svg)
        wanted = re.search(r'<text class="wanted.*?" x="(.+?)" y="(.+?)"', told)
        assert wanted
        x, y = map(float, wanted.groups())
        for box in re.findall(r'<rect x="(.+?)" y="(.+?)" width="(.+?)" height="(.+?)"', told.partition('"carried')[2]):
            left, top, width, height = map(float, box)
            assert left + width <= x or left >= x + 45 or top + height <= y - 10 or top >= y + 2, n
            seen += 1
    assert seen > 50
