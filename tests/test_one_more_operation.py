"""An operation that nobody but the table knows, with a letter of its own: added for a test, it is computed, explained
and drawn as any other is.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import pytest
from test_calculator import assert_all_close
from test_equations import wrong
from test_messages import english, told, wide
from test_program import differences
from test_scalars import same
from test_walkthrough import quantities as all_but_these

from app.draw.drawing import draw
from app.draw.lens import LENSES
from app.draw.marks import Marks
from app.draw.pictures import surfaces
from app.explain.chips import chips_of
from app.explain.moments import GRAINS, Grain
from app.explain.receipts import receipt
from app.explain.rows import rows_of
from app.explain.walkthrough import known, walkthrough
from app.explain.why import why_of
from app.page.frame import marks_of
from app.page.layering import offer_of
from app.words.segments import text_of
from app.words.terms import meaning
from app.words.texts import speaking
from engine import OPERATIONS, Quantity, RunState, Spec, SpecError, Trace, advance, pack, start, trace, unpack
from engine.arrays import Floats
from engine.equation import Tree, f
from engine.operations.base import Call, Cost, Node, Operation, Option, Place
from engine.paths import paths
from engine.probes import check_all
from engine.program import program
from engine.receipts import unit_receipt
from engine.scalars import graph_of


def _rows(node: Node, inputs: Sequence[int]) -> int:
    return inputs[0]


def _cost(node: Node, inputs: Sequence[int]) -> Cost:
    return Cost(0, 2 * inputs[0])


def _clip(node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]) -> Iterable[Call]:
    return ((partial(np.minimum, out=out[:-1]), inputs[0][:-1], node.option("limit")),)


def _clip_back(node: Node, at: Place) -> Iterator[Call]:
    (into,) = at.into
    passes = np.empty(at.out[:-1].shape)
    if into is not None:
        yield np.less_equal, at.inputs[0][:-1], node.option("limit"), passes
        yield np.multiply, at.d_out[:-1], passes, into[:-1]


def _clipped(node: Node, inputs: Sequence[Tree]) -> Tree:
    return f("min", inputs[0], node.option("limit"))


def _grain(node: Node, inputs: Sequence[int]) -> dict[str, int]:
    return {"grain": inputs[0]}


def _drawn(node: Node, evenly: Floats) -> tuple[Floats, float]:
    return 0.5 + evenly, 1.0


def _blur(node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]) -> Iterable[Call]:
    yield np.multiply, inputs[0][:-1], saved[0], out[:-1]
    yield np.multiply, out[:-1], node.option("times"), out[:-1]


def _sharp(
    node: Node, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterable[Call]:
    return ((np.multiply, inputs[0][:-1], node.option("times"), out[:-1]),)


def _blur_back(node: Node, at: Place) -> Iterator[Call]:
    (into,) = at.into
    if into is not None:
        yield np.multiply, at.d_out[:-1], at.saved[0], into[:-1]
        yield np.multiply, into[:-1], node.option("times"), into[:-1]


def _blurred(node: Node, inputs: Sequence[Tree]) -> Tree:
    own, grain = inputs
    return node.option("times") * grain * own


CLIP = Operation(
    "clip", "Clip", "c", "Lets nothing larger than its limit go on.",
    (Option("limit", "The largest that goes on.", bounds=(0.1, 10.0), default=2.0),),
    _rows, _cost, _clip, _clip_back, rank=3.5, equation=_clipped,
)  # fmt: skip
BLUR = Operation(
    "blur", "Blur", "e", "Multiplies each number by another chance in every step.",
    (Option("times", "And by this as well.", bounds=(0.5, 4.0), default=1.5),),
    _rows, _cost, _blur, _blur_back, rank=2.5, saves=_grain, evaluate=_sharp, drawn=_drawn, equation=_blurred,
)  # fmt: skip
OWN = {each for entry in (CLIP, BLUR) for each in (entry.title, entry.title.lower(), entry.sentence, entry.name)}

NETWORKS = {
    "clip": "dense 4 tanh, dense 4 softplus, clip 0.6",
    "blur": "dense 3 tanh, blur, dense 3 tanh, blur 2.5",
    "all": "dense 2 tanh, blur, clip 0.4, shortcut 1, dense 3 tanh, dense 3 softplus, blur, dropout 0.3, clip 0.7, "
    "shortcut 1",
    "normed": "dense 4 tanh, layer_norm, blur, dense 4 softmax, clip 0.3, shortcut 1",
}
IMAGES = "conv2d 2 3x3 tanh, blur, clip 0.3, max_pool 2, conv2d 2 3x3 tanh, dropout 0.2, clip 0.5, avg_pool 2"


@pytest.fixture(autouse=True)
def _table(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in (CLIP, BLUR):
        monkeypatch.setitem(OPERATIONS, entry.name, entry)


def state_of(layers: str, **more: object) -> RunState:
    return advance(start(Spec.make(layers=layers, **{"batch_size": 5, "seed": 3} | more)), 3).state


def of_images() -> RunState:
    more = {"output_activation": "softmax", "loss": "cross_entropy", "batch_size": 3}
    return state_of(IMAGES, dataset="digits16", samples=100, **more)


def steps(name: str) -> Iterator[Trace]:
    """A batch and one example."""
    state = of_images() if name == "images" else state_of(NETWORKS[name])
    yield from (trace(state), trace(state, 3))


def test_it_is_read_written_and_judged() -> None:
    """Its text, its place among what is attached, its bounds; a run of it comes back from its bytes, bit for bit."""
    spec = Spec.make(layers=NETWORKS["all"])
    assert spec == Spec.make(spec.to_dict())
    assert {"kind": "clip", "limit": 0.4} in (spec.to_dict()["layers"] or [])
    for layers, reason in (("clip 1", "no layer comes before"), ("dense 3, clip 11", "0.1 to 10"),
                           ("dense 2, shortcut 1, clip 1", "then dropout, then clip, then shortcut")):  # fmt: skip
        with pytest.raises(SpecError, match=reason):
            Spec.make(layers=layers)
    state = state_of(NETWORKS["all"])
    again = unpack(pack(state))
    assert advance(again, 5).state.parameters.tobytes() == advance(state, 5).state.parameters.tobytes()
    assert any("clip" in change.layers for change in offer_of(spec, 2, adding=True).added)
    plain = Spec.make(layers=NETWORKS["clip"].replace(", clip 0.6", ""))
    assert Spec.make(layers=NETWORKS["clip"]).network.cost.activations == plain.network.cost.activations + 2 * 4


@pytest.mark.parametrize("name", NETWORKS)
def test_its_gradients_are_those_of_reruns(name: str) -> None:
    """Every parameter, by central differences, with the same chance in every rerun."""
    found = check_all(state_of(NETWORKS[name]))
    assert found.passed
    assert found.checked == found.parameters


def test_what_is_drawn_is_drawn_anew_and_again_the_same() -> None:
    """In every step another, in every layer; and of what stands behind one activation neither is the other."""
    one, other = (trace(state_of("dense 4 tanh, blur, dropout 0.5, dense 4 tanh, blur", seed=seed)) for seed in (3, 3))
    first, second, _ = one.layers
    np.testing.assert_array_equal(first.number("grain"), other.layers[0].number("grain"))
    assert (first.number("grain") != second.number("grain")).all()
    assert first.mask is not None
    assert ((first.number("grain") >= 1.0) != (first.mask > 0)).any()
    later = trace(advance(state_of("dense 4 tanh, blur, dropout 0.5, dense 4 tanh, blur"), 1).state)
    assert (first.number("grain") != later.layers[0].number("grain")).all()


@pytest.mark.parametrize("name", [*NETWORKS, "images"])
def test_a_trace_has_its_numbers(name: str) -> None:
    """By its letter as an attribute, as those that have a field; what a layer has not is None."""
    for step in steps(name):
        for k, layer in enumerate(step.layers, 1):
            for letter in step.spec.network.attached(k):
                assert layer.number(letter).shape[0] == len(step.examples)
                assert getattr(layer, letter) is layer.number(letter)
            assert (getattr(layer, "c") is None) == ("c" not in step.spec.network.attached(k))  # noqa: B009
            np.testing.assert_array_equal(layer.gives, layer.number(step.spec.network.given_kind(k)))
        with pytest.raises(AttributeError):
            getattr(step.layers[0], "k")  # noqa: B009


@pytest.mark.parametrize("name", NETWORKS)
def test_its_equations_give_the_numbers_of_the_trace(name: str) -> None:
    """Forwards and back, unit by unit and layer by layer; what it is made of by the chain rule."""
    for step in steps(name):
        assert not wrong(step)
        assert not wrong(step, whole=True)


@pytest.mark.parametrize("name", [*NETWORKS, "images"])
def test_the_program_computes_it(name: str) -> None:
    """A line each way, whose numbers are the trace's."""
    for step in steps(name):
        assert max(differences(step).values()) < 1e-9
        ran, network = program(step).run(), step.spec.network
        for k, layer in enumerate(step.layers, 1):
            for letter in network.attached(k):
                np.testing.assert_allclose(ran[f"{letter}{k}"], layer.number(letter), rtol=1e-12, atol=1e-14)
            for letter in network.behind(k):
                np.testing.assert_allclose(ran[f"d{letter}{k}"], layer.number(f"d{letter}"), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", ["clip", "blur", "all"])
def test_the_graph_of_scalars_and_the_ways_have_it(name: str) -> None:
    """Their numbers and gradients are the step's."""
    step = trace(state_of(NETWORKS[name]), 3)
    assert same(graph_of(step), step)
    for address in ("W1.1.1", "b2.2"):
        found = paths(step, address)
        if len(found.ways) == found.count:
            assert sum(way.product for way in found.ways) == pytest.approx(found.gradient, rel=1e-9, abs=1e-14)
        kinds = {factor.of.kind for way in found.ways for factor in way.factors}
        assert kinds >= ({"slope_c"} if name == "clip" else {"slope_e"})


@pytest.mark.parametrize("name", NETWORKS)
def test_operation_by_operation_it_is_told_once(name: str) -> None:
    """What it gives and what comes back to it are targets of one moment each, for every unit."""
    for step in steps(name):
        network = step.spec.network
        own = {
            f"{kind}{k}.{j}" for k in range(1, len(network.sizes)) for j in range(1, network.sizes[k] + 1)
            for letter in "ce" if letter in network.attached(k) for kind in (letter, f"d{letter}")
        }  # fmt: skip
        targets = [str(target) for moment in walkthrough(step, "operation") for target in moment.targets]
        assert len(targets) == len(set(targets))
        assert set(targets) == all_but_these(step) | own


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", [*NETWORKS, "images"])
def test_every_moment_is_told_laid_out_and_lit(name: str, grain: Grain) -> None:
    """Words, symbols, numbers, code, rows, chips and reasons, at every grain; a line of the program computes it."""
    for step in steps(name):
        walk, seen = walkthrough(step, grain), set[str]()
        for index in range(0, len(walk), 1 if len(walk) < 200 else 3):
            moment = walk[index]
            assert moment.words
            assert moment.symbols or name == "images"
            rows_of(walk.scene, moment, 60)
            chips_of(walk.scene, moment)
            why_of(walk.scene, moment)
            if moment.kind in ("clip", "blur", "dc", "de"):
                seen.add(moment.kind)
                target = moment.targets[0]
                assert moment.code.startswith(f"{target.kind}{target.layer} = ")
        assert grain in ("pass", "layer") or name == "images" or seen
        marks_of(step, walk[len(walk) // 2], known(walk, len(walk) // 2))


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", ["clip", "blur", "all"])
def test_every_equation_closes_on_the_page(name: str, grain: Grain) -> None:
    """What is printed is what a calculator finds."""
    for step, example in zip(steps(name), (None, 3), strict=True):
        assert assert_all_close(step, grain, example, 2, lambda key: key.phase in ("forward", "backward"))


@pytest.mark.parametrize("name", [*NETWORKS, "images"])
def test_its_receipts_drawing_and_letters(name: str) -> None:
    """A line each way in a unit's receipt with the trace's number, its name under the drawing, its letter's meaning."""
    for step in steps(name):
        network = step.spec.network
        for k in range(1, len(network.sizes)):
            found, letters = receipt(step, f"a{k}.1"), network.attached(k)
            labels = " ".join(line.label for line in found.lines)
            assert all(letter in labels for letter in letters)
            assert receipt(step, f"a{k}.1", frozenset()).lines
            if not network.image(k):
                facts = unit_receipt(step, f"a{k}.1")
                for letter in letters:
                    np.testing.assert_array_equal(facts.number(letter), step.layers[k - 1].number(letter)[:, 0])
                assert facts._repr_html_()
            assert all(meaning(Quantity(letter, k, (1,)), 0.5) for letter in letters)
            assert all(meaning(Quantity(f"d{letter}", k, (1,)), 0.5) for letter in network.behind(k))
        shown = None if name == "images" else surfaces(state_of(NETWORKS[name]))
        for lens in LENSES:
            drawn = draw(step.spec, step, shown, lens, len(step.examples) > 1, Marks("a1.1")).svg
            assert all(word in drawn for word in ("clip", "blur") if word in str(step.spec.layers))


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", [*NETWORKS, "images"])
def test_what_is_said_of_it_is_a_message(name: str, grain: Grain) -> None:
    """In the tests' own language nothing of it is English."""
    for step in steps(name):
        with speaking(lambda message: "" if message in OWN else wide(message)):
            walk = walkthrough(step, grain)
            for index in range(0, len(walk), 1 if len(walk) < 200 else 5):
                moment = walk[index]
                why = why_of(walk.scene, moment)
                said = text_of(moment.words), text_of(moment.numbers), *(text_of(each.words) for each in why)
                assert not english(" ".join(said)), said
            for k in range(1, len(step.layers) + 1):
                assert not [each for each in told(receipt(step, f"a{k}.1")) if english(each)]
