"""The small pictures of feature maps under Why?: every square, frame and number is read back and held against the
trace, computed here by plain slices; and what the sentences say is so.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import told
from test_feature_maps import NETS, ready
from test_pictures import Run, looking

from app.explain.moments import Moment
from app.explain.places import APART, HIGH, TOP, WIDE, Grids
from app.explain.walkthrough import walkthrough
from app.explain.why import Curves, Why, why_of
from app.words.segments import text_of
from engine import Trace, trace
from engine.operations.conv2d import padding_of

ALONE = [layers.replace("batch_norm, ", "") for layers in NETS]
EXAMPLE = 3


def pages(step: Trace) -> list[tuple[Moment, Why]]:
    walk = walkthrough(step, "unit")
    return [(moment, why) for moment in walk for why in why_of(walk.scene, moment)]


def of_part(x: float) -> int:
    """Which of the grids side by side has what stands there."""
    return int((x - 4 + 0.1) // APART)


def squares(picture: Grids, n: int) -> np.ndarray:
    """The numbers of one grid by the strength of its squares, the largest by size as 1."""
    own = [cell for cell in picture.cells if of_part(cell[0]) == n]
    rows, columns = (sorted({cell[axis] for cell in own}) for axis in (1, 0))
    found = np.zeros((len(rows), len(columns)))
    for x, y, along, down, role, share in own:
        assert (role == "o") == (share == 0) or share == 0
        found[rows.index(y), columns.index(x)] = {"p": share, "n": -share, "o": 0.0}[role]
        assert y + down <= TOP + HIGH + 0.1
        assert x + along <= min(4 + n * APART + WIDE + 0.1, picture.width)
    return found


def is_drawn(picture: Grids, n: int, numbers: np.ndarray) -> None:
    """A grid has these numbers, and prints them where there is room."""
    reach = np.abs(numbers).max() or 1.0
    np.testing.assert_allclose(squares(picture, n), numbers / reach, atol=6e-4)
    if max(numbers.shape) <= 3 and picture.kind in ("window", "pooled"):
        texts = [each.text for each in picture.texts if each.role == "cell" and of_part(each.x) == n]
        assert max(map(len, texts)) <= 6
        printed = [0.0 if each == "≈0" else told(each) for each in texts]
        np.testing.assert_allclose(printed, numbers.ravel(), atol=0.0051)


def framed(picture: Grids, n: int) -> tuple[int, int]:
    """Where the frame of a grid lies."""
    ((x, y, along, down),) = [frame for frame in picture.frames if of_part(frame[0]) == n]
    return round((y - TOP) / down), round((x - 4 - APART * n) / along)


def below(step: Trace, k: int) -> Any:
    """What a convolution takes, with zeros round it: (channels, height, width)."""
    network = step.spec.network
    node = next(node for node in network.nodes if (node.layer, node.operation) == (k, "conv2d"))
    given = step.x if k == 1 else getattr(step.layers[k - 2], network.given_kind(k - 1))
    pad = padding_of(node)
    return np.pad(given[0].reshape(node.takes), ((0, 0), (pad, pad), (pad, pad))), int(node.option("stride"))


def holds_window(step: Trace, moment: Moment, picture: Grids) -> None:
    """The window of the largest z, of the channel below that moves it most, and the kernel over it."""
    layer, j = step.layers[moment.layer - 1], moment.units[0] - 1
    y, x = np.unravel_index(int(np.abs(layer.z[0, j]).argmax()), layer.z.shape[2:])
    maps, stride = below(step, moment.layer)
    side = layer.W.shape[2]
    seen = maps[:, y * stride : y * stride + side, x * stride : x * stride + side]
    parts = (seen * layer.W[j]).sum(axis=(1, 2))
    assert parts.sum() + layer.b[j] == pytest.approx(layer.z[0, j, y, x])
    most = int(np.abs(parts).argmax())
    is_drawn(picture, 0, seen[most])
    is_drawn(picture, 1, layer.W[j, most])
    is_drawn(picture, 2, seen[most] * layer.W[j, most])


def holds_many(step: Trace, moment: Moment, picture: Grids) -> None:
    """What the weight met times δ, place by place, adds up to its gradient; framed is the largest share."""
    layer, j = step.layers[moment.layer - 1], moment.units[0] - 1
    dz = squares(picture, 1)
    np.testing.assert_allclose(dz, layer.dz[0, j] / (np.abs(layer.dz[0, j]).max() or 1.0), atol=6e-4)
    i, row, column = np.unravel_index(int(np.abs(layer.dW[j]).argmax()), layer.dW[j].shape)
    maps, stride = below(step, moment.layer)
    high, wide = dz.shape
    truth = maps[i, row : row + stride * high : stride, column : column + stride * wide : stride][:high, :wide]
    is_drawn(picture, 0, truth)
    assert (truth * layer.dz[0, j]).sum() == pytest.approx(layer.dW[j, i, row, column])
    shares = np.abs(truth * layer.dz[0, j])
    assert shares[framed(picture, 0)] == pytest.approx(shares.max())
    is_drawn(picture, 2, truth * layer.dz[0, j])
    assert framed(picture, 0) == framed(picture, 1) == framed(picture, 2)


def holds_pool(step: Trace, moment: Moment, picture: Grids, words: str) -> None:
    """The window of one number that goes on; who gets what comes back."""
    k, j, network = moment.layer, moment.units[0] - 1, step.spec.network
    layer, kind = step.layers[k - 1], network.pools[moment.layer].operation
    back, letter = moment.kind == "map_back", network.before(k, "v")
    given = getattr(layer, letter)[0, j]
    if kind == "global_pool":
        into, window = (), given
    else:
        side = int(network.pools[k].option("size"))
        asked = layer.asked[0, j] if back else layer.v[0, j]  # type: ignore[index]
        y, x = np.unravel_index(int(np.abs(asked).argmax()), asked.shape)
        into = (int(y) // side, int(x) // side) if back else (int(y), int(x))
        window = given[into[0] * side :, into[1] * side :][:side, :side]
    is_drawn(picture, 0, window)
    v, dv = layer.v[0, j][into], layer.dv[0, j][into]  # type: ignore[index]
    if kind == "max_pool":
        assert v == window.max()
        assert framed(picture, 0) == divmod(int(window.argmax()), window.shape[1])
        assert ("equally large" in words) == ((window == window.max()).sum() > 1)
        came = np.where(np.arange(window.size).reshape(window.shape) == window.argmax(), dv, 0.0)
    else:
        assert v == pytest.approx(window.mean())
        assert not picture.frames
        came = np.full(window.shape, dv / window.size)
    assert str(window.size) in words or "winner" in words
    if back:
        is_drawn(picture, 1, came)


def holds_mask(step: Trace, moment: Moment, picture: Grids) -> None:
    """Nothing comes back through what is put to 0."""
    layer, j = step.layers[moment.layer - 1], moment.units[0] - 1
    mask = layer.mask[0, j]  # type: ignore[index]
    is_drawn(picture, 0, mask)
    assert not squares(picture, 1)[mask == 0].any()
    before = step.spec.network.before(moment.layer, "h")
    is_drawn(picture, 1, getattr(layer, f"d{before}")[0, j])


@pytest.mark.parametrize("layers", ALONE)
def test_every_picture_of_a_map_is_so(layers: str) -> None:
    """At every moment of channels: a window, a pool both ways, a mask, a weight's places, and a slope."""
    step, seen = trace(ready(layers), EXAMPLE), set[str]()
    for moment, why in pages(step):
        if not step.spec.network.image(moment.layer) or not moment.units:
            continue
        seen.add(moment.kind)
        words, picture = text_of(why.words), why.picture
        if why.sentence.message == "why meet":
            assert step.spec.network.arcs(moment.layer)
        elif why.sentence.message == "why slope":
            layer, j = step.layers[moment.layer - 1], moment.units[0] - 1
            place = np.unravel_index(int(np.abs(layer.asked[0, j]).argmax()), layer.asked.shape[2:])
            share = layer.asked[0, j][place] / layer.da[0, j][place]
            assert isinstance(picture, Curves)
            assert told(picture.labels[0][2].split()[-1]) == pytest.approx(share, abs=0.006)
        elif isinstance(picture, Grids):
            holds = {"window": holds_window, "many": holds_many, "mask": holds_mask}.get(picture.kind)
            holds(step, moment, picture) if holds else holds_pool(step, moment, picture, words)
    assert seen >= {"window", "map_back", "kernel"} | ({"pool"} if "pool" in layers else set())


@pytest.mark.parametrize("layers", NETS)
def test_the_pictures_of_a_normalized_map_are_so(layers: str) -> None:
    """The lines of both distributions and the bars of the three ways are the place's that the moment tells."""
    step, seen = trace(ready(layers), EXAMPLE), 0
    for moment, why in pages(step):
        if moment.kind not in ("map_norm", "map_ways"):
            continue
        layer, j, picture = step.layers[moment.layer - 1], moment.units[0] - 1, why.picture
        norm = layer.norm
        assert norm is not None
        assert isinstance(picture, Curves)
        seen += 1
        whole = step.spec.network.norms[moment.layer] == "layer_norm"
        if moment.kind == "map_norm":
            before, after = (layer.z[0], norm.n[0]) if whole else (layer.z[:, j], norm.n[:, j])
            assert str(before.size) in text_of(why.words).replace(",", "")
            scale = 52 / max(np.abs(before).max(), np.abs(after).max())
            at = np.unravel_index(int(np.abs(layer.z[0, j]).argmax()), layer.z.shape[2:])
            numbers = [float(text) for text in picture.line[1:].replace("34V28M", "").replace("34L", "").split()[:3]]
            assert numbers[0] == pytest.approx(60 + scale * layer.z[0, j][at], abs=0.06)
            assert numbers[2] == pytest.approx(60 + scale * norm.n[0, j][at], abs=0.06)
            drawn = np.array([float(above) for above in re.findall(r"M([\d.]+) 34V28", picture.curve)])
            assert len(drawn) == min(64, before.size)
            ends = (60 + scale * before.min(), 60 + scale * before.max())
            assert (drawn.min(), drawn.max()) == pytest.approx(ends, abs=0.06)
        else:
            at = np.unravel_index(int(np.abs(layer.dz[0, j]).argmax()), layer.dz.shape[2:])
            ways = [float(each[0, j][at]) for each in (norm.dz_own, norm.dz_mean, norm.dz_spread)]
            assert sum(ways) == pytest.approx(layer.dz[0, j][at])
            scale = 42 / np.abs(np.cumsum(ways)).max()
            assert picture.point[1] == pytest.approx(60 - scale * sum(ways), abs=0.11)
    assert seen


def test_the_pictures_stand_on_the_page(tmp_path: Path) -> None:
    """A square for each number, in the markup."""

    async def work(run: Run) -> None:
        step = trace(run.state, 0)
        walk = walkthrough(step, "unit")
        kinds = {moment.kind: index for index, moment in reversed(list(enumerate(walk)))}
        for kind in ("window", "pool", "map_back", "kernel"):
            made = [why.picture for why in why_of(walk.scene, walk[kinds[kind]]) if isinstance(why.picture, Grids)]
            frame = await run.look(example=0, moment=kinds[kind], grain="unit")
            drawn = [svg for why in frame.all("details", id="why") for svg in why.all("svg", "grids")]
            assert [len(svg.all("rect")) for svg in drawn] == [len(picture.cells) for picture in made]
            assert [len(svg.all("path", "frame")) for svg in drawn] == [len(picture.frames) for picture in made]
            assert made

    looking(tmp_path, work, 2, dataset="digits16", samples=60, layers="conv2d 2 3x3 relu, max_pool 2, dense 4 tanh")
