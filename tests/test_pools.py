"""What a pool gives beside its channel, and crossed places of a map: read back from the drawing."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from reading import Element, diverging, page, pixels, points

from app.draw.diagram import Space
from app.draw.drawing import draw
from app.draw.marks import Marks
from app.explain.chips import chips_of
from app.explain.moments import Moment
from app.explain.walkthrough import Walkthrough, known, walkthrough
from app.page.frame import marks_of
from engine import Spec, start, trace


def drawn(layers: str, *kinds: str) -> Iterator[tuple[Walkthrough, Moment, Element]]:
    """The drawings of the first layer's moments of these kinds, of one example."""
    spec = Spec.make(dataset="digits16", samples=60, output_activation="softmax", loss="cross_entropy", layers=layers)
    state = start(spec)
    step = trace(state, 3)
    walk = walkthrough(step)
    for n, moment in enumerate(walk):
        if moment.layer == 1 and moment.kind in kinds:
            marks = replace(marks_of(step, moment, known(walk, n)), chips=chips_of(walk.scene, moment))
            svg = draw(spec, step, None, "weights", False, marks, Space(1050, 420)).svg
            yield walk, moment, page(str(svg))


@pytest.mark.parametrize("pool", ["max_pool", "avg_pool"])
def test_what_a_pool_gives_stands_beside_its_channel(pool: str) -> None:
    """Forwards what goes on, on the way back what came to it, in the colours of maps; framed is the number told."""
    seen = set()
    for walk, moment, svg in drawn(f"conv2d 3 3x3 relu, {pool} 2, conv2d 2 3x3 tanh", "pool", "map_back"):
        layer, j = walk.scene.layer(1), moment.units[0] - 1
        picture = svg.one("svg", "pooled")
        maps = layer.v if moment.kind == "pool" else layer.dv
        assert maps is not None
        assert picture.one("text").words == {"pool": "v", "map_back": "∂L/∂v"}[moment.kind]
        read = diverging(pixels(picture.one("image")["href"]))
        assert read.shape == (8, 8)
        assert read == pytest.approx(maps[0, j] / np.abs(maps[0]).max(), abs=0.08)
        frame = picture.one("rect", "window")
        of = next(each.target for each in moment.formulas if each.target.kind in ("v", "dv"))  # type: ignore[union-attr]
        assert (frame.number("y") + 1, frame.number("x") + 1) == of.index[1:]
        assert (frame.number("width"), frame.number("height")) == (1, 1)
        seen.add(moment.kind)
    assert seen == {"pool", "map_back"}


@pytest.mark.parametrize(("lens", "kind"), [("weights", "v"), ("gradients", "dv")])
@pytest.mark.parametrize("pool", ["max_pool 2", "avg_pool 2", "global_pool"])
def test_at_rest_every_channel_has_what_its_pool_gives_beside_it(pool: str, lens: str, kind: str) -> None:
    """Half as large as its map, joined by a bar, and links begin there; where there is no room, at the selected one."""
    spec = Spec.make(dataset="digits16", samples=60, layers=f"conv2d 8 3x3 relu, {pool}, dense 3 tanh")
    step = trace(start(spec), 3)
    maps = getattr(step.layers[0], kind)[0]
    apart = np.reshape(maps, (len(maps), *(maps.shape[1:] or (1, 1))))
    svg = page(str(draw(spec, step, None, lens, False, Marks()).svg))
    read = diverging(pixels(svg.one("image", id="pooled-1")["href"])).reshape(-1, *apart.shape[1:])
    assert read[: len(apart)] == pytest.approx(apart / np.abs(apart).max(), abs=0.08)
    for j in range(1, 9):
        edge, own = svg.one("g", id=f"node-1-{j}").all("rect", "edge")
        assert own.number("width") == pytest.approx(edge.number("width") / 2, abs=0.1)
        assert own.number("x") > edge.number("x") + edge.number("width")
        assert own.number("y") > edge.number("y")
    narrow = page(str(draw(spec, step, None, lens, False, Marks(), "s").svg))
    assert not narrow.all("image", id="pooled-1")
    assert not narrow.all("svg", "pooled")
    if kind in ("v", "dv") and maps.ndim == 3:
        chosen = page(str(draw(spec, step, None, lens, False, Marks(select="a1.2"), "s").svg))
        assert diverging(pixels(chosen.one("svg", "pooled").one("image")["href"])) == pytest.approx(
            maps[1] / (np.abs(maps).max() or 1), abs=0.08
        )


def test_the_winners_of_a_selected_channel_are_marked_at_rest() -> None:
    spec = Spec.make(dataset="digits16", samples=60, layers="conv2d 2 3x3 relu, max_pool 2")
    step = trace(start(spec), 3)
    svg = page(str(draw(spec, step, None, "weights", False, Marks(select="a1.2")).svg))
    a, won = step.layers[0].a[0, 1], points(svg.one("path", "winners")["d"].replace("h0", " "))
    largest = a.reshape(8, 2, 8, 2).max(axis=(1, 3))
    assert [a[int(y), int(x)] for x, y in won] == largest.ravel().tolist()
    assert not page(str(draw(spec, step, None, "weights", False, Marks()).svg)).all("path", "winners")


def test_no_pooled_map_before_it_is_known() -> None:
    for _, _, svg in drawn("conv2d 3 3x3 relu, max_pool 2", "window"):
        assert not svg.all("svg", "pooled")


@pytest.mark.parametrize(
    ("layers", "side"), [("conv2d 3 3x3 relu, dropout 0.5", 16), ("conv2d 3 3x3 relu, max_pool 2, dropout 0.5", 8)]
)
def test_places_that_dropout_puts_to_0_are_crossed(layers: str, side: int) -> None:
    """A cross over each of them, and over no other, once the mask is known."""
    for _, _, svg in drawn(layers, "window"):
        assert not svg.all("path", "crosses")
    crossed = 0
    for walk, moment, svg in drawn(layers, "dropout"):
        mask, j = walk.scene.layer(1).mask, moment.units[0]
        assert mask is not None
        assert mask.shape[2:] == (side, side)
        wide = 16 // side
        paths = [path["d"] for path in svg.all("path", "crosses")]
        assert len(paths) == j, "those of the channels so far"
        places = [points(each.partition("l")[0])[0] / wide for each in paths[j - 1].split("M")[1:]]
        assert [(int(y), int(x)) for x, y in places] == [tuple(at) for at in np.argwhere(mask[0, j - 1] == 0).tolist()]
        crossed += len(places)
    assert crossed
