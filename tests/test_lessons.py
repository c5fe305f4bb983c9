"""Lessons: every run loads, every task can be got right and wrong, and the numbers told are the engine's."""

from __future__ import annotations

import ast
import html
import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from runpy import run_path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import numpy as np
import pytest
from jinja2 import ChoiceLoader, DictLoader, TemplateNotFound, nodes

from app.draw.rendering import ENV, environment
from app.learn import digits as lesson_digits
from app.learn import information as lesson_information
from app.learn import listings, pieces
from app.learn.facts import Facts
from app.learn.judging import Problem
from app.learn.lessons import Lesson, lessons
from app.learn.listings import CODE, LISTINGS, MOST_LINES, code_of, highlighted, run_listing, stops_of
from app.learn.pages import render
from app.learn.plots import plot
from app.learn.screens import SCREENS as POSED
from app.learn.tools import TOOLS, open_in_playground
from app.learn.visit import Task, Visit
from app.page.links import Link
from app.words.numbers import fixed, unsigned
from engine import Spec, advance, evaluate, examples_of, start, trace
from engine.datasets import load_digits16
from engine.information import record

ALL = lessons(ENV)
SCREENS = [(lesson, screen) for lesson in ALL for screen in range(1, len(lesson.screens) + 1)]
PUBLISHED = {
    "W1.1.1": 0.149780716, "W1.1.2": 0.199561432, "W1.2.1": 0.249751144, "W1.2.2": 0.299502287,
    "W2.1.1": 0.358916480, "W2.1.2": 0.408666186, "W2.2.1": 0.511301270, "W2.2.2": 0.561370121,
}  # fmt: skip
PUBLISHED_LOSS = 0.298371109
WITHOUT = () if find_spec("torch") else ("pytorch.py",)


def name(case: Any) -> str:
    return case.slug if isinstance(case, Lesson) else str(case)


def by_slug(slug: str) -> Lesson:
    return next(lesson for lesson in ALL if lesson.slug == slug)


def worked_example() -> Facts:
    return Facts(start(Spec.make(by_slug("layers").spec)), 0)


def tasks(lesson: Lesson, screen: int, **query: str) -> list[Task]:
    return render(lesson, {"screen": str(screen), **query})[1].tasks


def wrong_answers(problem: Problem) -> Iterator[str]:
    """Every known slip, and answers that nobody foresaw."""
    if problem.options:
        yield from (option for option in problem.options if option != problem.truth)
        return
    assert isinstance(problem.truth, float)
    yield from (repr(float(mistake.value)) for mistake in problem.mistakes)
    yield from ("-12345.678", "98765.4321", "nonsense")


def test_the_lessons_are_the_folder_in_order() -> None:
    """From the article's error to its black box, as it tells and promises it; and a circuit before the network."""
    assert [lesson.title for lesson in ALL[:13]] == [
        "Error", "A line: y = mx + b", "Nudge and see", "The slope knows the direction", "Overshoot", "A neuron",
        "A circuit of numbers", "One error, many layers", "The same process, deeper", "256 pixels",
        "Backpropagation in code", "Backpropagation: the math", "The black box?",
    ]  # fmt: skip
    assert [lesson.number for lesson in ALL] == list(range(1, len(ALL) + 1))
    assert all(lesson.idea and len(lesson.screens) >= 3 for lesson in ALL)


def test_a_lesson_speaks_of_another_by_its_number_of_today() -> None:
    """No number is typed, neither in a text nor in a question; what stands there is that of the lesson it leads to."""
    found = 0
    for lesson in ALL:
        source = ENV.loader.get_source(ENV, lesson.template)[0]  # type: ignore[union-attr]
        asked = inspect.getsource(sys.modules[POSED[lesson.slug][0].__module__])
        assert not re.search(r"[Ll]essons? \d", source + asked), lesson.slug
        body = render(lesson, {"screen": "all"})[0]
        for slug, number in re.findall(r'<a href="/learn/([\w-]+)">lesson (\d+)</a>', body):
            assert by_slug(slug).number == int(number)
            found += 1
    assert found >= 8


def test_a_new_template_is_a_new_lesson() -> None:
    """Nothing else has to be told of it; without a head it is refused with what is missing."""
    env = environment()
    text = '{% set title = "T" %}{% set idea = "I" %}{% set spec = {} %}{% import "_lesson.html" as l with context %}'
    text += '{% call l.screen("One") %}x{% endcall %}'
    env.loader = ChoiceLoader([ENV.loader, DictLoader({"lessons/99-new.html": text})])
    *others, new = lessons(env)
    assert (new.slug, new.number, new.screens) == ("new", len(others) + 1, ("One",))
    env = environment()
    env.loader = ChoiceLoader([ENV.loader, DictLoader({"lessons/99-new.html": '{% set title = "T" %}'})])
    with pytest.raises(TemplateNotFound, match="idea, spec not set"):
        lessons(env)


@pytest.mark.parametrize("lesson", ALL, ids=name)
def test_every_lessons_run_loads(lesson: Lesson) -> None:
    """Its spec is allowed, its first step is finite, it learns, and its link opens the same run."""
    spec = Spec.make(lesson.spec)
    state = start(spec)
    later = advance(state, 30).state
    assert later.step == 30
    assert (evaluate(later)["train"].loss or 0) < (evaluate(state)["train"].loss or 0)
    opened = Link.parse(
        dict(parse_qsl(open_in_playground(Facts(state), step=30).removeprefix("/?"), keep_blank_values=True))
    )
    assert (opened.spec, opened.view.step) == (spec, 30)


@pytest.mark.parametrize("lesson", ALL, ids=name)
def test_questions_are_judged_before_a_line_is_rendered(lesson: Lesson) -> None:
    """A screen's function alone, without its template, knows what was asked and whether the answer is right."""
    assert len(POSED[lesson.slug]) == len(lesson.screens)
    for number, pose in enumerate(POSED[lesson.slug], 1):
        visit = Visit(number)
        pose(visit, lesson.head)
        right = {task.field: str(task.problem.truth) for task in visit.tasks}
        again = Visit(number, right)
        pose(again, lesson.head)
        assert all(task.correct for task in again.tasks if task.field in right)
    source = ENV.loader.get_source(ENV, lesson.template)[0]  # type: ignore[union-attr]
    assert "at.ask" not in source


@pytest.mark.parametrize("lesson", ALL, ids=name)
def test_every_lesson_asks_before_it_tells(lesson: Lesson) -> None:
    """At least twice."""
    asked = [task for screen in range(1, len(lesson.screens) + 1) for task in tasks(lesson, screen)]
    assert len(asked) >= 2


def opened(lesson: Lesson, **query: str) -> list[Spec]:
    """The runs that a lesson's links open in the playground."""
    body, _ = render(lesson, {"screen": "all"} | query)
    links = [html.unescape(link) for link in re.findall(r'href="/\?([^"]+)"', body)]
    return [start(Link.parse(dict(parse_qsl(link, keep_blank_values=True))).spec).spec for link in links]


def _made_of(spec: Spec) -> set[str]:
    """Everything by name that a run is made of."""
    layers = {item.kind for item in spec.layers}
    names = layers | set(spec.network.activation_names) | {spec.loss, spec.dataset}
    return names | {f"{len(spec.hidden)} hidden"}


SPEAKS_OF = {  # what has to be found in one network that the lesson opens
    "error": {"0 hidden", "identity", "squared_error"},
    "line": {"0 hidden", "line", "squared_error"},
    "nudge": {"0 hidden", "line", "squared_error"},
    "slope": {"0 hidden", "line", "squared_error"},
    "overshoot": {"0 hidden", "line", "squared_error"},
    "neuron": {"0 hidden", "sigmoid"},
    "circuit": {"0 hidden", "tanh"},
    "layers": {"1 hidden", "dense", "sigmoid"},
    "deeper": {"2 hidden", "dense", "circle"},
    "pixels": {"digits16", "dense", "softmax", "cross_entropy"},
    "code": {"1 hidden", "dense", "sigmoid"},
    "math": {"three_blobs", "softmax", "cross_entropy"},
    "black-box": {"4 hidden", "dense"},
    "convolution": {"digits16", "conv2d"},
    "pooling": {"digits16", "conv2d", "max_pool", "avg_pool"},
    "normalization": {"batch_norm"},
    "dropout-and-shortcuts": {"dropout", "shortcut"},
}


@pytest.mark.parametrize("lesson", ALL, ids=name)
def test_every_lesson_leads_to_a_network_with_what_it_speaks_of(lesson: Lesson) -> None:
    """By at least one link, and every link opens; what title and idea name is in the table above, or in its run."""
    runs, spoken = opened(lesson), SPEAKS_OF.get(lesson.slug, _made_of(Spec.make(lesson.spec)))
    assert any(spoken <= _made_of(spec) for spec in runs), [_made_of(spec) for spec in runs]
    words = re.sub(r"\W", " ", (lesson.title + lesson.idea).lower())
    for kind in ("convolution", "pool", "dropout", "shortcut", "norm"):
        if kind in words:
            assert any(kind[:4] in each for each in spoken), kind


def test_the_rate_of_dropout_that_was_chosen_is_in_the_link() -> None:
    (lesson,) = (each for each in ALL if each.slug == "dropout-and-shortcuts")
    assert any(list(spec.hidden) == [32, 32] and "dropout" in _made_of(spec) for spec in opened(lesson, rate="0.5"))


@pytest.mark.parametrize(("lesson", "screen"), SCREENS, ids=name)
def test_every_task_right_and_wrong(lesson: Lesson, screen: int) -> None:
    """The engine's answer passes; every other is refused, with something to look at, and can then be shown."""
    for task in tasks(lesson, screen):
        right = str(task.problem.truth)
        (again,) = [t for t in tasks(lesson, screen, **{task.field: right}) if t.name == task.name]
        assert again.correct, (task.name, right)
        for answer in wrong_answers(task.problem):
            body, visit = render(lesson, {"screen": str(screen), task.field: answer})
            (again,) = [t for t in visit.tasks if t.name == task.name]
            assert again.verdict is not None
            assert not again.correct, (task.name, answer)
            assert again.verdict.factor
            assert len(again.verdict.message) > 10
            assert "Show me" in body
        body, visit = render(lesson, {"screen": str(screen), task.field: "-12345.678", "show": task.field})
        assert [t.revealed for t in visit.tasks if t.name == task.name] == [True]


@pytest.mark.parametrize(("lesson", "screen"), SCREENS, ids=name)
def test_nothing_in_the_address_breaks_a_screen(lesson: Lesson, screen: int) -> None:
    """Whatever is put where a number, a choice or an answer should be: a page, and nothing of it as markup."""
    body, visit = render(lesson, {"screen": str(screen)})
    names = {*(c.name for c in visit.controls), *(t.field for t in visit.tasks), *re.findall(r' name="([\w-]+)"', body)}
    for bad in ("nan", "1e999", "-1e999", "", "<script>alert(1)</script>", "9" * 300, '"><img src=x>'):
        body, _ = render(lesson, dict.fromkeys(names - {"screen"}, bad) | {"screen": str(screen)})
        assert "<script>" not in body
        assert "<img src=x>" not in body


@pytest.mark.parametrize("lesson", ALL, ids=name)
def test_prose_holds_no_typed_results(lesson: Lesson) -> None:
    """Outside of what the engine fills in there is no number with a decimal point but the article's step of 0.001,
    and in what is filled in none that looks computed but the published ones."""
    source = ENV.loader.get_source(ENV, lesson.template)[0]  # type: ignore[union-attr]
    source = re.sub(r"\{% set (?:spec|classes|rectified|published\w*|two) = .*? %\}", "", source, flags=re.DOTALL)
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', source)
    asked = ast.parse(inspect.getsource(sys.modules[POSED[lesson.slug][0].__module__]))
    constants = [node.value for node in ast.walk(asked) if isinstance(node, ast.Constant)]
    strings += [value for value in constants if isinstance(value, str)]
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source)
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<[^>]+>", " ", text, flags=re.DOTALL)
    assert set(re.findall(r"\d+\.\d+", text)) <= {"0.001"}
    assert {number for each in strings for number in re.findall(r"\d+\.\d{3,}", each)} <= {"0.001", "0.00001"}


def test_the_published_numbers_are_the_engines() -> None:
    """The worked example prints what its source prints, and the engine comes to every digit of it."""
    head = ENV.get_template(by_slug("layers").template).make_module({"at": Visit()})
    assert {address: float(text) for address, text in head.published.items()} == PUBLISHED  # type: ignore[attr-defined]
    assert float(head.published_loss) == PUBLISHED_LOSS  # type: ignore[attr-defined]
    facts = worked_example()
    assert round(facts.loss, 9) == PUBLISHED_LOSS
    assert {address: round(facts.next(address), 9) for address in PUBLISHED} == PUBLISHED
    body, _ = render(by_slug("layers"), {"screen": "5"})
    assert body.count("✓") == len(PUBLISHED)
    assert body.count(head.published_late) == 2  # as printed, and as the engine comes to it a step earlier
    assert "✗" not in body


def test_prose_follows_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine, other numbers: with a loss of a third, the lesson says so and marks what no longer agrees."""
    monkeypatch.setattr(Facts, "loss", property(lambda facts: 1 / 3))
    monkeypatch.setattr(Facts, "next", lambda facts, address: 0.25)
    body, _ = render(by_slug("layers"), {"screen": "5"})
    assert "0.333333333" in body
    assert body.count("✗") == len(PUBLISHED)


@pytest.mark.parametrize(
    "listing",
    [each for each in LISTINGS if each not in ("conv.py", "norm.py", "pool.py", "residual.py", "train.py", *WITHOUT)],
)
def test_every_listing_runs_to_the_engines_numbers(listing: str) -> None:
    """Loss and all eight new weights, to the last digits; PyTorch's too where it is installed."""
    made, facts = run_path(str(CODE / listing)), worked_example()
    assert float(made["loss"]) == pytest.approx(facts.loss, rel=1e-12)
    for new, layer in zip(made["new_W"], facts.trace.layers, strict=True):
        assert np.array(new) == pytest.approx(layer.W_next, rel=1e-12)


def test_the_whole_program_learns_as_the_engine_does() -> None:
    """The last listing: its slope is the nudge's, and its 2,000 steps on the batch are the engine's."""
    made = run_path(str(CODE / "train.py"))
    first, second = ({"W": W.tolist(), "b": [0] * len(W)} for W in made["start"])
    spec = Spec.make(
        dataset="custom", data={"x": made["points"], "y": made["y"].tolist(), "task": "regression"}, test_share=0,
        hidden=[3], activation="sigmoid", output_activation="sigmoid", loss="squared_error", batch_size=4,
        learning_rate=made["rate"], parameters=[first, second],
    )  # fmt: skip
    state = start(spec)
    gradient = trace(state).layers[0].dW
    assert made["slope"] == pytest.approx(gradient[0, 0], rel=1e-12)
    assert made["nudged"] == pytest.approx(gradient[0, 0], rel=1e-5)
    assert len(made["losses"]) == 2001
    later = advance(state, 2000).state
    assert [made["losses"][0], made["losses"][-1]] == pytest.approx([trace(state).loss, trace(later).loss], rel=1e-9)
    for W, b, layer in zip(made["W"], made["b"], trace(later).layers, strict=True):
        assert pytest.approx(layer.W, rel=1e-8) == W
        assert pytest.approx(layer.b, rel=1e-8) == b
    assert [round(float(answer)) for (answer,) in made["answers"]] == [0, 1, 1, 0]


def test_listings_are_short_lit_and_valid() -> None:
    """Without PyTorch its listing is compiled at least; every line fits on a phone, and says how it is indented."""
    assert LISTINGS == (
        "conv.py",
        "flat.py",
        "norm.py",
        "pool.py",
        "pytorch.py",
        "residual.py",
        "scalar.py",
        "train.py",
        "vector.py",
    )
    for listing in LISTINGS:
        text = (CODE / listing).read_text()
        compile(text, listing, "exec")
        assert max(map(len, text.splitlines()[1:])) <= 43
        lit = highlighted(listing)
        assert "style=" not in lit
        shown = [html.unescape(re.sub("<[^>]+>", "", line)) for line in lit.splitlines()]
        depths = [int(depth) for depth in re.findall(r'class="code-line in-(\d+)"', lit)]
        assert depths == [len(line) - len(line.lstrip()) for line in shown[: len(depths)]]
        assert len(depths) == len(code_of(listing).splitlines())
        assert "".join(line + "\n" for line in shown[: len(depths)]) == code_of(listing)
    lit = highlighted("vector.py")
    for kind, text in (("keyword", "import"), ("number", "0.05"), ("remark", "# forward")):
        assert f'<span class="{kind}">{text}' in lit
    assert '<span class="defined">' in highlighted("train.py")
    with pytest.raises(ValueError, match="must be one of"):
        run_listing("../secret.py")


def test_the_wrong_order_does_what_the_lesson_says() -> None:
    """The listing with the new weight in its last line comes to the number that the lesson tells."""
    text = (CODE / "scalar.py").read_text()
    changed = text.replace("da[j] += W[k]", "da[j] += new_W[k]")
    assert changed != text
    names: dict[str, Any] = {}
    exec(changed, names)
    assert names["new_W"][0][0][0] == pytest.approx(pieces.early_update(worked_example()), rel=1e-12)


def line(**more: Any) -> Facts:
    return Facts(start(Spec.make({**by_slug("slope").spec, **more})))


def test_pieces_of_the_line_are_what_they_say() -> None:
    """Residuals, slopes, curvature, the walk and the article's product, each computed once more by hand."""
    facts = line()
    x, y = np.array([(px, py) for px, py, _ in pieces.fit(facts).points]).T
    m, b = facts["W1.1.1"], facts["b1.1"]
    residual = m * x + b - y
    assert pieces.mean_residual(facts) == pytest.approx((residual.mean(), (residual * x).mean()))
    assert (facts["db1.1"], facts["dW1.1.1"]) == pytest.approx(pieces.mean_residual(facts))
    assert pieces.curvature(facts, "W1.1.1") == pytest.approx((x * x).mean(), rel=1e-6)
    second = np.array([[(x * x).mean(), x.mean()], [x.mean(), 1]])
    assert pieces.sharpest(facts) == pytest.approx(np.linalg.eigvalsh(second).max(), rel=1e-6)
    walked = pieces.walk(facts, 3)
    assert walked.xs[1] == pytest.approx(m - facts.rate * (residual * x).mean())
    assert walked.losses[0] == pytest.approx(0.5 * (residual**2).mean())
    letter = pieces.article_walk(facts, 1)
    assert letter.xs[1] == pytest.approx(m - facts.rate * (residual * x * x).mean() * m)
    assert letter.ys[1] == pytest.approx(b - facts.rate * residual.mean() * b)


def test_above_the_limit_it_flies_off_and_below_it_settles() -> None:
    """2 / curvature is where gradient descent on a line stops converging: “Overshoot” claims it."""
    edge = 2 / pieces.sharpest(line())
    assert line().with_rate(0.99 * edge).after(500).loss < line().loss
    assert line().with_rate(1.01 * edge).after(500).loss > line().loss


def test_facts_name_what_there_is() -> None:
    """Every address of the trace, and an error for one that the network does not have."""
    facts = worked_example()
    layer = trace(facts.state, 0).layers[0]
    assert facts["z1.2"] == layer.z[0, 1]
    assert facts["delta1.1"] == layer.dz[0, 0]
    assert facts["slope1.1"] == pytest.approx(layer.a[0, 0] * (1 - layer.a[0, 0]))
    assert facts["a0.2"] == 0.10
    for address in ("a3.1", "z0.1", "W9.1.1", "a1.0", "delta1.3"):
        with pytest.raises(ValueError, match="no"):
            facts[address]


def test_plots_put_data_where_it_belongs() -> None:
    """Corners to corners; beyond the box outside of it, and what is not a number nowhere."""
    box = plot((0, 10), (0, 1), 400, 260)
    assert (box.px(0), box.px(10)) == (box.left, box.left + box.inner_width)
    assert (box.py(0), box.py(1)) == (box.top + box.inner_height, box.top)
    assert box.px(20) > box.left + box.inner_width
    assert abs(box.py(float("inf"))) <= 4000
    assert box.line([0, float("nan"), 10], [0, 1, 1]).startswith("M")


def test_ink_goes_through_the_address_and_back() -> None:
    """256 hexadecimal digits; anything else is no drawing."""
    pixels = load_digits16()[3, 5]
    text = lesson_digits.ink_of(pixels)
    back = lesson_digits.pixels_of(text)
    assert back is not None
    assert np.abs(back - pixels).max() <= 0.5 / 15 + 1e-9
    for bad in ("", "0" * 255, "g" * 256, "0" * 257, "０" * 256):
        assert lesson_digits.pixels_of(bad) is None


def test_a_drawing_is_moved_to_the_middle_and_loses_no_ink() -> None:
    """Wherever it was drawn, the network meets it in one place."""
    image = np.zeros((16, 16))
    image[1:6, 1:4] = 1.0
    moved = lesson_digits.centred(image.ravel()).reshape(16, 16)
    assert moved.sum() == image.sum()
    rows, columns = np.nonzero(moved)
    assert abs(rows.mean() - 7.5) <= 0.5
    assert abs(columns.mean() - 7.5) <= 0.5
    assert not lesson_digits.centred(np.zeros(256)).any()


def test_who_pulls_against_the_mean_is_counted() -> None:
    """Each example of the batch with its own digit and the cosine of its gradient to the batch's, the largest first."""
    facts = Facts(start(Spec.make(by_slug("pixels").spec))).after(20)
    found, batch, examples = lesson_digits.agreement(facts), trace(facts.state), examples_of(facts.state.spec)
    wanted = {}
    for n in batch.examples.tolist():
        own = trace(facts.state, n).gradient
        wanted[n] = own @ batch.gradient / np.linalg.norm(own) / np.linalg.norm(batch.gradient)
    assert {n: cosine for n, _, cosine in found.rows} == pytest.approx(wanted, abs=1e-6)
    assert [digit for _, digit, _ in found.rows] == [int(examples.labels[n].item()) for n, _, _ in found.rows]
    assert [n for n, _, _ in found.rows] == sorted(wanted, key=lambda n: -wanted[n])
    assert found.against == sum(cosine < 0 for cosine in wanted.values())
    assert 0 < found.against < len(wanted) / 2


def test_the_top_left_pixel_is_white_in_every_digit() -> None:
    """As “256 pixels” says, so that its weight stays where it is."""
    assert not load_digits16()[:, :, 0].any()
    facts = Facts(start(Spec.make(by_slug("pixels").spec)))
    assert facts.change("W1.1.1") == 0.0


@pytest.mark.parametrize(("lesson", "screen"), SCREENS, ids=name)
def test_every_screen_has_a_live_piece(lesson: Lesson, screen: int) -> None:
    """Something to look at that the engine computes, and something that the reader moves, runs or answers."""
    body, visit = render(lesson, {"screen": str(screen)})
    assert '<aside class="live"' in body
    assert visit.controls or visit.tasks


@pytest.mark.parametrize("weight", [-3.0, 0.0, 0.4, 2.95])
def test_any_slope_is_the_same_by_equation_and_by_nudge(weight: float) -> None:
    """The maths print both for the slope that is chosen, and they agree in every digit; so do its four equations."""
    math = by_slug("math")
    facts = worked_example().with_values({"W2.1.1": weight})
    for address in facts.state.spec.network.addresses():
        body, _ = render(math, {"screen": "3", "w": str(weight), "slope": address, "numbers": "1"})
        product, nudged = re.findall(r"<td>([+−]?\d\.\d{7}|0)</td></tr>", body)[-2:]
        assert product == nudged
        assert float(product.replace("−", "-")) == pytest.approx(facts[f"d{address}"], abs=6e-8)


def test_what_lesson_12_reads_exactly_and_at_the_ends() -> None:
    """Counted once more: states as bytes, and activations in the first or last of thirty bins from -1 to 1."""
    head = ENV.get_template(by_slug("black-box").template).make_module({"at": Visit()})
    spec = Spec.make(head.spec)  # type: ignore[attr-defined]
    late = record(spec, [400])[400][3]
    ends = ((late < -1 + 2 / 30) | (late >= 1 - 2 / 30)).mean()
    assert lesson_information.at_the_ends(head.spec, 4, 30)[-1] == pytest.approx(ends)  # type: ignore[attr-defined]
    counts = np.array(list(Counter(row.tobytes() for row in late).values())) / len(late)
    assert lesson_information.exactly(head.spec, 4)[-1] == pytest.approx(-(counts * np.log2(counts)).sum())  # type: ignore[attr-defined]
    assert (
        "exactly" not in render(by_slug("black-box"), {"screen": "4"})[0].split('class="legend"')[1].split("</ul>")[0]
    )
    assert ">exactly</li>" in render(by_slug("black-box"), {"screen": "4", "exact": "not at all"})[0]


def test_lesson_12_shows_what_it_tells() -> None:
    """With tanh the fourth layer loses bits about the input, with ReLU it does not, and bins decide how many."""
    head = ENV.get_template(by_slug("black-box").template).make_module({"at": Visit()})
    tanh, relu = (lesson_information.plane(spec, 30) for spec in (head.spec, head.rectified))  # type: ignore[attr-defined]
    assert tanh.change(4) < -0.5 < relu.change(4)
    assert min(plane.at(4, 99).about_label for plane in (tanh, relu)) > 0.9
    fine = lesson_information.plane(head.spec, 100)  # type: ignore[attr-defined]
    assert fine.at(3, 99).about_input > tanh.at(3, 99).about_input


def test_the_whole_lesson_can_be_printed() -> None:
    """Every screen in a row, without buttons to press."""
    for lesson in ALL:
        body, visit = render(lesson, {"screen": "all"})
        assert visit.printing
        assert body.count('<section class="screen') == len(lesson.screens)
        assert 'type="range"' not in body


def test_what_is_not_explained_yet_is_not_spoken_of() -> None:
    """“Error” and “The slope” ask which way a number moves before there is a delta: what they answer is of slopes."""
    for slug, screen in (("error", 3), ("slope", 2)):
        for task in tasks(by_slug(slug), screen):
            told = [task.problem.solution, *(sentence for _, sentence in task.problem.slips.values())]
            assert all("delta" not in sentence for sentence in told)
            assert "negative" in task.problem.solution


def test_the_map_of_lesson_4_has_one_scale() -> None:
    """A step is at right angles to lines of equal loss: in the picture too, so both axes are as long a unit."""
    body, _ = render(by_slug("slope"), {"screen": "3"})
    x_ticks, y_ticks = (
        [(float(place), float(text.replace("−", "-"))) for place, text in re.findall(pattern, body)]
        for pattern in (r'class="tick" x="([\d.]+)"[^>]*>([−\d.]+)<', r'class="tick y"[^>]* y="([\d.]+)">([−\d.]+)<')
    )
    across, up = (abs((ticks[-1][0] - ticks[0][0]) / (ticks[-1][1] - ticks[0][1])) for ticks in (x_ticks, y_ticks))
    assert across == pytest.approx(up, rel=0.01)


def test_under_the_goal_that_is_printed_is_there() -> None:
    """“A line” prints the very number that it compares the loss with, not a rounded one."""
    line_ = by_slug("line")
    body, _ = render(line_, {"screen": "2", "m": "1.4", "b": "0.4"})
    goal = float(re.search(r"under <strong>([\d.]+)", body)[1])  # type: ignore[index]
    for b in np.arange(0.38, 0.4, 0.0005):
        body, _ = render(line_, {"screen": "2", "m": "1.45", "b": f"{b:.4f}"})
        loss = float(re.search(r'id="loss">([\d.]+)', body)[1])  # type: ignore[index]
        if abs(loss - goal) > 1e-4:
            assert ("✓ there" in body) == (loss < goal)


def test_an_answer_is_to_the_question_that_was_asked() -> None:
    """After another step it is another question, and what was answered before says nothing about it."""
    slope = by_slug("slope")
    first = tasks(slope, 2, **{"way-0": "up"})[0]
    later = tasks(slope, 2, **{"way-0": "up", "steps": "1"})[0]
    assert (first.name, first.answer, first.correct) == ("way", "up", True)
    assert (later.name, later.answer, later.verdict) == ("way", None, None)


def test_the_line_that_is_asked_about_lies_above_all_points() -> None:
    """“The slope” says so of a line, and that its slope for b is positive."""
    text = tasks(by_slug("slope"), 1)[0].problem.prompt
    m, b = (float(found) for found in re.findall(r"= (\d\.\d)", text))
    assert all(at_line > y for _, y, at_line in pieces.fit(line().with_values({"W1.1.1": m, "b1.1": b})).points)


def test_an_answer_does_not_stand_beside_its_question() -> None:
    """How many an untrained network gets right, and how far off the article's step is, are told after the guess."""
    pixels, nudge = by_slug("pixels"), by_slug("nudge")
    rate = f"{100 * Facts(start(Spec.make(pixels.spec))).metrics['test'].accuracy:.1f} %"
    assert rate not in render(pixels, {"screen": "2"})[0]
    assert rate in render(pixels, {"screen": "2", "chance": "10"})[0]
    assert "fair choice" not in render(nudge, {"screen": "2"})[0]
    assert "only the output" not in render(by_slug("deeper"), {"screen": "4"})[0]


@pytest.mark.parametrize("lesson", ALL, ids=name)
def test_no_index_can_be_taken_for_a_power(lesson: Lesson) -> None:
    """What stands above a letter is a power or a ⊤; a layer's number stands below, and one letter has one name."""
    for filled in ("0", "1"):
        body = render(lesson, {"screen": "all", "numbers": filled})[0]
        for formula in re.findall(r"<math.*?</math>", body, re.S):
            for raised in ElementTree.fromstring(formula).iter():
                if raised.tag.endswith(("msup", "msubsup")) and "".join(raised[0].itertext()) in set("aWzbδ"):
                    assert "".join(raised[-1].itertext()) == "⊤", (lesson.slug, formula)
        words = re.sub(r"<[^>]+>", " ", body)
        assert not re.search(r"\bdeltas?\b", words.replace("“delta”", "")), lesson.slug


@pytest.mark.parametrize("listing", ["scalar.py", "vector.py", "flat.py", "train.py"])
def test_a_program_runs_line_by_line(listing: str) -> None:
    """Each stop is a line that can be seen, and the last value told of a name is what the program leaves behind."""
    stops, lines, names = stops_of(listing), code_of(listing).splitlines(), run_listing(listing)
    assert 20 < len(stops) <= MOST_LINES
    last: dict[str, tuple[str, int]] = {}
    for place, stop in enumerate(stops):
        assert lines[stop.line - 1].strip()
        last |= {what: (text, place) for what, text in stop.changed}
    if len(stops) < MOST_LINES:
        assert float(last["loss"][0]) == pytest.approx(names["loss"], abs=6e-5)
    first = next(stop for stop in stops if dict(stop.changed).get("rate"))
    assert float(dict(first.changed)["rate"]) == names["rate"]
    assert "rate = " in lines[first.line - 1]
    sums = [stop for stop in stops if "loss" in dict(stop.changed)]
    assert all("loss" in lines[stop.line - 1] for stop in sums)


def test_a_program_is_followed_as_far_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its loops go on to do is run, and looked at no more."""
    looked, told = list[object](), listings._told
    monkeypatch.setattr(listings, "_told", lambda frame: looked.append(frame) or told(frame))
    _, stops = listings._run.__wrapped__("train.py")
    assert len(stops) == MOST_LINES
    assert len(looked) < 2 * MOST_LINES


def test_the_line_that_ran_is_lit_and_tells_what_it_changed() -> None:
    """As many lines as the reader has let run; none at first, and none on paper."""
    code, stops = by_slug("code"), stops_of("scalar.py")
    place = next(n for n, stop in enumerate(stops, 1) if dict(stop.changed).get("z"))
    body = render(code, {"screen": "1", "line": str(place)})[0]
    (lit,) = re.findall(r'<span class="code-line in-\d+ runs" aria-current="step">(.*?)\n</span>', body)
    shown = html.unescape(re.sub(r"<[^>]+>", "", lit))
    assert shown == code_of("scalar.py").splitlines()[stops[place - 1].line - 1]
    assert f"<dt>z</dt><dd>{dict(stops[place - 1].changed)['z']}</dd>" in body
    assert "Nothing has run yet." in render(code, {"screen": "1"})[0]
    assert "Run a line" not in render(code, {"screen": "all"})[0]
    whole = render(code, {"screen": "4"})[0]  # what it comes to is in sight of the lines, the numbers beside it later
    assert whole.index("Run a line") < whole.index("The loss over steps") < whole.index("after running it")


@pytest.mark.parametrize("back", [0, 1, 4, 7])
def test_the_message_of_a_deep_network_has_come_so_far(back: int) -> None:
    """Bars of the layers it has reached and of no other, each as the trace says; the others' δ are still unknown."""
    deeper = by_slug("deeper")
    facts = Facts(start(Spec.make(deeper.spec)))
    body = render(deeper, {"screen": "1", "back": str(back)})[0]
    table = re.search(r'<table class="bars">.*?</table>', body, re.S)
    assert table is not None
    told = re.findall(r'<th scope="row">(.*?)</th>.*?<td class="value">(.*?)</td>', table[0])
    norms = pieces.delta_norms(facts)[len(facts.trace.layers) - back :]
    assert told == [(layer, unsigned(size, 3)) for layer, size in norms]
    unknown = len(re.findall(r'class="delta[^"]*">\?<|>\?</text>', body))
    assert unknown >= 4 * (6 - back) if back < 7 else unknown == 0


@pytest.mark.parametrize(
    ("slug", "screen", "task", "address"),
    [("layers", "4", "way", "W1.1.1"), ("neuron", "4", "soft", "W1.1.1"), ("neuron", "4", "hard", "W1.1.1")],
)
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_weight_moves_as_was_said(slug: str, screen: str, task: str, address: str, way: str) -> None:
    """By 0.1, and the loss told is the engine's there."""
    lesson = by_slug(slug)
    body = render(lesson, {"screen": screen, task: way})[0]
    spec = {**lesson.spec, "output_activation": "threshold"} if task == "hard" else lesson.spec
    facts = Facts(start(Spec.make(spec)), 0)
    facts = facts.with_values({"b1.1": -1.0}) if slug == "neuron" else facts
    moved = facts.with_values({address: facts[address] + (0.1 if way == "up" else -0.1)})
    word = "better" if moved.loss < facts.loss else "worse" if moved.loss > facts.loss else "the same"
    assert f"{moved.loss:.4f}: {word}." in body
    assert word == {"hard": "the same"}.get(task, "better" if (way == "up") == (facts[f"d{address}"] < 0) else "worse")


def test_the_starts_are_what_they_are_called() -> None:
    """Its "normal" has a standard deviation of one half."""
    head = ENV.get_template(by_slug("deeper").template).make_module({"at": Visit()})
    wide = Spec.make({**head.spec, "hidden": [64, 64], "initializer": "normal"})  # type: ignore[attr-defined]
    assert float(trace(start(wide)).layers[1].W.std()) == pytest.approx(0.5, rel=0.05)
    assert dict(head.STARTS)["normal"] == "normal, sd ½"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("way", "better"), [("up", True), ("down", False)])
def test_an_answer_moves_what_it_is_about(way: str, better: bool) -> None:
    """Choosing up moves the line up, and what the loss then is stands beside it, whether it was right or not."""
    slope = by_slug("slope")
    facts = line()
    body = render(slope, {"screen": "2", "way-b-0": way})[0]
    moved = facts.with_values({"b1.1": facts["b1.1"] + (1 if better else -1) * abs(facts.change("b1.1"))})
    assert f"{moved.loss:.4f}: {'better' if better else 'worse'}." in body
    assert (moved.loss < facts.loss) == better
    assert body.count('class="ghost"') == 1
    assert 'class="ghost"' not in render(slope, {"screen": "2"})[0]
    told = re.search(
        r"to <strong class=\"\w+\">(\d\.\d{4}): (\w+)", render(by_slug("error"), {"screen": "3", "way": way})[0]
    )
    assert told is not None
    assert told[2] == ("better" if better else "worse")


def test_a_guess_takes_the_step_it_is_about() -> None:
    """“Overshoot”: each guess puts its step on the map and its loss beside it, and nothing of the others."""
    overshoot, guesses = by_slug("overshoot"), ({}, {"three": "worse"}, {"three": "worse", "ten": "better"})
    shown = [render(overshoot, {"screen": "2", **given})[0] for given in guesses]
    assert [body.count("after one step at rate") for body in shown] == [1, 2, 3]
    after = fixed(line().with_rate(5.0).after().loss, 4)
    assert [after in body for body in shown] == [False, False, True]


def test_a_count_is_shown_without_decimal_places() -> None:
    """4282 weights, not 4 282.0; 64 paths, not 64.00."""
    found = 0
    for lesson, screen in SCREENS:
        for task in tasks(lesson, screen):
            if isinstance(task.problem.truth, float) and task.problem.truth.is_integer():
                body = render(lesson, {"screen": str(screen), task.field: "7.77", "show": task.field})[0]
                assert f"<strong>{task.problem.truth:.0f}.</strong>" in body
                found += 1
    assert found >= 4


def test_a_place_is_shown_as_what_stands_there() -> None:
    """The last lesson's slider says the epoch, not how many are before it."""
    body, visit = render(by_slug("black-box"), {"screen": "3"})
    (epoch,) = [control for control in visit.controls if control.name == "epoch"]
    assert (epoch.value, epoch.texts[-1]) == (len(epoch.texts) - 1, "400")
    assert 'id="shown-epoch">400</output>' in body
    assert render(by_slug("black-box"), {"screen": "3", "epoch": "9e9"})[1].controls == visit.controls


def test_networks_printed_on_one_page_have_pictures_of_their_own() -> None:
    """Each finds its sprite by an id that no other has."""
    body, _ = render(by_slug("deeper"), {"screen": "all"})
    ids = re.findall(r' id="([^"]+)"', body)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([\w-]+)', body)) <= set(ids)


def test_templates_call_what_they_are_offered() -> None:
    """No function of a module that is not named in tools.py, and none is named there that no lesson calls."""
    called: set[str] = set()
    for each in (n for n in ENV.list_templates() if "lesson" in n or "exercise" in n or "practice" in n):
        tree = ENV.parse(ENV.loader.get_source(ENV, each)[0])  # type: ignore[union-attr]
        called |= {node.name for node in tree.find_all(nodes.Name)}
        called |= {f"{a.node.name}.{a.attr}" for a in tree.find_all(nodes.Getattr) if isinstance(a.node, nodes.Name)}
    groups = {name: vars(tool) for name, tool in TOOLS.items() if isinstance(tool, SimpleNamespace)}
    offered = {f"{name}.{function}" for name, group in groups.items() for function in group}
    assert all(callable(function) for group in groups.values() for function in group.values())
    assert {each for each in called if each.split(".")[0] in groups and "." in each} == offered
    assert set(TOOLS) <= called
