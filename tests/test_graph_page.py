"""The page of a formula's graph and its JSON: what is drawn, said and sent is what was computed."""

import re
from dataclasses import replace
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from httpx import AsyncClient
from reading import page, points
from reading import told as number_of
from test_graph import DRAWN, drawn
from test_pages import HTMX, within

from app.assets import STATIC
from app.draw.graph import columns_of, crossings, layered, sketch
from app.graph.api import told
from app.graph.asks import Asks
from app.graph.file import COLOURS
from app.graph.moments import moments
from app.graph.presets import PRESETS
from app.page.asked import Asked
from app.serve.forms import Fields
from app.serve.security import FRAMED_CSP
from app.words.graph import plain_name
from app.words.numbers import signed
from app.words.segments import text_of
from app.words.sentences import MESSAGES
from engine import Graph, Spec, advance, graph, graph_of, start, trace
from engine.equation import Equation
from engine.graph import Beat

PUBLISHED = {
    "cs231n": {"f": -12, "x": -4, "y": -4, "z": 3},
    "cs231n-max": {"f": -20, "x": -8, "y": 6, "z": 2, "w": 0},
    "sigmoid": {"f": 0.73, "w0": -0.20, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.20},
    "neuron": {"o": 0.7071, "x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0},
    "expression": {"g": 24.7041, "a": 138.8338, "b": 645.5773},
    "line": {"L": 1.0, "m": -4.0, "b": -2.0},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_have_the_published_numbers(name: str) -> None:
    """The output's number and the inputs' gradients, with the digits that were published."""
    made = graph(PRESETS[name].source)
    for of, number in PUBLISHED[name].items():
        place, digits = made.place_of(of), 2 if name == "sigmoid" else 4
        assert round(made.data[place] if place == made.output else made.grad[place], digits) == number


def test_presets_of_lists_have_what_their_formulas_give() -> None:
    """Softmax: share minus target. Batch norm: the gradient adds up to 0. A shared weight: its two uses add."""
    made = graph(PRESETS["softmax"].source)
    shares = np.exp([1, 2, 0.5]) / np.exp([1, 2, 0.5]).sum()
    np.testing.assert_allclose(made.grad[:3], shares - [1, 0, 0], atol=1e-12)
    made = graph(PRESETS["norm"].source)
    assert abs(sum(made.grad[:3])) < 1e-12
    made = graph(PRESETS["recurrent"].source)
    assert len(made.ways[made.place_of("u")]) == 2
    for preset in PRESETS.values():
        made = graph(preset.source)
        for place in made.inputs:
            up, down = made.along(place, made.data[place] + np.array([1e-5, -1e-5])) + np.zeros(2)
            assert made.grad[place] == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-8)


def wishes(source: str, values: dict[str, float]) -> None:
    """What is said of a direction is so by a nudge."""
    made = graph(source, values)
    for each in moments(made):
        words, grad = text_of(each.words), made.grad[each.beat.vertex]
        if "A little more" in words:
            assert ("larger" in words, "smaller" in words, "not change" in words) == (grad > 0, grad < 0, grad == 0)
        if each.beat.adds:
            assert f"{len(made.ways[each.beat.vertex])} gradients" in words


def test_directions_that_are_said_are_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And with the two forms swapped it is seen."""
    for number in range(0, DRAWN, 20):
        wishes(*drawn(number))
    message = MESSAGES["graph wish"]
    monkeypatch.setitem(MESSAGES, "graph wish", replace(message, up=message.down, down=message.up))
    with pytest.raises(AssertionError):
        wishes(*drawn(0))


@pytest.mark.parametrize("number", range(0, DRAWN, 15))
def test_a_sketch_leads_from_left_to_right_without_overlap(number: int) -> None:
    """Columns grow along every edge, an input stands before its first use, tiles keep apart, and fewer edges cross."""
    made = graph(*drawn(number))
    pairs = [(edge.source, edge.target) for edge in made.edges]
    columns = columns_of(len(made.vertices), pairs)
    assert all(columns[source] < columns[target] for source, target in pairs)
    for down in (False, True):
        shown = sketch(len(made.vertices), pairs, down, 880)
        wide, high = shown.tile
        spots = [(s.y, s.x) if down else (s.x, s.y) for s in shown.spots]
        assert all(spots[source][0] < spots[target][0] for source, target in pairs)
        for column in set(columns):
            places = sorted(spots[n][1] for n in range(len(spots)) if columns[n] == column)
            assert all(b - a >= (wide if down else high) + 12 for a, b in pairwise(places))
        assert all(0 < s.x < shown.width and 0 < s.y < shown.height for s in shown.spots)
    rows, _ = layered(len(made.vertices), pairs)
    assert sorted(n for row in rows for n in row if n >= 0) == list(range(len(made.vertices)))


def test_json_tells_the_graph(tmp_path: Path) -> None:
    """Nodes, edges, moments and program are the engine's; what is wrong is a 422 with its place."""

    async def work(client: AsyncClient) -> None:
        body = {"source": "L = (tanh(a*b + c) - y)**2 + 0.1*a**2", "values": {"a": 0.8, "b": -1.5, "c": 2, "y": -0.5}}
        answer = (await client.post("/api/v1/graph", json=body)).json()
        made = graph(body["source"], body["values"])  # type: ignore[arg-type]
        assert answer == told(made)
        assert {node["name"]: node["grad"] for node in answer["nodes"]}["a"] == made.grad[0]
        edges = (await client.post("/api/v1/graph", json=body | {"grain": "edge"})).json()["moments"]
        assert [each["code"] for each in edges if each["node"] == "a"][:2] == ["da += dp1 * b", "da += dq2 * (2 * a)"]
        for wrong, field in (
            ({"source": "a +"}, "source, line 1, column 4"),
            ({"source": "a*b", "values": {"a": 1}}, "values.b"),
            ({"source": "a", "values": {"a": "x"}}, "values.a"),
            ({"source": "a" * 5000}, "source"),
            ({"source": "a", "grain": "atom"}, "grain"),
        ):
            answer = await client.post("/api/v1/graph", json=wrong)
            assert answer.status_code == 422, wrong
            assert answer.json()["errors"][0]["field"].startswith(field), answer.json()
        answer = await client.post("/api/v1/graph", json={"source": "log(a)", "values": {"a": -1}})
        assert answer.json()["nodes"][1]["data"] is None

    within(tmp_path, work)


def test_a_run_is_seen_as_the_graph_of_one_example(tmp_path: Path) -> None:
    """By page, JSON and Python the same numbers; the address that the page leads to holds it all."""

    async def work(client: AsyncClient) -> None:
        run = (await client.post("/api/v1/runs", json={"dataset": "xor"})).json()["id"]
        await client.post(f"/api/v1/runs/{run}/step", json={"count": 30})
        made = graph_of(trace(advance(start(Spec.make(dataset="xor")), 30).state, 5))
        answer = await client.get(f"/api/v1/runs/{run}/graph", params={"example": 5})
        assert answer.json() == told(made)
        steps = (await client.get(f"/api/v1/runs/{run}/trace", params={"example": 5})).json()
        slopes = {node["name"]: node["grad"] for node in answer.json()["nodes"]}
        assert slopes["W2_1_3"] == pytest.approx(steps["layers"][1]["dW"][0][2], rel=1e-12, abs=1e-12)
        seen = await client.get(f"/runs/{run}/graph", params={"example": 5, "select": "W2.1.3"})
        assert seen.status_code == 303
        shown = await client.get(seen.headers["location"])
        assert shown.status_code == 200
        assert numbers_of(shown.text) == {
            plain_name(vertex.name): (signed(data), signed(grad))
            for vertex, data, grad in zip(made.vertices, made.data, made.grad, strict=True)
        }
        page = (await client.get("/", params={"dataset": "xor", "step": 30, "example": 5})).text
        (link,) = re.findall(r'href="(/runs/[^"]+/graph[^"]*)"', page)
        again = (await client.get(unescape(link))).headers["location"]
        assert again.partition("&back=")[0] == seen.headers["location"].partition("&back=")[0]
        shown = await client.get(again)
        (back,) = re.findall(r'<p id="back-to-run"><a class="button" href="([^"]+)"', shown.text)
        returned = await client.get(unescape(back))
        assert returned.status_code == 200
        (link,) = re.findall(r'href="(/runs/[^"]+/graph[^"]*)"', returned.text)
        round_trip = (await client.get(unescape(link))).headers["location"]
        assert round_trip.partition("&back=")[0] == again.partition("&back=")[0]
        assert "back-to-run" not in (await client.get("/graph?preset=twice&back=dataset%3Dxor")).text
        assert "back-to-run" not in (await client.get("/graph?source=a&v.a=1&back=" + "x" * 5000)).text
        for params, field in (({"example": 9999}, "example"), ({"example": 1, "unit": "b"}, "unit"), ({}, "example")):
            wrong = await client.get(f"/api/v1/runs/{run}/graph", params=params)
            assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, field)

    within(tmp_path, work)


def test_a_large_run_is_seen_as_the_part_of_a_unit(tmp_path: Path) -> None:
    """Of the one that is chosen, or of the first output; the longest address is one that is answered."""

    async def work(client: AsyncClient) -> None:
        for params, length in (
            ({"dataset": "digits16", "select": "W1.2.7"}, 24),
            ({"dataset": "digits16"}, 8),
            ({"hidden": "12,8", "dataset": "xor", "select": "a0.1"}, 24),
        ):
            seen = await client.get("/runs/new/graph", params=params)
            address = seen.headers["location"]
            assert len(address) < 12_000
            shown = await client.get(address, headers={"hx-request": "true"})
            assert shown.status_code == 200, address
            assert shown.text.count('class="vertex') > length

    within(tmp_path, work)


ODD = (
    ("rate", "nan"), ("rate", "1e999"), ("at", "dL.9"), ("nudge", "zz"), ("v.w", "1,,2"), ("v.a", "x"),
    ("v.b", "1e400"), ("v.b", "1e-149"), ("source", ""), ("source", "a"),
    ("source", "\x00"), ("source", "a+" * 1999 + "a"), ("source", "x" * 4001),
    ("good", "((("), ("size", "s"), ("v.q", "3"), ("v.", "3"), ("v.a", "1e149"), ("source", "a**b**a"),
)  # fmt: skip


def numbers_of(page: str) -> dict[str, tuple[str, str]]:
    """Of each node of the drawing its number and its gradient; by its name it begins as it is read."""
    for label, inside in re.findall(r'data-to="[^"]*" aria-label="([^"]*)"><title>.*?</title>(.*?)</g>', page, re.S):
        assert label.replace(", ", " ").startswith(" ".join(re.sub("<[^>]*>", "", inside).split()))
    found = re.findall(r"<title>(\S+): (.*?), gradient (.*?)</title>", page)
    return {name: (data, grad) for name, data, grad in found}


def test_the_page_walks_without_script(tmp_path: Path) -> None:
    """Every moment is an address; numbers appear as they are computed; a wrong formula keeps the last good graph."""

    async def work(client: AsyncClient) -> None:
        first = await client.get("/graph")
        assert first.status_code == 200
        assert numbers_of(first.text)["a"] == ("+0.8000", "−1.792")
        source = "L = a*b"
        fields = {"source": source, "v.a": "2", "v.b": "3"}
        begun = await client.get("/graph", params=fields | {"at": "L"})
        assert numbers_of(begun.text) == {"a": ("+2.000", "?"), "b": ("+3.000", "?"), "L": ("+6.000", "?")}
        back = await client.get("/graph", params=fields | {"to": "da", "at": "L"})
        assert numbers_of(back.text) == {"a": ("+2.000", "+3.000"), "b": ("+3.000", "?"), "L": ("+6.000", "+1.000")}
        wrong = await client.get("/graph", params=fields | {"source": "L = a*foo(b)", "good": source})
        assert wrong.status_code == 422
        assert "line 1, column 7" in wrong.text
        assert numbers_of(wrong.text)["L"] == ("+6.000", "+2.000") or numbers_of(wrong.text)["L"][0] == "+6.000"
        scripted = await client.post("/graph", data=fields | {"at": "dL"}, headers=HTMX)
        assert scripted.headers["hx-replace-url"].startswith("/graph?source=L+%3D+a%2Ab&v.a=2&v.b=3&at=dL")
        assert "<html" not in scripted.text

    within(tmp_path, work)


def test_what_was_drawn_is_kept_with_its_values(tmp_path: Path) -> None:
    """A value that cannot be leaves formula and values as they were; a line that sets a name anew wins over the field
    that it had; names that are multiplied as lists get one to begin with."""

    async def work(client: AsyncClient) -> None:
        async def drawn(fields: dict[str, str]) -> tuple[bool, dict[str, tuple[str, str]]]:
            answer = await client.post("/graph", data=fields, headers=HTMX)
            return "last good graph is kept" in answer.text, numbers_of(answer.text)

        for bad in ("abc", "", "1/3", "1e300", "nan"):
            wrong, found = await drawn({"source": "L = a*2", "good": "L = a*2", "v.a": bad, "kept": "a=0.5"})
            assert (wrong, found["L"][0], set(found)) == (True, "+1.000", {"a", "L"})
        text = (await client.get("/graph", params={"source": "L = w @ x", "v.w": "1, 2", "v.x": "3, -4"})).text
        kept = re.search(r'name="kept" value="([^"]*)"', text)
        assert kept
        assert dict(parse_qsl(unescape(kept[1]))) == {"w": "1, 2", "x": "3, -4"}
        source = "a = 3\nb = 2\nL = a*b"
        assert (await drawn({"source": source, "good": "L = a*b", "v.a": "9", "v.b": "9"}))[1]["L"][0] == "+6.000"
        assert (await drawn({"source": source, "good": source, "v.a": "9", "v.b": "2"}))[1]["L"][0] == "+18.00"
        again = source.replace("3", "5")
        assert (await drawn({"source": again, "good": source, "v.a": "3", "v.b": "4"}))[1]["L"][0] == "+20.00"
        for source in ("L = w @ x", "L = tanh(dot(w, x) + b)"):
            assert {"w₀", "w₁", "x₀", "x₁"} <= set((await drawn({"source": source}))[1])

    within(tmp_path, work)


def test_nothing_tells_what_is_to_be_predicted(tmp_path: Path) -> None:
    async def work(client: AsyncClient) -> None:
        for at in ("L", "dL", "da"):
            asked = (await client.get("/graph", params={"at": at, "predict": "number"})).text
            side = asked.partition('id="graph-side"')[2].partition('id="tape"')[0]
            assert "After your answer." in side
            assert "1.419" not in side
            assert "1.792" not in side

    within(tmp_path, work)


def test_the_same_is_said_where_it_is(tmp_path: Path) -> None:
    """The nudge's slope and the gradient are called the same where the digits that stand there are; a network that has
    no graph of single numbers leads to none."""

    async def work(client: AsyncClient) -> None:
        for fields, same in (
            ({"source": "L = a**3", "v.a": "1e-6"}, False),
            ({"source": "L = a**3", "v.a": "2"}, True),
            ({"source": "L = max(a, b)", "v.a": "2", "v.b": "3"}, True),
            *(({"preset": name}, True) for name in PRESETS),
        ):
            assert ("✓ the same" in (await client.get("/graph", params=fields)).text) == same, fields
        for layers, led in (("dense 4 tanh", True), ("dense 4 tanh, batch_norm", False)):
            assert ("As a graph" in (await client.get("/", params={"layers": layers})).text) == led

    within(tmp_path, work)


@pytest.mark.parametrize("name", ["twice", "sigmoid", "expression", "attention"])
def test_what_is_drawn_of_a_graph_is_so(tmp_path: Path, name: str) -> None:
    """Slopes on the edges; each curve left to right with its point and tangent; where a little step leads."""
    preset = PRESETS[name]
    made = Asks.of(Asked(None, "", Fields([("preset", name), ("size", "l")]))).graph()  # type: ignore[arg-type]
    assert (made.data[made.output], made.source) == (graph(preset.source).data[-1], preset.formula)

    async def work(client: AsyncClient) -> None:
        shown = page((await client.get("/graph", params={"preset": name})).text)
        for label, edge in zip(shown.all("text", "slope"), made.edges, strict=True):
            assert number_of(label.words.rpartition("= ")[2]) == pytest.approx(made.slopes[edge], rel=0.05, abs=6e-3)
        figures = shown.one("div", "slices").all("figure")
        for figure, place in zip(figures, made.inputs[: len(figures)], strict=True):
            here, curve = made.data[place], points(figure.one("path", "curve")["d"])
            xs = np.linspace(here - max(2.0, abs(here)), here + max(2.0, abs(here)), len(curve))
            wide, low = np.polyfit(xs, curve[:, 0], 1)
            high = made.along(place, xs) + np.zeros(len(xs))
            tall = np.polyfit(high, curve[:, 1], 1) if np.ptp(high) else (-1.0, curve[0, 1])
            assert wide > 0 > tall[0]
            np.testing.assert_allclose(curve[:, 1], np.polyval(tall, high), atol=0.2)
            at = figure.one("circle")
            assert at.number("cx") == pytest.approx(np.polyval((wide, low), here), abs=0.2)
            assert at.number("cy") == pytest.approx(np.polyval(tall, made.data[made.output]), abs=0.2)
            (x1, y1), (x2, y2) = points(figure.one("path", "tangent")["d"])
            assert y2 - y1 == pytest.approx(tall[0] * made.grad[place] * (x2 - x1) / wide, rel=0.03, abs=0.2)
        before, after = (number_of(each.words) for each in shown.one("section", id="little-step").all("b"))
        moved = {place: made.data[place] - 0.1 * made.grad[place] for place in made.inputs}
        assert before == pytest.approx(made.data[made.output], rel=1e-3)
        assert after == pytest.approx(made.after(moved), rel=1e-3)

    within(tmp_path, work)


def test_whatever_is_asked_of_the_page_is_answered(tmp_path: Path) -> None:
    """Odd formulas, values, moments, rates; every preset; no 500."""

    async def work(client: AsyncClient) -> None:
        for preset in (*PRESETS, "none"):
            assert (await client.get("/graph", params={"preset": preset, "grain": "edge"})).status_code == 200
        odd = {"source": "L = w @ x + log(a) + 1/b", "v.w": "1, 2", "v.x": "[3,4]", "v.a": "-1", "v.b": "0"}
        for name, text in ODD:
            more = {name: text}
            answer = await client.get("/graph", params=odd | more)
            assert answer.status_code in (200, 422), more
            assert (await client.post("/graph", data=odd | more, headers=HTMX)).status_code in (200, 422), more

    within(tmp_path, work)


def test_a_moment_is_said_before_it_is_shown(tmp_path: Path) -> None:
    """What it computes is a question mark wherever it would stand, until an answer, which is judged by its factor."""

    async def work(client: AsyncClient) -> None:
        fields = {"source": "L = tanh(a*b)", "v.a": "0.5", "v.b": "-1.5", "at": "da", "grain": "node"}
        made = graph("L = tanh(a*b)", {"a": 0.5, "b": -1.5})
        truth, comes = made.grad[0], made.grad[2]
        for mode in ("sign", "number"):
            text = (await client.get("/graph", params=fields | {"predict": mode})).text
            assert numbers_of(text)["a"] == ("+0.5000", "?")
            assert 'id="foretell"' in text
            for number in (truth, -truth):
                assert signed(number) not in text
                assert signed(number, 5) not in text
        for mode, answer, right, factor in (
            ("sign", "negative", True, ""),
            ("sign", "positive", False, "local slope"),
            ("number", f"{truth:.3f}", True, ""),
            ("number", f"{comes:.3f}", False, "local slope"),
            ("number", "-1,5", False, "what comes in"),
            ("number", "0.5", False, "forward value"),
            ("number", f"{-truth:.3f}", False, "sign"),
        ):
            text = (await client.get("/graph", params=fields | {"predict": mode, "answer": answer})).text
            said = page(text).one("p", id="verdict").words
            assert said.startswith("✓ Right." if right else f"✗ Look at: {factor}."), (answer, said)
            assert numbers_of(text)["a"] == ("+0.5000", signed(truth))
        for answer, shown in (("show", True), ("two", False), ("", False)):
            text = (await client.get("/graph", params=fields | {"predict": "number", "answer": answer})).text
            assert (numbers_of(text)["a"][1] == signed(truth)) == shown
            assert 'id="verdict"' not in text
        moved = await client.get("/graph", params=fields | {"predict": "number", "answer": "3", "to": "db"})
        assert numbers_of(moved.text)["b"][1] == "?"

    within(tmp_path, work)


def test_the_drawing_is_a_file_of_its_own(tmp_path: Path) -> None:
    """With its style in it: the page's light colours, and nothing that another program would not know."""

    async def work(client: AsyncClient) -> None:
        answer = await client.get("/graph.svg", params={"preset": "twice"})
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert "attachment" in answer.headers["content-disposition"]
        root = fromstring(answer.text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in answer.text
        assert "tabindex" not in answer.text
        assert (await client.get("/graph.svg", params={"source": "a +"})).status_code == 422
        sheet = (STATIC / "style.css").read_text(encoding="utf-8")
        for name, colour in COLOURS.items():
            assert name == "sans" or f"--{name}: {colour};" in sheet, name

    within(tmp_path, work)


def test_a_graph_stands_in_a_frame_on_another_page(tmp_path: Path) -> None:
    """With its walk, and a way to the page; what it is asked next goes to the same address, which may be framed."""

    async def work(client: AsyncClient) -> None:
        whole = await client.get("/graph", params={"preset": "line"})
        frame = page(whole.text).one("textarea", id="graph-frame").words
        address = re.findall(r'src="http://[^/"]+(/embed/graph[^"]+)"', frame)[0]
        answer = await client.get(address)
        assert answer.headers["content-security-policy"] == FRAMED_CSP
        assert "x-frame-options" not in answer.headers
        assert numbers_of(answer.text) == numbers_of(whole.text)
        assert 'id="graph-side"' not in answer.text
        assert 'hx-post="/embed/graph"' in answer.text
        fields = {"source": "L = a*b", "v.a": "2", "v.b": "3", "to": "L"}
        moved = await client.post("/embed/graph", data=fields, headers=HTMX)
        assert numbers_of(moved.text) == {"a": ("+2.000", "?"), "b": ("+3.000", "?"), "L": ("+6.000", "?")}
        assert moved.headers["hx-replace-url"].startswith("/embed/graph?")
        assert (await client.get("/embed/graph", params={"source": "a +"})).status_code == 422

    within(tmp_path, work)


def test_a_large_graph_takes_little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One value used 250 times, and one that passes 300 columns: no equation is made anew for each of its numbers, and
    no pair of edges is compared by itself."""
    made, counted = Graph.equation, [0]

    def equation(of: Graph, beat: Beat) -> Equation:
        counted[0] += 1
        return made(of, beat)

    monkeypatch.setattr(Graph, "equation", equation)
    of = graph("a" + "+a" * 250, {"a": 1})
    assert len(told(of)["moments"]) == 501
    assert counted[0] <= 5 * 501
    rows = [[*range(600)], [*range(600, 1200)]]
    after = {n: range(600, 1200) for n in range(600)}
    assert crossings(rows, after) == (600 * 599 // 2) ** 2
