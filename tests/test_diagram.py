"""The drawing: where nodes and links stand, what a lens shows of them, and pictures that are what they say."""

import re
from zlib import decompress

import numpy as np
import pytest
from reading import pixels

from app.draw.diagram import LINKS_AT_MOST, SIZES, Diagram, Size, Space, layout
from app.draw.drawing import arts_of, draw
from app.draw.lens import THICKEST, shown, widths
from app.draw.marks import Marks
from app.draw.pictures import GRID, NEGATIVE, POSITIVE, diverging, has_surfaces, indexed_png, sprite, surfaces
from app.explain.walkthrough import known, walkthrough
from app.page.forms import DEEP
from app.words.numbers import signed
from engine import Quantity, RunState, Spec, advance, outputs_of, start, trace
from engine.features import apply_features
from engine.network import with_ones

SHAPES = [(2, 4, 2, 1), (2, 1), (1, 8, 1), (2, 8, 8, 8, 8, 8, 8, 8, 8, 1), (2, 256, 3), (7, 16, 10), (256, 16, 10)]
LENSES = ["weights", "activations", "gradients", "updates"]


def state_of(steps: int = 20, **given: object) -> RunState:
    return advance(start(Spec.make(given)), steps).state


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sizes", SHAPES, ids=lambda sizes: "-".join(map(str, sizes)))
def test_every_unit_has_its_own_place_inside(sizes: tuple[int, ...], size: str) -> None:
    """No node leaves the drawing or touches another, on any width, for one to 256 units a layer."""
    place = layout(sizes, ("tanh",) * (len(sizes) - 1), sizes[0] == 256, size)  # type: ignore[arg-type]
    all_inside_and_apart(place)


def all_inside_and_apart(place: Diagram) -> None:
    nodes = [node for layer in place.layers for node in layer.nodes]
    for node in nodes:
        assert node.left >= 0
        assert node.right <= place.width
        assert node.top >= 0
        assert node.bottom <= place.height
    for i, one in enumerate(nodes):
        for other in nodes[i + 1 :]:
            apart = max(abs(one.x - other.x), abs(one.y - other.y))
            assert apart > (one.side + other.side) / 2 - 0.2


@pytest.mark.parametrize(
    ("channels", "size", "legible"),
    [((8, 16), Space(970, 320), 40), ((8, 16), "l", 58), ((8, 16), "m", 30), ((8, 16), "s", 30),
     ((8, 16), Space(390, 250), 20), ((4,), Space(970, 320), 60), ((32,), Space(970, 320), 24),
     ((64, 64), "l", 13), ((4, 6, 8, 16), Space(970, 320), 28)],
)  # fmt: skip
def test_feature_maps_are_as_large_as_their_own_layer_permits(
    channels: tuple[int, ...], size: Size | Space, legible: float
) -> None:
    """8 and 16 channels are legible on a small screen in the middle of a walk, beside ten outputs; none touches
    another."""
    sizes, layers = (256, *channels, 10), len(channels)
    place = layout(sizes, ("relu",) * (layers + 1), True, size, after=22, maps=tuple(range(1, layers + 1)))
    all_inside_and_apart(place)
    for layer in place.layers[1:-1]:
        assert layer.nodes[0].side >= legible, layer.index
        assert sorted(layer.nodes, key=lambda node: node.y) == list(layer.nodes), "each has a row of its own"


@pytest.mark.parametrize(
    ("channels", "size", "side"), [((8, 16), "l", 52), ((4, 6), "l", 60), ((8, 16), "s", 0), ((64, 64), "l", 0)]
)
def test_a_pool_stands_beside_its_maps_where_these_stay_legible(
    channels: tuple[int, ...], size: Size, side: float
) -> None:
    """Then links begin at what it gives; where there is no room, the maps are as large as without it."""
    sizes, layers = (256, *channels, 10), (1, 2)
    place = layout(sizes, ("relu",) * 3, True, size, after=22, maps=layers, pools=layers)
    plain = layout(sizes, ("relu",) * 3, True, size, after=22, maps=layers)
    all_inside_and_apart(place)
    for layer, other in zip(place.layers[1:-1], plain.layers[1:-1], strict=True):
        node = layer.nodes[0]
        assert node.side >= max(side, 0.9 * other.nodes[0].side)
        assert (node.pooled > 0) == (side > 0)
        assert node.end >= node.right + node.pooled
        assert all(one.end < two.left or abs(one.y - two.y) > 20 or one is two or two.x <= one.x
                   for one in layer.nodes for two in layer.nodes)  # fmt: skip
    for link in place.layers[2].links:
        assert link.path.x0 == place.layers[1].nodes[link.source - 1].end


def test_labels_of_neighbours_do_not_overlap() -> None:
    """Where units are labelled there is room for a number above and one below, however many there are."""
    for sizes in SHAPES:
        for size in SIZES:
            for layer in layout(sizes, ("tanh",) * (len(sizes) - 1), sizes[0] == 256, size).layers:
                for upper, lower in zip(layer.nodes, layer.nodes[1:], strict=False):
                    if layer.labelled and upper.x == lower.x:
                        assert lower.top - upper.bottom >= 2 * 14 + 4


def test_ids_and_addresses_are_the_contract() -> None:
    """link-2-1-3 is W2.1.3, to unit 1 of layer 2 from unit 3, counted from 1; inputs are layer 0."""
    place = layout((2, 4, 2, 1), ("tanh",) * 3)
    link = place.layers[2].links[2]
    assert (link.id, link.address) == ("link-2-1-3", "W2.1.3")
    assert place.layers[0].nodes[1].id == "node-0-2"
    assert place.node(2, 1) is place.layers[2].nodes[0]
    assert place.node(9, 1) is None


def test_too_many_links_are_drawn_for_the_selected_unit_only() -> None:
    """A layer of more than 450 weights draws those into the selected unit, and says so."""
    state = state_of(hidden=[60, 40], steps=2)
    step, seen = trace(state), surfaces(state)
    assert LINKS_AT_MOST < 60 * 40
    plain_drawing = draw(state.spec, step, seen, "weights", True, Marks())
    chosen = draw(state.spec, step, seen, "weights", True, Marks(select="a2.7"))
    assert 'id="link-2-' not in plain_drawing.svg
    assert len(re.findall(r'id="link-2-7-\d+"', chosen.svg)) == 60
    assert "Too many links" in plain_drawing.legend


@pytest.mark.parametrize("lens", LENSES)
def test_a_lens_shows_what_it_says(lens: str) -> None:
    """Each link carries its own quantity of the trace, in the order of the drawing's ids."""
    state = state_of(regularization="l2", regularization_rate=0.01)
    step = trace(state)
    text = draw(state.spec, step, surfaces(state), lens, True, Marks()).svg
    for k, layer in enumerate(step.layers, 1):
        below = step.inputs_of(k - 1).mean(axis=0)
        truth = {
            "weights": layer.W,
            "activations": layer.W * below,
            "gradients": layer.dW,
            "updates": layer.W_next - layer.W,
        }[lens]
        for j in range(truth.shape[0]):
            for i in range(truth.shape[1]):
                found = re.search(rf'id="link-{k}-{j + 1}-{i + 1}" class="w (\w)"[^>]* data-v="([^"]+)"', text)
                assert found is not None
                assert found[2] == signed(float(truth[j, i]))
                assert found[1] == ("n" if truth[j, i] < 0 else "p")


def test_the_values_of_a_quick_frame_are_those_of_a_whole_one() -> None:
    """What the script puts into the drawing is, value by value, what the template would have."""
    state = state_of(hidden=[3])
    step, seen = trace(state), surfaces(state)
    whole = draw(state.spec, step, seen, "gradients", True, Marks()).svg
    quick = draw(state.spec, step, seen, "gradients", True, Marks(), patch=True).values
    assert quick is not None
    for value in quick.split("|"):
        assert value in whole
    assert len(quick) < 0.6 * len(whole)


def test_widths_grow_with_size_and_are_clamped() -> None:
    """Twice the weight is drawn wider, up to the thickest; what is not finite is drawn thickest."""
    drawn = widths(np.array([0.0, 0.5, -1.0, 4.0, 50.0, np.inf, np.nan]), 5.0)
    assert drawn[:4] == sorted(drawn[:4])
    assert drawn[4] == drawn[5] == drawn[6]
    assert max(drawn) <= THICKEST
    assert shown(trace(start(Spec.make())), "weights", True).reach == 5.0


@pytest.mark.parametrize("features", [["x1", "x2"], ["x1", "x2_squared", "sin_x1"]])
def test_a_surface_is_what_the_network_answers(features: list[str]) -> None:
    """The grid's float32 pass agrees with the engine at every corner, the first row being the top one."""
    state = state_of(features=features, hidden=[5, 3])
    seen = surfaces(state)
    step = 12.0 / GRID
    for row, column in ((0, 0), (0, GRID - 1), (GRID - 1, 0), (17, 31)):
        x = np.array([[-6 + (column + 0.5) * step, 6 - (row + 0.5) * step]])
        truth = outputs_of(state, with_ones(apply_features(x, features)))[0, 0]
        assert seen.outputs[0, row * GRID + column] == pytest.approx(truth, abs=1e-5)


def test_a_picture_is_the_png_of_its_values() -> None:
    """Orange below zero, nothing at zero, blue above, decoded from the bytes that the browser gets."""
    png = indexed_png(np.array([[0, 7, 14, 7], [1, 7, 0, 14]], dtype=np.uint8), diverging(15))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    data = png.index(b"IDAT")
    size = int.from_bytes(png[data - 4 : data], "big")
    rows = decompress(png[data + 4 : data + 4 + size])
    assert rows == bytes([2, 0x07, 0xE7, 2, 0x17 - 0x07, 0x0E + 0x100 - 0xE7])
    alphas = png[png.index(b"tRNS") + 4 :][:15]
    assert (alphas[0], alphas[7], alphas[14]) == (255, 0, 255)
    strange = pixels(sprite(np.array([[np.nan, np.inf, -np.inf, 0.0]], dtype=np.float32), 4))
    assert strange[0, :, 3].tolist() == [255, 255, 255, 0]
    assert [tuple(colour) for colour in strange[0, :3, :3].tolist()] == [NEGATIVE, POSITIVE, NEGATIVE]


def _arts(spec: Spec) -> tuple[str, ...]:
    return arts_of(spec.network, spec.raw_inputs)


def test_what_units_show_follows_the_inputs() -> None:
    """Surfaces over two inputs, curves over one, weight images for pixels, plain tiles for anything else."""
    assert set(_arts(Spec.make())) == {"surface"}
    assert set(_arts(Spec.make(dataset="sine"))) == {"curve"}
    assert _arts(Spec.make(dataset="digits16", hidden=[4])) == ("ink", "weights", "value")
    custom = Spec.make(dataset="custom", data={"x": [[1, 2, 3], [3, 2, 1]], "y": [0, 1]})
    assert set(_arts(custom)) == {"value"}
    assert not has_surfaces(start(custom))


def test_a_drawing_tells_no_more_than_is_known() -> None:
    """Half-way forwards, links and cards into units still to come say "?", under every lens; the weights are there."""
    state = state_of()
    step = trace(state, 3)
    walk = walkthrough(step, "unit")
    here = next(moment.index for moment in walk if "z1.2" in map(str, moment.targets))
    for lens in LENSES:
        svg = draw(state.spec, step, surfaces(state), lens, False, Marks(known=known(walk, here))).svg
        links = dict(re.findall(r'id="link-([\d-]+)"[^>]* data-v="([^"]+)"', svg))
        there = (
            {"1-1-1", "1-1-2", "1-2-1", "1-2-2"} if lens == "activations" else set(links if lens == "weights" else ())
        )
        assert {link for link, text in links.items() if text != "?"} == there, lens
        cards = dict(re.findall(r'id="node-([\d-]+)"[^>]* data-v="([^"]+)"', svg))
        assert {node for node, text in cards.items() if "a ?" not in text} == {"0-1", "0-2", "1-1", "1-2"}, lens


def test_each_output_has_its_own_target_beside_it() -> None:
    """Class after class, at the height of its unit; of a number, that number."""
    state = state_of(dataset="three_blobs", loss="cross_entropy", output_activation="softmax")
    for example in range(6):
        step = trace(state, example)
        svg = draw(state.spec, step, surfaces(state), "weights", False, Marks(known=frozenset())).svg
        found = re.findall(r'class="wanted"[^>]* y="([\d.]+)">→ y (\S+?)<', svg)
        assert [text for _, text in found] == ["+1" if y else "0" for y in step.y[0]]
        assert [float(y) for y, _ in found] == sorted(float(y) for y, _ in found)


@pytest.mark.parametrize("size", [Space(350, 230), Space(390, 250)], ids=str)
def test_the_number_over_the_topmost_map_is_whole(size: Space) -> None:
    """On a phone it stands above its map, which leaves it the height of its letters."""
    state = state_of(dataset="digits16", samples=60, layers="conv2d 8 3x3 relu, max_pool 2, conv2d 16 3x3 relu")
    for k, units in ((1, 8), (2, 16)):
        for unit in (1, 2, units):
            marks = Marks(lit=frozenset({f"node-{k}-{unit}"}), known=frozenset())
            svg = str(draw(state.spec, trace(state, 3), None, "weights", False, marks, size).svg)
            (top,) = re.findall(r'class="above told [^>]* y="(.+?)"', svg)
            assert float(top) >= 11, (k, unit)


@pytest.mark.parametrize("size", ["s", "m", Space(350, 230), Space(950, 330)], ids=str)
def test_a_target_is_inside_the_drawing(size: Size | Space) -> None:
    """Of one output: beside its unit where there is room, or above it, and over the number that stands there."""
    state = state_of()
    svg = str(draw(state.spec, trace(state, 3), surfaces(state), "weights", False, Marks(known=frozenset()), size).svg)
    place = layout((2, 4, 2, 1), ("tanh",) * 3, size=size)
    ((x, y),) = re.findall(r'class="wanted[^>]* x="(.+?)" y="(.+?)"', svg)
    assert float(x) + 45 <= place.width
    output = place.layers[-1].nodes[0]
    beside, over = float(x) > output.right, 4.0 + 12 if place.layers[-1].labelled else 4.0
    assert beside or 12 <= float(y) <= output.top - over


def test_a_walkthrough_fills_in_the_units() -> None:
    """Under the lens of weights, too, each unit shows its a and its delta once they are computed, and "?" before."""
    state = state_of()
    step = trace(state, 3)
    walk = walkthrough(step, "unit")
    units = [f"{k}.{j + 1}" for k, layer in enumerate(step.layers, 1) for j in range(len(layer.b))]
    for index in range(len(walk)):
        computed = known(walk, index)
        svg = draw(state.spec, step, surfaces(state), "weights", False, Marks(known=computed)).svg
        above, below = (re.findall(rf'class="{place}"[^>]*>([^<]*)<', svg) for place in ("above", "below"))
        assert ["?" not in text for text in above[-len(units) :]] == [
            Quantity.parse(f"a{unit}").is_in(computed) for unit in units
        ]
        assert ["?" not in text for text in below] == [Quantity.parse(f"dz{unit}").is_in(computed) for unit in units]
        assert {text[0] for text in below} == {"δ"}


def numbers_of(path: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?[\d.]+", path)]


@pytest.mark.parametrize("size", SIZES)
def test_an_arc_leads_from_a_layer_to_where_it_is_added(size: str) -> None:
    """From the corner of the unit that gives to that of the unit that adds, over the top, inside the drawing."""
    spec = Spec.make(layers="dense 2 tanh, shortcut 1, dense 3 tanh, dense 3 tanh, dense 3 tanh, shortcut 2")
    network = spec.network
    arcs = (*network.shortcuts.items(),)
    place = layout(network.sizes, network.activation_names, False, size, shortcuts=arcs)  # type: ignore[arg-type]
    assert [(arc.id, arc.source) for arc in place.arcs] == [
        ("arc-1-1", 0), ("arc-1-2", 0), ("arc-4-1", 2), ("arc-4-2", 2), ("arc-4-3", 2),
    ]  # fmt: skip
    for arc in place.arcs:
        one, other = place.node(arc.source, arc.unit), place.node(arc.layer, arc.unit)
        assert one is not None
        assert other is not None
        x0, y0, _, rise, _, _, x1, y1 = numbers_of(arc.path)
        assert (x0, y0, x1, y1) == (one.right - 4, one.top, other.left + 4, other.top)
        assert 0 <= rise < y0


def test_arcs_tell_what_they_add_and_bring_back() -> None:
    """Forwards what the layer below gave, under gradients dL/da; a layer with one is labelled by its o."""
    state = state_of(layers="dense 3 tanh, dense 3 tanh, shortcut 1")
    step = trace(state, 5)
    for lens, carried in (("weights", step.layers[0].a[0]), ("gradients", step.layers[1].da[0])):
        svg = draw(state.spec, step, surfaces(state), lens, False, Marks()).svg
        told = re.findall(r'id="arc-2-(\d)" class="arc" d="[^"]+" data-v="([^"]+)"', svg)
        assert told == [(str(j), signed(value)) for j, value in enumerate(carried.tolist(), 1)]
    svg = draw(state.spec, step, surfaces(state), "activations", False, Marks()).svg
    assert step.layers[1].o is not None
    for j, value in enumerate(step.layers[1].o[0].tolist(), 1):
        assert f'id="node-2-{j}" class="node " role="button" tabindex="-1" data-v="o {signed(value)}' in svg
    known_now = Marks(known=frozenset())
    hidden = draw(state.spec, step, surfaces(state), "weights", False, known_now).svg
    assert re.findall(r'class="arc unknown" d="[^"]+" data-v="\?"', hidden)


def test_wide_layers_have_one_arc() -> None:
    """Where units stand too close for one each."""
    network = Spec.make(layers="dense 20 tanh, dense 20 tanh, shortcut 1").network
    place = layout(network.sizes, network.activation_names, shortcuts=(*network.shortcuts.items(),))
    assert [arc.id for arc in place.arcs] == ["arc-2-0"]


@pytest.mark.parametrize("size", [*SIZES, Space(1050, 420), Space(930, 280), Space(950, 330), Space(340, 220)], ids=str)
@pytest.mark.parametrize("name", DEEP)
def test_no_caption_touches_another(name: str, size: Size | Space) -> None:
    """What stands under a layer leaves its neighbours' captions alone, however many layers there are."""
    state = start(Spec.make(**DEEP[name]))
    seen = surfaces(state) if has_surfaces(state) else None
    drawing = draw(state.spec, trace(state, 1), seen, "weights", False, Marks(), size)
    told = re.sub(r"</?tspan[^>]*>", "", str(drawing.svg))
    found = re.findall(r'<text class="caption[^"]*" x="(.+?)" y="(.+?)">(.+?)</text>', told)
    boxes = [(float(x) - 3.6 * len(each), float(x) + 3.6 * len(each), float(y)) for x, y, each in found]
    assert len({x for x, _, _ in found}) == len(state.spec.network.sizes)
    for n, (left, right, y) in enumerate(boxes):
        assert all(left >= r + 2 or right + 2 <= x or abs(y - other) >= 13 for x, r, other in boxes[:n]), found
