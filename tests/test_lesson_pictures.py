"""The lessons' drawings are what they stand for: points read back by the ticks of the box that they are drawn in."""

from typing import Any

import numpy as np
import pytest
from reading import Element, diverging, page, pixels, points, scales

from app.draw.rendering import ENV
from app.learn import circuits, digits, pieces
from app.learn.facts import Facts
from app.learn.lessons import lesson
from app.learn.pages import render
from app.learn.tools import TOOLS
from app.words.numbers import signed
from engine import Graph, Spec, start
from engine.probes import Model

LINE = Spec.make(dataset="line", hidden=[], loss="squared_error", batch_size=300, seed=2)


def drawn(call: str, **given: Any) -> Element:
    """What a macro of the lessons' drawings makes."""
    text = '{% import "_lesson_plots.html" as draw with context %}{{ draw.' + call + " }}"
    return page(ENV.from_string(text).render(TOOLS | given))


@pytest.mark.parametrize("log", [False, True])
def test_a_curve_its_dots_and_its_tangent(log: bool) -> None:
    """The curve runs through its values, a dot stands at its own, and the tangent rises as it should."""
    xs = np.linspace(-2, 3, 41)
    ys = 0.5 + (xs - 1) ** 2
    box = TOOLS["plot"]((-2, 3), (0.1, 100) if log else (0, 10), log_y=log)
    given = {"p": box, "xs": xs.tolist(), "ys": ys.tolist(), "dots": [(2.0, 1.5, "now", "now")], "tangent": (2, 1.5, 2)}
    svg = drawn('curve(p, xs, ys, dots, "t", "t", "x", "y", tangent)', **given)
    across, upright = scales(svg, log)
    for x, y in points(svg.one("path", "curve")["d"]):
        assert abs(y - upright.place(0.5 + (across(x) - 1) ** 2)) < 1.5
    dot = svg.one("circle", "dot")
    assert across(dot.number("cx")) == pytest.approx(2, abs=0.02)
    assert upright(dot.number("cy")) == pytest.approx(1.5, rel=0.02)
    if not log:
        (x1, y1), (x2, y2) = ((across(x), upright(y)) for x, y in points(svg.one("path", "tangent")["d"])[[0, -1]])
        assert (y2 - y1) / (x2 - x1) == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize("nudge", [0.5, -0.5])
def test_a_nudge_and_what_gets_through(nudge: float) -> None:
    """To the side as far as z is nudged, then up or down to where the curve really is."""
    xs = np.linspace(-4, 4, 81)
    box = TOOLS["plot"]((-4, 4), (-0.2, 1.3))
    a, there, slope = (float(pieces.activation_at("sigmoid", z)[k]) for z, k in ((0.3, 0), (0.3 + nudge, 0), (0.3, 1)))
    ys = [pieces.activation_at("sigmoid", float(x))[0] for x in xs]
    given = {"p": box, "xs": xs.tolist(), "ys": ys, "point": (0.3, a, slope), "to": (0.3 + nudge, there)}
    svg = drawn('passed(p, xs, ys, point, to, "t", "t")', **given)
    across, upright = scales(svg)
    run, rise = svg.one("line", "run"), svg.one("line", "rise")
    assert across(run.number("x2")) - across(run.number("x1")) == pytest.approx(nudge, abs=0.02)
    assert upright(rise.number("y2")) - upright(rise.number("y1")) == pytest.approx(there - a, abs=0.01)
    (x1, y1), (x2, y2) = ((across(x), upright(y)) for x, y in points(svg.one("path", "tangent")["d"])[[0, -1]])
    assert (y2 - y1) / (x2 - x1) == pytest.approx(slope, rel=0.03)


def test_a_line_and_its_residuals() -> None:
    """Points at their data, the line at mx + b, and each residual from the point to the line."""
    facts = Facts(start(LINE))
    fit = pieces.fit(facts)
    svg = drawn("line_plot(fit)", fit=fit)
    across, upright = scales(svg)
    (x1, y1), (x2, y2) = ((across(x), upright(y)) for x, y in points(svg.one("path", "fit")["d"])[[0, -1]])
    assert (y2 - y1) / (x2 - x1) == pytest.approx(fit.m, abs=0.02)
    assert abs(fit.m) > 0.1
    for dot, rest, (x, y, at_line) in zip(svg.all("circle"), svg.all("line", "residual"), fit.points, strict=True):
        assert across(dot.number("cx")) == pytest.approx(x, abs=0.1)
        assert upright(dot.number("cy")) == pytest.approx(y, abs=0.06)
        assert {rest["y1"], rest["y2"]} >= {dot["cy"]}
        assert upright(rest.number("y2")) == pytest.approx(at_line, abs=0.06)


def test_lines_over_each_other() -> None:
    """Each line is its own, with its dot at its own last value."""
    box = TOOLS["plot"]((0, 10), (0, 4))
    series = [("one", [0, 5, 10], [4, 2, 1], "a"), ("other", [0, 10], [0, 3], "b")]
    svg = drawn('lines(p, series, "t", "t", "x", "y")', p=box, series=series)
    across, upright = scales(svg)
    for name, xs, ys, kind in series:
        line = points(svg.all("path", "series", kind)[0]["d"])
        assert np.allclose([across(x) for x in line[:, 0]], xs, atol=0.05), name
        assert np.allclose([upright(y) for y in line[:, 1]], ys, atol=0.05), name
        assert upright(svg.one("circle", kind).number("cy")) == pytest.approx(ys[-1], abs=0.05)


def test_the_ground_of_a_walk() -> None:
    """Dark is high, the slope m runs to the right, the intercept b upwards."""
    facts = Facts(start(LINE))
    ground = pieces.ground(facts, (-1.0, 2.0), (-2.0, 1.0))
    svg = drawn(
        'contour(p, ground.picture, paths, "t", "t", "m", "b")',
        p=TOOLS["plot"](ground.x_span, ground.y_span), ground=ground, paths=[("walk", [0.0, 1.0], [-1.0, 0.5], "w")],
    )  # fmt: skip
    across, upright = scales(svg)
    image = svg.one("image")
    ink = pixels(image["href"])[..., 3] / 255
    model = Model(facts.state, np.arange(facts.state.spec.samples * 6 // 10))
    m_at, b_at = (facts.state.spec.network.locate(address) for address in (pieces.M, pieces.B))
    heights = np.empty_like(ink)
    for row in range(len(ink)):
        model.parameters[b_at] = upright(image.number("y") + image.number("height") * (row + 0.5) / len(ink))
        heights[row] = [
            model.loss_at(m_at, across(image.number("x") + image.number("width") * (column + 0.5) / ink.shape[1]))
            for column in range(ink.shape[1])
        ]
    share = np.sqrt(heights / heights.max())
    assert np.abs(ink - share).max() < 0.14
    assert np.abs(share - share[::-1]).max() > 0.3, "ground that can be told from its mirror image"
    assert np.abs(share - share[:, ::-1]).max() > 0.3
    walked = points(svg.all("path", "series")[0]["d"])
    assert np.allclose([across(x) for x in walked[:, 0]], [0, 1], atol=0.03)
    assert np.allclose([upright(y) for y in walked[:, 1]], [-1, 0.5], atol=0.03)


def test_bars_of_sizes() -> None:
    """Ten times the size is one step of ten more, from 10⁻⁸ to 100."""
    rows = pieces.size_rows([("first", 1e-3), ("last", 10.0)])
    found = drawn('bars(rows, "t")', rows=rows).all("tr")
    widths = [row.all("rect")[1].number("width") for row in found]
    assert [row.one("th").words for row in found] == ["first", "last"]
    assert np.allclose(10 ** (np.array(widths) / 10 - 8), [1e-3, 10], rtol=0.03)


def circuit(screen: int, **query: object) -> Element:
    """The picture of a screen of the lesson on circuits."""
    found = lesson(ENV, "circuit")
    assert found is not None
    body, _ = render(found, {"screen": str(screen), **{name: str(value) for name, value in query.items()}})
    return page(body).one("svg", "ops")


def is_drawn(svg: Element, of: Graph, hidden: str = "") -> None:
    """Every node with its number above and its gradient below, or with a question mark; its label says the same."""
    for n, vertex in enumerate(svg.all("g", "vertex")):
        name, grad = of.vertices[n].name, signed(of.grad[n])
        shown = "?" if name in hidden.split() or hidden == "all" else grad
        assert vertex.one("text", "data").text.strip() == signed(of.data[n])
        assert vertex.one("text", "grad").words == shown, name
        assert f"{signed(of.data[n])}, gradient {shown}" in svg["aria-label"]


def test_the_circuits_of_a_lesson() -> None:
    """At what the reader set; an answer is tried on the drawing, and what is asked is not shown before."""
    values = {"x": 1.5, "y": -3, "z": 2}
    is_drawn(circuit(1, **values), circuits.circuit(circuits.SUM_TIMES, values), "all")
    raised = circuits.circuit(circuits.SUM_TIMES, values | {"x": 2.5})
    is_drawn(circuit(1, **values, **{"rises-1.5--3-2": "5"}), raised, "all")
    first = circuits.circuit(circuits.SUM_TIMES, {"x": -2, "y": 5, "z": -4})
    for moment, hidden in ((2, "x y z q"), (3, "x y z"), (4, "y z"), (5, "z"), (6, "")):
        is_drawn(circuit(2, moment=moment), first, hidden)
    choice = circuits.circuit(circuits.CHOICE, {"x": 3, "y": -4, "z": 2, "w": -1})
    assert [circuits.gradient(choice, name) for name in "xyzw"] == [-8, 6, 2, 0]
    is_drawn(circuit(3), choice, "x y z w")
    is_drawn(circuit(3, way="stay", gradient=-8), choice)
    is_drawn(circuit(3, w=3), circuits.circuit(circuits.CHOICE, {"x": 3, "y": -4, "z": 2, "w": 3}))
    twice = circuits.circuit(circuits.TWICE, {"a": 2, "b": -3})
    is_drawn(circuit(4, a=2), twice, "a b")
    solved = circuit(4, a=2, **{"adds-2--3": 1})
    is_drawn(solved, twice, "b")
    assert [each.words for each in solved.all("text", "way")] == ["via p −3.000", "via q +4.000"]


def test_a_unit_of_the_playground_as_a_circuit() -> None:
    """Its numbers are those of the run after so many steps; δ is told once it is answered."""
    found = lesson(ENV, "circuit")
    assert found is not None
    run = Facts(start(Spec.make(found.spec)), 0)
    is_drawn(circuit(5), circuits.of_run(run), "z1_1 p W1_1_1 x_1 b1_1 y_1")
    is_drawn(circuit(5, delta=run["delta1.1"]), circuits.of_run(run))
    later = circuits.of_run(run.after(3))
    is_drawn(circuit(5, steps=3), later)
    assert circuits.gradient(later, "W1_1_1") == pytest.approx(run.after(3)["dW1.1.1"], abs=1e-12)
    assert circuits.output(later) == pytest.approx(run.after(3).loss, abs=1e-12)


@pytest.mark.parametrize("way", ["up", "down", "stay"])
@pytest.mark.parametrize(("screen", "name"), [(2, "y"), (3, "w")])
def test_an_input_of_a_circuit_moves_as_was_said(screen: int, name: str, way: str) -> None:
    """By a tenth, and what is said of the output is so."""
    found = lesson(ENV, "circuit")
    assert found is not None
    of = circuits.circuit(
        *((circuits.SUM_TIMES, {"x": -2, "y": 5, "z": -4}), (circuits.CHOICE, {"x": 3, "y": -4, "z": 2, "w": -1}))[
            screen - 2
        ]
    )
    after = circuits.output(circuits.moved(of, name, {"up": 0.1, "down": -0.1, "stay": 0}[way]))
    body = render(found, {"screen": str(screen), "way": way})[0]
    word = "better" if after < circuits.output(of) else "worse" if after > circuits.output(of) else "the same"
    assert f"{after:.4f}: {word}.".replace("-", "−") in body


def test_the_images_of_weights_and_of_gradients() -> None:
    """Each unit's own weights on its own scale, all gradients on one; more is blue, less is orange."""
    run = Facts(start(Spec.make(dataset="digits16", hidden=[3], samples=300)))
    W, dW = run.trace.layers[0].W, run.trace.layers[0].dW
    wanted = (W / np.abs(W).max(axis=1, keepdims=True), dW / np.abs(dW).max())
    for found, numbers in zip((digits.weight_images(run), digits.gradient_images(run)), wanted, strict=True):
        assert found.count == 3
        assert np.abs(diverging(pixels(found.picture)).reshape(3, -1) - numbers).max() < 0.08
