"""Questions to a class: the engine knows the truth, and answers are counted in one spelling each."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_api_rooms import School, play
from test_room_graphs import seen

from app.draw.drawing import draw
from app.draw.marks import Marks
from app.draw.pictures import surfaces
from app.explain.receipts import receipt
from app.explain.walkthrough import known, walkthrough
from app.learn.facts import Facts
from app.page.frame import marks_of
from app.page.links import View
from app.room import asking, polls
from app.room.polls import BadQuestion, ClassQuestion
from app.room.teaching import _hiding
from app.words.names import name_of
from app.words.numbers import signed
from engine import Quantity, RunState, Spec, advance, evaluate, start, trace

SPECS = st.fixed_dictionaries(
    {
        "dataset": st.sampled_from(["circle", "xor", "line", "three_blobs"]),
        "hidden": st.lists(st.integers(1, 4), min_size=1, max_size=3),
        "optimizer": st.sampled_from(["sgd", "momentum", "adam"]),
        "seed": st.integers(0, 50),
        "samples": st.just(40),
    }
)


@settings(max_examples=25, deadline=None)
@given(SPECS, st.integers(0, 20))
def test_the_truth_is_what_the_step_then_does(spec: dict[str, object], steps: int) -> None:
    """Direction, loss, largest gradient and delta agree with the engine's own step, whatever the optimizer."""
    state = advance(start(Spec.make(spec)), steps).state
    after, now = advance(state, 1).state, trace(state)
    address = "b1.1"
    change = after.parameters[state.spec.network.locate(address)] - state.parameters[state.spec.network.locate(address)]
    question = asking.make(Facts(state), "direction", address)
    assert asking.make(Facts(state, example=1), "direction", address) == question, "a step is one of the mini-batch"
    assert question.truth == ("up" if change > 0 else "down" if change < 0 else "stay")
    assert question.steps

    before, then = evaluate(state)["train"].loss, evaluate(after)["train"].loss
    assert before is not None
    assert then is not None
    assert asking.make(Facts(state), "loss").truth == ("down" if then < before else "up" if then > before else "stay")

    if sum(layer.W.size for layer in now.layers) > 1:
        sizes = {
            f"W{k}.{j + 1}.{i + 1}": abs(value)
            for k, layer in enumerate(now.layers, 1)
            for (j, i), value in np.ndenumerate(layer.dW)
        }
        largest = asking.make(Facts(state), "largest")
        assert sizes[str(largest.truth)] == max(sizes.values())
        assert largest.truth in largest.options
        assert len(set(largest.options)) == len(largest.options) >= 2

    delta = asking.make(Facts(state), "delta", "W1.1.1")
    alone = trace(state, delta.example)
    assert float(str(delta.truth)) == alone.layers[0].dz[0, 0]


@settings(max_examples=15, deadline=None)
@given(
    SPECS,
    st.sampled_from(["direction", "delta", "largest"]),
    st.sampled_from(asking.KINDS and ["unit", "layer", "operation"]),
)
def test_the_answer_is_not_on_the_screen_while_it_is_asked(spec: dict[str, object], kind: str, grain: str) -> None:
    """The view that a question is asked through stands at a moment at which what it asks is not computed yet."""
    state = advance(start(Spec.make(spec)), 3).state
    question = asking.make(Facts(state), kind, "W1.1.1" if kind == "direction" else "a1.1")
    view = _hiding(question, state, View(grain=grain))
    moments = walkthrough(trace(state, view.example), grain)  # type: ignore[arg-type]
    assert view.moment is not None
    so_far = known(moments, view.moment)
    asked = {"direction": "dW1.1.1", "delta": "dz1.1"}.get(kind, "dz1.1")
    assert not Quantity.parse(asked).is_in(so_far)
    assert view.example == question.example


def shown(state: RunState, question: ClassQuestion) -> float:
    """What stands at the two ends of a question's weight, a × δ, read off the drawing that the class sees."""
    view = _hiding(question, state, View())
    step, marks = trace(state, view.example), Marks(select=view.select)
    drawn = draw(state.spec, step, surfaces(state), view.lens, view.example is None, marks, "m").svg
    of = Quantity.parse(question.address)

    def at(node: str, place: str, letter: str) -> float:
        part = drawn[drawn.index(f'id="{node}"') :]
        found = re.search(rf'<text class="{place}"[^>]*>{letter} ([^<]+)<', part)
        return float(found[1].replace("−", "-"))  # type: ignore[index]

    return at(f"node-{of.layer - 1}-{of.source}", "above", "a") * at(f"node-{of.layer}-{of.unit}", "below", "δ")


@settings(max_examples=25, deadline=None)
@given(SPECS, st.integers(0, 20))
def test_who_reasons_from_the_numbers_on_screen_is_right(spec: dict[str, object], steps: int) -> None:
    """The weight asked about goes where a × δ at its ends points; one where they mislead is asked about on one example,
    whose own numbers are shown; only the trap is about the others, and says so."""
    state = advance(start(Spec.make(spec)), steps).state
    facts = Facts(state)
    way = {"up": -1, "down": 1, "stay": 0}
    plain = asking.make(facts, "direction")
    if plain.example is None:  # an optimizer's memory may take every weight another way; the sentence then says so
        remembers = spec["optimizer"] != "sgd" and "yet with" in plain.sentence
        assert np.sign(shown(state, plain)) == (
            np.sign(facts[f"d{plain.address}"]) if remembers else way[str(plain.truth)]
        )
    for address in ("W1.1.1", "W2.1.1"):
        question = asking.make(facts, "direction", address)
        assert np.sign(shown(state, question)) == np.sign(facts.on(question.example)[f"d{address}"])
        assert question.steps == (question.example is None)
        assert ("alone" in question.prompt) != question.steps
    try:
        question = asking.make(facts, "trap")
    except BadQuestion:
        pass  # every weight's numbers point its way
    else:
        assert way[str(question.truth)] == -np.sign(shown(state, question))
        assert "misleads" in question.sentence
        assert "mean" in question.given


MAPS = "conv2d 3 3x3 relu, batch_norm, max_pool 2, conv2d 4 3x3 tanh, global_pool, dense 6 tanh, layer_norm"
MARKED = {  # address: what of it is on the diagram
    "W1.2.1.1.3": r'<path id="link-1-2-1" class="w [pn] sel unknown"',
    "W2.4.3.2.2": r'<path id="link-2-4-3" class="w [pn] sel unknown"',
    "b2.3": r'<circle id="bias-2-3" class="bias [pn] sel unknown"',
    "b3.5": r'<circle id="bias-3-5" class="bias [pn] sel unknown"',
    "gamma1.2": r'<g id="node-1-2" class="node sel ',
    "beta1.1": r'<g id="node-1-1" class="node sel ',
    "gamma3.6": r'<g id="node-3-6" class="node sel ',
    "beta3.2": r'<g id="node-3-2" class="node sel ',
}


@pytest.fixture(scope="module")
def pictured() -> RunState:
    """A network of feature maps with both norms, two steps on."""
    return advance(start(Spec.make(dataset="digits16", samples=60, layers=MAPS)), 2).state


@pytest.mark.parametrize("address", MARKED)
def test_kernels_and_norms_are_asked_about(pictured: RunState, address: str) -> None:
    """The truth is what the step does; it is marked on the diagram, which does not tell its gradient yet, at no grain,
    nor does the receipt beside it, but where that is a δ that the diagram has, as of a bias."""
    question, of = asking.make(Facts(pictured), "direction", address), Quantity.parse(address)
    place, now = pictured.spec.network.locate(address), trace(pictured)
    change = advance(pictured, 1).state.parameters[place] - pictured.parameters[place]
    assert (question.address, question.truth) == (address, "up" if change > 0 else "down")
    assert name_of(address) in question.prompt
    assert ("summed over its places" in question.sentence) == bool(pictured.spec.network.image(of.layer))
    for grain in ("operation", "unit", "layer", "pass"):
        view = _hiding(question, pictured, View(grain=grain))
        moments, at = walkthrough(now, grain), view.moment or 0  # type: ignore[arg-type]
        marks = replace(marks_of(now, moments[at], known(moments, at)), select=view.select)
        assert not marks.knows(of.like(f"d{of.kind}"))
        assert re.search(MARKED[address], draw(pictured.spec, now, None, view.lens, True, marks, "m").svg)
        told = str(receipt(now, address, marks.known))
        assert of.letter in ("b", "beta") or signed(float(now.gradient[place])) not in told


def test_a_class_is_asked_about_a_kernel(tmp_path: Path) -> None:
    """By the address that a link has too; the picture on the screens shows its kernel, and no gradient before the
    reveal."""

    async def work(school: School) -> None:
        path, teacher, _ = await school.room(spec={"dataset": "digits16", "samples": 60, "layers": MAPS, "seed": 3})
        ada = await school.student(path, "Ada")
        await teacher.put(f"{path}/shared", json={"view": "lens=gradients&select=W1.2.1.1.3&grain=layer"})
        asked = (await teacher.post(f"{path}/questions", json={"kind": "direction"})).json()["question"]
        assert (asked["address"], asked["options"][0]["value"]) == ("W1.2.1.1.3", "up")
        assert re.search(MARKED["W1.2.1.1.3"], await seen(school, path))
        assert (await ada.get(path)).json()["question"]["truth"] is None
        await ada.put(f"{path}/questions/1/answer", json={"answer": asked["truth"]})
        told = (await teacher.post(f"{path}/questions/1/reveal")).json()
        right = {bar["answer"]: bar["count"] for bar in told["question"]["bars"] if bar["true"]}
        assert right == {asked["truth"]: 1}
        assert told["shared"]["step"] == 1
        assert "link-1-2-1" in await seen(school, path)
        assert "W1.2.1.1.3" in (await teacher.get(f"{path}/answers?format=csv")).text

    play(work, tmp_path)


def test_a_whole_kernel_is_asked_about_by_its_middle(pictured: RunState) -> None:
    """As everywhere else; and a feature map that is selected leaves the choice to the engine."""
    facts = Facts(pictured)
    assert asking.make(facts, "direction", "W1.2.1").address == "W1.2.1.2.2"
    assert facts.is_plain(Quantity.parse(asking.make(facts, "direction", "a1.2").address).layer)


def test_a_network_of_maps_alone_has_questions_too() -> None:
    """Every weight meets maps: the largest gradient is sought among these, and no two numbers mislead about one."""
    facts = Facts(start(Spec.make(dataset="digits16", samples=40, layers="conv2d 2 3x3 relu, flatten")))
    sizes = np.abs(facts.trace.gradient * facts.state.spec.network.is_weight)
    largest = asking.make(facts, "largest")
    assert largest.truth == facts.state.spec.network.address(int(sizes.argmax()))
    assert asking.make(facts, "direction").address == largest.truth
    with pytest.raises(BadQuestion, match="at every weight here"):
        asking.make(facts, "trap")


def test_what_has_no_answer_of_its_own_is_refused_by_its_reason(pictured: RunState) -> None:
    """A bias that a batch norm takes away again has a gradient of rounding alone."""
    for kind, address, why in (
        ("direction", "b1.1", "its gradient is 0"), ("delta", "a9.1", "no such parameter"),
        ("direction", "W1.9.1.1.1", "no such parameter"), ("direction", "gamma2.1", "no such parameter"),
    ):  # fmt: skip
        with pytest.raises(BadQuestion, match=why) as refused:
            asking.make(Facts(pictured), kind, address)
        assert str(refused.value).count("must be") == 1


def test_where_examples_move_each_other_none_is_asked_about_alone() -> None:
    """With a batch norm one example has no step of its own: of a weight whose numbers mislead it is said what they are,
    whichever way an optimizer's memory takes it."""
    facts = Facts(advance(start(Spec.make(layers="dense 4 tanh, batch_norm", optimizer="adam")), 3).state)
    addresses = [f"W1.{j}.{i}" for j in range(1, 5) for i in (1, 2)]
    questions = [asking.make(facts, "direction", address) for address in addresses]
    assert [question.address for question in questions] == addresses
    assert all(question.steps and question.example is None for question in questions)
    assert {"the mean of" in question.given for question in questions} == {True, False}


def test_without_an_address_the_step_itself_is_asked_about() -> None:
    """Of default runs nearly every state has a weight whose numbers agree: the liveliest of these is chosen."""
    states = [advance(start(Spec.make(seed=seed)), steps).state for seed in (1, 2, 3) for steps in (0, 7, 40)]
    questions = [asking.make(Facts(state), "direction") for state in states]
    assert all(question.example is None and question.steps for question in questions)
    assert all(question.address.startswith("W") for question in questions)


def test_a_network_of_one_weight_and_a_diverged_run_are_refused() -> None:
    """With what would be allowed."""
    one = start(Spec.make(dataset="line", hidden=[]))
    with pytest.raises(BadQuestion, match="larger than all"):
        asking.make(Facts(one), "largest")
    with pytest.raises(BadQuestion, match="one of direction"):
        asking.make(Facts(one), "riddle")
    with pytest.raises(BadQuestion, match="address"):
        asking.make(Facts(one), "direction", "W7.1.1")
    gone = advance(start(Spec.make(dataset="line", hidden=[], learning_rate=100.0, noise=1.0)), 2_000).state
    assert gone.divergence is not None
    with pytest.raises(BadQuestion, match="diverged"):
        asking.make(Facts(gone), "direction")


def test_no_question_has_two_right_answers_or_none() -> None:
    """Where all weights are alike none has the largest gradient, and the question is refused; beside a largest one no
    other is as large. A parameter that the network does not have is refused, not replaced by another."""
    alike = start(Spec.make(hidden=[4], initializer="zeros"))
    with pytest.raises(BadQuestion, match="larger than all"):
        asking.make(Facts(alike), "largest")
    layers = [{"W": [[0.3, 0.1], [0.3, 0.1]], "b": [0, 0]}, {"W": [[0.5, 0.5]], "b": [0]}]
    twins = start(Spec.make(hidden=[2], parameters=layers))
    question = asking.make(Facts(twins), "largest")
    sizes = sorted(abs(Facts(twins)[f"d{option}"]) for option in question.options)
    assert sizes[-2] < sizes[-1]
    for address in ("zz", "<b>", "W1"):
        with pytest.raises(BadQuestion, match="address"):
            asking.make(Facts(twins), "direction", address)


def test_what_the_step_does_is_told_in_digits_that_differ() -> None:
    """From 0.50012 to 0.50012 explains nothing."""
    slow = start(Spec.make(learning_rate=1e-6))
    for kind in ("direction", "loss"):
        told = asking.make(Facts(slow), kind).sentence
        before, after = re.search(r"from (\S+) to ([^\s:]+)", told).groups()  # type: ignore[union-attr]
        assert before != after.rstrip(".")


def test_a_frozen_weight_stays_because_it_is_frozen() -> None:
    """Whatever its gradient."""
    question = asking.make(Facts(start(Spec.make(frozen=["W1.1.1"]))), "direction", "W1.1.1")
    assert question.truth == "stay"
    assert "yet it is frozen, so it stays" in question.sentence


def test_a_step_that_diverges_is_not_asked_about() -> None:
    """There is no loss after it."""
    state = start(Spec.make(dataset="line", hidden=[], learning_rate=100.0, noise=1.0))
    state = advance(state, advance(state, 5_000).state.step - 1).state
    while Facts(state).after().step > state.step:
        state = advance(state, 1).state
    if state.divergence is None:
        with pytest.raises(BadQuestion, match="diverge"):
            asking.make(Facts(state), "loss")


def test_delta_can_be_worked_out_from_what_is_given() -> None:
    """The example is named, and weights, deltas and slope are told whose product it is."""
    question = asking.make(Facts(start(Spec.make()), example=3), "delta", "a2.1")
    assert question.prompt.endswith(", on example 3?")
    weight, above, slope = (float(t.replace("−", "-")) for t in re.findall(r"= ([+−]?[\d.]+)", question.given))
    assert weight * above * slope == pytest.approx(float(str(question.truth)), rel=1e-3)


@pytest.mark.parametrize("address", ["a1.1", "a2.2", "a3.1"])
def test_delta_of_maps_and_norms_can_be_worked_out_too(pictured: RunState, address: str) -> None:
    """Of a channel at one place, from what comes back and the slope; behind a normalization from three ways that add
    up. What comes of leaving one out is told by its name."""
    question = asking.make(Facts(pictured), "delta", address)
    dz = trace(pictured, question.example).layers[int(address[1]) - 1].dz[0, int(address[3]) - 1]
    assert float(str(question.truth)) == dz.ravel()[np.abs(dz).argmax()]
    told = re.findall(r"([+−]?[\d.]+)(×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?:,|$)", question.given)
    superscript = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
    parts = [float(f"{n}e{power or 0}".translate(superscript)) for n, _, power in told]
    made = sum(parts) if "through" in question.given else np.prod(parts)
    assert made == pytest.approx(float(str(question.truth)), rel=2e-3)
    assert len(parts) == (3 if "through" in question.given else 2)
    assert not dz.ndim or "at row" in question.prompt


def test_delta_of_what_has_no_slope_of_its_own_is_refused() -> None:
    """As where three ways back cancel, so that rounded ones would not do."""
    spec = Spec.make(dataset="digits16", samples=40, layers="dense 16 softmax, conv2d 1 3x3 tanh")
    with pytest.raises(BadQuestion, match="no slope of its own"):
        asking.make(Facts(start(spec)), "delta", "a1.1")


def test_answers_have_one_spelling() -> None:
    """Options by value or label in any case; numbers with comma, true minus or exponent; nothing else."""
    choice = ClassQuestion(1, "x", "?", ("W1.1.1", "W1.1.2"), ("W₁,₁,₁: one", "W₁,₁,₂: two"))
    assert polls.canonical(choice, "w₁,₁,₂: TWO") == "W1.1.2"
    number = ClassQuestion(1, "x", "?", truth="-0.25", tolerance=0.01)
    for spelling in ("-0.25", "−0,25", " -2.5e-1 ", -0.25):
        assert polls.canonical(number, spelling) == "-0.25"
    assert polls.canonical(number, "-0") == polls.canonical(number, "0") == "0.0"
    for wrong in ("", "a lot", "nan", "inf", "1e400", True, None, [1], "1" * 100):
        with pytest.raises(BadQuestion):
            polls.canonical(number, wrong)
        with pytest.raises(BadQuestion):
            polls.canonical(choice, wrong)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), max_size=40), st.booleans())
def test_a_distribution_of_numbers_counts_each_answer_once(values: list[float], told: bool) -> None:
    """However they are grouped; the truth's own group appears only when it is told."""
    question = ClassQuestion(1, "x", "?", truth="0.5", tolerance=0.01)
    answers = {str(i): polls.canonical(question, value) for i, value in enumerate(values)}
    bars = polls.distribution(question, answers, told)
    assert sum(bar.count for bar in bars) == len(values)
    assert len(bars) <= polls.GROUPS + 2
    assert any(bar.true for bar in bars) == told
    if told:
        assert bars[0].count == sum(abs(v - 0.5) <= 0.01 for v in values)
    else:
        assert all(bar.true is None for bar in bars)


def test_own_questions_are_checked_and_may_have_a_truth() -> None:
    """2 to 6 different options or none; the truth must be one of them."""
    question = polls.own(" Which <b>fruit</b>?\n", ["apple", "pear"], "Pear")
    assert question.prompt == "Which <b>fruit</b>?"
    assert question.truth == "pear"
    assert polls.is_right(question, "pear")
    assert polls.own("How many?", (), "4").truth == "4.0"
    assert polls.is_right(polls.own("Guess", ()), "1.0") is None
    for prompt, options, truth in (
        ("", ["a", "b"], None), ("q", ["a"], None), ("q", ["a", "a"], None), ("q", list("abcdefg"), None),
        ("q", ["a", "\u200b"], None), ("q", ["a", "b"], "c"), ("q", [], "many"),
    ):  # fmt: skip
        with pytest.raises(BadQuestion):
            polls.own(prompt, options, truth)
