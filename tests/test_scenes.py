"""What lessons open with: every frame read back from its drawing and its words against the engine."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from reading import Element, page, scales, told

from app.draw.rendering import ENV
from app.learn import information, pieces
from app.learn.facts import Facts
from app.learn.lessons import TRACK, Lesson, lessons
from app.learn.openings import OPENINGS, opening
from app.learn.pages import render
from app.learn.scenes import Film, trail
from app.words.numbers import fixed_signed
from engine import graph, program

ALL = lessons(ENV)
NUMBER = re.compile(r"[+−]?\d+(?:\.\d+)?")


def name(lesson: Lesson) -> str:
    return lesson.slug


def by_slug(slug: str) -> tuple[Facts, Film]:
    found = next(lesson for lesson in ALL if lesson.slug == slug)
    scene = opening(found)
    assert scene is not None
    return found.head.run, scene


def drawn(scene: Film, frame: int) -> Element:
    text = '{% import "_scene.html" as scenes %}{{ scenes.drawing(scene, frame) }}'
    return page(ENV.from_string(text).render(scene=scene, frame=frame))


def numbers(text: str) -> list[float]:
    return [told(found) for found in NUMBER.findall(text)]


def texts(svg: Element, *classes: str) -> list[str]:
    return [each.words for each in svg.all("text", *classes)]


@pytest.mark.parametrize("lesson", ALL, ids=name)
def test_every_lesson_opens_with_a_scene(lesson: Lesson) -> None:
    """Several frames that differ, a sentence for each, and a few seconds in all."""
    scene = opening(lesson)
    assert scene is not None
    assert 5 <= scene.frames <= 25
    assert len(set(scene.captions)) >= scene.frames // 2
    assert 4 <= scene.seconds <= 10
    assert all(a != b for a, b in pairwise([str(drawn(scene, frame).all()) for frame in range(2)]))
    assert any(shape.moves for shape in scene.shapes)


def test_a_scene_whose_tracks_are_not_as_long_is_refused() -> None:
    """Every shape has a value for every frame."""
    _, scene = by_slug("error")
    with pytest.raises(ValueError, match="needs 12 values"):
        replace(scene, captions=scene.captions[1:])


def test_a_lesson_without_a_scene_has_none() -> None:
    """A new template is a new lesson, whether or not it moves."""
    assert opening(replace(ALL[0], slug="new")) is None
    assert set(OPENINGS) == {lesson.slug for lesson in ALL}


def test_the_square_is_the_residuals() -> None:
    """Its side is as long as the way from truth to answer, and the words are of that answer."""
    run, scene = by_slug("error")
    for frame in range(scene.frames):
        svg = drawn(scene, frame)
        ticks = {told(each.words): each.number("x") for each in svg.all("text", "tick")}
        unit = ticks[1] - ticks[0]
        guess = (svg.one("circle", "forward").number("cx") - ticks[0]) / unit
        now = run.with_values({"W1.1.1": round(guess, 2)})
        side = svg.one("rect", "square").number("width") / unit
        assert side == pytest.approx(abs(now["da1.1"]), abs=0.02)
        assert numbers(texts(svg, "dot-label")[2])[0] == pytest.approx(now.loss, abs=1e-3)
        assert numbers(scene.captions[frame])[0] == pytest.approx(now["a1.1"], abs=0.05)


@pytest.mark.parametrize("slug", ["line", "slope"])
def test_the_line_that_moves_is_the_line_told(slug: str) -> None:
    """Read back from its ends, and its residuals from theirs: the loss that stands beside them."""
    run, scene = by_slug(slug)
    for frame in range(scene.frames):
        svg = drawn(scene, frame)
        across, upright = scales(svg)
        fit = svg.one("line", "fit")
        (x1, y1), (x2, y2) = ((across(fit.number(f"x{k}")), upright(fit.number(f"y{k}"))) for k in (1, 2))
        m, b = (y2 - y1) / (x2 - x1), y1 - x1 * (y2 - y1) / (x2 - x1)
        loss = numbers(texts(svg, "dot-label")[0])[0]
        assert run.with_values({"W1.1.1": m, "b1.1": b}).loss == pytest.approx(loss, abs=0.06)
        misses = [upright(each.number("y2")) - upright(each.number("y1")) for each in svg.all("line", "residual")]
        assert 0.5 * np.square(misses).mean() == pytest.approx(loss, abs=0.06)
    if slug == "slope":
        assert numbers(scene.captions[-1])[-1] == pytest.approx(run.after(12).loss, abs=1e-3)


def ways_drawn(svg: Element) -> list[tuple[float, float]]:
    """Places all along the lines, and the rims of the dots, of what moves in a scene."""
    ends = [[tuple(each.number(f"{axis}{k}") for axis in "xy") for k in (1, 2)] for each in svg.all("line", "fit")]
    ends += [np.reshape(np.array(each["points"].split(), float), (-1, 2)).tolist() for each in svg.all("polyline")]
    along = [np.linspace(a, b, 60) for each in ends for a, b in pairwise(each)]
    round_ = np.array([[np.cos(turn), np.sin(turn)] for turn in np.linspace(0, 2 * np.pi, 9)])
    rims = [
        round_ * each.number("r") + [each.number("cx"), each.number("cy")]
        for each in svg.all("circle")
        if "point" not in each.classes
    ]
    return [tuple(place) for part in along + rims for place in part.tolist()]


@pytest.mark.parametrize("slug", ["line", "nudge", "slope", "overshoot", "neuron"])
def test_what_is_told_lies_clear_and_what_moves_stays_inside(slug: str) -> None:
    """In every frame: no line and no dot goes through the words, and every dot is in the frame of the plot."""
    _, scene = by_slug(slug)
    assert scene.box is not None
    for frame in range(scene.frames):
        svg = drawn(scene, frame)
        ways = ways_drawn(svg)
        for each in svg.all("text", "dot-label"):
            wide, x, y = 7.4 * len(each.words), each.number("x"), each.number("y")
            left = x - (wide / 2 if each["text-anchor"] == "middle" else 0)
            assert not [place for place in ways if left < place[0] < left + wide and y - 11 < place[1] < y + 3], frame
        for dot in svg.all("circle"):
            assert scene.box.left <= dot.number("cx") <= scene.box.left + scene.box.inner_width, frame
        assert "1 steps" not in scene.captions[frame]


def test_the_nudges_are_judged_as_the_loss_does() -> None:
    """Better where it fell, worse where it rose; and the dot stands on its m and its loss."""
    run, scene = by_slug("nudge")
    losses = []
    for frame in range(scene.frames):
        svg = drawn(scene, frame)
        across, upright = scales(svg)
        dot = svg.one("circle")
        m, loss = across(dot.number("cx")), upright(dot.number("cy"))
        assert run.with_values({"W1.1.1": m}).loss == pytest.approx(loss, abs=0.05)
        losses.append(numbers(texts(svg, "dot-label")[1])[0])
        assert losses[-1] == pytest.approx(loss, abs=0.05)
    for caption, (before, now) in zip(scene.captions[1:], pairwise(losses), strict=True):
        assert ("better" in caption) <= (now < before)
        assert ("worse" in caption) <= (now > before)
    assert any("better" in caption for caption in scene.captions)
    assert any("worse" in caption for caption in scene.captions)


def test_the_three_rates_jump_as_far_as_they_say() -> None:
    """Each dot on its place after so many steps of m alone; short falls slowly, the long one climbs."""
    run, scene = by_slug("overshoot")
    ends = []
    for kind in ("update", "forward", "look"):
        heights, last = [], run["W1.1.1"]
        for frame in range(scene.frames):
            svg = drawn(scene, frame)
            across, upright = scales(svg)
            dot, said = svg.one("circle", kind), texts(svg, "dot-label", kind)[0]
            rate, loss = numbers(said)
            m = across(dot.number("cx"))
            if frame:
                before = run.with_values({"W1.1.1": last}).with_rate(rate)
                assert before.next("W1.1.1") == pytest.approx(m, abs=0.12)
            assert upright(dot.number("cy")) == pytest.approx(loss, abs=0.05)
            heights.append(loss)
            last = m
        ends.append(heights)
    short, right, wild = ends
    assert short == sorted(short, reverse=True)
    assert right[1] < short[-1] + 0.2
    assert wild == sorted(wild)


def test_the_slope_of_the_sigmoid_is_drawn_and_told() -> None:
    """The tangent rises as the words say, through the dot."""
    _, scene = by_slug("neuron")
    for frame in range(scene.frames):
        svg = drawn(scene, frame)
        across, upright = scales(svg)
        line = svg.one("line", "tangent")
        rise = upright(line.number("y2")) - upright(line.number("y1"))
        z, a = numbers(texts(svg, "dot-label", "forward")[0])
        _, slope = pieces.activation_at("sigmoid", z)
        assert rise / (across(line.number("x2")) - across(line.number("x1"))) == pytest.approx(slope, abs=0.01)
        assert upright(svg.one("circle").number("cy")) == pytest.approx(a, abs=0.01)


def visible(svg: Element, *classes: str) -> list[str]:
    return [each.words for each in svg.all("text", *classes) if each["opacity"] == "1"]


def test_the_message_through_the_layers() -> None:
    """Activations, then deltas, each where its unit is; at the end the loss after the step."""
    run, scene = by_slug("layers")
    last = drawn(scene, scene.frames - 1)
    found = sorted(numbers(text)[0] for text in visible(last, "backward"))
    wanted = sorted(run[f"delta{layer}.{unit}"] for layer in (1, 2) for unit in (1, 2))
    assert found == pytest.approx(wanted, abs=6e-5)
    told_ = [[f"δ {fixed_signed(run[f'delta{layer}.{unit}'], 4)}" for unit in (1, 2)] for layer in (2, 1)]
    seen = [sorted(visible(drawn(scene, frame), "backward")) for frame in range(5)]
    assert seen == [[], [], [], sorted(told_[0]), sorted(told_[0] + told_[1])], "those of the outputs first"
    assert len(visible(drawn(scene, 1), "forward")) == 4
    assert numbers(scene.captions[-1])[0] == pytest.approx(run.after(1).loss, abs=6e-5)


def test_numbers_through_a_circuit_and_back() -> None:
    """What stands above and below each box is its number and its gradient; none before its time, and at the end the
    output is where the gradient said."""
    _, scene = by_slug("circuit")
    of = graph("q = x + y\nf = q * z", {"x": -2, "y": 5, "z": -4})
    assert [of.data[-1], *of.grad] == [-12, -4, -4, -4, 3, 1]
    last = drawn(scene, scene.frames - 2)
    boxes = [(box.number("x") + box.number("width") / 2, box.number("y")) for box in last.all("rect")]
    told_ = [sorted(numbers(text)[0] for text in visible(last, kind)) for kind in ("forward", "backward")]
    assert told_ == [sorted(of.data), sorted(of.grad)]
    for n, (across, top) in enumerate(boxes):
        beside = [each for each in last.all("text") if abs(each.number("x") - across) < 1]
        near = [each for each in beside if -20 < each.number("y") - top < 60]
        found = {kind: [numbers(e.words)[0] for e in near if kind in e.classes] for kind in ("forward", "backward")}
        assert found == {"forward": [of.data[n]], "backward": [of.grad[n]]}
    seen = [(len(visible(drawn(scene, k), "forward")), len(visible(drawn(scene, k), "backward"))) for k in range(7)]
    assert seen == [(3, 0), (4, 0), (5, 0), (5, 1), (5, 3), (5, 5), (5, 5)]
    assert "−12.4" in scene.captions[-1]
    assert any("−12.4" in text for text in visible(drawn(scene, 6), "forward"))


def test_a_trail_grows_by_one_place_a_frame() -> None:
    """What is still to come waits where it has got to."""
    (grown,) = (trail([(0, 9), (1, 8), (2, 7)], "way").moves["points"],)
    assert grown == ((0, 9, 0, 9, 0, 9), (0, 9, 1, 8, 1, 8), (0, 9, 1, 8, 2, 7))


def test_a_message_is_as_long_as_its_deltas() -> None:
    """Of every layer the length of dL/dz over the batch, the first layer first."""
    run, _ = by_slug("deeper")
    lengths = [float(np.sqrt((layer.dz**2).sum())) for layer in run.trace.layers]
    assert [size for _, size in pieces.delta_norms(run)] == pytest.approx(lengths)


def test_the_bars_of_a_fading_message() -> None:
    """Each bar is as high as its layer's deltas are long, by powers of ten; later layers stand further right."""
    run, scene = by_slug("deeper")
    svg = drawn(scene, scene.frames - 1)
    _, upright = scales(svg, log=True)
    bars = svg.all("rect", "bar-back")
    assert [bar.number("x") for bar in bars] == sorted((bar.number("x") for bar in bars), reverse=True)
    for bar, (_, size) in zip(bars, pieces.delta_norms(run)[::-1], strict=True):
        assert np.log10(upright(bar.number("y"))) == pytest.approx(np.log10(size), abs=0.05)
    assert [bar.number("height") > 0 for bar in drawn(scene, 0).all("rect", "bar-back")] == [True, *[False] * 6]


def test_the_images_are_the_weights_of_their_step() -> None:
    """Another picture for every step, and the share that is right then."""
    run, scene = by_slug("pixels")
    images = [[each["href"] for each in drawn(scene, frame).all("image")] for frame in range(scene.frames)]
    assert len({image for frame in images for image in frame}) == 8 * scene.frames
    steps = [int(numbers(caption)[0]) for caption in scene.captions]
    for step, caption in zip(steps, scene.captions, strict=True):
        assert numbers(caption)[1] == pytest.approx(100 * run.after(step).metrics["test"].accuracy, abs=0.5)


def test_the_program_and_what_its_lines_give() -> None:
    """The lines are the engine's program of this step, whole and in order, and beside each stands what it computes."""
    run, scene = by_slug("code")
    made = program(run.trace)
    values, svg = made.run(), drawn(scene, scene.frames - 1)
    places = []
    for line, value in zip(texts(svg, "code-text"), texts(svg, "code-value"), strict=True):
        (place,) = [k for k, text in enumerate(made.lines) if text == line]
        places.append(place)
        computed = np.asarray(values[line.split(" = ")[0]]).ravel()
        assert numbers(value) == pytest.approx(computed[: len(numbers(value))], abs=6e-5)
    assert places == sorted(places)


def test_the_two_ways_add_up() -> None:
    """To the gradient of the first weight, by the digits that are shown."""
    run, scene = by_slug("math")
    svg = drawn(scene, scene.frames - 1)
    ways = [numbers(text)[-1] for text in texts(svg, "backward") if text.startswith("way")]
    assert sum(ways) == pytest.approx(run["dW1.1.1"], abs=2e-6)
    (total,) = [numbers(text)[0] for text in texts(svg) if text.startswith("sum")]
    assert total == pytest.approx(run["dW1.1.1"], abs=1e-6)
    assert round(sum(ways) - total, 9) == 0
    assert numbers(scene.captions[-1]) == [ways[1], total]


def test_the_dots_of_the_plane() -> None:
    """Each layer where it stands at its epoch."""
    head: Any = next(lesson for lesson in ALL if lesson.slug == "black-box").head
    _, scene = by_slug("black-box")
    plane = information.plane(head.spec, 30)
    for frame in (0, scene.frames - 1):
        svg = drawn(scene, frame)
        across, upright = scales(svg)
        epoch = int(numbers(texts(svg, "dot-label")[0])[0])
        for layer, dot in enumerate(svg.all("circle"), 1):
            point = plane.at(layer, plane.epochs.index(epoch))
            assert across(dot.number("cx")) == pytest.approx(point.about_input, abs=0.06)
            assert upright(dot.number("cy")) == pytest.approx(point.about_label, abs=0.02)


def test_what_a_normalization_does_to_a_batch() -> None:
    """Dots where the sums are, then at x̂; stems as long as what comes back, without level, without tilt, ÷ σ."""
    run, scene = by_slug("normalization")
    layer, norm = run.trace.layers[0], run.trace.layers[0].norm
    assert norm is not None
    z, hat, back = layer.z[:, 0], norm.xhat[:, 0], norm.dxhat[:, 0]
    levelled = back - back.mean()
    across = [z, z - z.mean(), *[hat] * 5]
    up = [*[0 * z] * 3, back, levelled, levelled - hat * (back * hat).mean(), layer.dz[:, 0]]
    for frame in range(scene.frames):
        svg = drawn(scene, frame)
        x, y = scales(svg)
        feet, stems = svg.all("circle", "forward"), svg.all("line", "residual")
        found = sorted((x(each.number("cx")), y(stem.number("y2"))) for each, stem in zip(feet, stems, strict=True))
        wanted = sorted(zip(across[frame], up[frame], strict=True))
        assert np.allclose(found, wanted, atol=0.02)
        assert np.allclose([each[1] for each in found], [each[1] for each in wanted], atol=0.001)
        assert all(y(each.number("y1")) == pytest.approx(0, abs=1e-3) for each in stems)
    svg = drawn(scene, 3)
    _, y = scales(svg)
    assert y(svg.one("line", "ghost").number("y1")) == pytest.approx(back.mean(), abs=1e-3)
    svg = drawn(scene, 4)
    x, y = scales(svg)
    tilt = svg.one("line", "tangent")
    rise, far = (scale(tilt.number(f"{c}2")) - scale(tilt.number(f"{c}1")) for scale, c in ((y, "y"), (x, "x")))
    assert rise / far == pytest.approx((back * hat).mean(), abs=1e-3)


def test_one_unit_is_out_and_one_value_is_used_twice() -> None:
    """What each column gives, then what comes back there, by the trace; the unit that is out is crossed and gets 0."""
    run, scene = by_slug("dropout-and-shortcuts")
    below, layer = run.trace.layers[:2]
    assert layer.h is not None
    assert layer.o is not None
    forward = [visible(drawn(scene, frame), "forward") for frame in range(scene.frames)]
    assert [len(each) for each in forward] == [3, 6, 6, 9, 9, 9, 9]
    wanted = np.concatenate([below.a[0], layer.h[0][layer.mask[0] > 0], layer.o[0]])  # type: ignore[index]
    assert sorted(numbers(" ".join(forward[-1]))) == pytest.approx(sorted(wanted), abs=0.006)
    assert sorted(numbers(" ".join(forward[1]))) == pytest.approx(sorted([*below.a[0], *layer.a[0]]), abs=0.006)
    svg = drawn(scene, scene.frames - 1)
    places = {(each.number("x"), each.number("y")): numbers(each.words)[0] for each in svg.all("text", "backward")}
    columns = [[places[at] for at in sorted(places) if at[0] == x] for x in sorted({x for x, _ in places})]
    assert np.allclose(columns, [below.da[0], layer.da[0], layer.back[0]], atol=0.006)
    assert [len(visible(drawn(scene, frame), "backward")) for frame in (3, 4, 5, 6)] == [0, 3, 6, 9]
    crossed = [each for each in svg.all("line", "crossed") if each["opacity"] == "1"]
    (out,) = np.flatnonzero(layer.mask[0] == 0)  # type: ignore[index]
    centre = sorted({each.number("cy") for each in svg.all("circle", "scene-unit")})[out]
    assert [(each.number("y1") + each.number("y2")) / 2 for each in crossed] == [centre] * 2
    total = numbers(scene.captions[-1])
    assert total == pytest.approx([layer.back[0, 0], (layer.dz @ layer.W)[0, 0], below.da[0, 0]], abs=0.006)


def numbered(svg: Element) -> list[tuple[str, float, float]]:
    """Of every cell its colour, the number that stands in it, and how deep its colour is."""
    texts_at = {(each.number("x"), each.number("y")): each for each in svg.all("text", "cell-text")}
    found = []
    for cell in svg.all("rect", "cell"):
        x, y = cell.number("x") + cell.number("width") / 2, cell.number("y") + cell.number("height") / 2
        text = next(each for at, each in texts_at.items() if abs(at[0] - x) < 1 and abs(at[1] - y) < 6)
        role = next(each for each in cell.classes if each != "cell")
        found.append((role, numbers(text.words)[0], float(cell["fill-opacity"])))
    return found


def test_a_filter_goes_over_every_place() -> None:
    """The frame lies over the window of its place, whose number is its products' sum; at the end over what one weight
    met, and the sum told is that weight's gradient."""
    head: Any = next(lesson for lesson in ALL if lesson.slug == "convolution").head
    _, scene = by_slug("convolution")
    x, W = np.array(head.x), np.array(head.W)
    out = np.array([[(x[i : i + 3, j : j + 3] * W).sum() + head.b for j in range(3)] for i in range(3)])
    delta = out - head.target
    corner = min((each.number("x"), each.number("y")) for each in drawn(scene, 0).all("rect", "cell"))
    side = drawn(scene, 0).all("rect", "cell")[0].number("width")
    seen = numbered(drawn(scene, 0))
    assert {role: sum(found == role for found, _, _ in seen) for role in ("positive", "negative")} == {
        "positive": sum((each > 0).sum() for each in (x, W, delta)),
        "negative": sum((each <= 0).sum() for each in (x, W, delta)),
    }
    assert all((value > 0) == (role == "positive") for role, value, _ in seen if value)
    assert all(value == 0 or shade > 0 for _, value, shade in seen)
    for frame, (i, j) in enumerate(np.ndindex(3, 3)):
        svg = drawn(scene, frame)
        window = svg.one("rect", "window", "forward")
        at = ((window.number("x") - corner[0]) / side, (window.number("y") - corner[1]) / side)
        assert at == pytest.approx((j, i))
        assert window.number("width") == 3 * side
        assert numbers(scene.captions[frame])[-1] == pytest.approx(out[i, j], abs=0.051)
        assert len(visible(svg, "cell-text", "forward")) == frame + 1
    last = drawn(scene, scene.frames - 1)
    assert numbers(" ".join(visible(last, "cell-text", "backward"))) == pytest.approx(delta.ravel(), abs=0.051)
    window = last.one("rect", "window", "forward")
    j, i = (round((window.number(axis) - corner[n]) / side) for n, axis in enumerate("xy"))
    assert numbers(scene.captions[-1])[-1] == pytest.approx((delta * x[i : i + 3, j : j + 3]).sum(), abs=0.051)
    framed = [each for each in last.all("rect", "window", "backward") if each.attrs.get("opacity") == "1"]
    filters = sorted({each.number("x") for each in last.all("rect", "cell") if each.number("x") > 200})
    assert framed[0].number("x") == filters[j]


def test_the_winners_of_a_pool() -> None:
    """A window a frame, its largest told, drawn and framed; at the end each δ stands on its winner, and 0 elsewhere."""
    head: Any = next(lesson for lesson in ALL if lesson.slug == "pooling").head
    _, scene = by_slug("pooling")
    x, out, back = np.array(head.x), [], np.zeros((4, 4))
    for frame, (i, j) in enumerate(np.ndindex(2, 2)):
        window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        out.append(window.max())
        k, m = np.argwhere(window == window.max())[0]
        back[2 * i + k, 2 * j + m] = window.max() - head.target[i][j]
        svg = drawn(scene, frame)
        assert numbers(scene.captions[frame])[-1] == window.max()
        assert numbers(" ".join(visible(svg, "cell-text", "forward"))) == out
        assert [each["opacity"] for each in svg.all("rect", "winner")].count("1") == frame + 1
    last = drawn(scene, scene.frames - 1)
    told_ = [each for each in last.all("text", "cell-text", "backward") if each["opacity"] == "1"]
    columns = sorted({each.number("x") for each in told_})[:4]
    lines = sorted({each.number("y") for each in told_ if each.number("x") in columns})
    shown = np.zeros((4, 4))
    for each in told_:
        if each.number("x") in columns:
            shown[lines.index(each.number("y")), columns.index(each.number("x"))] = numbers(each.words)[0]
    assert np.allclose(shown, back, atol=0.051)
    boxes = last.all("rect", "winner")
    assert len(boxes) == 4
    size = columns[1] - columns[0]
    for box, (i, j) in zip(boxes, np.ndindex(2, 2), strict=True):  # a frame a window, round its largest
        k, m = np.argwhere(x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] == np.array(out)[2 * i + j])[0]
        middle = box.number("x") + box.number("width") / 2, box.number("y") + box.number("height") / 2
        assert abs(middle[0] - columns[2 * j + m]) < size / 2
        assert abs(middle[1] - lines[2 * i + k]) < size / 2


@pytest.mark.parametrize("lesson", ALL, ids=name)
def test_the_minutes_are_about_right(lesson: Lesson) -> None:
    """At 180 words and two and a half questions a minute, and some seconds to look at each picture."""
    body, visit = render(lesson, {"screen": "all"})
    assert lesson.minutes == pytest.approx(minutes(str(body), len(visit.tasks), len(lesson.screens)), abs=1.5)


def minutes(body: str, questions: int, screens: int) -> float:
    text = re.sub(r"<(table|svg|math|pre)\b.*?</\1>|<[^>]+>", " ", body, flags=re.DOTALL)
    return len(text.split()) / 180 + 0.4 * questions + 0.3 * screens


def test_ten_minutes_are_ten_minutes() -> None:
    """The short track's screens are there, and take about that."""
    total = 0.0
    for slug, screen in TRACK:
        (lesson,) = [each for each in ALL if each.slug == slug]
        assert screen <= len(lesson.screens)
        body, visit = render(lesson, {"screen": str(screen)})
        total += minutes(str(body), len(visit.tasks), 1)
    assert 7 <= total <= 11
