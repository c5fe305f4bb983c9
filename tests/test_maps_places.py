"""One place of a channel, and one weight of a kernel: what is told of them, and where they are chosen."""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from app.explain.moments import Moment
from app.explain.places import Grids, picture_of, place_of
from app.explain.rows import rows_of
from app.explain.walkthrough import Walkthrough, walkthrough
from app.page.links import View, view_fields, view_of
from app.words.columns import room
from app.words.numbers import signed
from app.words.segments import text_of
from engine import Quantity, Spec, SpecError, start, trace
from engine.equation import Equation, value

LAYERS = [
    "conv2d 3 3x3 tanh, max_pool 2, conv2d 4 3x3 relu same 2",
    "conv2d 2 5x5 relu valid, batch_norm, conv2d 3 3x3 tanh, avg_pool 2",
    "conv2d 2 3x3 relu, dropout 0.5, conv2d 2 3x3 relu, shortcut 1",
]
ONE_BY_ONE = ("product", "product_back", "dW", "db", "gains")


def walked(layers: str, *chosen: str, example: int | None = 3) -> Walkthrough:
    spec = Spec.make(dataset="digits16", samples=60, output_activation="softmax", loss="cross_entropy", layers=layers)
    return walkthrough(trace(start(spec), example), "operation", tuple(map(Quantity.parse, chosen)))


def of_maps(walk: Walkthrough) -> Iterator[Moment]:
    return (moment for moment in walk if moment.kind in ONE_BY_ONE and walk.scene.network.image(moment.layer))


@pytest.mark.parametrize("example", [3, None])
@pytest.mark.parametrize("layers", LAYERS)
def test_every_number_told_of_a_place_is_the_traces(layers: str, example: int | None) -> None:
    """Each kernel's share forwards and back, and one weight of each: equation, words and rows tell the trace's number,
    and a channel's shares add up to what the next moment tells."""
    walk, seen = walked(layers, example=example), set()
    for moment in of_maps(walk):
        seen.add(moment.kind)
        for made in moment.formulas:
            assert isinstance(made, Equation)
            told = float(walk.scene.look(made.target))
            assert float(value(made.tree, walk.scene.look)) == pytest.approx(told, rel=1e-9, abs=1e-13)
        if moment.kind in ("product", "product_back", "dW"):
            (result, *_), own = rows_of(walk.scene, moment).blocks[0].symbols, moment.formulas[0]
            assert result.value == float(walk.scene.look(own.target))  # type: ignore[union-attr]
            assert signed(float(walk.scene.drawn(own.target))) in text_of(moment.words)  # type: ignore[union-attr]
    assert seen >= {"product", "product_back", "dW", "db"}
    for n, moment in enumerate(walk):
        if moment.kind == "window" and example is not None:
            products = [each.values["p"] for each in (walk[i] for i in range(n - len(moment.links), n))]
            z = walk.scene.look(Quantity("z", moment.layer, moment.formulas[0].target.index, 0))  # type: ignore[union-attr]
            b = walk.scene.layer(moment.layer).b[moment.units[0] - 1]
            assert np.sum(products) + b == pytest.approx(float(z), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("example", [3, None])
@pytest.mark.parametrize("layers", LAYERS)
def test_a_unit_over_maps_is_told_of_a_number_a_channel(layers: str, example: int | None) -> None:
    """Forwards a weight times what it takes, on the way back the same weight times δ; of all units these add up to what
    comes back to that place. Then its sum, bias and activation by themselves."""
    walk = walked(layers, example=example)
    k, network, back = walk.scene.last, walk.scene.network, dict[tuple[int, ...], float]()
    own = [moment for moment in walk if moment.layer == k and moment.units]
    kinds = Counter(moment.kind for moment in own)
    assert kinds["product"] == kinds["product_back"] == 10 * network.sizes[k - 1]
    assert kinds["sum"] == kinds["bias"] == kinds["activation"] == kinds["gradient"] == 10
    for moment in own:
        if moment.kind not in ("product", "product_back"):
            continue
        (made,) = moment.formulas
        assert isinstance(made, Equation)
        j, *spot = (int(str(at)) for at in made.target.index)
        flat = np.ravel_multi_index([at - 1 for at in spot], network.image(k - 1, network.given_kind(k - 1)))
        weight, given = walk.scene.layer(k).W[j - 1, flat], walk.scene.below(k).reshape(walk.scene.count, -1)[0, flat]
        times = given if moment.kind == "product" else walk.scene.layer(k).dz[0, j - 1]
        assert float(value(made.tree, walk.scene.look)) == pytest.approx(float(weight * times), abs=1e-15)
        mean = walk.scene.below(k).reshape(walk.scene.count, -1)[:, flat].mean()
        total = walk.scene.layer(k).dz[:, j - 1].sum()
        assert signed(float(weight * (mean if moment.kind == "product" else total))) in text_of(moment.words)
        assert moment.nodes == (f"node-{k}-{j}", f"node-{k - 1}-{spot[0]}")
        if moment.kind == "product_back":
            back[tuple(spot)] = back.get(tuple(spot), 0.0) + float(weight * times)
    for spot, whole in back.items():
        came = walk.scene.look(Quantity(network.back_kind(k - 1), k - 1, spot, 0))
        arcs = sum(float(walk.scene.look(Quantity(network.joint_kind(to), to, spot, 0))) for to in network.arcs(k - 1))
        assert whole + arcs == pytest.approx(float(came), rel=1e-9, abs=1e-12)


def test_the_largest_of_a_window_is_one_maximum_that_fits_a_phone() -> None:
    """Of four numbers, not of a number and the largest of three; its lines break after a comma, and its code is its."""
    walk = walkthrough(walked(LAYERS[0]).trace, "unit")
    moment = next(each for each in walk if each.kind == "pool")
    blocks = rows_of(walk.scene, moment, 7).blocks
    told = ["".join(cell.number for cell in block.symbols) for block in blocks]
    assert "".join(told).count("max(") == 1
    assert not [line for line in told if line.startswith(",")]
    assert all(room(block.symbols, code=False) <= 7 for block in blocks)
    a, v = (getattr(walk.trace.layers[0], kind) for kind in "av")
    made, _, found = "".join(cell.code for block in blocks for cell in block.symbols).partition("=")
    assert eval(found, {"np": np, "a1": a}) == eval(made, {"v1": v})


def test_a_chosen_place_is_told_forwards_and_back() -> None:
    """It is the place of every moment of its layer; a weight that is chosen is that of its kernel."""
    walk = walked(LAYERS[0], "a1.2.7.10", "W2.3.1.2.3")
    told = {place_of(walk.scene, m).split(".", 2)[2] for m in walk if m.layer == 1 and place_of(walk.scene, m)}
    assert told == {"7.10"}
    pool = next(m for m in walk if (m.kind, m.layer, m.units) == ("pool", 1, (2,)))
    assert pool.formulas[0].target.index == (2, 4, 5)  # type: ignore[union-attr]
    back = next(m for m in walk if (m.kind, m.layer, m.units) == ("map_back", 1, (2,)))
    assert [of.target.index for of in back.formulas] == [(2, 4, 5), (2, 7, 10), (2, 7, 10)]  # type: ignore[union-attr]
    share = next(m for m in walk if (m.kind, m.layer) == ("product_back", 2) and m.targets[0].source == 2)
    assert share.formulas[0].target.index == (1, 2, 4, 5)  # type: ignore[union-attr]
    weight = next(m for m in walk if m.kind == "dW" and m.targets == (Quantity.parse("dW2.3.1"),))
    assert weight.focus == "W2.3.1.2.3"
    other = walked(LAYERS[0])
    z = np.abs(other.scene.layer(1).z[0, 1])
    first = next(m for m in other if (m.kind, m.layer, m.units) == ("window", 1, (2,)))
    row, column = np.unravel_index(int(z.argmax()), z.shape)
    assert place_of(other.scene, first) == f"a1.2.{row + 1}.{column + 1}"


def parts(picture: Grids) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """The numbers of each part, as shares of its largest by size, read from its squares."""
    signs, found, apart = {"p": 1, "n": -1, "o": 0}, [], picture.texts[0].y
    names = [each.x for each in picture.texts if each.y == apart]  # a part's name stands over its left edge
    for left, right in zip(names, [*names[1:], np.inf], strict=True):
        own = sorted((y, x, signs[role] * share) for x, y, *_, role, share in picture.cells if left <= x < right)
        found.append(np.array([number for *_, number in own]).reshape(len({y for y, *_ in own}), -1))
    return found


def test_pictures_of_one_kernel_are_its_numbers() -> None:
    """Window, kernel and their products side by side, the kernel turned on the way back; a weight's places."""
    walk, seen = walked("conv2d 2 3x3 tanh, conv2d 3 3x3 tanh"), set()
    for moment in of_maps(walk):
        picture = picture_of(walk.scene, moment)
        if moment.kind in ("db", "gains"):
            assert picture is None
            continue
        assert picture
        one, other, both = parts(picture)
        whole = one * other
        assert both == pytest.approx(whole / (np.abs(whole).max() or 1), abs=2e-3)
        k, j, i = moment.layer, moment.units[0], moment.targets[0].source
        W = walk.scene.layer(k).W[j - 1, i - 1]
        if moment.kind != "dW":
            turned = W if moment.kind == "product" else W[::-1, ::-1]
            assert other == pytest.approx(turned / np.abs(turned).max(), abs=1e-3)
        else:
            dz = walk.scene.layer(k).dz[0, j - 1]
            assert other == pytest.approx(dz / np.abs(dz).max(), abs=1e-3)
            assert len(picture.frames) == 9
        seen.add(moment.kind)
    assert seen == {"product", "product_back", "dW"}


def test_the_largest_places_of_a_weight_come_first() -> None:
    walk = walked("conv2d 2 3x3 tanh, conv2d 3 3x3 tanh")
    moment = next(m for m in walk if m.kind == "dW" and m.layer == 2)
    told = re.findall(r"Row (\d+), column (\d+): (\S+) × (\S+) = (\S+)\.", "".join(s.text for s in moment.words))
    _, i, row, column = (int(each) for each in str(moment.focus).split(".")[1:])
    x = np.pad(walk.scene.layer(1).a[0, i - 1], 1)[row - 1 : row + 15, column - 1 : column + 15]
    shares = x * walk.scene.layer(2).dz[0, moment.units[0] - 1]
    largest = np.argsort(-np.abs(shares.ravel()), kind="stable")[:3]
    assert [(int(y), int(x)) for y, x, *_ in told] == [(n // 16 + 1, n % 16 + 1) for n in largest.tolist()]
    assert [share for *_, share in told] == [signed(float(shares.ravel()[n])) for n in largest]


@pytest.mark.parametrize(
    "wrong", ["a1.4.1.1", "a1.1.17.1", "a1.1.0.1", "a0.1.1.1", "a3.1.1.1", "a9.1.1.1", "W2.1.1.9.9", "W2.99.1.1.1",
     "q", "loss", "a1.2", "W2.1.1", "b2.1", "z1.1.1.1"],
)  # fmt: skip
def test_a_place_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises((SpecError, ValueError), match=r"place|quantity"):
        walked(LAYERS[0], wrong)


def test_the_address_has_the_place() -> None:
    assert view_of({"place": "a1.2.5.7", "grain": "operation"}).place == "a1.2.5.7"
    assert view_fields(View(place="a1.2.5.7")) == {"place": "a1.2.5.7"}
    for wrong in ("a1.2", "W1.2.5.7", "x", "a1.2.5.7.9"):
        with pytest.raises(SpecError, match="place of a feature map"):
            view_of({"place": wrong})
